"""How often the right category is among a network's first and first five answers."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from cortiscope.errors import InputError
from cortiscope.experiment.images import (
    found_images,
    list_categories,
    passed_over,
    read_image,
)
from cortiscope.files import read
from cortiscope.networks import networks
from cortiscope.networks.answers import Answers, NoClassifierError
from cortiscope.networks.devices import choose_device, reproducible
from cortiscope.networks.preprocessing import batch_of

NO_CLASSIFIER = {"accuracy_source": "no classifier"}
UNKNOWN = {"accuracy_source": "unknown"}
BATCH = 50  # images
EVERY = 5  # seconds between reports
NAMED = 12  # folders, in a message

# uint8 (stimulus, y, x, channel) and its categories (stimulus,), integers from 0
Labelled = tuple[np.ndarray, np.ndarray]


def say(message: str) -> None:
    """Report progress where a log file can catch it."""
    if message:
        print(message, file=sys.stderr, flush=True)


def measured(
    row: networks.Row, weights: str | None, images: str | Path, device: str
) -> Mapping[str, float | int | str]:
    """What the table of accuracies says of the network of a row of the models table.

    images: a folder with a folder per category, or a netCDF file with `image` and `label`, of which
    a network that has more outputs than there are labels answers with the first.
    """
    n_classes, folders = None, None
    if Path(images).is_dir():
        say(passed_over(images))
        labelled, folders = from_folder(images), list_categories(images)
    else:
        shown = read(images)
        labelled = from_arrays(shown["image"], shown["label"])
        n_classes = int(shown["label"].max()) + 1
    stated = networks.source(row).n_classes()
    if stated == 0:
        return NO_CLASSIFIER
    if folders is not None and stated not in (None, len(folders)):
        say(f"accuracy: not measured: {stated} classes, where there are {len(folders)} folders")
        return UNKNOWN
    network, transform = networks.build(row, weights), networks.transform(row)
    chosen = choose_device(device)
    try:
        found = top_k(network, transform, labelled, n_classes, chosen, folders=folders)
    except NoClassifierError as reason:
        among = f"; there are {len(folders)} folders: {_named(folders)}" if folders else ""
        say(f"accuracy: not measured: {reason}{among}")
        return NO_CLASSIFIER
    return {**found, "accuracy_source": "measured"}


def top_k(
    network: nn.Module,
    transform: Callable[[np.ndarray], torch.Tensor],
    images: Iterable[Labelled],
    n_classes: int | None,
    device: torch.device | str = "cpu",
    report: Callable[[str], None] = say,
    folders: Sequence[Path] | None = None,
) -> dict[str, float | int]:
    """Top-1 and top-5 accuracy in % (0..100) over labelled images, streamed.

    images: pieces of any size, as `from_arrays` and `from_folder` give them.
    n_classes: only the first so many outputs compete (a 1000-way head on 8 categories); None: all.
    folders: of which the labels are the numbers; there must be as many outputs. None: are not.
    Returns top1, top5, n_images. Ties count as drawn by lot, so that equal outputs are at chance.
    With five categories or fewer top5 is 100. Of several outputs the class scores are found, see
    `answers.class_scores`. Raises InputError for no images, another number of outputs than folders,
    or outputs that are not finite, and NoClassifierError for a network without class scores. On a
    GPU that is out of memory the batch is halved.
    """
    network = network.to(device).eval()
    width = n_classes if folders is None else len(folders)
    answers = Answers(network, device, BATCH, width, report)
    hits = np.zeros(2)
    n_images, said = 0, time.monotonic()
    with reproducible(), torch.inference_mode():
        for batch, labels in _batches(images, transform):
            scores = answers(batch)
            if folders is not None:
                _check_outputs(scores, folders)
            hits += _count_hits(scores, torch.from_numpy(labels), n_classes)
            n_images += len(labels)
            if time.monotonic() - said > EVERY:
                said = time.monotonic()
                report(f"accuracy: {n_images} images, top-1 {100 * hits[0] / n_images:.1f} %")
    if not n_images:
        raise InputError("accuracy", "no labelled images", "check config: accuracy.images")
    top1, top5 = (100 * hits / n_images).tolist()
    return {"top1": top1, "top5": top5, "n_images": n_images}


def _check_outputs(scores: torch.Tensor, folders: Sequence[Path]) -> None:
    """Among other categories than the network's, its own would have other numbers."""
    if scores.shape[1] != len(folders):
        empty = [folder for folder in folders if not any(found_images(folder))]
        without = f"; without images: {_named(empty)}" if empty else ""
        raise InputError(
            "config: accuracy.images",
            f"has {len(folders)} folders ({_named(folders)}{without}) where the network has"
            f" {scores.shape[1]} outputs",
            "give each of its categories a folder, an empty one where there are no images; or write"
            " `none` in the column `classifier` of the models table, if it is none",
        )


def _named(folders: Sequence[Path]) -> str:
    names = [folder.name for folder in folders]
    return ", ".join(names if len(names) <= NAMED else [*names[: NAMED - 1], "...", names[-1]])


def _count_hits(scores: torch.Tensor, labels: torch.Tensor, n_classes: int | None) -> list[float]:
    """How many images are among the first and the first five answers."""
    scores = scores if n_classes is None else scores[:, :n_classes]
    if int(labels.max()) >= scores.shape[1]:
        raise InputError(
            "accuracy",
            f"outputs {tuple(scores.shape)} do not cover category {int(labels.max())}",
            "use images of the categories that the network was trained on",
        )
    if not torch.isfinite(scores).all():
        raise InputError("accuracy", "outputs are not finite", "check weights and images")
    own = scores.gather(1, labels[:, None].long())
    better, tied = (scores > own).sum(1), (scores == own).sum(1)  # the right one ties with itself
    return [float(((k - better) / tied.double()).clip(0, 1).sum()) for k in (1, 5)]


def _batches(
    images: Iterable[Labelled], transform: Callable[[np.ndarray], torch.Tensor]
) -> Iterator[tuple[torch.Tensor, np.ndarray]]:
    """Preprocess images one by one, which may differ in size, and gather them into batches.

    Of BATCH; the last has up to one more, so that none is of one image alone.
    """
    waiting: list[torch.Tensor] = []
    labels: list[int] = []
    for pictures, categories in images:
        for picture, category in zip(pictures, categories, strict=True):
            waiting.append(transform(picture[None]))
            labels.append(category)
            if len(waiting) == BATCH + 2:
                yield batch_of(waiting[:BATCH]), np.array(labels[:BATCH])
                waiting, labels = waiting[BATCH:], labels[BATCH:]
    if waiting:
        yield batch_of(waiting), np.array(labels)


def from_arrays(images: np.ndarray, labels: np.ndarray) -> Iterator[Labelled]:
    """Labelled images in memory: uint8 (stimulus, y, x, channel), integers (stimulus,)."""
    if len(images) != len(labels):
        raise InputError(
            "accuracy", f"{len(images)} images and {len(labels)} labels", "give one label an image"
        )
    yield images, np.asarray(labels)


def from_folder(folder: str | Path) -> Iterator[Labelled]:
    """Images of a folder with a folder per category, one at a time, as ImageFolder reads them.

    Categories are numbered as `list_categories` has them.
    """
    for label, category in enumerate(list_categories(folder)):
        for path in sorted(found_images(category)):
            yield read_image(path, viewed=False)[None], np.array([label])
