"""Representational similarity: correlate the dissimilarities between stimuli of two systems.

Kriegeskorte, Mur and Bandettini (2008), Representational similarity analysis. A dissimilarity is
1 - the Pearson correlation of two stimuli's patterns; a cell is a pair of stimuli, in the order of
`numpy.triu_indices(n, 1)`; systems are compared by the Spearman correlation over cells.
"""

import numpy as np
from numpy.typing import NDArray

from cortiscope.statistics.rounding import centred, without_rounding


def dissimilarities(gram: NDArray, least: float = 0.0) -> NDArray:
    """1 - Pearson from inner products of patterns, each centred over its own features.

    gram (stimulus, stimulus). least: share of the summed squares of all patterns up to which one is
    nothing but rounding. Returns (cell,) in 0..2; NaN in the pairs of a stimulus whose pattern does
    not vary, which has no correlation.
    """
    power = np.diagonal(gram)
    norm = np.sqrt(np.where(power > least * power.sum(), power, np.nan))
    rows = enumerate(gram, 1)  # since pairs by their numbers take long, and more memory
    return np.concatenate([1.0 - row[i:] / (norm[i - 1] * norm[i:]) for i, row in rows])


def without_pattern(*systems: NDArray) -> int:
    """How many stimuli have no dissimilarity in one of some systems (cell,)."""
    nan = [np.isnan(cells) for cells in systems]
    if not any(cells.any() for cells in nan):
        return 0
    missing = [square(cells).sum(axis=0) for cells in nan]
    return int(np.any([count == len(count) - 1 for count in missing], axis=0).sum())


def pearson_rdm(patterns: NDArray) -> NDArray:
    """1 - Pearson between the rows of (stimulus, neuroid): (cell,).

    Neuroids with a missing response are left out. NaN where a pattern does not vary.
    """
    known = np.asarray(patterns, dtype=np.float64)[:, np.isfinite(patterns).all(axis=0)]
    if known.shape[1] < 2:  # a pattern needs two neuroids
        return np.full(len(known) * (len(known) - 1) // 2, np.nan)
    known = centred(known)  # in its place: of thousands of stimuli a gigabyte
    return dissimilarities(known @ known.T)  # (stimulus, neuroid) x (neuroid, stimulus)


def square(cells: NDArray) -> NDArray:
    """(cell,) as the symmetric (stimulus, stimulus), zeros on the diagonal."""
    n_stimuli = number_of_stimuli(cells)
    full = np.zeros((n_stimuli, n_stimuli), cells.dtype)
    start = 0
    for i in range(n_stimuli - 1):
        stop = start + n_stimuli - 1 - i
        full[i, i + 1 :] = cells[start:stop]
        start = stop
    return full + full.T


def number_of_stimuli(cells: NDArray) -> int:
    """Between which there are so many cells (cell,)."""
    return round((1 + np.sqrt(1 + 8 * len(cells))) / 2)


def upper(matrix: NDArray) -> NDArray:
    """(cell,) of a symmetric (stimulus, stimulus)."""
    return np.concatenate([row[i:] for i, row in enumerate(matrix, 1)])


def ranks(cells: NDArray) -> NDArray:
    """Average ranks along the last axis (..., cell), of mean 0 and norm 1.

    The Spearman correlation of two systems is then the dot product of their ranks. Cells that are
    equal but for rounding tie: of patterns of two features, all are 0 or 2. NaN throughout where a
    cell is NaN or all are equal.
    """
    cells = without_rounding(np.asarray(cells, dtype=np.float64))
    n_cells = cells.shape[-1]
    if n_cells < 2:
        return np.full(cells.shape, np.nan)
    flat = cells.reshape(-1, n_cells)
    order = np.argsort(flat, axis=-1)
    ordered = np.take_along_axis(flat, order, axis=-1)
    new = np.ones(ordered.shape, dtype=bool)
    np.not_equal(ordered[:, 1:], ordered[:, :-1], out=new[:, 1:])
    known = np.isfinite(ordered[:, -1]) & np.isfinite(ordered[:, 0])
    del ordered
    plain = known & new.all(axis=-1)  # of few cells, those of most rows
    ranked = np.empty(flat.shape)
    untied = np.arange(n_cells)[None] - (n_cells - 1) / 2
    in_order = untied if plain.all() else _ordered_ranks(new)
    np.put_along_axis(ranked, order, in_order, axis=-1)
    norm = np.full(len(flat), np.sqrt(n_cells * (n_cells**2 - 1) / 12))
    norm[~plain] = np.linalg.norm(ranked[~plain], axis=-1)
    ranked /= np.where(known & (norm > 0), norm, np.nan)[:, None]
    return ranked.reshape(cells.shape)


def _ordered_ranks(new: NDArray) -> NDArray:
    """Average ranks less their mean (row, cell) of ordered cells.

    new: where one is not as the last.
    """
    first = np.flatnonzero(new)  # whose rows follow each other
    count = np.diff(first, append=new.size)
    middle = first % new.shape[1] + (count - new.shape[1]) / 2
    return np.repeat(middle, count).reshape(new.shape)


def spearman(model: NDArray, brain: NDArray) -> NDArray:
    """Spearman correlation of the cells of models (..., cell) with those of brains (..., cell).

    Returns (model, brain), without the axis that a single system lacks; in -1..1.
    """
    return np.inner(ranks(model), ranks(brain))
