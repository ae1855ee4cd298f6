"""Lasso of an area's neuroids on the principal axes of a layer (see `cortiscope.lasso`)."""

import numpy as np

from cortiscope import lasso
from cortiscope.mappings.encoding import Encoding, Problem, geometric_mean
from cortiscope.ridge import Predictions


class Scorer(Encoding):
    """`alpha` is the penalty, as a share of the least one that leaves no component."""

    def predict(self, problem: Problem) -> Predictions:
        alphas = self.settings["lasso"]["alphas"]
        return lasso.predict(
            problem.features, problem.targets, problem.folds, alphas, dtype=problem.dtype
        )

    def chosen(self, predictions: Predictions) -> np.ndarray:
        return geometric_mean(predictions.alpha)
