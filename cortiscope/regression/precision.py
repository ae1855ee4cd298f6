"""What is rounding and what is a response, and which precision tells them apart.

A neuroid may answer a single stimulus (deconvolved calcium events, rare spikes). Where that one is
held out, nothing varies in the training part, and any regression predicts its mean: what is
predicted beside that is the rounding of the arithmetic, and follows what was held out. So whether
anything varies is asked of the responses, not of the predictions, whose rounding depends on how
they were made.
"""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from cortiscope.regression.cross_validation import TRAINING, held_out_folds

CONSTANT = 1e-12  # variance relative to the mean square
# Variance in a training part relative to that over all stimuli, below which float32 is not enough:
# in closed forms all that is held out has to cancel, and here that is nearly all there is.
UNEVEN = 1e-2
LOOKED_AT = 16  # stimuli of each of two sets that tell of most neuroids that they vary everywhere
LOST = 1e-12  # of a mean square: what a variance from sums may lack, and more
Found = TypeVar("Found")


def constant(responses: NDArray) -> NDArray:
    """Whether responses (..., stimulus, neuroid) do not vary, but for rounding: (..., neuroid)."""
    still: NDArray = responses.var(axis=-2) <= CONSTANT * np.square(responses).mean(axis=-2)
    return still


def constant_parts(responses: NDArray, folds: NDArray) -> NDArray:
    """The same of the training part of each fold, (fold, neuroid) bool, in ascending order.

    A fold of all stimuli has no training part here: a given split's is elsewhere.
    """
    least = CONSTANT * mean_square(responses)
    still = np.zeros((len(held_out_folds(folds)[0]), responses.shape[1]), dtype=bool)
    some = np.flatnonzero(~_surely_varies(responses, folds, least))
    still[:, some] = _training_variance(responses[:, some], folds) <= least[some]
    return still


def mean_square(responses: NDArray) -> NDArray:
    """(neuroid,), in float64, in one look at responses (stimulus, neuroid)."""
    total: NDArray = np.einsum("sn,sn->n", responses, responses, dtype=np.float64)
    return total / len(responses)


def _surely_varies(responses: NDArray, folds: NDArray, least: NDArray) -> NDArray:
    """Whether the variance in every training part is above the least (neuroid,): (neuroid,) bool.

    Of two sets of stimuli, each of folds of its own, every training part holds one whole, and its
    sum of squares about its mean is no less than that of this one about its own. A few stimuli so
    tell of nearly all neuroids what is otherwise asked of every fold. False: not known.
    """
    numbers, fold, sizes = np.unique(folds, return_inverse=True, return_counts=True)
    if len(numbers) < 2:
        return np.zeros(responses.shape[1], dtype=bool)
    squares = []
    for own in (np.arange(0, len(numbers), 2), np.arange(1, len(numbers), 2)):
        own = own[: 1 + np.searchsorted(np.cumsum(sizes[own]), LOOKED_AT)]
        rows = responses[np.isin(fold, own)]
        squares.append(len(rows) * rows.var(axis=0, dtype=np.float64))
    found: NDArray = np.minimum(*squares) / len(folds) > least
    return found


def _training_variance(responses: NDArray, folds: NDArray) -> NDArray:
    """(fold, neuroid), in float64; NaN without a training part."""
    numbers, fold, sizes = np.unique(folds, return_inverse=True, return_counts=True)
    starts = np.cumsum(sizes) - sizes
    values = responses[np.argsort(fold, kind="stable")]
    values = values - values.mean(axis=0, dtype=np.float64)
    count = len(folds) - sizes[:, None]
    count = np.where(count > 0, count, np.nan)
    mean = -np.add.reduceat(values, starts) / count  # all add up to 0
    np.square(values, out=values)
    square = (values.sum(axis=0) - np.add.reduceat(values, starts)) / count
    variance: NDArray = square - np.square(mean)
    return variance[numbers != TRAINING]


def precisely(
    predict: Callable[..., Found],
    responses: NDArray,
    folds: NDArray,
    dtype: type,
    *beside: NDArray,
) -> Found:
    """Predictions in a precision, in float64 those of neuroids for which it is not enough.

    predict: from responses (stimulus, neuroid), a precision, and what stands `beside` the responses
    (..., neuroid); gives a dataclass of arrays, or of such dataclasses, whose last axis is the
    neuroids. Those are uneven that vary far less in one of the training parts than over all
    stimuli.
    """
    found = predict(responses, dtype, *beside)
    if dtype != np.float64:
        uneven = _uneven(responses, folds)
        if len(uneven):
            some = (values[..., uneven] for values in beside)
            _put(found, predict(responses[:, uneven], np.float64, *some), uneven)
    return found


def _uneven(responses: NDArray, folds: NDArray) -> NDArray:
    """Numbers of the neuroids that vary far less in a training part than over all stimuli."""
    square = mean_square(responses)
    most = square - np.square(responses.mean(axis=0, dtype=np.float64)) + LOST * square
    some = np.flatnonzero(~_surely_varies(responses, folds, UNEVEN * most))
    values = responses[:, some]
    varies = _training_variance(values, folds) >= UNEVEN * values.var(axis=0)
    return some[~varies.all(axis=0) & np.isfinite(values).all(axis=0)]


def _put(found: Any, exact: Any, neuroids: NDArray) -> None:
    for field in fields(found):
        own, other = getattr(found, field.name), getattr(exact, field.name)
        if is_dataclass(own):
            _put(own, other, neuroids)
        elif own is not None:
            own[..., neuroids] = other
