"""Stacked regression: which layers of a network together explain an area.

Wolpert (1992), Stacked generalization; Breiman (1996), Stacked regressions; for layers and brains
Lin, Naselaris, Kay and Wehbe (2024), Stacked regressions and structured variance partitioning for
interpretable brain maps. Within each training part every layer is fitted by ridge regression, its
strength chosen for every neuroid, and each training stimulus predicted by leaving it out, with
residuals e_l. Then the weights w of a neuroid are

    minimise |sum_l w_l e_l|^2,   w_l >= 0,   sum_l w_l = 1,   l = 0 .. number of layers,

where l = 0 stands for the mean of the training part, a model without a layer: the weights of the
layers add up to 1 or less. They add up to LEAST at least: a fold whose model is the mean weighs
nothing in a score, and folds would be so where the stimuli held out elsewhere speak against them,
from which noise scored -0.02 instead of 0, with few layers of few dimensions. Held-out stimuli are
predicted by w_l times the predictions of layer l fitted to the whole training part. Nothing of the
held-out stimuli enters the weights.

With u = R y, where the held-out responses are replaced by their predictions, e_l is u / s and the
predictions of all stimuli are y - u (R and s as in `nested`): the outer cross-validation has
computed them already.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cortiscope.regression.cross_validation import TRAINING
from cortiscope.regression.decomposition import decompose
from cortiscope.regression.held_out_scores import Predictions
from cortiscope.regression.nested import Layout, Solver, layout
from cortiscope.regression.precision import precisely
from cortiscope.regression.ridge import kernel, standardised
from cortiscope.regression.strengths import at_ends, grid

MEMORY = 2**28  # bytes of (layer, fold, stimulus, neuroid) that are held at once
BLOCK = 256  # neuroids that are solved at once where the matrices of every strength are kept
LEAST = 1e-3  # weight of all layers together, see above
SINGULAR = 1e-10  # added to the diagonal of what is solved, relative: layers may be copies


@dataclass(frozen=True)
class Stacked:
    """Held-out predictions of all layers together, and what each layer gives to them.

    predictions: as of any mapping; `alpha` is the sum of the weights of the layers, 0..1. weights
    (layer, fold, neuroid), 0..1; a layer that ridge has shrunk to next to nothing is the mean
    under another name, and its weight tells nothing. alphas (layer, fold, neuroid): the strength
    of each layer's ridge; ends (layer, fold, neuroid): whether it is the least or the largest, as
    `end` of the predictions. NaN where nothing can be predicted; a layer that does not vary has
    weight 0.
    """

    predictions: Predictions
    weights: NDArray
    alphas: NDArray
    ends: NDArray


def predict(
    features: Sequence[NDArray],
    responses: NDArray,
    folds: NDArray,
    alphas: NDArray,
    dtype: type = np.float64,
) -> Stacked:
    """Predict every stimulus from the stimuli of the other folds, by all layers together.

    features: of each layer (stimulus, component); responses (stimulus, neuroid); folds (stimulus,)
    numbers; alphas > 0, relative to the mean diagonal of each layer's Gram matrix. dtype float32
    halves the time of a permutation null. NaN where a response is missing, and throughout where no
    layer varies or a training part has fewer than three stimuli.
    """
    return Regression(features, folds, alphas).predict(responses, dtype)


class Regression:
    """`predict` with what depends on the layers alone done once, for many responses.

    features: taken one after the other, so that they may be made as they are asked for.
    """

    def __init__(self, features: Iterable[NDArray], folds: NDArray, alphas: NDArray) -> None:
        self.strengths = np.asarray(alphas, dtype=float)
        self.folds, self.places = folds, layout(folds)
        enough = len(folds) - self.places.real.shape[1] >= 3
        self.solvers = [self._solver(layer) if enough else None for layer in features]

    def _solver(self, features: NDArray) -> Solver | None:
        gram = kernel(features)
        return Solver(gram, self.places, 0) if np.trace(gram) > 0 else None

    def predict(self, responses: NDArray, dtype: type = np.float64) -> Stacked:
        """Predict the responses (stimulus, neuroid) of every stimulus from the other folds."""
        return precisely(self._predict, responses, self.folds, dtype)

    def _predict(self, responses: NDArray, dtype: type) -> Stacked:
        """The same, in this precision throughout."""
        targets, mean, scale = standardised(responses, dtype)
        n_folds, n_neuroids = len(self.places.real), targets.shape[1]
        weights, taken, ends = np.full((3, len(self.solvers), n_folds, n_neuroids), np.nan)
        values, spread = np.full(targets.shape, np.nan), np.full((n_folds, n_neuroids), np.nan)
        solvers = {number: one for number, one in enumerate(self.solvers) if one is not None}
        if solvers:
            weights[:, :, np.isfinite(mean)] = 0.0
            for block in self._blocks(solvers.values(), np.flatnonzero(np.isfinite(mean)), targets):
                ordered = targets[np.ix_(self.places.order, block)]
                models = [_layer(solver, self.strengths, ordered) for solver in solvers.values()]
                found = _stack(models, ordered, self.places)
                values[np.ix_(self.places.order, block)] = found.values
                spread[:, block] = found.spread
                for number, weight, model in zip(solvers, found.weights, models, strict=True):
                    weights[number, :, block], taken[number, :, block] = weight.T, model.alpha.T
                    ends[number, :, block] = model.end.T
        held = np.unique(self.folds) != TRAINING
        weights, taken, ends, spread = weights[:, held], taken[:, held], ends[:, held], spread[held]
        values[self.folds == TRAINING] = np.nan
        predictions = Predictions(values * scale + mean, weights.sum(axis=0), spread * scale)
        return Stacked(predictions, weights, taken, ends)

    def _blocks(
        self, solvers: Collection[Solver], complete: NDArray, targets: NDArray
    ) -> Iterator[NDArray]:
        """Numbers of the neuroids that are solved together.

        The solvers keep their matrices of every strength meanwhile, where these have room.
        """
        square = len(solvers) * len(targets) * targets.itemsize
        keeps = 4 * len(self.strengths) * square * len(targets) <= MEMORY
        room = MEMORY // (2 * len(self.places.real) * square)
        step = max(1, min(room, BLOCK) if keeps else room)
        for solver in solvers:
            solver.forget(MEMORY * keeps)
        for start in range(0, len(complete), step):
            yield complete[start : start + step]
        for solver in solvers:
            solver.forget(0)


@dataclass(frozen=True)
class _Layer:
    """predicted, left_out: (fold, neuroid, stimulus), so that what a neuroid chooses lies together;
    alpha, end: (fold, neuroid), as of `held_out_scores.Predictions`.

    predicted: of all stimuli by the model of a fold. left_out: the residuals of its training part
    when each stimulus is left out in turn, 0 for the stimuli held out.
    """

    predicted: NDArray
    left_out: NDArray
    alpha: NDArray
    end: NDArray


@dataclass(frozen=True)
class _Found:
    values: NDArray  # (stimulus, neuroid)
    spread: NDArray  # (fold, neuroid)
    weights: NDArray  # (layer, fold, neuroid)


def _layer(solver: Solver, strengths: NDArray, targets: NDArray) -> _Layer:
    """Ridge of one layer; targets (stimulus, neuroid) in the order of the layout."""
    real, by_neuroid = solver.layout.real, np.ascontiguousarray(targets.T)
    options = grid(strengths, solver.values)
    found = solver.choose(options, targets)
    held_out = [np.flatnonzero(solver.layout.fold == fold) for fold in range(len(real))]
    predicted, left_out = np.empty((2, len(real), *by_neuroid.shape), targets.dtype)
    for strength in np.unique(found.alpha):
        shared = solver.shared(float(strength), targets.dtype)
        residual = shared.residual[real.ravel()]  # symmetric
        errors = by_neuroid @ residual  # (neuroid, stimulus) x (stimulus, stimulus)
        for fold, held in enumerate(held_out):
            some = np.flatnonzero(found.alpha[fold] == strength)
            if not len(some):
                continue
            own = found.residuals[fold, real[fold]][:, some].T
            known = by_neuroid[some]
            known[:, held] -= own
            if fold in shared.untrusted:
                refitted, spread = _refitted(solver, shared.alpha, fold)
                error = known @ refitted.astype(targets.dtype)
            else:
                # (neuroid, held out) x (held out, stimulus)
                error = errors[some] - own @ residual[held]
                spread = np.sqrt(shared.weights[fold][real.ravel()])
            predicted[fold, some] = known - error
            left_out[fold, some] = error * spread.astype(targets.dtype)
    return _Layer(predicted, left_out, found.alpha, at_ends(options, found.alpha))


def _refitted(solver: Solver, alpha: float, fold: int) -> tuple[NDArray, NDArray]:
    """R of the model of a fold (stimulus, stimulus) and 1 / s (stimulus,), 0 where held out.

    For strengths at which the closed form loses digits.
    """
    training = np.flatnonzero(solver.layout.fold != fold)
    values, vectors = decompose(solver.kernel[np.ix_(training, training)])
    own = (vectors * (alpha / (values + alpha))) @ vectors.T
    residual, spread = np.zeros(solver.kernel.shape), np.zeros(len(solver.kernel))
    residual[np.ix_(training, training)] = own
    spread[training] = 1.0 / np.diagonal(own)
    return residual, spread


def _stack(models: Sequence[_Layer], targets: NDArray, places: Layout) -> _Found:
    """Weights from the residuals within the training parts, and what they predict."""
    n_folds, n_neuroids = len(places.real), targets.shape[1]
    values, spread = np.empty(targets.shape), np.empty((n_folds, n_neuroids))
    weights = np.empty((len(models), n_folds, n_neuroids))
    errors = np.empty((n_neuroids, 1 + len(models), len(targets)), targets.dtype)
    for fold in range(n_folds):
        training = places.fold != fold
        count, mean = training.sum(), targets[training].mean(axis=0)
        alone = (targets - mean) * (count / (count - 1)) * training[:, None]
        errors[:, 0] = alone.T
        for number, model in enumerate(models, start=1):
            errors[:, number] = model.left_out[fold]
        products = (errors @ np.swapaxes(errors, 1, 2)).astype(np.float64)
        weights[:, fold] = _something(simplex_weights(products), products)[:, 1:].T
        shares: NDArray = weights[:, fold].astype(targets.dtype)
        combined = -(mean * shares.sum(axis=0))[:, None] * np.ones_like(errors[:, 0])
        for model, share in zip(models, shares, strict=True):
            combined += share[:, None] * model.predicted[fold]
        spread[fold] = combined.std(axis=1)
        # The sum is in float64, which keeps the digits of small predictions.
        values[~training] = combined[:, ~training].T
        values[~training] += mean
    return _Found(values, spread, weights)


def _something(weights: NDArray, products: NDArray) -> NDArray:
    """Weights (neuroid, model), of which the first, the mean's, is 1 - LEAST at most.

    Where the mean alone is best, the layer whose residuals speak least against it takes the rest.
    """
    alone = np.flatnonzero(weights[:, 0] > 1 - LEAST)
    weights[alone, 1:] = 0.0
    weights[alone, 0] = 1 - LEAST
    weights[alone, 1 + products[alone, 0, 1:].argmin(axis=1)] = LEAST
    return weights


def simplex_weights(products: NDArray) -> NDArray:
    """Weights >= 0 that add up to 1 and minimise w'Pw: (problem, model).

    products (problem, model, model) = P, the inner products of the residuals of the models. The
    minimum of x'Px + (sum x - 1)^2 over x >= 0 lies on the same ray, since over the length of x
    it is a rising function of w'Pw: a non-negative least squares problem without a constraint.
    Of no meaning where all residuals are 0.
    """
    size = np.trace(products, axis1=1, axis2=2)[:, None, None]
    scaled = products / np.where(size > 0, size, 1.0)
    found = non_negative(scaled + 1.0, np.ones(scaled.shape[:2]))
    return found / found.sum(axis=1, keepdims=True)


def non_negative(gram: NDArray, target: NDArray) -> NDArray:
    """Least x'Gx - 2 x't over x >= 0, for many problems at once: (problem, unknown).

    Lawson and Hanson (1974), Solving least squares problems, chapter 23: unknowns enter one by
    one where the gradient is steepest, and leave where a solution would be negative. gram
    (problem, unknown, unknown) = A'A, target (problem, unknown) = A'b.
    """
    n_problems, n_unknowns = target.shape
    solution, free = np.zeros((2, n_problems, n_unknowns))
    free = free.astype(bool)
    diagonal = np.einsum("puu->pu", gram)
    close = SINGULAR * np.abs(target).max(axis=1, keepdims=True)
    pending = np.arange(n_problems)
    for _ in range(3 * n_unknowns):
        gradient = target[pending] - np.einsum("puv,pv->pu", gram[pending], solution[pending])
        gradient[free[pending] | (diagonal[pending] <= 0)] = -np.inf
        best = gradient.argmax(axis=1)
        steep = gradient[np.arange(len(pending)), best] > close[pending, 0]
        pending = pending[steep]
        if not len(pending):
            break
        free[pending, best[steep]] = True
        _settle(gram, target, solution, free, pending)
    return solution


def _settle(
    gram: NDArray, target: NDArray, solution: NDArray, free: NDArray, pending: NDArray
) -> None:
    """Solve for the free unknowns, freeing no more, until none of them is negative; in place."""
    identity = np.eye(target.shape[1])
    while len(pending):
        open_ = free[pending]
        both = open_[:, :, None] & open_[:, None]
        system = np.where(both, gram[pending], identity)
        system += SINGULAR * identity * np.einsum("puu->pu", system)[:, :, None]
        aim = np.linalg.solve(system, np.where(open_, target[pending], 0.0)[..., None])[..., 0]
        negative = open_ & (aim <= 0)
        now = solution[pending]
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(negative, now / (now - aim), np.inf)
        step = np.minimum(1.0, np.nanmin(ratio, axis=1, keepdims=True))
        moved = now + step * (aim - now)
        leave = negative & (ratio <= step)
        moved[leave | ~open_] = 0.0
        solution[pending] = moved
        free[pending] = open_ & ~leave
        pending = pending[negative.any(axis=1)]
