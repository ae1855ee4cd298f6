"""Kendall's tau-a between dissimilarities, whose cost would be quadratic in the cells.

    tau_a = sum over pairs of cells c < d of sign(x_c - x_d) sign(y_c - y_d) / (N (N - 1) / 2)

A tied pair counts 0 and stays in the denominator, so that a model gains nothing by ties (Nili,
Wingfield, Walther, Su, Marslen-Wilson and Kriegeskorte 2014, A toolbox for representational
similarity analysis). Exact in N log N steps (Knight 1966): discordant pairs are the inversions of
y in the order of x, counted bit by bit of the ranks.

Permutations and bootstraps use ranks cut into LEVELS levels. Pairs of cells then follow from the
joint histogram of two levels, without sorting. What is lost are the pairs within a level of
either, a share 2 / LEVELS, whose signs agree by chance only: as noise in a null it has a standard
deviation of (2/3) sqrt(2 / N) / LEVELS, 2 % of the spread of the null.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cortiscope.statistics.rounding import varies, without_rounding

LEVELS = 64
CELLS_AT_ONCE = 2**18  # small enough for the cache


def tau_a(first: NDArray, second: NDArray) -> float:
    """Kendall's tau-a of two (cell,), in -1..1; NaN where a cell is NaN or all are equal."""
    n_cells = len(first)
    if n_cells < 2 or not (_varies(first) and _varies(second)):
        return float("nan")
    x, y = (dense_ranks(without_rounding(cells)) for cells in (first, second))
    order = np.argsort(x * (y.max() + 1) + y, kind="stable")  # ties of x are no inversions
    discordant = inversions(y[order])
    joint = x * (y.max() + 1) + y
    tied = _tied_pairs(x) + _tied_pairs(y) - _tied_pairs(dense_ranks(joint))
    total = n_cells * (n_cells - 1) // 2
    return (total - tied - 2 * discordant) / total


def inversions(values: NDArray) -> int:
    """The pairs of which the earlier is larger, of whole numbers 0 or more (place,).

    Two numbers are in the wrong order where, at the highest bit in which they differ, the earlier
    has a 1. From the highest bit on, numbers alike so far are kept together, in their order.
    """
    count = 0
    key = values.astype(np.uint16) if values.max() < 2**16 else values.astype(np.uint32)
    for bit in reversed(range(int(values.max()).bit_length())):
        ones = (key >> bit) & 1
        alike = key >> bit >> 1
        ahead = np.cumsum(ones, dtype=np.int64)
        start = np.flatnonzero(np.diff(alike, prepend=alike[0]))
        before = np.zeros(len(key), dtype=np.int64)  # the ones before the group of a place
        before[start] = ahead[start - 1]
        np.maximum.accumulate(before, out=before)
        count += int(np.sum((ahead - before)[ones == 0]))
        key = key[np.argsort(key >> bit, kind="stable")]
    return count


def dense_ranks(cells: NDArray) -> NDArray:
    """The number of the distinct value of each cell (..., cell), from 0, along the last axis."""
    order = np.argsort(cells, axis=-1, kind="stable")
    ordered = np.take_along_axis(cells, order, axis=-1)
    step = np.zeros(ordered.shape, dtype=np.int64)
    np.cumsum(ordered[..., 1:] != ordered[..., :-1], axis=-1, out=step[..., 1:])
    ranks = np.empty_like(step)
    np.put_along_axis(ranks, order, step, axis=-1)
    return ranks


def levels(cells: NDArray, count: int = LEVELS) -> NDArray:
    """Cells (..., cell) cut by rank into at most `count` levels: int16, ties together.

    Exactly the ranks where there are no more distinct values than levels. -1 throughout where a
    cell is NaN or all are equal. Cells that are equal but for rounding tie, as in `tau_a`.
    """
    n_cells = cells.shape[-1]
    flat = without_rounding(np.asarray(cells, dtype=np.float64)).reshape(-1, n_cells)
    order = np.argsort(flat, axis=-1)
    ordered = np.take_along_axis(flat, order, axis=-1)
    new = np.ones(ordered.shape, dtype=bool)
    new[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    distinct = new.sum(axis=-1)
    # The cells below a value say where in the order it lies.
    below = np.maximum.accumulate(np.where(new, np.arange(n_cells), 0), axis=-1)
    cut = below * count // n_cells
    few = distinct <= count
    cut[few] = np.cumsum(new[few], axis=-1) - 1
    cut[~np.isfinite(ordered[:, -1]) | ~np.isfinite(ordered[:, 0]) | (distinct < 2)] = -1
    level = np.empty(flat.shape, dtype=np.int16)
    np.put_along_axis(level, order, cut.astype(np.int16), axis=-1)
    return level.reshape(cells.shape)


def level_tau(model: NDArray, brain: NDArray, count: int = LEVELS) -> NDArray:
    """Tau-a of levels, row by row: (row,), from model (cell,) or (row, cell), brain (row, cell).

    count: as given to `levels`. NaN for levels of -1.
    """
    n_cells = brain.shape[1]
    place = model.astype(np.int32) * count + brain
    scores = np.empty(len(brain))
    for rows in _parts(len(brain), n_cells + count**2):
        row = np.arange(len(place[rows]))[:, None] * count**2
        joint = np.bincount(
            (np.maximum(place[rows], 0) + row).ravel(), minlength=row.size * count**2
        )
        scores[rows] = _concordance(joint.reshape(-1, count, count).astype(np.float64))
    known = (model[..., 0] >= 0) & (brain[:, 0] >= 0)
    return np.where(known, scores / (n_cells * (n_cells - 1)), np.nan)


def weighted_level_tau(
    model: NDArray,
    brain: NDArray,
    weights: NDArray,
    count: int = LEVELS,
    counted: NDArray | None = None,
) -> NDArray:
    """Tau-a of levels (cell,) with stimulus i counted weights (draw, stimulus) times: (draw,).

    A cell then counts w_i w_j times; it forms no pair with itself. counted: which of all cells
    (pair of stimuli,) bool the levels are of; None for all. NaN for levels of -1 and for
    weights that leave no pair of cells.
    """
    scores = np.full(len(weights), np.nan)
    if model[0] < 0 or brain[0] < 0:
        return scores
    n_stimuli = weights.shape[1]
    first, second = np.triu_indices(n_stimuli, 1)
    pair = first * n_stimuli + second
    pair = pair if counted is None else pair[counted]
    place = model.astype(np.intp) * count + brain
    for rows in _parts(len(weights), n_stimuli**2 + count**2):
        some = weights[rows]
        squares = (some[:, :, None] * some[:, None, :]).reshape(len(some), -1)
        cells = squares[:, pair]  # (draw, cell)
        total = cells.sum(axis=1) ** 2 - np.einsum("dc,dc->d", cells, cells)
        where = (place + np.arange(len(some))[:, None] * count**2).ravel()
        joint = np.bincount(where, weights=cells.ravel(), minlength=len(some) * count**2)
        above = _concordance(joint.reshape(-1, count, count))
        scores[rows] = above / np.where(total > 0, total, np.nan)
    return scores


def agreement(first: NDArray, second: NDArray, count: int) -> NDArray:
    """The mean of sign(x_c - x_d) sign(y_c - y_d) over all other cells d: (cell,), -1..1.

    first, second (cell,), cut into levels; the mean of all is their tau-a.
    """
    x, y = (levels(cells, count).astype(np.intp) for cells in (first, second))
    joint = np.bincount(x * count + y, minlength=count**2).reshape(count, count)
    above = np.sign(np.subtract.outer(np.arange(count), np.arange(count))).astype(np.float64)
    # (level of x, level) x (level of x, level of y) x (level, level of y)
    return (above @ joint @ above.T)[x, y] / (len(x) - 1)


def _concordance(joint: NDArray) -> NDArray:
    """Concordant less discordant ordered pairs of cells: (row,).

    joint (row, level of x, level of y): how many cells have these two levels.
    """
    level = np.arange(joint.shape[-1])
    above = np.sign(level[:, None] - level).astype(np.float64)
    # (level, level of x) x (row, level of x, level of y) x (level of y, level)
    return np.einsum("rxy,rxy->r", joint, above @ joint @ above.T)


def _parts(n_rows: int, size: int) -> Iterator[slice]:
    step = max(1, CELLS_AT_ONCE // size)
    for start in range(0, n_rows, step):
        yield slice(start, start + step)


def _varies(cells: NDArray) -> bool:
    return bool(np.isfinite(cells).all() and varies(cells))


def _tied_pairs(ranks: NDArray) -> int:
    sizes = np.bincount(ranks)
    return int(np.sum(sizes * (sizes - 1) // 2))
