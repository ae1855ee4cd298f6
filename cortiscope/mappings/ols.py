"""Ordinary least squares of an area's neuroids on a layer (see `cortiscope.ols`)."""

from cortiscope import ols
from cortiscope.mappings.encoding import Encoding, Problem
from cortiscope.ridge import Predictions


class Scorer(Encoding):
    """Least squares of minimum norm; `alpha` is the number of dimensions fitted."""

    def predict(self, problem: Problem) -> Predictions:
        return ols.predict(problem.features, problem.targets, problem.folds, problem.dtype)
