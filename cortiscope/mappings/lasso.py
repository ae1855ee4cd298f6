"""Lasso of an area's neuroids on the principal axes of a layer (see `cortiscope.lasso`)."""

import numpy as np

from cortiscope import lasso
from cortiscope.mappings.encoding import Encoding, geometric_mean
from cortiscope.mappings.regressions import Predict
from cortiscope.ridge import Predictions


class Scorer(Encoding):
    """`alpha` is the penalty, as a share of the least one that leaves no component."""

    def prepare(self, features: np.ndarray, folds: np.ndarray) -> Predict:
        predict = lasso.prepare(features, folds, self.settings["lasso"]["alphas"])
        return lambda targets: predict(targets.values, targets.dtype)

    def chosen(self, predictions: Predictions) -> np.ndarray:
        return geometric_mean(predictions.alpha)
