"""Correlation of two variables over models once others are held fixed.

Whether accuracy predicts the brain beyond what depth, parameters, layers or features explain.
r is the correlation of what is left of x and of y after regressing both on the covariates and a
constant (Yule 1907). Its sampling distribution is that of a correlation of n − k points, k the
covariates (Fisher 1924, Metron 3:329), which gives the interval: atanh r ± 1.96 / √(n − k − 3).
Permutation after Freedman and Lane (1983, J Bus Econ Stat 1:292), which keeps its level where
covariates correlate with x (Winkler et al. 2014, NeuroImage 92:381): what is left of y is
permuted, and regressed on the covariates anew.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cortiscope.errors import InputError
from cortiscope.statistics.resampling import average_ranks, random_orders

HALF_WIDTH = 1.959963984540054  # of a 95 % interval, in standard errors
ROUNDING = 1e-10  # share of a variable's norm that counts as nothing

SHORT = 0.01  # of a squared length of 1, below which it is reckoned point by point


@dataclass(frozen=True)
class PartialCorrelation:
    """r in -1..1, its 95 % interval, its two-sided p-value, points and covariates used.

    n_covariates: the rank of the covariates; constant ones, and those that others imply, are none.
    NaN: with no more points than covariates + 2, or where nothing is left of x or y; the interval
    alone with covariates + 3 points.
    """

    r: float
    low: float
    high: float
    p: float
    n: int
    n_covariates: int


def partial_correlation(
    x: NDArray,
    y: NDArray,
    covariates: NDArray,
    permutations: int,
    seed: int,
    method: str = "pearson",
) -> PartialCorrelation:
    """Correlate x with y (point,), both freed of covariates (point, covariate).

    Points that miss a value are left out. method: `pearson`, or `spearman`, which replaces every
    variable by its ranks first; skewed covariates (parameters, features) should be given as
    logarithms otherwise. The p-value counts the sample itself; NaN without permutations.
    Raises InputError for another method.
    """
    if method not in ("pearson", "spearman"):
        raise InputError("partial correlation", f"no method {method!r}", "use pearson or spearman")
    table = np.column_stack([x, y, covariates]).astype(np.float64)
    table = table[np.isfinite(table).all(axis=1)]
    n = len(table)
    if method == "spearman":
        table = average_ranks(table.T).T
    basis = _basis(table[:, 2:])
    k = basis.shape[1] - 1
    left_x, left_y = _left(table[:, 0], basis), _left(table[:, 1], basis)
    r = float(left_x @ left_y) if n > k + 2 else np.nan
    if not np.isfinite(r):
        return PartialCorrelation(np.nan, np.nan, np.nan, np.nan, n, k)
    r = min(1.0, max(-1.0, r))
    null = _null(left_x, left_y, basis, random_orders(n, permutations, seed))
    reached = int((np.abs(null) >= abs(r) - 1e-12).sum())
    p = (1 + reached) / (1 + permutations) if permutations else np.nan
    low, high = _interval(r, n - k)
    return PartialCorrelation(r, low, high, p, n, k)


def _basis(covariates: NDArray) -> NDArray:
    """Orthonormal columns that span the constant and the covariates: (point, 1 + covariate)."""
    n = len(covariates)
    constant = np.full((n, 1), 1 / np.sqrt(max(n, 1)))
    centred = covariates - covariates.mean(axis=0) if n else covariates
    size = np.linalg.norm(covariates, axis=0)
    norm = np.linalg.norm(centred, axis=0)
    varying = norm > ROUNDING * size
    scaled = centred[:, varying] / norm[varying]
    vectors, strengths, _ = np.linalg.svd(scaled, full_matrices=False)
    kept = strengths > ROUNDING * strengths.max(initial=0.0)
    return np.hstack([constant, vectors[:, kept]])


def _left(values: NDArray, basis: NDArray) -> NDArray:
    """What the basis leaves of (point, ...), at norm 1; NaN where that is nothing."""
    left = values - basis @ (basis.T @ values)
    left -= basis @ (basis.T @ left)  # once more, for the digits
    norm = np.linalg.norm(left, axis=0)
    something = norm > ROUNDING * np.linalg.norm(values, axis=0)
    return left / np.where(something, norm, np.nan)


def _null(left_x: NDArray, left_y: NDArray, basis: NDArray, orders: NDArray) -> NDArray:
    """r (permutation,) where left_y is taken in orders (permutation, point), and regressed anew.

    What the basis leaves of it is known by its products with x, which are those of all of it, and
    by its length, the square root of what the basis does not take (Pythagoras). Where that is
    little it has lost its digits, and is reckoned point by point.
    """
    permuted = left_y[orders]
    r, taken = permuted @ left_x, permuted @ basis  # (permutation,), (permutation, 1 + covariate)
    square = 1 - np.square(taken).sum(axis=1)
    short = square < SHORT
    r[~short] /= np.sqrt(square[~short])
    r[short] = _left(permuted[short].T, basis).T @ left_x
    return r


def _interval(r: float, points: int) -> tuple[float, float]:
    """95 % interval of a correlation of so many points; NaN for 3 or fewer."""
    if points <= 3:
        return np.nan, np.nan
    with np.errstate(divide="ignore"):
        centre = np.arctanh(r)
    half = HALF_WIDTH / np.sqrt(points - 3)
    return float(np.tanh(centre - half)), float(np.tanh(centre + half))
