"""The closed form of nested cross-validation of ridge regression.

With K the centred kernel of the features and R(alpha) = Q diag(alpha / (values + alpha)) Q' over
its non-constant eigenvectors, r = R y are the residuals of the fit to all stimuli, with the
intercept free. Leaving out a set S of stimuli, their residuals are solve(R[S, S], r[S]) (Cook and
Weisberg 1982, Residuals and Influence in Regression, section 3.2): no refit. For an outer fold F
and one more stimulus j of the training part this gives the inner leave-one-out residual

    e_j = (r_j - C_j r_F) / s_j,   C = R[:, F] inv(R[F, F]),   s_j = R_jj - C_j R[F, j],

and the inner error of fold F, the sum of e_j squared, is a quadratic form in r:

    sum_j r_j^2 / s_j^2 + r_F' (H r)_F,   H = -2 C'W on the training part, C'WC on F, W = 1 / s^2.

So one decomposition and two matrix products an alpha serve every fold, where refitting needs one
product a fold. With folds of one stimulus it is the closed form of nested leave-one-out. Of few
components R is what they leave, I - 11'/n - Q diag(values / (values + alpha)) Q'.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cortiscope.regression.decomposition import decompose, of_some
from cortiscope.regression.kept import Kept
from cortiscope.regression.strengths import Grid, go_on
from cortiscope.regression.trained_once import TrainedOnce

NEUROID_BLOCK = 1024  # the products of a block stay in the cache
KEPT_BYTES = 2**24  # of matrices for all alphas: where there are few stimuli, making them counts
REFIT_BYTES = 2**28  # of decompositions of training parts, for folds that rounding spoils
# Rounding allowed in an inner error, relative. It decides between the shared and the refitted path.
ERROR_TOLERANCE = {np.dtype(np.float64): 1e-6, np.dtype(np.float32): 1e-2}


@dataclass(frozen=True)
class Layout:
    """Stimuli in the order of their folds, every fold padded to the size of the largest.

    A padded place is a stimulus of its own, with R = 1 and a response of 0: it touches nothing.
    """

    order: NDArray  # (stimulus,) stimulus numbers, fold by fold
    fold: NDArray  # (stimulus,) in that order
    real: NDArray  # (fold, place) bool
    training: NDArray  # (fold, fold * place) bool: the training part of each fold


@dataclass(frozen=True)
class Shared:
    """What every neuroid shares at one alpha, in the precision of the responses.

    residual (fold * place, stimulus): R. form (fold * place, fold * place): H, the quadratic forms
    of the inner errors. weights (fold, fold * place): W, 0 outside of a fold's training part.
    inverse (fold, place, place): inv(R[F, F]). untrusted: the folds that rounding spoils.
    """

    alpha: float
    residual: NDArray
    form: NDArray
    weights: NDArray
    inverse: NDArray
    untrusted: NDArray


@dataclass(frozen=True)
class Chosen:
    """alpha: (fold, neuroid), NaN where a response is missing; residuals: (fold, place, neuroid) of
    what is held out; error: (fold, neuroid), the inner error.
    """

    alpha: NDArray
    residuals: NDArray
    error: NDArray


def blocks(targets: NDArray) -> Iterator[slice]:
    """Slices of the neuroids of (stimulus, neuroid) that are solved together."""
    n_neuroids = targets.shape[1]
    size = -(-n_neuroids // max(1, -(-n_neuroids // NEUROID_BLOCK)))  # all alike, none with a few
    for start in range(0, n_neuroids, max(1, size)):
        yield slice(start, start + size)


class Solver:
    """Inner errors and held-out residuals at one alpha after another, for any responses.

    In the precision of the responses. room: bytes to keep what is shared at each alpha.
    """

    def __init__(self, kernel: NDArray, layout: Layout, room: int = KEPT_BYTES) -> None:
        """kernel (stimulus, stimulus), or a thin factor of it (see `decomposition`)."""
        self.kernel = of_some(kernel, layout.order)
        self.layout = layout
        self.forget(room)
        self.values, vectors = decompose(self.kernel)
        self.vectors = np.zeros((layout.real.size, len(self.values)))
        self.vectors[layout.real.ravel()] = vectors
        self.whole = len(self.values) == len(vectors) - 1

    def choose(self, alphas: Grid, targets: NDArray) -> Chosen:
        """The alpha of least inner error, the first of ties, for each fold and neuroid."""
        n_folds, n_places = self.layout.real.shape
        n_neuroids = targets.shape[1]
        found = Chosen(
            alpha=np.full((n_folds, n_neuroids), np.nan),
            residuals=np.full((n_folds, n_places, n_neuroids), np.nan, dtype=targets.dtype),
            error=np.full((n_folds, n_neuroids), np.inf, dtype=targets.dtype),
        )
        for alpha in alphas.options:
            shared = self.shared(float(alpha), targets.dtype)
            for block in blocks(targets):
                self._attempt(shared, targets, found, block)

        def attempt(alpha: float, among: NDArray) -> None:
            shared = self.shared(alpha, targets.dtype)
            columns = np.flatnonzero(among.any(axis=0))
            for start in range(0, len(columns), NEUROID_BLOCK):
                block = columns[start : start + NEUROID_BLOCK]
                self._attempt(shared, targets, found, block, among[:, block])

        go_on(alphas, found.alpha, attempt)
        return found

    def _attempt(
        self,
        shared: Shared,
        targets: NDArray,
        found: Chosen,
        block: slice | NDArray,
        among: NDArray | None = None,
    ) -> None:
        """Take an alpha, for some of the neuroids, where it is better; among: (fold, neuroid)."""
        errors, held_out = self.solve(shared, targets[:, block])
        better = errors < found.error[:, block]
        if among is not None:
            better &= among
        _put(found.error, block, errors, better)
        _put(found.alpha, block, shared.alpha, better)
        _put(found.residuals, block, held_out, better[:, None])

    def predict(
        self, targets: NDArray, residuals: NDArray, alpha: NDArray
    ) -> tuple[NDArray, NDArray]:
        """Held-out predictions (stimulus, neuroid), their spread (fold, neuroid).

        The model of a fold is what all stimuli would give if the held-out responses were the
        predicted ones. Its predictions are summed over eigenvectors instead of subtracting
        residuals from responses, which would lose the digits of a strongly shrunk one.
        """
        dtype = targets.dtype
        by_fold = self.vectors.reshape(*self.layout.real.shape, -1).astype(dtype)
        # (component, stimulus) x (stimulus, neuroid)
        loadings = by_fold[self.layout.real].T @ targets
        values = np.empty(residuals.shape)
        spread = np.empty(alpha.shape)
        spectrum = self.values[:, None].astype(dtype)
        for fold, held in enumerate(by_fold):
            # (component, held out) x (held out, neuroid)
            model = loadings - held.T @ residuals[fold]
            model *= spectrum / (spectrum + alpha[fold].astype(dtype))
            spread[fold] = np.sqrt(np.einsum("cn,cn->n", model, model) / len(targets))
            values[fold] = held @ model  # (held out, component) x (component, neuroid)
            values[fold] -= residuals[fold].sum(axis=0) / len(targets)
        return values[self.layout.real], spread

    def shared(self, alpha: float, dtype: np.dtype) -> Shared:
        """The matrices that every neuroid shares at this alpha: kept while there is room."""
        return self.kept.get((alpha, dtype), lambda: self._made(alpha, dtype))

    def forget(self, room: int) -> None:
        """Drop all that is kept but the decomposition, for so many bytes of room."""
        self.kept: Kept[Shared] = Kept(room, lambda made: 2 * made.residual.nbytes)
        self.refits: Kept[TrainedOnce] = Kept(REFIT_BYTES, lambda made: made.nbytes)

    def _made(self, alpha: float, dtype: np.dtype) -> Shared:
        n_folds, n_places = self.layout.real.shape
        raised = max(alpha, 1e-12 * self.values.max())  # less is lost to rounding: see `_refit`
        residual = self._residual(raised)
        real = slice(None) if self.layout.real.all() else self.layout.real.ravel()
        own = np.arange(n_folds)
        rows = residual.reshape(n_folds, n_places, -1)  # symmetric: (fold, held out, stimulus)
        inverse = np.linalg.inv(residual.reshape(n_folds, n_places, n_folds, n_places)[own, :, own])
        # (fold, held out, held out) x (fold, held out, stimulus)
        regression = inverse @ rows
        spread = np.diagonal(residual) - np.einsum("fhs,fhs->fs", regression, rows)
        with np.errstate(divide="ignore"):
            weights = np.where(self.layout.training, spread**-2.0, 0.0)
        # |r_j| <= |R_j| |e| bounds what cancels in the quadratic form.
        cancelled = weights * np.einsum("ij,ij->i", residual, residual) * np.finfo(dtype).eps
        trusted = (cancelled <= ERROR_TOLERANCE[dtype]).all(axis=1) & (raised == alpha)
        form = regression * (-2.0 * weights[:, None])
        # (fold, held out, stimulus) x (fold, stimulus, held out)
        within = form @ regression.transpose(0, 2, 1)
        form.reshape(n_folds, n_places, n_folds, n_places)[own, :, own] = -0.5 * within
        return Shared(
            alpha,
            residual[:, real].astype(dtype, copy=False),
            form.reshape(residual.shape).astype(dtype, copy=False),
            weights.astype(dtype),
            inverse.astype(dtype),
            np.flatnonzero(~trusted),
        )

    def _residual(self, alpha: float) -> NDArray:
        """R (fold * place, fold * place)."""
        shrunk = (alpha if self.whole else self.values) / (self.values + alpha)
        scaled, real = self.vectors * np.sqrt(shrunk), self.layout.real.ravel()
        residual: NDArray = scaled @ scaled.T  # of a matrix with itself it costs half
        if self.whole:
            residual[~real, ~real] = 1.0
        else:
            residual[np.ix_(real, real)] += 1.0 / real.sum()
            np.negative(residual, out=residual)
            residual[np.diag_indices_from(residual)] += 1.0
        return residual

    def solve(self, shared: Shared, targets: NDArray) -> tuple[NDArray, NDArray]:
        """Inner errors (fold, neuroid), held-out residuals (fold, place, neuroid)."""
        n_folds, n_places = self.layout.real.shape
        # (fold * place, stimulus) x (stimulus, neuroid)
        residual = shared.residual @ targets
        form = shared.form @ residual
        by_fold = residual.reshape(n_folds, n_places, -1)
        held_out = shared.inverse @ by_fold  # (fold, place, place) x (fold, place, neuroid)
        form *= residual
        errors = form.reshape(by_fold.shape).sum(axis=1)
        residual *= residual
        errors += shared.weights @ residual  # (fold, stimulus) x (stimulus, neuroid)
        for fold in shared.untrusted:
            refitted = self._refit(shared.alpha, int(fold), targets)
            errors[fold], held_out[fold, self.layout.real[fold]] = refitted
        return errors, held_out

    def _refit(self, alpha: float, fold: int, targets: NDArray) -> tuple[NDArray, NDArray]:
        """The same for one fold, from a decomposition of its training part."""
        held = self.layout.fold == fold
        part = self.refits.get(fold, lambda: TrainedOnce(self.kernel, ~held))
        errors, predicted = part.at(alpha, targets[~held])
        return errors, targets[held] - predicted


def _put(found: NDArray, block: slice | NDArray, values: NDArray | float, where: NDArray) -> None:
    """Values into some of the neuroids (..., neuroid), in place."""
    part = found[..., block]
    np.copyto(part, values, where=where)
    if not isinstance(block, slice):
        found[..., block] = part


def layout(folds: NDArray) -> Layout:
    """The places of stimuli, from their fold numbers (stimulus,)."""
    fold = np.unique(folds, return_inverse=True)[1]  # a fold may have lost all its stimuli
    order = np.argsort(fold, kind="stable")
    sizes = np.bincount(fold)
    real = np.arange(sizes.max()) < sizes[:, None]  # (fold, place)
    training = np.broadcast_to(real.ravel(), (len(sizes), real.size)).copy()
    training.reshape(len(sizes), *real.shape)[np.arange(len(sizes)), np.arange(len(sizes))] = False
    return Layout(order, fold[order], real, training)
