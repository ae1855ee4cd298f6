"""Principal component regression: least squares on the leading principal components.

Massy (1965), Principal components regression in exploratory statistical research. With X = U S V'
the training features, centred, the coefficients of the first k components are (U' y)_k / S_k, the
rest 0. The components are those of the training part alone. Their number is fixed, or chosen for
every neuroid by a cross-validation inside the training part.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from cortiscope.errors import InputError
from cortiscope.regression import principal_axes
from cortiscope.regression.held_out_scores import Predictions
from cortiscope.regression.principal_axes import Axes, Parts, Predict, Shrink, Solve, Solved


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
    return prepare(Parts(features, folds), components)(responses, dtype)


def prepare(parts: Parts, components: int | Sequence[int] | NDArray) -> Predict:
    """`predict` with what depends on the features alone done once, for many responses."""
    numbers = counts(components, "pcr.components")

    def shrinker(axes: Axes, dtype: type) -> Shrink:
        leading: NDArray = axes.vectors[:, : numbers[-1]].T.astype(dtype)

        def shrink(known: NDArray) -> Callable[[int], NDArray]:
            coefficients: NDArray = leading @ known  # (axis, training) x (training, neuroid)
            return lambda option: coefficients[: numbers[option]]

        return shrink

    def solver(axes: Axes, dtype: type) -> Solve:
        whole = shrinker(axes, dtype)
        inner = [shrinker(part, dtype) for part in axes.inner] if len(numbers) > 1 else []

        def solve(known: NDArray) -> Solved:
            taken = np.full(known.shape[1], numbers[0])
            if inner:
                taken = numbers[principal_axes.choose(axes, known, inner, len(numbers))]
            coefficients = whole(known)(-1)
            coefficients[np.arange(len(coefficients))[:, None] >= taken] = 0
            held, spread = axes.predict(coefficients)
            return Solved(held, np.minimum(taken, len(axes.values)), spread)

        return solve

    return lambda responses, dtype: parts.predict(responses, solver, dtype)


def counts(components: int | Sequence[int] | NDArray, where: str) -> NDArray:
    """Numbers of components in ascending order (option,); where: the entry of the config."""
    numbers = np.unique(np.atleast_1d(np.asarray(components)))
    if not numbers.size or numbers.dtype.kind not in "iu" or numbers[0] < 1:
        raise InputError(where, f"{components} are not all whole numbers from 1", "give such as 25")
    return numbers
