"""Principal component regression of an area's neuroids on a layer (see `cortiscope.pcr`)."""

import numpy as np

from cortiscope import pcr
from cortiscope.mappings.encoding import Encoding
from cortiscope.ridge import Predictions


class Scorer(Encoding):
    """`alpha` is the number of components, chosen for every neuroid where there is a choice."""

    def predict(
        self,
        features: np.ndarray,
        targets: np.ndarray,
        folds: np.ndarray,
        dtype: type,
        sets: np.ndarray,
    ) -> Predictions:
        return pcr.predict(features, targets, folds, self.settings["pcr"]["components"], dtype)
