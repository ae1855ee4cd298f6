"""Representational similarity: correlate the dissimilarities between stimuli of two systems.

Kriegeskorte, Mur and Bandettini (2008), Representational similarity analysis. A dissimilarity is
1 - the Pearson correlation of two stimuli's patterns; a cell is a pair of stimuli, in the order of
`numpy.triu_indices(n, 1)`; systems are compared by the Spearman correlation over cells.
"""

import numpy as np
from numpy.typing import NDArray

from cortiscope.statistics.resampling import average_ranks
from cortiscope.statistics.rounding import centred, without_rounding


def dissimilarities(gram: NDArray, least: float = 0.0) -> NDArray:
    """1 - Pearson from inner products of patterns, each centred over its own features.

    gram (stimulus, stimulus). least: share of the summed squares of all patterns up to which one is
    nothing but rounding. Returns (cell,) in 0..2; NaN in the pairs of a stimulus whose pattern does
    not vary, which has no correlation.
    """
    power = np.diagonal(gram)
    norm = np.sqrt(np.where(power > least * power.sum(), power, np.nan))
    first, second = np.triu_indices(len(gram), 1)
    return 1.0 - gram[first, second] / (norm[first] * norm[second])


def without_pattern(*systems: NDArray) -> int:
    """How many stimuli have no dissimilarity in one of some systems (cell,)."""
    missing = [square(np.isnan(cells)).sum(axis=0) for cells in systems]
    return int(np.any([count == len(count) - 1 for count in missing], axis=0).sum())


def pearson_rdm(patterns: NDArray) -> NDArray:
    """1 - Pearson between the rows of (stimulus, neuroid): (cell,).

    Neuroids with a missing response are left out. NaN where a pattern does not vary.
    """
    known = np.asarray(patterns, dtype=np.float64)[:, np.isfinite(patterns).all(axis=0)]
    if known.shape[1] < 2:  # a pattern needs two neuroids
        return np.full(len(known) * (len(known) - 1) // 2, np.nan)
    rows = centred(known)
    return dissimilarities(rows @ rows.T)  # (stimulus, neuroid) x (neuroid, stimulus)


def square(cells: NDArray) -> NDArray:
    """(cell,) as the symmetric (stimulus, stimulus), zeros on the diagonal."""
    n_stimuli = round((1 + np.sqrt(1 + 8 * len(cells))) / 2)
    full = np.zeros((n_stimuli, n_stimuli))
    full[np.triu_indices(n_stimuli, 1)] = cells
    return full + full.T


def ranks(cells: NDArray) -> NDArray:
    """Average ranks along the last axis (..., cell), of mean 0 and norm 1.

    The Spearman correlation of two systems is then the dot product of their ranks. Cells that are
    equal but for rounding tie: of patterns of two features, all are 0 or 2. NaN throughout where a
    cell is NaN or all are equal.
    """
    cells = without_rounding(np.asarray(cells, dtype=np.float64))
    n_cells = cells.shape[-1]
    if n_cells < 2:
        return _tied_ranks(cells)
    flat = cells.reshape(-1, n_cells)
    order = np.argsort(flat, axis=-1)
    ordered = np.take_along_axis(flat, order, axis=-1)
    # Rows without ties, which most are, all have the same ranks in another order.
    plain = np.isfinite(ordered[:, -1]) & np.isfinite(ordered[:, 0])
    plain &= (ordered[:, 1:] != ordered[:, :-1]).all(axis=-1)
    standard = (np.arange(n_cells) - (n_cells - 1) / 2) / np.sqrt(n_cells * (n_cells**2 - 1) / 12)
    ranked = np.empty(flat.shape)
    np.put_along_axis(ranked, order, standard[None], axis=-1)
    ranked[~plain] = _tied_ranks(flat[~plain])
    return ranked.reshape(cells.shape)


def _tied_ranks(cells: NDArray) -> NDArray:
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
