"""Principal component regression of an area's neuroids on a layer (see `regression.pcr`)."""

import numpy as np

from cortiscope.mappings.encoding import Encoded, Encoding
from cortiscope.mappings.regressions import Predict, at_each
from cortiscope.regression import pcr
from cortiscope.regression.principal_axes import Parts
from cortiscope.regression.ridge import nearest


class Scorer(Encoding):
    """`alpha` is the number of components, chosen for every neuroid where there is a choice."""

    def prepare(self, features: np.ndarray, folds: np.ndarray) -> Predict:
        predict = pcr.prepare(Parts(features, folds), self.numbers)
        return lambda targets: predict(targets.values, targets.dtype)

    def refit(self, features: np.ndarray, folds: np.ndarray) -> Predict:
        parts = Parts(features, folds, n_inner=0)

        def at(number: float) -> Predict:
            predict = pcr.prepare(parts, int(number))
            return lambda targets: predict(targets.values, targets.dtype)

        return lambda targets: at_each(targets, at)

    def refitted_at(self, encoded: Encoded) -> np.ndarray:
        return nearest(self.numbers, encoded.chosen[0])

    @property
    def numbers(self) -> np.ndarray:
        return np.atleast_1d(self.settings["pcr"]["components"])
