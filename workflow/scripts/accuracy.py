"""How well one network classifies: measured on labelled images, or as published."""

import csv

import torch

from cortiscope import job
from cortiscope.files import made_by, read, replacing
from cortiscope.networks import devices, zoo
from cortiscope.networks.accuracy import from_arrays, from_folder, top_k

COLUMNS = ("model", "top1", "top5", "accuracy_source", "n_images", "made_by")


def main(
    weights: list[str] | None,
    images: list[str] | None,
    accuracy: str,
    row: dict,
    folder: str,
    device: str,
    threads: int,
    provenance: dict,
) -> None:
    torch.set_num_threads(threads)
    published = zoo.published_accuracy(row)
    found: dict = {"model": row["model"], "made_by": made_by(provenance)}
    found["accuracy_source"] = "unknown"
    if images or folder:
        labelled, n_classes = from_folder(folder), None
        if images:
            shown = read(images[0])
            labelled = from_arrays(shown["image"], shown["label"])
            n_classes = int(shown["label"].max()) + 1
        network = zoo.build(row, weights[0] if weights else None)
        chosen = devices.choose_device(device)
        found |= top_k(network, zoo.transform(row), labelled, n_classes, chosen)
        found["accuracy_source"] = "measured"
    elif published:
        found |= {"top1": published[0], "top5": published[1], "accuracy_source": "published"}
    with replacing(accuracy) as temporary, temporary.open("w", newline="") as lines:
        writer = csv.DictWriter(lines, COLUMNS)
        writer.writeheader()
        writer.writerow(found)


if __name__ == "__main__":
    job.run(main)
