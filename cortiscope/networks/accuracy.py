"""How often the right category is among a network's first and first five answers."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn

from cortiscope.errors import InputError
from cortiscope.experiment.images import found_images, list_categories, read_image
from cortiscope.networks.devices import reproducible

BATCH = 50  # images
EVERY = 5  # seconds between reports

# uint8 (stimulus, y, x, channel) and its categories (stimulus,), integers from 0
Labelled = tuple[np.ndarray, np.ndarray]


def say(message: str) -> None:
    """Report progress where a log file can catch it."""
    print(message, file=sys.stderr, flush=True)


def top_k(
    network: nn.Module,
    transform: Callable[[np.ndarray], torch.Tensor],
    images: Iterable[Labelled],
    n_classes: int | None,
    device: torch.device | str = "cpu",
    report: Callable[[str], None] = say,
    n_folders: int | None = None,
) -> dict[str, float | int]:
    """Top-1 and top-5 accuracy in % (0..100) over labelled images, streamed.

    images: pieces of any size, as `from_arrays` and `from_folder` give them.
    n_classes: only the first so many outputs compete (a 1000-way head on 8 categories); None: all.
    n_folders: of which the labels are the numbers; there must be as many outputs. None: are not.
    Returns top1, top5, n_images. Ties count as drawn by lot, so that equal outputs are at chance.
    With five categories or fewer top5 is 100. Raises InputError for no images, too few outputs, or
    outputs that are not finite. On a GPU that is out of memory the batch is halved.
    """
    network = network.to(device).eval()
    hits = np.zeros(2)
    n_images, size = 0, BATCH
    said = time.monotonic()
    with reproducible(), torch.inference_mode():
        for batch, labels in _batches(images, transform):
            logits, size = _answers(network, batch, size, device, report)
            if n_folders is not None:
                _check_outputs(logits, n_folders)
            hits += _count_hits(logits, torch.from_numpy(labels), n_classes)
            n_images += len(labels)
            if time.monotonic() - said > EVERY:
                said = time.monotonic()
                report(f"accuracy: {n_images} images, top-1 {100 * hits[0] / n_images:.1f} %")
    if not n_images:
        raise InputError("accuracy", "no labelled images", "check config: accuracy.images")
    top1, top5 = (100 * hits / n_images).tolist()
    return {"top1": top1, "top5": top5, "n_images": n_images}


def _answers(
    network: nn.Module,
    batch: torch.Tensor,
    size: int,
    device: torch.device | str,
    report: Callable[[str], None],
) -> tuple[torch.Tensor, int]:
    """Logits (stimulus, category) of a batch, in parts of `size` images or of what fits; that."""
    answers, start = [], 0
    while start < len(batch):
        part = batch[start : start + size]
        try:
            answers.append(network(part.to(device)).float().cpu())
        except torch.OutOfMemoryError as error:  # for memory of the host, the job asked
            if len(part) == 1:
                raise InputError(
                    "accuracy", "one image does not fit into memory", "use a larger GPU, or cpu"
                ) from error
            size = len(part) // 2
            report(f"accuracy: out of memory, going on with batches of {size}")
        else:
            start += len(part)
    return torch.cat(answers), size


def _check_outputs(logits: torch.Tensor, n_folders: int) -> None:
    """Among other categories than the network's, its own would have other numbers."""
    n_outputs = logits[0].numel()
    if n_outputs != n_folders:
        raise InputError(
            "config: accuracy.images",
            f"has {n_folders} folders where the network has {n_outputs} outputs",
            "give each of its categories a folder, an empty one where there are no images",
        )


def _count_hits(logits: torch.Tensor, labels: torch.Tensor, n_classes: int | None) -> list[float]:
    """How many images are among the first and the first five answers."""
    logits = logits if n_classes is None else logits[:, :n_classes]
    if logits.ndim != 2 or int(labels.max()) >= logits.shape[1]:
        raise InputError(
            "accuracy",
            f"outputs {tuple(logits.shape)} do not cover category {int(labels.max())}",
            "use images of the categories that the network was trained on",
        )
    if not torch.isfinite(logits).all():
        raise InputError("accuracy", "outputs are not finite", "check weights and images")
    own = logits.gather(1, labels[:, None].long())
    better, tied = (logits > own).sum(1), (logits == own).sum(1)  # the right one ties with itself
    return [float(((k - better) / tied.double()).clip(0, 1).sum()) for k in (1, 5)]


def _batches(
    images: Iterable[Labelled], transform: Callable[[np.ndarray], torch.Tensor]
) -> Iterator[tuple[torch.Tensor, np.ndarray]]:
    """Preprocess pieces, which may differ in image size, and gather them into batches."""
    waiting: list[torch.Tensor] = []
    labels: list[np.ndarray] = []
    for pictures, categories in images:
        for start in range(0, len(pictures), BATCH):
            waiting.append(transform(pictures[start : start + BATCH]))
            labels.append(categories[start : start + BATCH])
            if sum(map(len, waiting)) >= BATCH:
                yield torch.cat(waiting), np.concatenate(labels)
                waiting, labels = [], []
    if waiting:
        yield torch.cat(waiting), np.concatenate(labels)


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
