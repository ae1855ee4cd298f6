"""Reweighted representational similarity: which mixture of layers explains a brain area.

    d_brain = w_0 + sum over layers of w_l d_l,   w_l >= 0, w_0 free,

by least squares over cells (pairs of stimuli), d_l being the dissimilarities of layer l, or their
ranks where these are what is compared (`as_compared`): to weight the features of a layer by the
root of w_l weights its squared distances by w_l. Source: Khaligh-Razavi and Kriegeskorte (2014),
Deep supervised, but not unsupervised, models may explain IT cortical representation. The constant
is free, since the comparisons do not see it either.

Where one layer is all that an area is made of, plain least squares still gives small weights to
others, which fit the training stimuli only: the mixture then predicts less than the best layer.
So a further layer has to earn its place. With r what the best layer alone leaves of d_brain,

    minimise |d_brain - w_0 - sum w_l d_l|^2 / 2m + sum over all but the best layer of t s_l w_l,

m cells, s_l the standard error of the covariance of d_l with r, jackknifed over folds of stimuli:
a layer has no weight unless this covariance is above t standard errors. t = 0 is least squares,
and with t large the best layer is alone. It is a lasso (Tibshirani 1996) whose strength follows
from the noise: to choose one by cross-validation, differences of a hundredth would have to be told
by few stimuli, and those held out err the other way.

A cell is predicted by a fit to cells that share no stimulus with it (see `held_out_cells`). The
normal equations of every fit are sums over blocks of cells, so that permutations of the brain are
only more right-hand sides, and all problems are solved together by block principal pivoting
(Portugal, Judice and Vicente 1994, A comparison of block pivoting and interior-point algorithms
for linear least squares problems with nonnegative variables; Kim and Park 2011).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cortiscope.similarity.held_out_cells import HeldOut, score
from cortiscope.similarity.rsa import ranks
from cortiscope.statistics.rounding import varies

# Of the mean square of the layers: decides between layers that are alike, changes nothing else.
TIE = 1e-12
TOLERANCE = 1e-12  # of a gradient, relative
PATIENCE = 3  # full exchanges without progress before exchanges one by one


@dataclass(frozen=True)
class Reweighted:
    """predicted: of each fit (brain, its held-out cells), in the unit of the brain, constant
    included. weights: (brain, fit, layer), 0 or more, in dissimilarity of the brain per standard
    deviation of the layer's cells over all stimuli. NaN where a brain has missing cells.
    """

    predicted: list[NDArray]
    weights: NDArray


def predict(
    models: NDArray, brains: NDArray, held_out: HeldOut, standard_errors: float = 0.0
) -> Reweighted:
    """Predict the held-out cells of brains (brain, cell) from those of layers (layer, cell).

    Permutations and halves of the data are further brains. standard_errors: t above, 0 or more.
    A layer with missing cells or whose cells do not vary gets no weight.
    """
    layers = _standardised(models)
    known = np.isfinite(brains).all(axis=1)
    targets = np.where(known[:, None], brains, 0.0)
    level = targets.mean(axis=1, keepdims=True)
    n_brains, n_layers = len(targets), len(layers)
    blocks = _block_sums(layers, targets - level, held_out)
    sums = np.tensordot(held_out.trained, blocks, 1)  # (fit, block) x (block, ...)
    mean, covariance = _moments(sums)
    gram, cross = covariance[:, :, :n_layers], np.swapaxes(covariance[:, :, n_layers:], 1, 2)
    if standard_errors > 0:
        cross = cross - standard_errors * _errors_beside_best(blocks, sums, held_out)
    # A fit at a time: all brains have its Gram matrix.
    weights = np.stack(
        [
            nonnegative(np.broadcast_to(own, (n_brains, *own.shape)), aims)
            for own, aims in zip(gram, cross, strict=True)
        ]
    )
    weights[:, ~known] = np.nan
    predicted = []
    for fit, cells in enumerate(held_out.cells):
        # (brain, layer) x (layer, cell)
        values = weights[fit] @ (layers[:, cells] - mean[fit, :n_layers, None])
        constant = ~(weights[fit] > 0).any(axis=1) & known
        values[constant] = 0.0
        predicted.append(values + mean[fit, n_layers:, None] + level)
    return Reweighted(predicted, np.swapaxes(weights, 0, 1))


def as_compared(cells: NDArray, method: str, seen: NDArray | None = None) -> NDArray:
    """Cells (..., cell) on the scale on which they are compared: ranks, but for `pearson`.

    Ranks have mean 0 and standard deviation 1. seen: (cell,) bool, those that any fit is trained
    on, None for all: the others have no rank, and become 0. A fit knows of the cells that it holds
    out how many are above another, not which of them.
    """
    if method == "pearson":
        return cells
    among = np.ones(cells.shape[-1], dtype=bool) if seen is None else seen
    known = np.zeros(cells.shape)
    known[..., among] = ranks(cells[..., among]) * np.sqrt(among.sum())
    return known


def best_single(models: NDArray, brain: NDArray, held_out: HeldOut, method: str) -> float:
    """Score of the one layer of models (layer, cell) that is best on the training cells.

    Chosen anew by each fit, as weights are, and as `predict` chooses it: the fair comparison for a
    mixture of layers, of which the best on the very cells that are tested would be too much to
    ask. brain (cell,). NaN where no layer, or not the brain, is known.
    """
    layers = _standardised(as_compared(models, method))
    target = as_compared(brain[None], method, seen(held_out))
    target = np.where(np.isfinite(brain).all(), target - target.mean(), 0.0)
    sums = np.tensordot(held_out.trained, _block_sums(layers, target, held_out), 1)
    covariance = _moments(sums)[1]
    chosen = [_best(one[:, : len(layers)], one[:, len(layers) :])[0] for one in covariance]
    predicted = [models[best, cells] for best, cells in zip(chosen, held_out.cells, strict=True)]
    return float(score(predicted, brain[None], held_out, method)[0])


def seen(held_out: HeldOut) -> NDArray:
    """Which cells any fit is trained on: (cell,) bool."""
    trained = np.flatnonzero(held_out.trained.any(axis=0))
    cells = np.zeros(sum(len(block) for block in held_out.blocks), dtype=bool)
    cells[np.concatenate([held_out.blocks[number] for number in trained])] = True
    return cells


def nonnegative(gram: NDArray, cross: NDArray) -> NDArray:
    """Minimise w'G w / 2 - c'w over w >= 0, for many problems at once.

    gram (problem, variable, variable) positive semidefinite, cross (problem, variable). Returns
    (problem, variable). Variables start at 0; those whose sign or gradient is wrong change sides,
    all at once while their number falls, else the last of them alone, which ends for certain.
    """
    n_problems, n_variables = cross.shape
    diagonal = np.einsum("pvv->pv", gram)
    lift = TIE * diagonal.mean(axis=1, keepdims=True) + np.finfo(float).tiny
    gram = gram + lift[:, :, None] * np.eye(n_variables)
    size = np.abs(cross).max(axis=1, keepdims=True)
    free = np.zeros((n_problems, n_variables), dtype=bool)
    weights = np.zeros((n_problems, n_variables))
    fewest = np.full(n_problems, n_variables + 1)
    patience = np.full(n_problems, PATIENCE)
    open_ = np.arange(n_problems)
    while len(open_):
        slope = np.einsum("pvu,pu->pv", gram[open_], weights[open_]) - cross[open_]
        wrong = np.where(free[open_], weights[open_] < 0, slope < -TOLERANCE * size[open_])
        count = wrong.sum(axis=1)
        some = count > 0
        open_, wrong, count = open_[some], wrong[some], count[some]
        progress = count < fewest[open_]
        fewest[open_] = np.minimum(fewest[open_], count)
        patience[open_] = np.where(progress, PATIENCE, patience[open_] - 1)
        alone = patience[open_] < 0
        last = n_variables - 1 - np.argmax(wrong[:, ::-1], axis=1)
        wrong[alone] &= np.arange(n_variables) == last[alone, None]
        free[open_] ^= wrong
        weights[open_] = _solve_free(gram[open_], cross[open_], free[open_])
    return weights


def _solve_free(gram: NDArray, cross: NDArray, free: NDArray) -> NDArray:
    """Least squares over the free variables (problem, variable); the others are 0."""
    both = free[:, :, None] & free[:, None, :]
    system = np.where(both, gram, np.eye(gram.shape[1]))
    return np.linalg.solve(system, np.where(free, cross, 0.0)[:, :, None])[:, :, 0]


def _standardised(models: NDArray) -> NDArray:
    """(layer, cell) of mean 0 and standard deviation 1; zeros where cells are missing or equal."""
    known = np.isfinite(models).all(axis=1, keepdims=True)
    centred = np.where(known, models, 0.0)
    moving = varies(centred)[:, None]
    centred = centred - centred.mean(axis=1, keepdims=True)
    return np.where(
        moving, centred / np.where(moving, centred.std(axis=1, keepdims=True), 1.0), 0.0
    )


def _block_sums(layers: NDArray, targets: NDArray, held_out: HeldOut) -> NDArray:
    """Sums of products over the cells of each block: (block, 1 + layer, 1 + layer + brain).

    The first of rows and columns is a one: it counts the cells, and sums layers and brains.
    """
    rows = np.vstack([np.ones((1, layers.shape[1])), layers, targets])
    left = rows[: 1 + len(layers)]
    # (1 + layer, cell) x (cell, 1 + layer + brain)
    return np.stack([left[:, block] @ rows[:, block].T for block in held_out.blocks])


def _moments(sums: NDArray) -> tuple[NDArray, NDArray]:
    """From such sums: means (..., layer + brain) and covariances (..., layer, layer + brain)."""
    products = sums / sums[..., :1, :1]
    mean = products[..., 0, 1:]
    covariance = products[..., 1:, 1:] - products[..., 1:, :1] * mean[..., None, :]
    return mean, covariance


def _errors_beside_best(blocks: NDArray, sums: NDArray, held_out: HeldOut) -> NDArray:
    """Standard errors of what the best layer leaves for the others: (fit, brain, layer).

    Of the covariance of each layer with the remainder of each brain, by leaving out one training
    fold at a time; 0 for the best layer, and where there is but one training fold. blocks: from
    `_block_sums`; sums: of the training cells of each fit (fit, ...).
    """
    n_layers = blocks.shape[1] - 1
    n_folds = int(np.sqrt(2 * len(blocks)))  # blocks are of all pairs of folds, and of each
    first, second = np.triu_indices(n_folds)
    number = np.zeros((n_folds, n_folds), dtype=int)
    number[first, second] = number[second, first] = np.arange(len(blocks))
    of_fold = blocks[number].sum(axis=1)  # (fold, ...)
    brains = np.arange(blocks.shape[2] - n_layers - 1)
    errors = np.zeros((len(sums), len(brains), n_layers))
    for fit, held in enumerate(held_out.pair):
        gram, cross = np.split(_moments(sums[fit])[1], [n_layers], axis=1)
        best = _best(gram, cross)
        slope = cross[best, brains] / gram[best, best]
        folds = np.delete(np.arange(n_folds), held)
        if len(folds) > 1:
            gone = of_fold[folds] - blocks[number[np.ix_(folds, held)]].sum(axis=1)
            gram, cross = np.split(_moments(sums[fit] - gone)[1], [n_layers], axis=2)
            left = cross - slope * gram[:, :, best]  # (fold, layer, brain)
            errors[fit] = np.sqrt((len(folds) - 1) * left.var(axis=0)).T
        errors[fit, brains, best] = 0.0
    return errors


def _best(gram: NDArray, cross: NDArray) -> NDArray:
    """The layer (brain,) that correlates most with each brain, of those that vary."""
    power = np.diagonal(gram)[:, None]
    correlation = cross / np.sqrt(np.where(power > 0, power, 1.0))
    return np.asarray(np.where(power > 0, correlation, -np.inf).argmax(axis=0))
