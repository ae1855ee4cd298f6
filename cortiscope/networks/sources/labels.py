"""A coordinate of the stimuli as features: 1 for the value that a stimulus has, 0 for all others.

The column `architecture` names the coordinate.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from cortiscope.errors import InputError
from cortiscope.files import read_coordinate
from cortiscope.networks.sources import given


class Source(given.Source):
    """One layer, of the coordinate's name."""

    def given(self, stimuli: given.Stimuli) -> list[given.Given]:
        name = self.row["architecture"]
        if (count := stimuli.n_values(name)) < 2:
            problem = f"all stimuli have the same {name!r}"
            raise InputError(self.where("architecture"), problem, "name another coordinate")
        return [given.Given(name, 1.0, (count,))]

    def values(self, stimuli: str, names: Sequence[str]) -> Iterator[tuple[str, np.ndarray]]:
        for name in names:
            found, place = np.unique(
                read_coordinate(stimuli, name).astype(str), return_inverse=True
            )
            yield name, np.eye(len(found), dtype=np.float32)[place]
