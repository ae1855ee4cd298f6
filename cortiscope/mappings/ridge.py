"""Ridge regression of an area's neuroids on a layer (see `cortiscope.ridge`)."""

import numpy as np

from cortiscope import ridge
from cortiscope.mappings.encoding import Encoding, Problem, geometric_mean
from cortiscope.ridge import Predictions


class Scorer(Encoding):
    """Nested cross-validation, or the protocol of Conwell et al. (2021)."""

    def predict(self, problem: Problem) -> Predictions:
        if self.published:
            return ridge.conwell2021(problem.features, problem.targets)
        kernel, alphas = ridge.kernel(problem.features), self.settings["ridge"]["alphas"]
        return ridge.predict(kernel, problem.targets, problem.folds, alphas, problem.dtype)

    def chosen(self, predictions: Predictions) -> np.ndarray:
        return geometric_mean(predictions.alpha)

    def centred_within(self, folds: np.ndarray) -> np.ndarray:
        return np.zeros_like(folds) if self.published else folds

    @property
    def published(self) -> bool:
        return bool(self.settings["ridge"]["protocol"] == "conwell2021")
