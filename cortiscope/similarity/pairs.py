"""Sums over all pairs of stimuli, half a matrix, in blocks of rows: no more is held at a time."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

CELLS_AT_ONCE = 2**17  # small enough for the cache
ROWS = 256  # enough for full speed of a matrix product
# With more stimuli permuted matrices are in single precision, of half the size: a sum of what has
# norm 1 is off by less than 1e-7.
MOST_IN_DOUBLE = 1024


def permuted_sums(models: NDArray, brain: NDArray, orders: NDArray) -> NDArray:
    """Sums of models (model, cell) times the brain (stimulus, stimulus), its stimuli permuted.

    orders (permutation, stimulus). Returns (permutation, model).
    """
    n_stimuli = len(brain)
    kind = np.float64 if n_stimuli <= MOST_IN_DOUBLE else np.float32
    brain = brain.astype(kind, copy=False)
    sums = np.zeros((len(orders), len(models)))
    for rows, half in _blocks(
        models.astype(kind, copy=False), n_stimuli, CELLS_AT_ONCE // n_stimuli
    ):
        flat = half.reshape(len(models), -1)
        for number, order in enumerate(orders):
            # Rows, then columns: pair by pair, which are far apart in memory, is six times as slow.
            moved = brain.take(order[rows], axis=0).take(order[rows.start :], axis=1)
            sums[number] += flat @ moved.ravel()
    return sums


def pair_sums(weights: NDArray, cells: NDArray) -> NDArray:
    """Sums of systems (system, cell) times w_i w_j, of weights (draw, stimulus): (draw, system)."""
    sums = np.zeros((len(weights), len(cells)))
    for number, system in enumerate(cells):
        for rows, half in _blocks(system[None], weights.shape[1], ROWS):
            own = weights[:, rows] @ half[0]  # (draw, row) x (row, stimulus)
            sums[:, number] += np.einsum("ds,ds->d", own, weights[:, rows.start :])
    return sums


def _blocks(cells: NDArray, n_stimuli: int, n_rows: int) -> Iterator[tuple[slice, NDArray]]:
    """Rows of a matrix and its upper half, (system, row, stimulus) from the first of them on."""
    place, n_rows = 0, max(1, n_rows)
    for start in range(0, n_stimuli, n_rows):
        rows = range(start, min(start + n_rows, n_stimuli))
        half = np.zeros((len(cells), len(rows), n_stimuli - start), cells.dtype)
        for number, row in enumerate(rows):
            stop = place + n_stimuli - 1 - row
            half[:, number, number + 1 :] = cells[:, place:stop]
            place = stop
        yield slice(start, rows.stop), half
