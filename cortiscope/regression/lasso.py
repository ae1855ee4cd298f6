"""Lasso: least squares with a penalty on the absolute weights, most of which become 0.

Tibshirani (1996), Regression shrinkage and selection via the lasso:

    minimise over b  |y - X b|^2 / (2 m) + alpha sum_j |b_j|,   m training stimuli, both centred.

Unlike the other regressions it depends on the axes in which the features are given, and lossless
features are known up to a rotation only. By default the axes are therefore the principal ones of
the training part, X = U S V', whose columns are orthogonal, so that the minimum is the soft
threshold b_j = sign(c_j) max(|c_j| - m alpha, 0) / S_j^2 with c = S U' y, for all neuroids at
once. In the axes `given` it is found by coordinate descent with scikit-learn, neuroid by neuroid:
some hundred times as slow.

alpha is a share of the least alpha at which all weights are 0, max |X' y| / m in the training
part, and chosen for every neuroid by a cross-validation inside the training part. It is below 1,
since a fold that predicts nothing weighs nothing, and folds do so where the stimuli held out
elsewhere speak against them: with 1 among the shares, noise scores -0.025 instead of 0.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from cortiscope.errors import InputError
from cortiscope.regression import principal_axes, strengths
from cortiscope.regression.cross_validation import held_out_folds
from cortiscope.regression.held_out_scores import Predictions
from cortiscope.regression.principal_axes import Axes, Parts, Predict, Shrink, Solve, Solved
from cortiscope.regression.ridge import standardised
from cortiscope.regression.strengths import Grid, at_ends, between, go_on
from cortiscope.statistics.rounding import rounding

WHERE = "lasso"
STEP = 10**0.5  # beyond the ends of the given shares
LEAST = 1e-7  # of the largest singular value: what is smaller is rounding
ITERATIONS = 1000
PRECISION = 1e-4  # of the duality gap, relative to the squared response


def predict(
    features: NDArray,
    responses: NDArray,
    folds: NDArray,
    alphas: Sequence[float] | NDArray,
    axes: str = "principal",
    dtype: type = np.float64,
) -> Predictions:
    """Predict every stimulus by a lasso on the stimuli of the other folds.

    features (stimulus, component), responses (stimulus, neuroid), folds (stimulus,) numbers.
    alphas: shares above 0 and below 1, the largest of equally good ones is taken and returned as
    `alpha`; in principal axes beyond the ends of several too (see `strengths`). axes: principal or
    given; dtype counts for principal only. NaN as in
    `principal_axes.Parts.predict`. Raises InputError for another alpha or axes.
    """
    if axes not in ("principal", "given"):
        raise InputError(f"{WHERE}.axes", f"no axes {axes!r}", "give principal or given")
    if axes == "given":
        return _in_given_axes(features, responses, folds, _shares(alphas))
    return prepare(Parts(features, folds), alphas)(responses, dtype)


def prepare(parts: Parts, alphas: Sequence[float] | NDArray) -> Predict:
    """`predict` in principal axes, what depends on the features alone done once."""
    shares = _shares(alphas)

    def solver(axes: Axes, dtype: type) -> Solve:
        whole, choice = _covariance(axes, dtype), _grid(shares, axes.values)
        every = np.concatenate([choice.options, choice.below, choice.above])
        within = axes.inner if len(every) > 1 else []
        inner = [_shrinker(part, dtype, axes, every) for part in within]

        def solve(known: NDArray) -> Solved:
            covariance = whole @ known  # (axis, training) x (training, neuroid)
            most = np.abs(covariance).max(axis=0, initial=0.0)
            chosen = np.full(known.shape[1], shares[0])
            if inner:
                unit = known / np.where(most > 0, most, np.inf)
                chosen = _chosen_share(axes, unit, inner, choice)
            limit = (chosen * most).astype(dtype)
            covariance -= np.minimum(np.maximum(covariance, -limit), limit)
            covariance /= axes.values.astype(dtype)[:, None]
            held, spread = axes.predict(covariance)
            return Solved(held, chosen, spread, at_ends(choice, chosen))

        return solve

    return lambda responses, dtype: parts.predict(responses, solver, dtype)


def _grid(shares: NDArray, lengths: NDArray) -> Grid:
    """What shares may go on to, for axes of these singular values (axis,).

    The covariance with an axis is proportional to its length: below, a tenth of what the smallest
    has is hardly shrunk. Above it ends at once: all there is between the largest share and 1, which
    leaves nothing, is one axis or two, and noise, which wants just that, would cost a third more.
    """
    relative = lengths / lengths[0] if len(lengths) else np.ones(1)
    return between(shares, float(np.median(relative)), relative[-1] / STEP, shares.max(), STEP)


def reached(shares: Sequence[float] | NDArray) -> NDArray:
    """All shares (share,) that a grid may go on to, whatever the features are."""
    largest = float(np.max(shares))
    return strengths.reached(_shares(shares), LEAST, largest, STEP)


def _chosen_share(axes: Axes, unit: NDArray, inner: Sequence[Shrink], choice: Grid) -> NDArray:
    """The share of least inner error for each neuroid, the first of ties: (neuroid,)."""
    every = np.concatenate([choice.options, choice.below, choice.above])
    errors = principal_axes.inner_errors(axes, unit, inner, range(len(choice.options)))
    chosen, best = choice.options[errors.argmin(axis=0)], errors.min(axis=0)

    def attempt(share: float, among: NDArray) -> None:
        some, option = np.flatnonzero(among), int(np.flatnonzero(every == share)[0])
        error = principal_axes.inner_errors(axes, unit[:, some], inner, [option])[0]
        better = error < best[some]
        best[some[better]], chosen[some[better]] = error[better], share

    go_on(choice, chosen, attempt)
    return chosen


def _covariance(axes: Axes, dtype: type) -> NDArray:
    """(axis, training): S U'."""
    return (axes.vectors * axes.values).astype(dtype).T


def _shrinker(part: Axes, dtype: type, axes: Axes, shares: NDArray) -> Shrink:
    """Of an inner part of axes, for responses in units of the largest covariance in these: one
    limit then serves all neuroids.
    """
    turned, scale = _covariance(part, dtype), np.reciprocal(part.values).astype(dtype)[:, None]
    limits = shares * len(part.vectors) / len(axes.vectors)

    def shrink(rest: NDArray) -> Callable[[int], NDArray]:
        covariance = turned @ rest  # (axis, training) x (training, neuroid)
        reach = np.maximum(np.fmax.reduce(covariance, axis=1), -np.fmin.reduce(covariance, axis=1))
        shrunk = np.empty_like(covariance)

        def soft(option: int) -> NDArray:
            # Axes descend: beyond the last that reaches the penalty, nothing is left.
            count = 1 + np.max(np.flatnonzero(reach > limits[option]), initial=-1)
            limit, out = dtype(limits[option]), shrunk[:count]
            np.clip(covariance[:count], -limit, limit, out=out)
            np.subtract(covariance[:count], out, out=out)
            out *= scale[:count]
            return out

        return soft

    return shrink


def _shares(alphas: Sequence[float] | NDArray) -> NDArray:
    shares = np.unique(np.atleast_1d(np.asarray(alphas, dtype=float)))[::-1]
    if not shares.size or not np.all((shares > 0) & (shares < 1)):
        raise InputError(
            f"{WHERE}.alphas", f"{alphas} are not all between 0 and 1", "give such as 0.1"
        )
    return shares


def _in_given_axes(
    features: NDArray, responses: NDArray, folds: NDArray, shares: NDArray
) -> Predictions:
    targets, mean, scale = standardised(responses, np.float64)
    numbers, sizes = held_out_folds(folds)
    values = np.full(targets.shape, np.nan)
    alpha, spread = np.full((2, len(numbers), targets.shape[1]), np.nan)
    centred = features - features.mean(axis=0, dtype=np.float64)
    size = np.square(features, dtype=np.float64).sum()
    varies = np.square(centred).sum() > rounding(features) ** 2 * size
    usable = varies and len(folds) - sizes.max() >= 2
    for neuroid in np.flatnonzero(np.isfinite(mean) & usable):
        target = targets[:, neuroid]
        for row, number in enumerate(numbers):
            training = folds != number
            least = _least(centred[training], target[training])
            chosen = _chosen(centred[training], target[training], folds[training], shares * least)
            path = _path(centred, target, training, shares[: chosen + 1] * least)
            predicted = path[-1]
            values[~training, neuroid] = predicted[~training]
            alpha[row, neuroid], spread[row, neuroid] = shares[chosen], predicted.std()
    return Predictions(values * scale + mean, alpha, spread * scale)


def _least(features: NDArray, target: NDArray) -> float:
    centred = features - features.mean(axis=0)
    return float(np.abs(centred.T @ (target - target.mean())).max()) / len(target)


def _chosen(features: NDArray, target: NDArray, folds: NDArray, alphas: NDArray) -> int:
    """The alpha of least inner squared error, by its place."""
    errors = np.zeros(len(alphas))
    for training in _inner(folds):
        path = _path(features, target, training, alphas)
        errors += np.square(path[:, ~training] - target[~training]).sum(axis=1)
    return int(errors.argmin())


def _inner(folds: NDArray) -> Iterator[NDArray]:
    """Training masks (stimulus,) of the inner folds of `principal_axes`."""
    number = principal_axes.inner_numbers(folds)
    for held in np.unique(number):
        yield number != held


def _path(features: NDArray, target: NDArray, training: NDArray, alphas: NDArray) -> NDArray:
    """Predictions of all stimuli (alpha, stimulus); alphas in descending order."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import lasso_path

    centre = features[training].mean(axis=0)
    known = target[training] - target[training].mean()
    if not known.any() or not alphas[0] > 0:
        return np.full((len(alphas), len(target)), target[training].mean())
    inputs = np.asfortranarray(features[training] - centre)
    with warnings.catch_warnings():
        # The least alphas may need more iterations; where they do, a larger one predicts better.
        warnings.simplefilter("ignore", ConvergenceWarning)
        weights = lasso_path(inputs, known, alphas=alphas, max_iter=ITERATIONS, tol=PRECISION)[1]
    # (stimulus, component) x (component, alpha)
    return ((features - centre) @ weights).T + target[training].mean()
