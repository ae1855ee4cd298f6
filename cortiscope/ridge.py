"""Ridge regression in the space of stimuli: nested cross-validation in closed form.

With K the centred kernel of the features and R(alpha) = Q diag(alpha / (values + alpha)) Q' over
its non-constant eigenvectors, r = R y are the residuals of the fit to all stimuli, with the
intercept free. Leaving out a set S of stimuli, their residuals are solve(R[S, S], r[S]) (Cook and
Weisberg 1982, Residuals and Influence in Regression, section 3.2): no refit. For an outer fold F
and one more stimulus j of the training part this gives the inner leave-one-out residual

    e_j = (r_j - C_j r_F) / s_j,   C = R[:, F] inv(R[F, F]),   s_j = R_jj - C_j R[F, j],

and the inner error of fold F, the sum of e_j squared, is a quadratic form in r:

    sum_j r_j^2 / s_j^2 + r_F' (H r)_F,   H = -2 C'W on the training part, C'WC on F, W = 1 / s^2.

So one decomposition and two matrix products an alpha serve every fold, where refitting needs one
product a fold. With folds of one stimulus it is the closed form of nested leave-one-out.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cortiscope.errors import InputError

NEUROID_BLOCK = 512  # the products of a block stay in the cache
FEATURE_CHUNK = 65536
# Rounding allowed in an inner error, relative. It decides between the shared and the refitted path.
ERROR_TOLERANCE = {np.dtype(np.float64): 1e-6, np.dtype(np.float32): 1e-2}
CONSTANT = 1e-12  # variance relative to the squared mean


@dataclass(frozen=True)
class Predictions:
    """Held-out predictions of a nested cross-validation.

    values: (stimulus, neuroid), in the unit of the responses; NaN where a neuroid has missing
    responses or where the features do not vary. alpha: (fold, neuroid), NaN likewise.
    """

    values: NDArray
    alpha: NDArray


@dataclass(frozen=True)
class _Layout:
    """Stimuli in the order of their folds, every fold padded to the size of the largest.

    A padded place is a stimulus of its own, with R = 1 and a response of 0: it touches nothing.
    """

    order: NDArray  # (stimulus,) stimulus numbers, fold by fold
    fold: NDArray  # (stimulus,) in that order
    real: NDArray  # (fold, place) bool
    training: NDArray  # (fold, fold * place) bool: the training part of each fold


def kernel(features: NDArray) -> NDArray:
    """Centred Gram matrix of features (stimulus, component), scaled to a mean diagonal of 1.

    The scaling, n / trace, makes an alpha mean the same for every layer. Returns
    (stimulus, stimulus) in float64. Features that are constant over stimuli (to rounding, relative
    to their size) give zeros: `predict` then answers NaN, since there is nothing to predict from.
    """
    gram = np.zeros((len(features), len(features)))
    size = 0.0
    for start in range(0, features.shape[1], FEATURE_CHUNK):
        chunk = features[:, start : start + FEATURE_CHUNK].astype(np.float64)
        size += float(np.vdot(chunk, chunk))
        chunk -= chunk.mean(axis=0)
        gram += chunk @ chunk.T  # (stimulus, component) x (component, stimulus)
    trace = float(np.trace(gram))
    if trace <= size * 1e-28:
        return np.zeros_like(gram)
    return gram * (len(gram) / trace)


def predict(
    kernel: NDArray, responses: NDArray, folds: NDArray, alphas: NDArray, dtype: type = np.float64
) -> Predictions:
    """Predict every stimulus from the stimuli of the other folds, alpha chosen inside these.

    kernel (stimulus, stimulus), centred here and re-centred exactly within each training part but
    never rescaled; responses (stimulus, neuroid); folds (stimulus,) numbers from 0. alphas: at
    least one, > 0; each (fold, neuroid) takes the one of least squared leave-one-out error within
    its training part, the first of ties. dtype float32 halves the time of a permutation null.
    NaN throughout where a training part has fewer than two stimuli. Raises InputError for an
    alpha that is not a positive number.
    """
    strengths = _positive(alphas)
    layout = _layout(folds)
    working = np.dtype(dtype)
    targets, mean, scale = _standardised(responses[layout.order], working)
    n_folds, n_places = layout.real.shape
    n_neuroids = targets.shape[1]
    best = np.full((n_folds, n_neuroids), np.inf, dtype=working)
    chosen = np.full((n_folds, n_neuroids), np.nan)
    residuals = np.full((n_folds, n_places, n_neuroids), np.nan, dtype=working)
    if np.trace(kernel) > 0 and len(folds) - n_places >= 2:
        solver = _Solver(kernel, layout, working)
        for alpha in strengths:
            solver.prepare(alpha)
            for start in range(0, n_neuroids, NEUROID_BLOCK):
                block = slice(start, start + NEUROID_BLOCK)
                errors, held_out = solver.solve(targets[:, block])
                better = errors < best[:, block]
                np.copyto(best[:, block], errors, where=better)
                np.copyto(chosen[:, block], alpha, where=better)
                np.copyto(residuals[:, :, block], held_out, where=better[:, None])
    values = np.empty_like(targets)
    values[layout.order] = (targets - residuals[layout.real]) * scale + mean
    return Predictions(values, chosen)


class _Solver:
    """Inner errors and held-out residuals at one alpha after another."""

    def __init__(self, kernel: NDArray, layout: _Layout, dtype: np.dtype) -> None:
        self.kernel = kernel[np.ix_(layout.order, layout.order)]
        self.layout = layout
        self.dtype = dtype
        self.values, vectors = _decompose(self.kernel)
        self.vectors = np.zeros((layout.real.size, len(self.values)))
        self.vectors[layout.real.ravel()] = vectors
        self.refits: dict[int, tuple[NDArray, NDArray, NDArray]] = {}

    def prepare(self, alpha: float) -> None:
        """Build the matrices that every neuroid shares at this alpha."""
        self.alpha = alpha
        n_folds, n_places = self.layout.real.shape
        real = self.layout.real.ravel()
        shared = max(alpha, 1e-12 * self.values.max())  # less is lost to rounding: refitted below
        residual = (self.vectors * (shared / (self.values + shared))) @ self.vectors.T
        residual[~real, ~real] = 1.0
        own = np.arange(n_folds)
        columns = residual.reshape(-1, n_folds, n_places).transpose(1, 0, 2)
        inverse = np.linalg.inv(residual.reshape(n_folds, n_places, n_folds, n_places)[own, :, own])
        # (fold, stimulus, held out) x (fold, held out, held out)
        regression = columns @ inverse
        spread = np.diagonal(residual) - np.einsum("fsh,fsh->fs", regression, columns)
        with np.errstate(divide="ignore"):
            weights = np.where(self.layout.training, spread**-2.0, 0.0)
        weighted = (regression * weights[:, :, None]).transpose(0, 2, 1)
        form = (-2.0 * weighted).reshape(n_folds, n_places, n_folds, n_places)
        form[own, :, own] = weighted @ regression  # (fold, held out, held out)
        form = form.reshape(residual.shape)
        self.products = np.concatenate([residual, form @ residual])[:, real].astype(self.dtype)
        self.weights = weights.astype(self.dtype)
        self.inverse = inverse.astype(self.dtype)
        # |r_j| <= |R_j| |e| bounds what cancels in the quadratic form.
        cancelled = weights * np.einsum("ij,ij->i", residual, residual) * np.finfo(self.dtype).eps
        trusted = (cancelled <= ERROR_TOLERANCE[self.dtype]).all(axis=1) & (shared == alpha)
        self.untrusted = np.flatnonzero(~trusted)

    def solve(self, targets: NDArray) -> tuple[NDArray, NDArray]:
        """Inner errors (fold, neuroid), held-out residuals (fold, place, neuroid)."""
        n_folds, n_places = self.layout.real.shape
        both = self.products @ targets  # (2 * fold * place, stimulus) x (stimulus, neuroid)
        residual, form = both.reshape(2, n_folds * n_places, -1)
        by_fold = residual.reshape(n_folds, n_places, -1)
        held_out = self.inverse @ by_fold  # (fold, place, place) x (fold, place, neuroid)
        form *= residual
        errors = form.reshape(by_fold.shape).sum(axis=1)
        residual *= residual
        errors += self.weights @ residual  # (fold, stimulus) x (stimulus, neuroid)
        for fold in self.untrusted:
            errors[fold], held_out[fold, self.layout.real[fold]] = self._refit(int(fold), targets)
        return errors, held_out

    def _refit(self, fold: int, targets: NDArray) -> tuple[NDArray, NDArray]:
        """The same for one fold, from a decomposition of its training part."""
        held = self.layout.fold == fold
        if fold not in self.refits:
            training = self.kernel[np.ix_(~held, ~held)]
            cross = self.kernel[np.ix_(held, ~held)] - training.mean(axis=0)
            cross -= cross.mean(axis=1, keepdims=True)
            self.refits[fold] = (*_decompose(training), cross)
        values, vectors, cross = self.refits[fold]
        residual = (vectors * (self.alpha / (values + self.alpha))) @ vectors.T
        known = targets[~held]
        fitted = residual.astype(self.dtype) @ known  # (training, training) x (training, neuroid)
        errors = np.square(fitted / np.diagonal(residual)[:, None]).sum(axis=0)
        slopes = (cross @ residual / self.alpha).astype(self.dtype)
        return errors, targets[held] - known.mean(axis=0) - slopes @ known


def _decompose(kernel: NDArray) -> tuple[NDArray, NDArray]:
    """Eigenvalues and eigenvectors of the centred kernel, without the constant vector."""
    n_stimuli = len(kernel)
    centred = kernel - kernel.mean(axis=0)
    centred -= centred.mean(axis=1, keepdims=True)
    # The constant vector has eigenvalue 0; lifted above all others it comes last.
    lift = 2.0 * np.trace(centred) + np.finfo(np.float64).tiny
    values, vectors = np.linalg.eigh(centred + lift / n_stimuli)
    return np.maximum(values[:-1], 0.0), vectors[:, :-1]


def _layout(folds: NDArray) -> _Layout:
    fold = np.unique(folds, return_inverse=True)[1]  # a fold may have lost all its stimuli
    order = np.argsort(fold, kind="stable")
    sizes = np.bincount(fold)
    real = np.arange(sizes.max()) < sizes[:, None]  # (fold, place)
    training = np.broadcast_to(real.ravel(), (len(sizes), real.size)).copy()
    training.reshape(len(sizes), *real.shape)[np.arange(len(sizes)), np.arange(len(sizes))] = False
    return _Layout(order, fold[order], real, training)


def _standardised(responses: NDArray, dtype: np.dtype) -> tuple[NDArray, NDArray, NDArray]:
    """Responses centred and scaled per neuroid, so that squares neither overflow nor vanish."""
    mean = responses.mean(axis=0)
    centred = responses - mean
    scale = np.sqrt(np.einsum("ij,ij->j", centred, centred) / len(responses))
    scale = np.where(scale > 0, scale, 1.0)
    return (centred / scale).astype(dtype), mean.astype(dtype), scale.astype(dtype)


def _positive(alphas: NDArray) -> list[float]:
    strengths = [float(alpha) for alpha in np.atleast_1d(alphas)]
    if not strengths or not all(0 < alpha < np.inf for alpha in strengths):
        raise InputError(
            "mappings.ridge.alphas",
            f"{strengths} are not all positive numbers",
            "give strengths above 0, such as 1",
        )
    return strengths


def fold_centred_correlation(values: NDArray, responses: NDArray, folds: NDArray) -> NDArray:
    """Correlation of predictions with responses over held-out stimuli, centred within folds.

    values, responses (stimulus, neuroid), folds (stimulus,). Returns (neuroid,) in -1..1. Within a
    fold both are centred on their mean there. A fold of one stimulus, which that would leave
    empty, is centred on the mean response of its training part, which is what a prediction from
    nothing would be. Either way the centred prediction does not depend on the held-out responses
    and their centred sum is uncorrelated with it, so that noise scores 0, whereas a plain
    correlation of concatenated predictions scores far below 0.
    NaN: a constant response, or missing values. 0: a prediction that does not vary explains
    nothing.
    """
    predicted, measured = _centred(values, responses, folds)
    product = np.einsum("ij,ij->j", predicted, measured)
    power = np.einsum("ij,ij->j", predicted, predicted)
    return _ratio(product, power, np.einsum("ij,ij->j", measured, measured))


def bootstrap_scores(
    values: NDArray, responses: NDArray, folds: NDArray, weights: NDArray
) -> NDArray:
    """`fold_centred_correlation` with each stimulus counted weights (draw, stimulus) times.

    The predictions and the centring stay those of the full sample: the draws measure the sampling
    of test stimuli, not of training stimuli. Returns (draw, neuroid).
    """
    predicted, measured = _centred(values, responses, folds)
    weights = weights.astype(predicted.dtype)
    # each (draw, stimulus) x (stimulus, neuroid)
    return _ratio(
        weights @ (predicted * measured),
        weights @ np.square(predicted),
        weights @ np.square(measured),
    )


def _centred(values: NDArray, responses: NDArray, folds: NDArray) -> tuple[NDArray, NDArray]:
    """Both centred for scoring; zeros for a prediction, NaN for a response that does not vary."""
    fold = np.unique(folds, return_inverse=True)[1]
    sizes = np.bincount(fold)
    member = (np.arange(len(sizes))[:, None] == fold) / sizes[:, None]  # (fold, stimulus)
    alone = np.flatnonzero(sizes[fold] == 1)
    responses = np.asarray(responses, dtype=values.dtype)
    predicted = values - (member.astype(values.dtype) @ values)[fold]
    measured = responses - (member.astype(values.dtype) @ responses)[fold]
    if len(alone):
        others = (responses.sum(axis=0) - responses[alone]) / (len(fold) - 1)
        predicted[alone] = values[alone] - others
        measured[alone] = responses[alone] - others
    rounding = 8 * np.finfo(values.dtype).eps * np.abs(values).max(axis=0)
    predicted[:, np.abs(predicted).max(axis=0) <= rounding] = 0.0
    mean = responses.mean(axis=0)
    measured[:, responses.var(axis=0) <= CONSTANT * mean**2] = np.nan
    return predicted, measured


def _ratio(product: NDArray, predicted: NDArray, measured: NDArray) -> NDArray:
    """Correlation from sums of products; 0 without spread of predictions, NaN of responses."""
    spread = np.sqrt(predicted * measured)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = product / spread
    return np.where(predicted == 0, np.where(np.isnan(measured), np.nan, 0.0), ratio)


def conwell2021(features: NDArray, responses: NDArray) -> NDArray:
    """Published protocol: z-scored features, alpha 1, plain r of leave-one-out predictions.

    Conwell, Mayo, Barbu, Buice, Alvarez and Katz (2021), Neural regression, representational
    similarity, model zoology and neural taskonomy at scale in rodent visual cortex (NeurIPS).
    features (stimulus, component): components that do not vary drop out. Returns (neuroid,).
    The score of noise lies well below 0, since the intercept of the left-out stimulus moves
    against its response; kept for comparison with published numbers. NaN: constant responses.
    """
    centred = features - features.mean(axis=0, dtype=np.float64)
    deviation = centred.std(axis=0)
    varying = deviation > 1e-14 * np.abs(features).max(axis=0)
    scaled = centred[:, varying] / deviation[varying]
    gram = scaled @ scaled.T  # (stimulus, component) x (component, stimulus)
    spectrum, vectors = _decompose(gram)
    residual = (vectors / (spectrum + 1.0)) @ vectors.T
    left_out = (residual @ responses) / np.diagonal(residual)[:, None]
    values = responses - left_out
    one_fold = np.zeros(len(responses), dtype=int)
    return fold_centred_correlation(values, responses, one_fold)
