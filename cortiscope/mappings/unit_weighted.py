"""One weight per component of a layer (see `cortiscope.unit_weighted`)."""

import numpy as np

from cortiscope import unit_weighted
from cortiscope.features import Layer
from cortiscope.fitting import LayerScore
from cortiscope.held_out_cells import HeldOut
from cortiscope.mappings.held_out import HeldOutSimilarity


class Scorer(HeldOutSimilarity):
    """The area's similarities from weighted inner products of a layer's components.

    Components that outnumber the stimuli are turned onto the principal axes of these.
    """

    def score(self, layer: Layer) -> LayerScore:
        """Score one layer."""
        alphas = tuple(self.settings["unit_weighted"]["alphas"])

        def predict(stimuli: np.ndarray, brains: np.ndarray, held_out: HeldOut) -> list[np.ndarray]:
            features = layer.features[stimuli]
            if features.shape[1] >= len(features):
                features = unit_weighted.onto_principal_axes(features)
            return unit_weighted.predict(features, brains, held_out, alphas).predicted

        return self.learnt(predict)
