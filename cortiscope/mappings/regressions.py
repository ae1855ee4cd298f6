"""Regressions on the features of a layer, each prepared once for all responses."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace

import numpy as np

from cortiscope.errors import InputError
from cortiscope.regression import given_split
from cortiscope.regression.cross_validation import TRAINING, held_out_folds, near
from cortiscope.regression.held_out_scores import Predictions
from cortiscope.regression.nested import KEPT_BYTES

# Bytes of what is kept of a layer: with few hundreds of stimuli enough for all of them, the halves
# and the ten sets of the jackknife, with thousands for all of them alone.
ROOM = 2**28
FEWEST_TO_TRAIN = 3  # stimuli: two leave nothing to choose a strength of regularisation on


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
        gap: int = 0,
    ) -> None:
        self.prepare, self.refit = prepare, prepare if refit is None else refit
        self.gap = gap
        self.features, self.n_kernels = features, n_kernels
        self.kept: dict[tuple[bool, bytes, bytes], Predict] = {}
        self.room = ROOM

    def on(self, sample: Sample, given: bool = False) -> Predict:
        """given: for targets that say what strengths to take."""
        key = given, sample.stimuli.tobytes(), sample.folds.tobytes()
        if key in self.kept:
            return self.kept[key]
        prepare = self.refit if given else self.prepare
        size = self._size(len(sample.stimuli))
        if self.gap:
            made: Predict = ApartFromHeldOut(self.prepare, self.features, sample, self.gap)
            size *= len(held_out_folds(sample.folds)[0])
        else:
            made = prepare(self.features[sample.stimuli], sample.folds)
        if size <= self.room or not self.kept:
            self.kept[key] = made
            self.room -= size
        return made

    def _size(self, n_stimuli: int) -> int:
        """About the bytes of a preparation: kernels, eigenvectors, what a `nested.Solver` keeps."""
        square = n_stimuli**2 * 8
        return 2 * self.n_kernels * square + min(KEPT_BYTES, 32 * square)


class ApartFromHeldOut:
    """Predicts every fold by a model of the stimuli farther than a gap from those held out.

    Each fold is a given split of its own (`cross_validation.TRAINING`), of which all regressions
    know, without the stimuli in between. Slower by as many times as there are folds than what
    serves all folds at once, and than what takes strengths that were chosen before: they are chosen
    anew.
    """

    def __init__(self, prepare: Prepare, features: np.ndarray, sample: Sample, gap: int) -> None:
        self.parts: list[tuple[np.ndarray, np.ndarray, Predict | None]] = []
        for kept, folds, enough in apart(sample, gap):
            own = features[sample.stimuli[kept]]
            self.parts.append((kept, folds, prepare(own, folds) if enough else None))
        if all(predict is None for _, _, predict in self.parts):
            problem = f"{gap} leaves nothing to train on of {len(sample.stimuli)} stimuli"
            raise InputError("cross_validation.gap", problem, "give a smaller one")

    def __call__(self, targets: Targets) -> Predictions:
        """Predictions of all stimuli; NaN where too few were left to train on."""
        values = np.full(targets.values.shape, np.nan)
        found: list[Predictions | None] = []
        for kept, folds, predict in self.parts:
            if predict is None:
                found.append(None)
                continue
            own = replace(targets, values=targets.values[kept], alpha=None)
            part = predict(own)
            held = given_split.tested(part, own.values, folds)
            values[kept[folds != TRAINING]] = held.values
            found.append(replace(part, alpha=held.alpha, spread=held.spread))
        return _side_by_side(values, found)


def apart(sample: Sample, gap: int) -> Iterator[tuple[np.ndarray, np.ndarray, bool]]:
    """Of each fold the places in the sample that it uses, which of these are held out (0, others
    TRAINING), and whether enough are trained on.
    """
    for number in held_out_folds(sample.folds)[0]:
        held = sample.folds == number
        kept = np.flatnonzero(held | ~near(sample.stimuli, held, gap))
        folds = np.where(held[kept], 0, TRAINING)
        yield kept, folds, bool((folds == TRAINING).sum() >= FEWEST_TO_TRAIN)


def can_train(sample: Sample, gap: int) -> bool:
    """Whether a gap leaves any fold of a sample enough to train on."""
    return not gap or any(enough for _, _, enough in apart(sample, gap))


def _side_by_side(values: np.ndarray, parts: list[Predictions | None]) -> Predictions:
    """Predictions (stimulus, target), with what the model of each fold says (..., fold, target)."""
    like = next(part for part in parts if part is not None)
    of_folds = {}
    for field in fields(like):
        if field.name != "values" and getattr(like, field.name) is not None:
            empty = np.full_like(getattr(like, field.name), np.nan)
            each = [empty if part is None else getattr(part, field.name) for part in parts]
            of_folds[field.name] = np.concatenate(each, axis=-2)
    return replace(like, values=values, **of_folds)


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
