"""Ordinary least squares of an area's neuroids on a layer (see `regression.ols`)."""

import numpy as np

from cortiscope.mappings.encoding import Encoding
from cortiscope.mappings.regressions import Predict
from cortiscope.regression import ols


class Scorer(Encoding):
    """Least squares of minimum norm; `alpha` is the number of dimensions fitted."""

    def prepare(self, features: np.ndarray, folds: np.ndarray) -> Predict:
        predict = ols.prepare(features, folds)
        return lambda targets: predict(targets.values, targets.dtype)
