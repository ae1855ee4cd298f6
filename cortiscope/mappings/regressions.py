"""Regressions on the features of a layer, each prepared once for all responses."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cortiscope.ridge import Predictions

# Sets of stimuli whose regressions are kept: all, those of the jackknife and the halves. Neuroids
# with missing responses can have many more.
MOST_KEPT = 32


@dataclass(frozen=True)
class Targets:
    """What is predicted.

    values: (stimulus, target), none missing, in the unit of the responses. dtype: of the
    arithmetic; float32 will do for nulls. sets: (target,), numbers: the area's neuroids come once
    for each permutation or half of the data, which matters where neuroids are regressed together.
    """

    values: np.ndarray
    dtype: type
    sets: np.ndarray


Predict = Callable[[Targets], Predictions]


@dataclass(frozen=True)
class Sample:
    """Some stimuli, given by their numbers (stimulus,), and the folds they are in (stimulus,)."""

    stimuli: np.ndarray
    folds: np.ndarray

    def among(self, chosen: np.ndarray) -> "Sample":
        """Those of an index or a mask (stimulus,), in the same folds."""
        return Sample(self.stimuli[chosen], self.folds[chosen])


class Regressions:
    """Regressions on features (stimulus, component), each prepared once for all responses."""

    def __init__(
        self, prepare: Callable[[np.ndarray, np.ndarray], Predict], features: np.ndarray
    ) -> None:
        self.prepare, self.features = prepare, features
        self.kept: dict[tuple[bytes, bytes], Predict] = {}

    def on(self, sample: Sample) -> Predict:
        key = sample.stimuli.tobytes(), sample.folds.tobytes()
        if key in self.kept:
            return self.kept[key]
        made = self.prepare(self.features[sample.stimuli], sample.folds)
        if len(self.kept) < MOST_KEPT:
            self.kept[key] = made
        return made
