"""A given split into training and test stimuli: how what is tested is resampled, and the null.

Nothing is trained on a test stimulus, so that the model is the same whatever these are: draws,
halves and permutations are of the test stimuli alone, and need no further fit. Were the test
stimuli unrelated to the features, they could change places with each other, and no further
assumption enters the null: training stimuli may be noisier, or of another kind.
"""

import numpy as np
from numpy.typing import NDArray

from cortiscope.regression import held_out_scores
from cortiscope.regression.cross_validation import TRAINING
from cortiscope.regression.held_out_scores import Predictions
from cortiscope.regression.precision import constant_parts

FEWEST = 4  # test stimuli on which a neuroid was recorded


def tested(predictions: Predictions, responses: NDArray, folds: NDArray) -> Predictions:
    """Of predictions for folds (stimulus,), some of them TRAINING, those of the test stimuli.

    responses (stimulus, neuroid): where those trained on do not vary, predictions do not either.
    """
    held = predictions.values[folds != TRAINING]
    spread = np.where(constant_parts(responses, folds), 0.0, predictions.spread)
    return Predictions(held, predictions.alpha, spread)


def among(predictions: Predictions, stimuli: NDArray, neuroids: NDArray) -> Predictions:
    """Those of `tested` for some of the test stimuli and neuroids, given by their numbers."""
    values = predictions.values[np.ix_(stimuli, neuroids)]
    return Predictions(values, predictions.alpha[:, neuroids], predictions.spread[:, neuroids])


def score(predictions: Predictions, responses: NDArray) -> NDArray:
    """Correlation over test stimuli, of `tested` with responses (stimulus, neuroid): (neuroid,).

    NaN for a response that is constant or missing and where fewer than FEWEST stimuli are left; 0
    for a prediction that does not vary.
    """
    if len(responses) < FEWEST:
        return np.full(responses.shape[1], np.nan)
    return held_out_scores.fold_centred_correlation(
        predictions, responses, np.zeros(len(responses), dtype=int)
    )


def bootstrap_scores(predictions: Predictions, responses: NDArray, weights: NDArray) -> NDArray:
    """`score` with each test stimulus counted weights (draw, stimulus) times: (draw, neuroid)."""
    alike = np.zeros(len(responses), dtype=int)
    return held_out_scores.bootstrap_scores(predictions, responses, alike, weights)


def null_scores(predictions: Predictions, responses: NDArray, moved: NDArray) -> NDArray:
    """`score` of the responses in other orders of the test stimuli: (permutation, neuroid).

    moved: (permutation, stimulus), numbers of test stimuli. NaN where the score is.
    """
    if len(responses) < FEWEST:  # without any, sums over them would be 0
        return np.full((len(moved), responses.shape[1]), np.nan)
    alike = np.zeros(len(responses), dtype=int)
    return held_out_scores.moved_scores(predictions, responses, alike, moved)
