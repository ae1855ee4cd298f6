"""Reweighted representational similarity: which mixture of layers explains a brain area.

    d_brain = w_0 + sum over layers of w_l d_l,   w_l >= 0, w_0 free,

by least squares over cells (pairs of stimuli), d_l being the dissimilarities of layer l: to weight
the features of a layer by the root of w_l weights its squared distances by w_l. Source:
Khaligh-Razavi and Kriegeskorte (2014), Deep supervised, but not unsupervised, models may explain
IT cortical representation. The constant is free, since the comparisons do not see it either.

A cell is predicted by a fit to cells that share no stimulus with it (see `held_out_cells`). The
normal equations of every fit are sums over blocks of cells, so that permutations of the brain are
only more right-hand sides, and all problems are solved together by block principal pivoting
(Portugal, Judice and Vicente 1994, A comparison of block pivoting and interior-point algorithms
for linear least squares problems with nonnegative variables; Kim and Park 2011).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cortiscope.held_out_cells import HeldOut

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


def predict(models: NDArray, brains: NDArray, held_out: HeldOut) -> Reweighted:
    """Predict the held-out cells of brains (brain, cell) from those of layers (layer, cell).

    Permutations and halves of the data are further brains. A layer with missing cells or whose
    cells do not vary gets no weight.
    """
    layers = _standardised(models)
    known = np.isfinite(brains).all(axis=1)
    targets = np.where(known[:, None], brains, 0.0)
    level = targets.mean(axis=1, keepdims=True)
    layer_mean, brain_mean, gram, cross = _moments(layers, targets - level, held_out)
    n_brains, n_layers = len(targets), len(layers)
    problems = np.repeat(gram, n_brains, axis=0)
    weights = nonnegative(problems, cross.reshape(-1, n_layers)).reshape(cross.shape)
    weights[:, ~known] = np.nan
    predicted = []
    for fit, cells in enumerate(held_out.cells):
        # (brain, layer) x (layer, cell)
        values = weights[fit] @ (layers[:, cells] - layer_mean[fit, :, None])
        constant = ~(weights[fit] > 0).any(axis=1) & known
        values[constant] = 0.0
        predicted.append(values + brain_mean[fit][:, None] + level)
    return Reweighted(predicted, np.swapaxes(weights, 0, 1))


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
    varies = np.ptp(centred, axis=1, keepdims=True) > 0
    centred = centred - centred.mean(axis=1, keepdims=True)
    return np.where(
        varies, centred / np.where(varies, centred.std(axis=1, keepdims=True), 1.0), 0.0
    )


def _moments(
    layers: NDArray, targets: NDArray, held_out: HeldOut
) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Over the training cells of each fit: means (fit, layer) and (fit, brain), covariances.

    The covariances are of the layers (fit, layer, layer), and of brains with layers (fit, brain,
    layer).
    """
    blocks, trained = held_out.blocks, held_out.trained
    size = trained @ [len(block) for block in blocks]
    squares = [layers[:, block] @ layers[:, block].T for block in blocks]
    # (brain, cell) x (cell, layer)
    crossed = [targets[:, block] @ layers[:, block].T for block in blocks]
    layer_sums = np.stack([layers[:, block].sum(axis=1) for block in blocks])
    brain_sums = np.stack([targets[:, block].sum(axis=1) for block in blocks])
    layer_mean = trained @ layer_sums / size[:, None]
    brain_mean = trained @ brain_sums / size[:, None]
    gram = np.tensordot(trained, np.stack(squares), 1) / size[:, None, None]
    gram -= layer_mean[:, :, None] * layer_mean[:, None, :]
    cross = np.tensordot(trained, np.stack(crossed), 1) / size[:, None, None]
    cross -= brain_mean[:, :, None] * layer_mean[:, None, :]
    return layer_mean, brain_mean, gram, cross
