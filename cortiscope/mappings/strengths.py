"""Encoding models with a strength of regularisation, chosen for every neuroid in each fold."""

from dataclasses import replace

import numpy as np

from cortiscope.mappings.encoding import Encoded, Encoding, geometric_mean
from cortiscope.mappings.regressions import Regressions
from cortiscope.mappings.scores import LayerScore
from cortiscope.regression.held_out_scores import Predictions
from cortiscope.statistics.resampling import mean_of_known


class Strengths(Encoding):
    """`chosen` gives the strength, the geometric mean over folds, and the shares of the folds in
    which it is the least and the largest of all that may be tried.
    """

    n_chosen = 3

    def chosen(self, predictions: Predictions) -> np.ndarray:
        end = predictions.end
        ends = np.full((2, predictions.alpha.shape[1]), np.nan) if end is None else shares(end)
        return np.vstack([geometric_mean(predictions.alpha), ends])

    def _reported(self, regressions: Regressions, encoded: Encoded) -> LayerScore:
        ends = np.where(np.isfinite(encoded.score), encoded.chosen[1:3], np.nan)
        return replace(super()._reported(regressions, encoded), at_edge=mean_of_known(ends))


def shares(end: np.ndarray, axis: int = 0) -> np.ndarray:
    """(2, ...): how much of an axis is -1, and how much 1; NaN left out."""
    known = np.isfinite(end)
    return np.stack([mean_of_known(np.where(known, end == side, np.nan), axis) for side in (-1, 1)])
