"""Regressions on the features of a layer, each prepared once for all responses."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cortiscope.regression.nested import KEPT_BYTES
from cortiscope.regression.ridge import Predictions

# Bytes of what is kept of a layer: with few hundreds of stimuli enough for all of them, the halves
# and the ten sets of the jackknife, with thousands for all of them alone.
ROOM = 2**28


@dataclass(frozen=True)
class Targets:
    """What is predicted.

    values: (stimulus, target), none missing, in the unit of the responses. dtype: of the
    arithmetic; float32 will do for nulls. sets: (target,), numbers: the area's neuroids come once
    for each permutation or half of the data, which matters where neuroids are regressed together.
    alpha: (target,), strengths to take; chosen inside the training stimuli without them.
    """

    values: np.ndarray
    dtype: type
    sets: np.ndarray
    alpha: np.ndarray | None = None


Predict = Callable[[Targets], Predictions]
# From features (stimulus, component) and folds (stimulus,).
Prepare = Callable[[np.ndarray, np.ndarray], Predict]


@dataclass(frozen=True)
class Sample:
    """Some stimuli, given by their numbers (stimulus,), and the folds they are in (stimulus,)."""

    stimuli: np.ndarray
    folds: np.ndarray

    def among(self, chosen: np.ndarray) -> "Sample":
        """Those of an index or a mask (stimulus,), in the same folds."""
        return Sample(self.stimuli[chosen], self.folds[chosen])


class Regressions:
    """Regressions on features (stimulus, component), each prepared once for all responses.

    The first is always kept, others while there is room. n_kernels: how many matrices between
    stimuli each is made of. refit: prepares those that take the strengths they are given, where
    that is cheaper.
    """

    def __init__(
        self,
        prepare: Prepare,
        features: np.ndarray,
        n_kernels: int = 1,
        refit: Prepare | None = None,
    ) -> None:
        self.prepare, self.refit = prepare, prepare if refit is None else refit
        self.features, self.n_kernels = features, n_kernels
        self.kept: dict[tuple[bool, bytes, bytes], Predict] = {}
        self.room = ROOM

    def on(self, sample: Sample, given: bool = False) -> Predict:
        """given: for targets that say what strengths to take."""
        key = given, sample.stimuli.tobytes(), sample.folds.tobytes()
        if key in self.kept:
            return self.kept[key]
        prepare = self.refit if given else self.prepare
        made = prepare(self.features[sample.stimuli], sample.folds)
        size = self._size(len(sample.stimuli))
        if size <= self.room or not self.kept:
            self.kept[key] = made
            self.room -= size
        return made

    def _size(self, n_stimuli: int) -> int:
        """About the bytes of a preparation: kernels, eigenvectors, what a `nested.Solver` keeps."""
        square = n_stimuli**2 * 8
        return 2 * self.n_kernels * square + min(KEPT_BYTES, 32 * square)


def at_each(targets: Targets, predict: Callable[[float], Predict]) -> Predictions:
    """Predictions at the strength that each target names; predict: at one, of all its targets."""
    assert targets.alpha is not None
    groups = [np.flatnonzero(targets.alpha == strength) for strength in np.unique(targets.alpha)]
    found = [
        predict(float(targets.alpha[own[0]]))(
            Targets(targets.values[:, own], targets.dtype, targets.sets[own])
        )
        for own in groups
    ]
    back = np.argsort(np.concatenate(groups))
    return Predictions(
        np.hstack([each.values for each in found])[:, back],
        np.hstack([each.alpha for each in found])[:, back],
        np.hstack([each.spread for each in found])[:, back],
    )
