"""Principal component regression: least squares on the leading principal components.

Massy (1965), Principal components regression in exploratory statistical research. With X = U S V'
the training features, centred, the coefficients of the first k components are (U' y)_k / S_k, the
rest 0. The components are those of the training part alone. Their number is fixed, or chosen for
every neuroid by a cross-validation inside the training part.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from cortiscope import principal_axes
from cortiscope.errors import InputError
from cortiscope.principal_axes import Axes, Parts, Predict
from cortiscope.ridge import Predictions


def predict(
    features: NDArray,
    responses: NDArray,
    folds: NDArray,
    components: int | Sequence[int] | NDArray,
    dtype: type = np.float64,
) -> Predictions:
    """Predict every stimulus from the principal components of the stimuli of the other folds.

    features (stimulus, component), responses (stimulus, neuroid), folds (stimulus,) numbers.
    components: how many, or numbers to choose from, each at least 1; more than a training part
    has are all it has. `alpha` of what is returned is the number taken, the smallest of equally
    good ones. NaN as in `principal_axes.Parts.predict`. Raises InputError for a number below 1.
    """
    return prepare(features, folds, components)(responses, dtype)


def prepare(
    features: NDArray, folds: NDArray, components: int | Sequence[int] | NDArray
) -> Predict:
    """`predict` with what depends on the features alone done once, for many responses."""
    numbers = counts(components, "mappings.pcr.components")
    parts = Parts(features, folds)

    def shrink(axes: Axes, known: NDArray) -> Callable[[int], NDArray]:
        first = slice(numbers[-1])
        solution = (axes.vectors[:, first] / axes.values[first]).astype(known.dtype)
        coefficients: NDArray = solution.T @ known  # (axis, training) x (training, neuroid)
        return lambda option: coefficients[: numbers[option]]

    def solve(axes: Axes, known: NDArray) -> tuple[NDArray, NDArray, None]:
        taken = np.full(known.shape[1], numbers[0])
        if len(numbers) > 1:
            taken = numbers[principal_axes.choose(axes, known, shrink, len(numbers))]
        coefficients = shrink(axes, known)(-1)
        coefficients[np.arange(len(coefficients))[:, None] >= taken] = 0
        return coefficients, np.minimum(taken, len(axes.values)), None

    return lambda responses, dtype: parts.predict(responses, solve, dtype)


def counts(components: int | Sequence[int] | NDArray, where: str) -> NDArray:
    """Numbers of components in ascending order (option,); where: the entry of the config."""
    numbers = np.unique(np.atleast_1d(np.asarray(components)))
    if not numbers.size or numbers.dtype.kind not in "iu" or numbers[0] < 1:
        raise InputError(where, f"{components} are not all whole numbers from 1", "give such as 25")
    return numbers
