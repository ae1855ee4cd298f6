"""Stimuli that are the same picture, or nearly so, under different ids.

A network answers copies alike, and so does a brain: held out one by one, the copy of a stimulus is
trained on, and any layer predicts it.
"""

import hashlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# The coordinate of the stimuli that says of each which picture it shows: the id of the first of
# those that show it. One of the user's own by this name is kept.
PICTURE = "picture"
COARSE, FINE = 16, 32  # pixels to a side of the versions that are compared
# Correlations of these versions, above which pictures are nearly the same. What is alike coarsely,
# such as textures in one aperture, has to be alike in what is finer too. JPEG at quality 40 (of 128
# pixels) and changes of brightness and contrast stay above both.
NEARLY_COARSE, NEARLY_FINE = 0.995, 0.98
LEAST_SPREAD = 1.0  # grey levels: an image that varies less is compared by its pixels alone
BLOCK = 1024  # images compared with all others at once
HELD = 4096  # fine versions, of images that are alike coarsely, that are kept: 50 MB


class Images(Protocol):
    """uint8 (y, x, channel) each, of sizes that may differ, read as they are asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, number: int, /) -> NDArray: ...


def same_pictures(images: Images) -> tuple[NDArray, NDArray]:
    """Which stimuli show the same picture: twice (stimulus,), the number of the first that does.

    images: (stimulus,), of which one at a time is in memory. First by all pixels, then
    with what is nearly the same as well: versions of 16 x 16 and of 32 x 32 pixels correlate above
    NEARLY_COARSE and NEARLY_FINE. Near copies of near copies are of one picture.
    """
    first: dict[bytes, int] = {}
    exact = np.empty(len(images), dtype=int)
    coarse = np.zeros((len(images), COARSE * COARSE * 3), dtype=np.float32)
    for number in range(len(images)):
        pixels = np.ascontiguousarray(images[number])
        digest = hashlib.sha256(f"{pixels.shape}".encode() + pixels.tobytes()).digest()
        exact[number] = first.setdefault(digest, number)
        if exact[number] == number:
            coarse[number] = _version(pixels, COARSE)
    fine = lru_cache(HELD)(lambda number: _version(images[number], FINE))
    return exact, _joined(exact, _near_pairs(fine, coarse))


def _near_pairs(fine: Callable[[int], NDArray], coarse: NDArray) -> list[tuple[int, int]]:
    """Pairs of numbers of stimuli, from their coarse versions (stimulus, value) of norm 1."""
    found = []
    known = np.flatnonzero(coarse.any(axis=1))
    for start in range(0, len(known), BLOCK):
        rows = known[start : start + BLOCK]
        others = known[start:]
        # (row, value) x (value, other)
        alike = coarse[rows] @ coarse[others].T > NEARLY_COARSE
        for row, other in np.argwhere(np.triu(alike, 1)):
            one, two = int(rows[row]), int(others[other])
            if np.vdot(fine(one), fine(two)) > NEARLY_FINE:
                found.append((one, two))
    return found


def _version(image: NDArray, side: int) -> NDArray:
    """An image (y, x, channel) as few values (value,) of mean 0 and norm 1; zeros without contrast.

    The channels together, so that a change of hue is a change.
    """
    small = Image.fromarray(np.asarray(image)).resize((side, side), Image.Resampling.BOX)
    values = np.asarray(small, dtype=np.float32).ravel()
    values = values - values.mean()
    spread = float(values.std())
    if spread < LEAST_SPREAD:
        return np.zeros_like(values)
    return values / (spread * np.float32(np.sqrt(len(values))))


def _joined(first: NDArray, pairs: Sequence[tuple[int, int]]) -> NDArray:
    """The number of the first stimulus of each set that pairs connect: (stimulus,)."""
    root = first.copy()

    def find(number: int) -> int:
        while root[number] != number:
            root[number] = root[root[number]]
            number = int(root[number])
        return number

    for one, two in pairs:
        low, high = sorted((find(one), find(two)))
        root[high] = low
    return np.array([find(number) for number in range(len(root))])
