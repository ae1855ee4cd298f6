"""One weight per component of a layer (see `similarity.unit_weighted`)."""

from dataclasses import replace

import numpy as np

from cortiscope.mappings.held_out import HeldOutSimilarity
from cortiscope.mappings.scores import LayerScore
from cortiscope.mappings.strengths import shares
from cortiscope.networks.features import Layer
from cortiscope.similarity import unit_weighted
from cortiscope.similarity.held_out_cells import HeldOut, given_set_with_partner
from cortiscope.similarity.unit_weighted import Regression


class Scorer(HeldOutSimilarity):
    """The area's similarities from weighted inner products of a layer's components.

    Components that outnumber the stimuli are turned onto the principal axes of these.
    """

    null_dtype = np.float32
    fewest_folds = unit_weighted.MIN_FOLDS

    def score(self, layer: Layer) -> LayerScore:
        """Score one layer."""
        alphas = tuple(self.settings["unit_weighted"]["alphas"])
        at_edge: list[np.ndarray] = []  # of the area itself, which is predicted first

        def predict(stimuli: np.ndarray, brains: np.ndarray, held_out: HeldOut) -> list[np.ndarray]:
            shown = self.area.shown[stimuli]

            def prepare() -> Regression:
                features = layer.features[shown]
                if features.shape[1] >= len(features):
                    features = unit_weighted.onto_principal_axes(features)
                return Regression(features, self._with_partners(held_out), alphas)

            # Areas share folds, and so what depends on the layer alone.
            held = np.concatenate(held_out.stimuli).tobytes()
            key = type(self), repr(self.settings), shown.tobytes(), held
            found = layer.once(key, prepare).predict(brains)
            at_edge.append(shares(found.end[0]))
            return found.predicted[: len(held_out.cells)]

        learnt = self.learnt(predict)
        return replace(learnt, at_edge=at_edge[0])

    def _with_partners(self, held_out: HeldOut) -> HeldOut:
        """Of a given split, a fit more, whose training stimuli choose alpha."""
        test = self.validation.test
        return held_out if test is None else given_set_with_partner(test, self.validation.seed)
