"""Principal component regression of an area's neuroids on a layer (see `cortiscope.pcr`)."""

import numpy as np

from cortiscope import pcr
from cortiscope.mappings.encoding import Encoding
from cortiscope.mappings.regressions import Predict


class Scorer(Encoding):
    """`alpha` is the number of components, chosen for every neuroid where there is a choice."""

    def prepare(self, features: np.ndarray, folds: np.ndarray) -> Predict:
        predict = pcr.prepare(features, folds, self.settings["pcr"]["components"])
        return lambda targets: predict(targets.values, targets.dtype)
