"""Ridge regression in the space of stimuli, or of components where these are fewer: nested
cross-validation in closed form.

The arithmetic, one decomposition for every fold and neuroid, is in `nested`; that of one training
part, which costs less where components are far fewer than stimuli, in `trained_once`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from cortiscope.errors import InputError
from cortiscope.regression.cross_validation import TRAINING
from cortiscope.regression.decomposition import decompose, is_factor, squares
from cortiscope.regression.given_alpha import GivenAlpha
from cortiscope.regression.kept import Kept
from cortiscope.regression.nested import REFIT_BYTES, Solver, blocks, layout
from cortiscope.regression.precision import (
    CONSTANT,
    constant,
    constant_parts,
    mean_square,
    precisely,
)
from cortiscope.regression.strengths import Grid, at_ends, grid
from cortiscope.regression.trained_once import TrainedOnce
from cortiscope.statistics.rounding import rounding

FEATURE_CHUNK = 65536
MOVED_TOGETHER = 1024  # neuroids, whose responses are copied for every permutation
FEWER = 2  # components are few where stimuli are at least so many times as many
# What a decomposition of so many components costs, cubed, and a pass over a number, in products
# and sums; how many alphas are tried of a neuroid where each training part is fitted by itself.
OF_DECOMPOSITION, OF_PASS, TRIED = 8, 400, 3
# Of the spread of a model: held-out predictions are alike, but for rounding, where features are.
ALIKE = 1e-9


@dataclass(frozen=True)
class Predictions:
    """Held-out predictions of a nested cross-validation.

    values: (stimulus, neuroid), in the unit of the responses. alpha: (fold, neuroid), in ascending
    order of fold numbers. spread: (fold, neuroid), the standard deviation over all stimuli of what
    the model of a fold predicts, in the unit of the responses. NaN where a neuroid has missing
    responses or where the features do not vary, and for stimuli that are only trained on
    (`cross_validation.TRAINING`), which are no fold. end: (fold, neuroid), whether that alpha is
    the least (-1) or the largest (1) of all that may be tried, or lies between (0); None where
    there is no grid of strengths.
    """

    values: NDArray
    alpha: NDArray
    spread: NDArray
    end: NDArray | None = None


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


def fold_centred_correlation(
    predictions: Predictions, responses: NDArray, folds: NDArray
) -> NDArray:
    """Correlation of held-out predictions with responses, on which noise scores 0.

    responses (stimulus, neuroid), folds (stimulus,) as given to `predict`. Returns (neuroid,).
    Both sides are centred on their mean within the fold; a fold of one stimulus, which that would
    leave empty, on the mean response of its training part, which is what a prediction from
    nothing would be. Predictions are then divided by the spread of their fold's model, which
    depends on the training part only. Without the centring, the mean of the others predicts the
    reverse of what was left out (-0.6 for noise); without the common scale, folds whose training
    part fits by chance, and whose held-out responses are then reversed, outweigh those that
    shrank to nothing (-0.1 for noise in ten folds). With both, noise scores 0, and a signal what
    the models score on new stimuli.
    NaN: a constant response, or missing values. A prediction that does not vary explains nothing
    and counts 0, and so does that of a model whose training responses do not vary: all of it but
    their mean is rounding.
    """
    predicted, measured = _centred(predictions, responses, folds)
    return _ratio(
        np.einsum("sn,sn->n", predicted, measured),
        np.einsum("sn,sn->n", predicted, predicted),
        np.einsum("sn,sn->n", measured, measured),
    )


def bootstrap_scores(
    predictions: Predictions, responses: NDArray, folds: NDArray, weights: NDArray
) -> NDArray:
    """`fold_centred_correlation` with each stimulus counted weights (draw, stimulus) times.

    The predictions and the centring stay those of the full sample: the draws measure the sampling
    of test stimuli, not of training stimuli. Returns (draw, neuroid).
    """
    predicted, measured = _centred(predictions, responses, folds)
    # each (draw, stimulus) x (stimulus, neuroid)
    return _ratio(weights @ (predicted * measured), weights @ predicted**2, weights @ measured**2)


def moved_scores(
    predictions: Predictions, responses: NDArray, folds: NDArray, orders: NDArray
) -> NDArray:
    """`fold_centred_correlation` with the responses in other orders (permutation, stimulus).

    The predictions stay as they are. Returns (permutation, neuroid).
    """
    null = np.empty((len(orders), responses.shape[1]))
    for start in range(0, responses.shape[1], MOVED_TOGETHER):
        some = slice(start, start + MOVED_TOGETHER)
        own = Predictions(
            predictions.values[:, some], predictions.alpha[:, some], predictions.spread[:, some]
        )
        predicted, measured = _centred(own, responses[:, some], folds)
        predicted /= _norm(predicted)
        measured /= np.where(measured.any(axis=0), _norm(measured), np.nan)
        for number, order in enumerate(orders):
            null[number, some] = np.einsum("sn,sn->n", predicted, measured[order])
    return null


def _norm(values: NDArray) -> NDArray:
    norm = np.linalg.norm(values, axis=0)
    return np.where(norm > 0, norm, 1.0)


def _centred(
    predictions: Predictions, responses: NDArray, folds: NDArray
) -> tuple[NDArray, NDArray]:
    """Both centred for scoring; zeros for a prediction, NaN for a response that does not vary."""
    values, spread = predictions.values, predictions.spread
    responses = np.asarray(responses, dtype=np.float64)
    fold = np.unique(folds, return_inverse=True)[1]
    sizes = np.bincount(fold)
    member = (np.arange(len(sizes))[:, None] == fold) / sizes[:, None]  # (fold, stimulus)
    predicted = values - (member @ values)[fold]  # (fold, stimulus) x (stimulus, neuroid)
    measured = responses - (member @ responses)[fold]
    alone = np.flatnonzero(sizes[fold] == 1)
    if len(alone):
        others = (responses.sum(axis=0) - responses[alone]) / (len(fold) - 1)
        predicted[alone] = values[alone] - others
        measured[alone] = responses[alone] - others
    np.copyto(measured, 0.0, where=np.abs(measured) <= rounding(responses) * _largest(responses))
    lost = rounding(values) * _largest(values)
    nothing = (spread <= lost) | constant_parts(responses, folds)
    with np.errstate(divide="ignore"):
        predicted *= np.where(nothing, 0.0, 1.0 / spread)[fold]
    np.copyto(predicted, 0.0, where=np.abs(predicted) <= ALIKE)
    # What varies within folds is no constant.
    some = np.flatnonzero(~(mean_square(measured) / 4 > CONSTANT * mean_square(responses)))
    measured[:, some[constant(responses[:, some])]] = np.nan
    return predicted, measured


def _largest(values: NDArray) -> NDArray:
    """(neuroid,): the largest absolute value."""
    largest: NDArray = np.maximum(values.max(axis=0), -values.min(axis=0))
    return largest


def _ratio(product: NDArray, predicted: NDArray, measured: NDArray) -> NDArray:
    """Correlation from sums of products; 0 without spread of predictions, NaN of responses."""
    norm = np.sqrt(predicted * measured)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((predicted == 0) & (measured > 0), 0.0, product / norm)


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
