"""Representational similarity: correlate the dissimilarities between stimuli of two systems.

Kriegeskorte, Mur and Bandettini (2008), Representational similarity analysis. A dissimilarity is
1 - the Pearson correlation of two stimuli's patterns; a cell is a pair of stimuli, in the order of
`numpy.triu_indices(n, 1)`; systems are compared by the Spearman correlation over cells.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cortiscope.statistics import average_ranks, permutations

CELLS_AT_ONCE = 2**23  # of all permutations or draws together: 64 MB


def dissimilarities(gram: NDArray) -> NDArray:
    """1 - Pearson from inner products of patterns, each centred over its own features.

    gram (stimulus, stimulus). Returns (cell,) in 0..2; NaN in the pairs of a stimulus whose
    pattern does not vary, which has no correlation.
    """
    power = np.diagonal(gram)
    norm = np.sqrt(np.where(power > 0, power, np.nan))
    first, second = np.triu_indices(len(gram), 1)
    return 1.0 - gram[first, second] / (norm[first] * norm[second])


def pearson_rdm(patterns: NDArray) -> NDArray:
    """1 - Pearson between the rows of (stimulus, neuroid): (cell,).

    Neuroids with a missing response are left out. NaN where a pattern does not vary.
    """
    known = np.asarray(patterns, dtype=np.float64)[:, np.isfinite(patterns).all(axis=0)]
    if known.shape[1] < 2:  # a pattern needs two neuroids
        return np.full(len(known) * (len(known) - 1) // 2, np.nan)
    rows = known - known.mean(axis=1, keepdims=True)
    rows[np.ptp(known, axis=1) == 0] = 0.0  # not the rounding of the mean
    return dissimilarities(rows @ rows.T)  # (stimulus, neuroid) x (neuroid, stimulus)


def square(cells: NDArray) -> NDArray:
    """(cell,) as the symmetric (stimulus, stimulus), zeros on the diagonal."""
    n_stimuli = round((1 + np.sqrt(1 + 8 * len(cells))) / 2)
    full = np.zeros((n_stimuli, n_stimuli))
    full[np.triu_indices(n_stimuli, 1)] = cells
    return full + full.T


def ranks(cells: NDArray) -> NDArray:
    """Average ranks along the last axis (..., cell), of mean 0 and norm 1.

    The Spearman correlation of two systems is then the dot product of their ranks. NaN throughout
    where a cell is NaN or all are equal.
    """
    ranked = average_ranks(cells)
    ranked -= ranked.mean(axis=-1, keepdims=True)
    norm = np.linalg.norm(ranked, axis=-1, keepdims=True)
    known = np.isfinite(cells).all(axis=-1, keepdims=True) & (norm > 0)
    return ranked / np.where(known, norm, np.nan)


def spearman(model: NDArray, brain: NDArray) -> NDArray:
    """Spearman correlation of the cells of models (..., cell) with those of brains (..., cell).

    Returns (model, brain), without the axis that a single system lacks; in -1..1.
    """
    return np.inner(ranks(model), ranks(brain))


def permutation_null(
    model: NDArray, brain: NDArray, n_stimuli: int, count: int, seed: int
) -> NDArray:
    """Spearman after permuting the stimuli of the brain, rows and columns together.

    model, brain (..., cell). Returns (permutation, model, brain), without the axes that single
    systems lack.
    """
    first, second = np.triu_indices(n_stimuli, 1)
    model_ranks, brain_ranks = ranks(model), ranks(brain)
    cell = square(np.arange(len(first))).astype(int)  # the number of the cell of a pair
    null = []
    for some in _parts(permutations(n_stimuli, count, seed), len(first)):
        moved = brain_ranks[..., cell[some[:, first], some[:, second]]]  # (brain, some, cell)
        null.append(np.moveaxis(np.inner(model_ranks, moved), -1, 0))
    if not null:
        return np.empty((0, *model.shape[:-1], *brain.shape[:-1]))
    return np.concatenate(null)


def bootstrap_scores(model_ranks: NDArray, brain_ranks: NDArray, weights: NDArray) -> NDArray:
    """Correlation of ranks with stimulus i counted weights (draw, stimulus) times.

    A pair of stimuli then counts w_i w_j times; a stimulus drawn twice forms no pair with itself.
    The ranks (..., cell), from `ranks`, stay those of the full sample. Returns
    (draw, model, brain), without the axes that single systems lack; NaN for a draw of one stimulus.
    """
    models, brains = np.atleast_2d(model_ranks), np.atleast_2d(brain_ranks)
    total = (weights.sum(axis=1) ** 2 - np.square(weights).sum(axis=1))[:, None] / 2
    products = (models[:, None] * brains).reshape(-1, models.shape[1])  # (model * brain, cell)
    with np.errstate(divide="ignore", invalid="ignore"):
        model_mean, model_deviation = _moments(weights, total, models)
        brain_mean, brain_deviation = _moments(weights, total, brains)
        joint = _pair_sums(weights, products) / total
        joint = joint.reshape(len(weights), len(models), len(brains))
        covariance = joint - model_mean[:, :, None] * brain_mean[:, None, :]
        scores = covariance / (model_deviation[:, :, None] * brain_deviation[:, None, :])
    return scores.reshape(len(weights), *model_ranks.shape[:-1], *brain_ranks.shape[:-1])


def _moments(weights: NDArray, total: NDArray, values: NDArray) -> tuple[NDArray, NDArray]:
    """Weighted mean and standard deviation over pairs of stimuli: (draw, system)."""
    mean = _pair_sums(weights, values) / total
    variance = _pair_sums(weights, np.square(values)) / total - mean**2
    return mean, np.sqrt(np.where(variance > 0, variance, np.nan))


def _pair_sums(weights: NDArray, values: NDArray) -> NDArray:
    """Sums over pairs of stimuli, i < j, of w_i w_j v_ij: (draw, system), values (system, cell).

    Half of the quadratic form w' V w: no array of draws by pairs is ever made.
    """
    sums = [
        np.einsum("ds,ds->d", weights @ square(row), weights) / 2  # (draw, stimulus) x itself
        for row in values
    ]
    return np.stack(sums, axis=1)


def _parts(rows: NDArray, n_cells: int) -> Iterator[NDArray]:
    step = max(1, CELLS_AT_ONCE // max(1, n_cells))
    for start in range(0, len(rows), step):
        yield rows[start : start + step]
