"""Ordinary least squares of an area's neuroids on a layer (see `cortiscope.ols`)."""

import numpy as np

from cortiscope import ols
from cortiscope.mappings.encoding import Encoding
from cortiscope.ridge import Predictions


class Scorer(Encoding):
    """Least squares of minimum norm; `alpha` is the number of dimensions fitted."""

    def predict(
        self,
        features: np.ndarray,
        targets: np.ndarray,
        folds: np.ndarray,
        dtype: type,
        sets: np.ndarray,
    ) -> Predictions:
        return ols.predict(features, targets, folds, dtype)
