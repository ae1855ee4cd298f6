"""Ridge regression of an area's neuroids on a layer (see `regression.ridge`)."""

import numpy as np

from cortiscope.mappings.encoding import Encoded
from cortiscope.mappings.regressions import Predict, Targets
from cortiscope.mappings.strengths import Strengths
from cortiscope.regression import ridge
from cortiscope.regression.held_out_scores import Predictions
from cortiscope.regression.strengths import reached


class Scorer(Strengths):
    """Nested cross-validation, or the protocol of Conwell et al. (2021)."""

    def prepare(self, features: np.ndarray, folds: np.ndarray) -> Predict:
        if self.published:
            return lambda targets: ridge.conwell2021(features, targets.values)
        regression = self._regression(features, folds)
        return lambda targets: regression.predict(targets.values, targets.dtype)

    def refit(self, features: np.ndarray, folds: np.ndarray) -> Predict:
        if self.published:
            return self.prepare(features, folds)
        regression = self._regression(features, folds)

        def predict(targets: Targets) -> Predictions:
            assert targets.alpha is not None
            return regression.predict_at(targets.values, targets.alpha, targets.dtype)

        return predict

    def _regression(self, features: np.ndarray, folds: np.ndarray) -> ridge.Regression:
        alphas = self.settings["ridge"]["alphas"]
        return ridge.Regression(ridge.kernel_or_factor(features), folds, alphas)

    def refitted_at(self, encoded: Encoded) -> np.ndarray:
        return ridge.nearest(reached(self.settings["ridge"]["alphas"]), encoded.chosen[0])

    def centred_within(self, folds: np.ndarray) -> np.ndarray:
        return np.zeros_like(folds) if self.published else folds

    @property
    def published(self) -> bool:
        return bool(self.settings["ridge"]["protocol"] == "conwell2021")
