"""How well one network classifies: measured on labelled images, or as published."""

import csv

import torch

from cortiscope import job
from cortiscope.experiment.images import list_categories
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
        n_classes, n_folders = None, None
        if images:
            shown = read(images[0])
            labelled = from_arrays(shown["image"], shown["label"])
            n_classes = int(shown["label"].max()) + 1
        else:
            labelled, n_folders = from_folder(folder), len(list_categories(folder))
        network = zoo.build(row, weights[0] if weights else None)
        chosen = devices.choose_device(device)
        transform = zoo.transform(row)
        found |= top_k(network, transform, labelled, n_classes, chosen, n_folders=n_folders)
        found["accuracy_source"] = "measured"
    elif published:
        found |= {"top1": published[0], "top5": published[1], "accuracy_source": "published"}
    with replacing(accuracy) as temporary, temporary.open("w", newline="") as lines:
        writer = csv.DictWriter(lines, COLUMNS)
        writer.writeheader()
        writer.writerow(found)


if __name__ == "__main__":
    job.run(main)
