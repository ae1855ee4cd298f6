"""Principal component regression of an area's neuroids on a layer (see `cortiscope.pcr`)."""

from cortiscope import pcr
from cortiscope.mappings.encoding import Encoding, Problem
from cortiscope.ridge import Predictions


class Scorer(Encoding):
    """`alpha` is the number of components, chosen for every neuroid where there is a choice."""

    def predict(self, problem: Problem) -> Predictions:
        components = self.settings["pcr"]["components"]
        return pcr.predict(
            problem.features, problem.targets, problem.folds, components, problem.dtype
        )
