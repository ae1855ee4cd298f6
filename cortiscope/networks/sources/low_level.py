"""What a simple model of images says of the stimuli, in place of a network.

The column `architecture` names one of `experiment.low_level.MODELS`; not `hog`, of which a stimulus
has as many numbers as its size makes.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from cortiscope.errors import InputError
from cortiscope.experiment.low_level import MODELS, N_FEATURES
from cortiscope.experiment.stored_images import StoredImages
from cortiscope.files import opened
from cortiscope.networks.sources import given


class Source(given.Source):
    """One layer, of the model's name."""

    def given(self, n_values: Callable[[str], int]) -> list[given.Given]:
        name = self.row["architecture"]
        if name not in N_FEATURES:
            known = ", ".join(N_FEATURES)
            raise InputError(
                self.where("architecture"), f"{name!r} is not valid", f"use one of {known}"
            )
        return [given.Given(name, 1.0, (N_FEATURES[name],))]

    def values(self, stimuli: str, names: Sequence[str]) -> Iterator[tuple[str, np.ndarray]]:
        with opened(stimuli) as shown:
            images = StoredImages(shown).of_one_size()
        for name in names:
            yield name, MODELS[name](images).astype(np.float32)
