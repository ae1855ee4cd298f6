"""Lasso of an area's neuroids on the principal axes of a layer (see `regression.lasso`)."""

import numpy as np

from cortiscope.mappings.encoding import Encoded
from cortiscope.mappings.regressions import Predict, at_each
from cortiscope.mappings.strengths import Strengths
from cortiscope.regression import lasso
from cortiscope.regression.principal_axes import Parts
from cortiscope.regression.ridge import nearest


class Scorer(Strengths):
    """`alpha` is the penalty, as a share of the least one that leaves no component."""

    def prepare(self, features: np.ndarray, folds: np.ndarray) -> Predict:
        predict = lasso.prepare(Parts(features, folds), self.settings["lasso"]["alphas"])
        return lambda targets: predict(targets.values, targets.dtype)

    def refit(self, features: np.ndarray, folds: np.ndarray) -> Predict:
        parts = Parts(features, folds, n_inner=0)

        def at(share: float) -> Predict:
            predict = lasso.prepare(parts, [share])
            return lambda targets: predict(targets.values, targets.dtype)

        return lambda targets: at_each(targets, at)

    def refitted_at(self, encoded: Encoded) -> np.ndarray:
        return nearest(lasso.reached(self.settings["lasso"]["alphas"]), encoded.chosen[0])
