"""How alike the dissimilarities of two systems are: Spearman, Pearson, Kendall's tau-a, cosine.

With x, y the cells of two systems, in the order of `numpy.triu_indices(n, 1)`:

    pearson     sum (x - mean x)(y - mean y) / (|x - mean x| |y - mean y|)
    spearman    the same of their average ranks
    cosine      sum x y / (|x| |y|), where zero means something, as for `dissimilarity.crossnobis`
    kendall     tau-a, see `kendall`

Sources: Kriegeskorte, Mur and Bandettini (2008), Representational similarity analysis; Nili et
al. (2014), A toolbox for representational similarity analysis. All but cosine are 0 on average
between unrelated systems; so is cosine where one of them is noise by unbiased, cross-validated
distances. Of distances that are never negative it is above 0.9 for any two systems, and what a
study asks so is refused (`check_cosine`).
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cortiscope.errors import InputError
from cortiscope.similarity import kendall
from cortiscope.similarity.pairs import pair_sums, permuted_sums
from cortiscope.similarity.rsa import ranks, square
from cortiscope.statistics.rounding import varies

METHODS = ("spearman", "pearson", "kendall", "cosine")
CELLS_AT_ONCE = 2**23  # of all permutations or draws together: 64 MB
CONSTANT = 1e-12  # variance relative to the mean square


def check_cosine(dissimilarity: str, comparison: str) -> None:
    """Raise an InputError for the cosine of dissimilarities that are never negative."""
    if comparison == "cosine" and dissimilarity != "crossnobis":
        raise InputError(
            "config: rsa.comparison",
            f"by cosine any two systems are alike whose dissimilarities are never negative, as"
            f" {dissimilarity} is not",
            "set rsa.dissimilarity: crossnobis, or compare by spearman, pearson or kendall",
        )


def prepared(cells: NDArray, method: str) -> NDArray:
    """Cells (..., cell) as a comparison needs them: done once, before permuting.

    Rows of norm 1 whose dot product is the score, or the levels of `kendall`. NaN, or -1, where a
    cell is NaN or nothing varies. Raises InputError for a method that is not known.
    """
    if method not in METHODS:
        raise InputError(
            "comparison", f"{method!r} is not known", f"use one of {', '.join(METHODS)}"
        )
    if method == "kendall":
        return kendall.levels(cells)
    if method == "spearman":
        return ranks(cells)
    values = np.asarray(cells, dtype=np.float64)
    known = np.isfinite(values).all(axis=-1, keepdims=True)
    if method == "pearson":
        known &= varies(values)[..., None]
        values = values - values.mean(axis=-1, keepdims=True)
    norm = np.linalg.norm(values, axis=-1, keepdims=True)
    return values / np.where(known & (norm > 0), norm, np.nan)


def among(cells: NDArray, method: str, counted: NDArray | None) -> NDArray:
    """`prepared` of the cells that count, counted (cell,) bool; None for all: (..., cell).

    The others add nothing to any product: they are 0, or for kendall of the middle level.
    """
    if counted is None:
        return prepared(cells, method)
    own = prepared(cells[..., counted], method)
    middle = kendall.LEVELS // 2 if method == "kendall" else 0
    whole = np.full(cells.shape, middle, dtype=own.dtype)
    whole[..., counted] = own
    return whole


def compare(model: NDArray, brain: NDArray, method: str, counted: NDArray | None = None) -> NDArray:
    """Compare models (..., cell) with brains (..., cell): (model, brain), in -1..1.

    Without the axis that a single system lacks. counted: (cell,) bool, the cells that are compared;
    None for all. NaN where a cell is NaN or all are equal.
    """
    if counted is not None:
        model, brain = model[..., counted], brain[..., counted]
    if method != "kendall":
        return np.inner(prepared(model, method), prepared(brain, method))
    models, brains = np.atleast_2d(model), np.atleast_2d(brain)
    scores = [[kendall.tau_a(x, y) for y in brains] for x in models]
    return np.array(scores).reshape((*model.shape[:-1], *brain.shape[:-1]))


def paired(model: NDArray, brain: NDArray, method: str) -> NDArray:
    """Compare row by row two (..., cell) of the same shape: (...)."""
    if method != "kendall":
        return np.einsum("...c,...c->...", prepared(model, method), prepared(brain, method))
    rows = zip(model.reshape(-1, model.shape[-1]), brain.reshape(-1, brain.shape[-1]), strict=True)
    return np.array([kendall.tau_a(x, y) for x, y in rows]).reshape(model.shape[:-1])


def permuted(cells: NDArray, orders: NDArray) -> NDArray:
    """Cells (..., cell) with rows and columns reordered together: (..., permutation, cell).

    orders (permutation, stimulus), from `resampling.permutations`. Commutes with `prepared`.
    """
    n_stimuli, n_cells = orders.shape[1], cells.shape[-1]
    upper = np.flatnonzero(np.triu(np.ones((n_stimuli, n_stimuli), dtype=bool), 1))
    moved = np.empty((*cells.shape[:-1], len(orders), n_cells), cells.dtype)
    rows = cells.reshape(-1, n_cells)
    for own, row in zip(moved.reshape(-1, *moved.shape[-2:]), rows, strict=True):
        matrix = square(row)
        for number, order in enumerate(orders):
            # Rows, then columns: pair by pair, which are far apart in memory, is six times as slow.
            matrix.take(order, axis=0).take(order, axis=1).ravel().take(upper, out=own[number])
    return moved


def null_scores(model: NDArray, moved: NDArray, method: str) -> NDArray:
    """Compare prepared models (..., cell) with a prepared, permuted brain (permutation, cell).

    For a brain permuted once and many layers. Returns (permutation, model).
    """
    if method != "kendall":
        return np.moveaxis(np.inner(model, moved), -1, 0)
    rows = [kendall.level_tau(row, moved) for row in model.reshape(-1, model.shape[-1])]
    return np.stack(rows, axis=1).reshape(len(moved), *model.shape[:-1])


def permutation_null(
    model: NDArray,
    brain: NDArray,
    orders: NDArray,
    method: str,
    counted: NDArray | None = None,
) -> NDArray:
    """Scores after permuting the stimuli of the brain, rows and columns together.

    model, brain (..., cell), orders (permutation, stimulus). Returns (permutation, model, brain),
    without the axes that single systems lack. Kendall's tau-a is that of levels (see `kendall`);
    of many stimuli the others are summed in single precision (see `pairs`).
    counted: as for `compare`; a permutation that takes one of the other cells to the place of one
    that counts, as units of unlike sizes do, has nothing there.
    """
    models = np.atleast_2d(among(model, method, counted))
    brains = np.atleast_2d(among(brain, method, counted))
    null = np.empty((len(orders), len(models), len(brains)))
    if method == "kendall":
        some = slice(None) if counted is None else counted
        for part in parts(len(orders), brain.shape[-1]):
            for number, one in enumerate(brains):
                moved = permuted(one, orders[part])[:, some]
                null[part, :, number] = null_scores(models[:, some], moved, method)
    else:
        for number, one in enumerate(brains):
            null[:, :, number] = permuted_sums(models, square(one), orders)
    return null.reshape(len(orders), *model.shape[:-1], *brain.shape[:-1])


def bootstrap_scores(
    model: NDArray,
    brain: NDArray,
    weights: NDArray,
    method: str,
    levels: int = kendall.LEVELS,
    counted: NDArray | None = None,
) -> NDArray:
    """Scores with stimulus i counted weights (draw, stimulus) times.

    model, brain (..., cell). A pair of stimuli then counts w_i w_j times; a stimulus drawn twice
    forms no pair with itself, and no pair of stimuli with itself. Ranks stay those of the full
    sample. Kendall's tau-a moves as that of levels does, around the exact one of the full sample.
    counted: as for `compare`. Returns (draw, model, brain), without the axes that single systems
    lack; NaN for a draw of one stimulus.
    """
    if method == "kendall":
        systems = np.atleast_2d(model), np.atleast_2d(brain)
        scores = _kendall_bootstrap(*systems, weights, levels, counted)
    else:
        models = np.atleast_2d(among(model, method, counted))
        brains = np.atleast_2d(among(brain, method, counted))
        scores = _weighted_products(models, brains, weights, method != "cosine", counted)
    return scores.reshape(len(weights), *model.shape[:-1], *brain.shape[:-1])


def _weighted_products(
    models: NDArray, brains: NDArray, weights: NDArray, centred: bool, counted: NDArray | None
) -> NDArray:
    """Weighted correlation, or cosine, over pairs of stimuli: (draw, model, brain)."""
    products = (models[:, None] * brains).reshape(-1, models.shape[1])  # (model * brain, cell)
    joint = pair_sums(weights, products).reshape(len(weights), len(models), len(brains))
    model_square = pair_sums(weights, np.square(models))
    brain_square = pair_sums(weights, np.square(brains))
    whole = model_square, brain_square
    if centred:
        if counted is None:
            pairs = (weights.sum(axis=1) ** 2 - np.square(weights).sum(axis=1))[:, None] / 2
        else:
            pairs = pair_sums(weights, counted[None].astype(float))
        model_sum, brain_sum = pair_sums(weights, models), pair_sums(weights, brains)
        with np.errstate(divide="ignore", invalid="ignore"):
            joint -= model_sum[:, :, None] * (brain_sum / pairs)[:, None, :]
            model_square = model_square - model_sum**2 / pairs
            brain_square = brain_square - brain_sum**2 / pairs
    # A draw of two stimuli, whose cells are all one, leaves rounding.
    model_square, brain_square = (
        np.where(left > CONSTANT * size, left, np.nan)
        for left, size in zip((model_square, brain_square), whole, strict=True)
    )
    return joint / np.sqrt(model_square[:, :, None] * brain_square[:, None, :])


def _kendall_bootstrap(
    models: NDArray, brains: NDArray, weights: NDArray, levels: int, counted: NDArray | None
) -> NDArray:
    """(draw, model, brain): tau-a of levels, moved by what the levels cost the full sample."""
    if counted is not None:
        models, brains = models[:, counted], brains[:, counted]
    model_levels, brain_levels = (kendall.levels(cells, levels) for cells in (models, brains))
    scores = np.empty((len(weights), len(models), len(brains)))
    for m, b in np.ndindex(scores.shape[1:]):
        x, y = model_levels[m], brain_levels[b]
        lost = kendall.tau_a(models[m], brains[b]) - kendall.level_tau(x, y[None], levels)
        scores[:, m, b] = kendall.weighted_level_tau(x, y, weights, levels, counted) + lost
    return scores


def parts(n_rows: int, n_cells: int) -> Iterator[slice]:
    """Cut permutations or draws into slices whose cells take 64 MB."""
    step = max(1, CELLS_AT_ONCE // max(1, n_cells))
    for start in range(0, n_rows, step):
        yield slice(start, start + step)
