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

from cortiscope.regression.cross_validation import TRAINING

CONSTANT = 1e-12  # variance relative to the mean square
# Variance in a training part relative to that over all stimuli, below which float32 is not enough:
# in closed forms all that is held out has to cancel, and here that is nearly all there is.
UNEVEN = 1e-2
Found = TypeVar("Found")


def constant(responses: NDArray) -> NDArray:
    """Whether responses (..., stimulus, neuroid) do not vary, but for rounding: (..., neuroid)."""
    still: NDArray = responses.var(axis=-2) <= CONSTANT * np.square(responses).mean(axis=-2)
    return still


def constant_parts(responses: NDArray, folds: NDArray) -> NDArray:
    """The same of the training part of each fold, (fold, neuroid) bool, in ascending order.

    A fold of all stimuli has no training part here: a given split's is elsewhere.
    """
    size = np.square(responses).mean(axis=0, dtype=np.float64)
    still: NDArray = _training_variance(responses, folds) <= CONSTANT * size
    return still


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
        varies = _training_variance(responses, folds) >= UNEVEN * responses.var(axis=0)
        uneven = np.flatnonzero(~varies.all(axis=0) & np.isfinite(responses).all(axis=0))
        if len(uneven):
            some = (values[..., uneven] for values in beside)
            _put(found, predict(responses[:, uneven], np.float64, *some), uneven)
    return found


def _put(found: Any, exact: Any, neuroids: NDArray) -> None:
    for field in fields(found):
        own, other = getattr(found, field.name), getattr(exact, field.name)
        if is_dataclass(own):
            _put(own, other, neuroids)
        else:
            own[..., neuroids] = other
