"""How held-out predictions of a cross-validation are scored, on which noise scores 0."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cortiscope.regression.precision import CONSTANT, constant, constant_parts, mean_square
from cortiscope.statistics.rounding import rounding

MOVED_TOGETHER = 1024  # neuroids, whose responses are copied for every permutation
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
