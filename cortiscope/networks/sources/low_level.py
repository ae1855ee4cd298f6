"""A low-level model of images as features: `pixels`, `gabor_energy`, `hog` or `gist`.

The column `architecture` names the model.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from cortiscope.errors import InputError
from cortiscope.experiment.low_level import (
    GABOR_GRID,
    GIST_GRID,
    HOG_BINS,
    HOG_CELL,
    MODELS,
    N_ORIENTATIONS,
    PIXEL_GRID,
    WAVELENGTHS,
)
from cortiscope.experiment.stored_images import StoredImages
from cortiscope.files import opened
from cortiscope.networks.sources import given
from cortiscope.suggestions import near


class Source(given.Source):
    """One layer, of the model's name."""

    def given(self, stimuli: given.Stimuli) -> list[given.Given]:
        name = self.row["architecture"]
        if name not in MODELS:
            problem = f"there is no low-level model {name!r}"
            raise InputError(self.where("architecture"), problem, f"near: {near(name, MODELS)}")
        return [given.Given(name, 1.0, (n_components(name, stimuli.image_size()),))]

    def values(self, stimuli: str, names: Sequence[str]) -> Iterator[tuple[str, np.ndarray]]:
        with opened(stimuli) as shown:
            images = StoredImages(shown).of_one_size()
            first = StoredImages(shown)[0].shape[:2]
        for name in names:
            found = MODELS[name](images).astype(np.float32)
            if found.shape[1] != n_components(name, first):
                problem = f"images differ in size, on which the components of {name} depend"
                raise InputError("stimuli", problem, "bring them to one size")
            yield name, found


def n_components(name: str, image_size: tuple[int, ...]) -> int:
    """How many numbers a low-level model makes of an image of y by x pixels."""
    filters = len(WAVELENGTHS) * N_ORIENTATIONS
    blocks = [size // HOG_CELL - 1 for size in image_size]
    counts: dict[str, Callable[[], int]] = {
        "pixels": lambda: PIXEL_GRID**2,
        "gabor_energy": lambda: filters * GABOR_GRID**2,
        "gist": lambda: filters * GIST_GRID**2,
        "hog": lambda: 4 * HOG_BINS * blocks[0] * blocks[1],
    }
    return counts[name]()
