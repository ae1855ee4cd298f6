"""Ridge regression in the space of stimuli, or of components where these are fewer: nested
cross-validation in closed form.

The arithmetic, one decomposition for every fold and neuroid, is in `nested`; that of one training
part, which costs less where components are far fewer than stimuli, in `trained_once`.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from cortiscope.errors import InputError
from cortiscope.regression.cross_validation import TRAINING
from cortiscope.regression.decomposition import decompose, is_factor, squares
from cortiscope.regression.given_alpha import GivenAlpha
from cortiscope.regression.held_out_scores import Predictions
from cortiscope.regression.kept import Kept
from cortiscope.regression.nested import REFIT_BYTES, Solver, blocks, layout
from cortiscope.regression.precision import (
    precisely,
)
from cortiscope.regression.strengths import Grid, at_ends, grid
from cortiscope.regression.trained_once import TrainedOnce
from cortiscope.statistics.rounding import rounding

FEATURE_CHUNK = 65536
FEWER = 2  # components are few where stimuli are at least so many times as many
# What a decomposition of so many components costs, cubed, and a pass over a number, in products
# and sums; how many alphas are tried of a neuroid where each training part is fitted by itself.
OF_DECOMPOSITION, OF_PASS, TRIED = 8, 400, 3


def kernel(features: NDArray) -> NDArray:
    """Centred Gram matrix of features (stimulus, component), scaled to a mean diagonal of 1.

    The scaling, n / trace, makes an alpha mean the same for every layer. Centred and multiplied in
    float64: products in float32 give features of few dimensions as many as there are stimuli, which
    unshrunk regressions fit. Returns (stimulus, stimulus). Features that are constant over stimuli
    (to the rounding of their precision, relative to their size) give zeros: `predict` then answers
    NaN, since there is nothing to predict from.
    """
    gram = np.zeros((len(features), len(features)))
    size = 0.0
    for start in range(0, features.shape[1], FEATURE_CHUNK):
        chunk = features[:, start : start + FEATURE_CHUNK]
        size += float(np.vdot(chunk, chunk))
        centred = chunk - chunk.mean(axis=0, dtype=np.float64)
        gram += centred @ centred.T  # (stimulus, component) x (component, stimulus)
    trace = float(np.trace(gram))
    if trace <= size * rounding(features) ** 2:
        return np.zeros_like(gram)
    return gram * (len(gram) / trace)


def kernel_or_factor(features: NDArray) -> NDArray:
    """`kernel`, or the thin factor X (stimulus, component) of it, as X X', of few features."""
    n_stimuli, n_components = features.shape
    if FEWER * n_components > n_stimuli:
        return kernel(features)
    centred = features - features.mean(axis=0, dtype=np.float64)
    trace = float(np.vdot(centred, centred))
    if trace <= float(np.vdot(features, features)) * rounding(features) ** 2:
        return np.zeros_like(centred)
    return centred * np.sqrt(n_stimuli / trace)


class Regression:
    """Ridge regression from one kernel, with given folds, alpha chosen inside their training parts.

    What does not depend on responses is made once, at first need. kernel (stimulus, stimulus), or a
    thin factor of it (stimulus, component), see `kernel_or_factor`; centred here and re-centred
    exactly within each training part but never rescaled; folds (stimulus,) numbers. alphas: at
    least one, > 0; each (fold, neuroid) takes the one of least squared leave-one-out error within
    its training part, the first of ties, and goes on beyond the ends of several (see `strengths`).
    Raises InputError for an alpha that is not a positive number.
    """

    def __init__(self, kernel: NDArray, folds: NDArray, alphas: NDArray) -> None:
        self.strengths, self.folds = _positive(alphas), folds
        varies = squares(kernel).sum() > 0
        self.training = folds == TRAINING
        self.once, self.solver = None, None
        # Training parts by fold: where stimuli are thousands, in the room of kernels not made, so
        # much that ten parts of the most components that are few are kept.
        room = max(REFIT_BYTES, 45 * len(kernel) ** 2)
        self.parts: Kept[TrainedOnce] = Kept(room, lambda made: made.nbytes)
        if self.training.any():
            enough = self.training.sum() >= 2
            self.once = TrainedOnce(kernel, self.training) if varies and enough else None
        else:
            self.places = layout(folds)
            enough = len(folds) - self.places.real.shape[1] >= 2
            self.solver = Solver(kernel, self.places) if varies and enough else None
        self.given = None if self.solver is None else GivenAlpha(self.solver)
        self.alike = _alike_in_training(kernel, folds)

    def predict(self, responses: NDArray, dtype: type = np.float64) -> Predictions:
        """Predict the responses (stimulus, neuroid) of every stimulus from the other folds.

        dtype float32 halves the time of a permutation null (see `precision.precisely`). NaN
        throughout where a training part has fewer than two stimuli.
        """
        if self.training.any():
            return self._predict_once(responses, dtype)
        return precisely(self._predict, responses, self.folds, dtype)

    def _predict(self, responses: NDArray, dtype: type) -> Predictions:
        """The same, in this precision throughout."""
        targets, mean, scale = standardised(responses[self.places.order], dtype)
        values = np.full(targets.shape, np.nan)
        alpha, spread, end = np.full((3, len(self.places.real), targets.shape[1]), np.nan)
        if self.solver is not None:
            strengths = grid(self.strengths, self.solver.values)
            if self.by_parts(targets.shape[1]):
                values[self.places.order], alpha, spread = self._of_parts(strengths, targets)
            else:
                found = self.solver.choose(strengths, targets)
                alpha = found.alpha
                for block in blocks(targets):
                    values[self.places.order, block], spread[:, block] = self.solver.predict(
                        targets[:, block], found.residuals[:, :, block], alpha[:, block]
                    )
            end = at_ends(strengths, alpha)
        return Predictions(values * scale + mean, alpha, self._known(spread) * scale, end)

    def by_parts(self, n_neuroids: int) -> bool:
        """Whether to fit each training part by itself takes fewer products than their closed form.

        That grows with the square of the stimuli; the other with the folds.
        """
        if self.solver is None or not is_factor(self.solver.kernel):
            return False
        n_stimuli, n_components = self.solver.kernel.shape
        n_folds, n_held = self.places.real.shape
        of_part = n_components * (3 * n_stimuli + OF_DECOMPOSITION * n_components)
        of_neuroid = 2 * n_stimuli * (1 + TRIED)
        of_alpha = n_stimuli**2 * (n_components + 2 * n_held + 4 * n_neuroids + OF_PASS)
        parts = n_folds * n_components * (of_part + of_neuroid * n_neuroids)
        return parts < len(self.strengths) * of_alpha

    def _of_parts(self, strengths: Grid, targets: NDArray) -> tuple[NDArray, NDArray, NDArray]:
        """Targets (stimulus, neuroid) in the order of folds. Returns predictions like them, alpha
        and spread (fold, neuroid).
        """
        assert self.solver is not None
        kernel, values = self.solver.kernel, np.empty(targets.shape)
        alpha, spread = np.empty((2, len(self.places.real), targets.shape[1]))
        for fold in range(len(alpha)):
            held = self.places.fold == fold
            part = self.parts.get(fold, partial(TrainedOnce, kernel, ~held))
            for block in blocks(targets):
                found = part.predict(strengths, targets[~held, block])
                values[held, block], alpha[fold, block], spread[fold, block] = found
        return values, alpha, spread

    def predict_at(
        self, responses: NDArray, alpha: NDArray, dtype: type = np.float64
    ) -> Predictions:
        """The same with these alphas (neuroid,), > 0, in every fold.

        Not of a given split, whose stimuli are in no folds.
        """
        return precisely(self._predict_at, responses, self.folds, dtype, alpha)

    def _predict_at(self, responses: NDArray, dtype: type, alpha: NDArray) -> Predictions:
        targets, mean, scale = standardised(responses[self.places.order], dtype)
        values = np.full(targets.shape, np.nan)
        spread = np.full((len(self.places.real), targets.shape[1]), np.nan)
        if self.given is not None:
            values[self.places.order], spread = self.given.predict(targets, alpha)
        taken = np.tile(alpha, (len(spread), 1))
        return Predictions(values * scale + mean, taken, self._known(spread) * scale)

    def _known(self, spread: NDArray) -> NDArray:
        """(fold, neuroid), 0 where the model is of rounding, which small strengths enlarge."""
        return np.where(self.alike[:, None] & np.isfinite(spread), 0.0, spread)

    def _predict_once(self, responses: NDArray, dtype: type) -> Predictions:
        """The same of a given split."""
        targets, mean, scale = standardised(responses, dtype)
        values = np.full(targets.shape, np.nan)
        alpha, spread, end = np.full((3, 1, targets.shape[1]), np.nan)
        if self.once is not None:
            strengths = grid(self.strengths, self.once.spectrum)
            for block in blocks(targets):
                found = self.once.predict(strengths, targets[self.training, block])
                values[~self.training, block], alpha[0, block], spread[0, block] = found
            end = at_ends(strengths, alpha)
        return Predictions(values * scale + mean, alpha, self._known(spread) * scale, end)


def predict(
    kernel: NDArray, responses: NDArray, folds: NDArray, alphas: NDArray, dtype: type = np.float64
) -> Predictions:
    """What a `Regression` predicts, for a single use."""
    return Regression(kernel, folds, alphas).predict(responses, dtype)


def standardised(responses: NDArray, dtype: type) -> tuple[NDArray, NDArray, NDArray]:
    """Responses centred and scaled per neuroid, so that squares neither overflow nor vanish.

    Returns (stimulus, neuroid), and the mean and the scale (neuroid,) to undo it.
    """
    responses = np.asarray(responses, dtype=np.float64)
    mean = responses.mean(axis=0)
    centred = responses - mean
    scale = np.sqrt(np.einsum("ij,ij->j", centred, centred) / len(responses))
    scale = np.where(scale > 0, scale, 1.0)
    return (centred / scale).astype(dtype), mean, scale


def nearest(options: Sequence[float] | NDArray, mean: NDArray) -> NDArray:
    """(neuroid,): the positive option nearest in ratio to each mean (neuroid,); any for NaN."""
    choices = np.asarray(options, dtype=float)
    return choices[np.abs(np.log(choices)[:, None] - np.log(mean)).argmin(axis=0)]


def _alike_in_training(kernel: NDArray, folds: NDArray) -> NDArray:
    """(fold,) bool: whether features do not vary, but for rounding, in the training part.

    Such as those of one unit that answered a single stimulus, where that one is held out.
    """
    training = (folds != np.unique(folds[folds != TRAINING])[:, None]).astype(float)
    if (folds == TRAINING).any():
        training = (folds == TRAINING).astype(float)[None]
    size, diagonal = training.sum(axis=1), squares(kernel)
    own = training @ diagonal  # (fold, stimulus) x (stimulus,)
    sums = training @ kernel
    shared = np.einsum("fs,fs->f", sums, sums if is_factor(kernel) else training)
    left = own - shared / np.where(size > 0, size, 1.0)
    alike: NDArray = left <= len(kernel) * rounding(kernel) * diagonal.sum()
    return alike


def _positive(alphas: NDArray) -> NDArray:
    strengths = np.atleast_1d(np.asarray(alphas, dtype=float))
    if not strengths.size or not np.all((strengths > 0) & (strengths < np.inf)):
        raise InputError(
            "ridge.alphas",
            f"{strengths.tolist()} are not all positive numbers",
            "give strengths above 0, such as 1",
        )
    return strengths


def conwell2021(features: NDArray, responses: NDArray) -> Predictions:
    """Published protocol: leave-one-out predictions from z-scored features at alpha 1.

    Conwell, Mayo, Barbu, Buice, Alvarez and Katz (2021), Neural regression, representational
    similarity, model zoology and neural taskonomy at scale in rodent visual cortex (NeurIPS).
    features (stimulus, component): components that do not vary drop out; responses
    (stimulus, neuroid). The published score is their plain correlation with the responses
    (`fold_centred_correlation` of one fold), in which noise scores below 0, since the mean of the
    others moves against the response that is left out; kept for comparison with published numbers.
    """
    centred = features - features.mean(axis=0, dtype=np.float64)
    deviation = centred.std(axis=0)
    varying = deviation > rounding(features) * np.abs(features).max(axis=0)
    scaled = centred[:, varying] / deviation[varying]
    gram = scaled @ scaled.T  # (stimulus, component) x (component, stimulus)
    spectrum, vectors = decompose(gram)
    residual = (vectors / (spectrum + 1.0)) @ vectors.T
    values = responses - (residual @ responses) / np.diagonal(residual)[:, None]
    return Predictions(values, np.ones((1, values.shape[1])), np.ones((1, values.shape[1])))
