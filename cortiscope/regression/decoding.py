"""Properties of the stimuli read out from a layer, or from an area, by the same linear readout.

Hong, Yamins, Majaj and DiCarlo (2016), Nat Neurosci 19:613: category and what is orthogonal to it
(position, size, rotation), from features or from responses, so that the two can be laid side by
side. The readout is nested cross-validated ridge (see `ridge`), alpha chosen for every property
inside the training part:

continuous  r of held-out predictions, as `fold_centred_correlation`; noise scores 0.
angles      their sine and cosine, whose r are averaged by the variance of each.
discrete    one against the rest: class c has the target n / 2 n_c, the others −n / 2 (n − n_c), so
            that both sides weigh the same and every target has mean 0. The class of the largest
            prediction wins, each less the mean target of its training part and in units of its
            readout's spread. The score is the mean over classes of the share recognised, rescaled
            so that chance is 0 and perfect 1.

p-values are those of stimuli permuted (whole groups where these are held out), as further
right-hand sides of the same solve; of a given split (folds of which some are
`cross_validation.TRAINING`) the test stimuli are scored, and permuted, under the one readout that
the training stimuli gave.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cortiscope.regression import given_split, held_out_scores, ridge
from cortiscope.regression.cross_validation import TRAINING
from cortiscope.regression.precision import constant_parts
from cortiscope.statistics.resampling import NULL_COLUMNS, p_value, permutations_of


@dataclass(frozen=True)
class Decoded:
    """How well a property is read out.

    score: held out; r for a continuous one or an angle; (accuracy − chance) / (1 − chance) for a
    discrete one, whose balanced accuracy is `accuracy` (else NaN) and whose `chance` is one over
    the number of classes. null: (permutation,). p_value: one-sided. NaN: a property that is
    constant or missing for a stimulus, or patterns that do not vary.
    """

    score: float
    null: NDArray
    p_value: float
    accuracy: float = np.nan
    chance: float = np.nan


@dataclass(frozen=True)
class Readout:
    """What is read out from: kernel (stimulus, stimulus) of `readout_kernel`, folds (stimulus,).

    units: (stimulus,) of which those alike change places together, as they are held out together;
    None where each is its own.
    """

    kernel: NDArray
    folds: NDArray
    alphas: NDArray
    units: NDArray | None = None

    @cached_property
    def regression(self) -> ridge.Regression:
        return ridge.Regression(self.kernel, self.folds, self.alphas)

    @property
    def test(self) -> NDArray | None:
        """(stimulus,) bool, the test stimuli of a given split; None without one."""
        test: NDArray = self.folds != TRAINING
        return None if test.all() else test

    def orders(self, count: int, seed: int) -> NDArray:
        """The order as it is, then random ones, of what is tested: (1 + permutation, stimulus)."""
        n_tested = len(self.folds) if self.test is None else int(self.test.sum())
        units = np.arange(n_tested) if self.units is None else self.units
        return np.vstack([np.arange(n_tested), permutations_of(units, count, seed)])


def readout_kernel(patterns: NDArray) -> NDArray:
    """`ridge.kernel` of features (stimulus, component), or of responses (stimulus, neuroid).

    Neuroids that miss a response are left out.
    """
    known = np.isfinite(patterns).all(axis=0)
    return ridge.kernel(np.asarray(patterns)[:, known])


def continuous(readout: Readout, values: NDArray, count: int, seed: int) -> Decoded:
    """Read out a continuous property (stimulus,); count: permutations for the p-value."""
    targets = np.asarray(values, dtype=np.float64)[:, None]
    return _scored(readout, targets, np.ones(1), count, seed)


def angle(readout: Readout, values: NDArray, period: float, count: int, seed: int) -> Decoded:
    """Read out an angle (stimulus,), in the unit in which `period` is a full turn."""
    turn = 2 * np.pi * np.asarray(values, dtype=np.float64) / period
    targets = np.stack([np.sin(turn), np.cos(turn)], axis=1)
    targets -= targets.mean(axis=0)
    return _scored(readout, targets, targets.var(axis=0), count, seed)


def discrete(readout: Readout, values: NDArray, count: int, seed: int) -> Decoded:
    """Read out a discrete property: values (stimulus,) labels of any kind."""
    classes, label = np.unique(values, return_inverse=True)
    n_classes = len(classes)
    if n_classes < 2:
        return Decoded(np.nan, np.full(count, np.nan), np.nan)
    orders = readout.orders(count, seed)
    if readout.test is not None:
        evidence = _evidence_of(readout, label[None], n_classes)
        accuracy = _balanced(evidence, label[readout.test][orders], n_classes)
    else:
        accuracy = np.concatenate(
            [_accuracy(readout, label[some], n_classes) for some in _parts(orders, n_classes)]
        )
    chance = 1 / n_classes
    score = (accuracy - chance) / (1 - chance)
    p = float(p_value(score[0], score[1:]))
    return Decoded(float(score[0]), score[1:], p, float(accuracy[0]), chance)


def _scored(readout: Readout, targets: NDArray, weight: NDArray, count: int, seed: int) -> Decoded:
    """Mean r over the targets (stimulus, target) of one property, by weight (target,)."""
    if readout.test is not None:
        return _scored_on_test(readout, readout.test, targets, weight, count, seed)
    orders = readout.orders(count, seed)
    scores = []
    for some in _parts(orders, targets.shape[1]):
        columns = np.moveaxis(targets[some], 0, 1).reshape(len(targets), -1)
        predicted = readout.regression.predict(columns)
        r = held_out_scores.fold_centred_correlation(predicted, columns, readout.folds)
        scores.append(_mean(r.reshape(len(some), -1), weight))
    score = np.concatenate(scores)
    return Decoded(float(score[0]), score[1:], float(p_value(score[0], score[1:])))


def _scored_on_test(
    readout: Readout, test: NDArray, targets: NDArray, weight: NDArray, count: int, seed: int
) -> Decoded:
    predicted = given_split.tested(readout.regression.predict(targets), targets, readout.folds)
    null = given_split.null_scores(predicted, targets[test], readout.orders(count, seed))
    score = _mean(null, weight)
    return Decoded(float(score[0]), score[1:], float(p_value(score[0], score[1:])))


def _mean(r: NDArray, weight: NDArray) -> NDArray:
    """Mean over the targets that count: (permutation,)."""
    counts = weight > 0
    if not counts.any():
        return np.full(len(r), np.nan)
    return r[:, counts] @ weight[counts] / weight[counts].sum()


def _parts(orders: NDArray, n_columns: int) -> list[NDArray]:
    step = max(1, NULL_COLUMNS // n_columns)
    return [orders[start : start + step] for start in range(0, len(orders), step)]


def _accuracy(readout: Readout, labels: NDArray, n_classes: int) -> NDArray:
    """Balanced accuracy of each labelling (labelling, stimulus): (labelling,)."""
    return _balanced(_evidence_of(readout, labels, n_classes), labels, n_classes)


def _balanced(evidence: NDArray, labels: NDArray, n_classes: int) -> NDArray:
    """Mean over classes of the share recognised by the most evidence: (labelling,).

    evidence (stimulus, labelling or 1, class), labels (labelling, stimulus). NaN where it is.
    """
    member = labels.T[:, :, None] == np.arange(n_classes)  # (stimulus, labelling, class)
    correct = evidence.argmax(axis=2) == labels.T  # (stimulus, labelling)
    recognised = np.einsum("sl,slc->lc", correct.astype(float), member.astype(float))
    known = np.isfinite(evidence).all(axis=(0, 2))
    return np.where(known, (recognised / member.sum(axis=0)).mean(axis=1), np.nan)


def _evidence_of(readout: Readout, labels: NDArray, n_classes: int) -> NDArray:
    """How much speaks for each class, by its readout: (stimulus, labelling, class).

    Of a given split, for the test stimuli.
    """
    n_stimuli = labels.shape[1]
    member = labels.T[:, :, None] == np.arange(n_classes)  # (stimulus, labelling, class)
    size = member.sum(axis=0)
    targets = np.where(member, n_stimuli / (2 * size), -n_stimuli / (2 * (n_stimuli - size)))
    columns = targets.reshape(n_stimuli, -1)
    predicted = readout.regression.predict(columns)
    return _evidence(predicted, columns, readout.folds).reshape(-1, *targets.shape[1:])


def _evidence(predicted: held_out_scores.Predictions, targets: NDArray, folds: NDArray) -> NDArray:
    """Predictions less the mean target of their training part, in units of their fold's spread.

    Without this a class that is rare in the training part, hence frequent in the part held out,
    would be predicted the less, and noise would score below chance.
    """
    scored = folds != TRAINING
    number, fold = np.unique(folds[scored], return_inverse=True)
    training = (number[:, None] != folds).astype(float)  # (fold, stimulus)
    mean = (training @ targets) / training.sum(axis=1, keepdims=True)
    nothing = constant_parts(targets, folds) | ~(predicted.spread > 0)
    spread = np.where(nothing, np.inf, predicted.spread)
    spread = np.where(np.isfinite(predicted.alpha), spread, np.nan)
    return (predicted.values[scored] - mean[fold]) / spread[fold]
