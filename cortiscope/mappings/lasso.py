"""Lasso of an area's neuroids on the principal axes of a layer (see `cortiscope.lasso`)."""

import numpy as np

from cortiscope import lasso
from cortiscope.mappings.encoding import Encoding, geometric_mean
from cortiscope.ridge import Predictions


class Scorer(Encoding):
    """`alpha` is the penalty, as a share of the least one that leaves no component."""

    def predict(
        self,
        features: np.ndarray,
        targets: np.ndarray,
        folds: np.ndarray,
        dtype: type,
        sets: np.ndarray,
    ) -> Predictions:
        alphas = self.settings["lasso"]["alphas"]
        return lasso.predict(features, targets, folds, alphas, dtype=dtype)

    def chosen(self, predictions: Predictions) -> np.ndarray:
        return geometric_mean(predictions.alpha)
