"""How well one network classifies: measured on labelled images, or as published."""

import csv

import torch

from cortiscope import job
from cortiscope.files import made_by, replacing
from cortiscope.networks import networks
from cortiscope.networks.accuracy import NO_CLASSIFIER
from cortiscope.networks.known_accuracies import measured_once

COLUMNS = ("model", "top1", "top5", "accuracy_source", "n_images", "made_by")


def main(
    weights: list[str] | None,
    architecture: list[str] | None,
    images: list[str] | None,
    accuracy: str,
    row: dict,
    folder: str,
    images_digest: str,
    device: str,
    threads: int,
    provenance: dict,
) -> None:
    torch.set_num_threads(threads)
    found: dict = {"model": row["model"], "made_by": made_by(provenance)}
    if row["classifier"] == "none":
        found |= NO_CLASSIFIER
    elif images or folder:
        labelled = images[0] if images else folder
        parts = (provenance["code"], images_digest)
        found |= measured_once(
            row, weights[0] if weights else None, labelled, device, parts, bool(architecture)
        )
    elif published := networks.published_accuracy(row):
        found |= {"top1": published[0], "top5": published[1], "accuracy_source": "published"}
    else:
        found["accuracy_source"] = "unknown"
    with replacing(accuracy) as temporary, temporary.open("w", newline="") as lines:
        writer = csv.DictWriter(lines, COLUMNS)
        writer.writeheader()
        writer.writerow(found)


if __name__ == "__main__":
    job.run(main)
