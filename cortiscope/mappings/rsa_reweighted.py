"""Which mixture of all layers' dissimilarities is the area's (see `cortiscope.rsa_reweighted`)."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cortiscope import rsa_reweighted
from cortiscope.features import Layer
from cortiscope.fitting import LayerScore
from cortiscope.held_out_cells import HeldOut, best_single
from cortiscope.mappings.held_out import HeldOutSimilarity
from cortiscope.mappings.similarity import among


class Scorer(HeldOutSimilarity):
    """Weights of 0 or more, by least squares over the pairs of other stimuli."""

    def score_together(self, layers: Sequence[Layer]) -> LayerScore:
        """Score all layers as one.

        layer_weights: the means over fits, in the area's dissimilarity per standard deviation of
        the layer's.
        """
        models = np.stack([self.layer_cells(layer) for layer in layers])

        def predict(stimuli: np.ndarray, brains: np.ndarray, held_out: HeldOut) -> list[np.ndarray]:
            own = models[:, among(np.isin(self.stimuli, stimuli))]
            return rsa_reweighted.predict(own, brains, held_out).predicted

        fitted = rsa_reweighted.predict(models, self.cells[None], self.held_out)
        return replace(
            self.learnt(predict),
            layer_weights=fitted.weights[0].mean(axis=0),
            best_single=best_single(models, self.cells, self.held_out, self.method),
        )
