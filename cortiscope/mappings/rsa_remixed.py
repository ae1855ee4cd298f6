"""What a layer knows of categories, compared with an area (see `similarity.rsa_remixed`)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from cortiscope.experiment.responses import Area
from cortiscope.mappings.held_out import HeldOutSimilarity
from cortiscope.mappings.kinds import coordinates as named
from cortiscope.mappings.scores import LayerScore
from cortiscope.mappings.strengths import shares
from cortiscope.networks.features import Layer
from cortiscope.regression.ridge import kernel
from cortiscope.similarity import rsa_remixed
from cortiscope.similarity.held_out_cells import HeldOut


class Scorer(HeldOutSimilarity):
    """Dissimilarities (Euclidean) of what readouts of categories say of stimuli held out."""

    refits = True

    def __init__(
        self, area: Area, settings: Mapping[str, Any], coordinates: Mapping[str, np.ndarray]
    ) -> None:
        super().__init__(area, settings, coordinates)
        properties = named(settings)["rsa_remixed.property"]
        everywhere = rsa_remixed.categories([coordinates[name] for name in properties])
        self.membership = everywhere[area.shown]

    def score(self, layer: Layer) -> LayerScore:
        """Score one layer."""

        def predict(stimuli: np.ndarray, brains: np.ndarray, held_out: HeldOut) -> list[np.ndarray]:
            # What is read out depends on no area, and areas share folds.
            held = np.concatenate(held_out.stimuli).tobytes()
            key = type(self), repr(self.settings), self.membership.tobytes()
            made: tuple[list[np.ndarray], np.ndarray] = layer.once(
                (*key, self.area.shown[stimuli].tobytes(), held),
                lambda: self._outputs(layer, stimuli, held_out),
            )
            at_edge.append(made[1])
            return made[0]

        at_edge: list[np.ndarray] = []  # of all stimuli, which are read out first
        learnt = self.learnt(predict)
        return replace(learnt, at_edge=at_edge[0])

    def _outputs(
        self, layer: Layer, stimuli: np.ndarray, held_out: HeldOut
    ) -> tuple[list[np.ndarray], np.ndarray]:
        """Of each fit (held-out cell,): dissimilarities of the readouts of some stimuli; and the
        shares of the fits whose strength is the least and the largest of all.
        """
        alphas = tuple(self.settings["rsa_remixed"]["alphas"])
        gram = layer.once((type(self), "kernel"), lambda: kernel(layer.features))
        shown = self.area.shown[stimuli]
        own = gram[np.ix_(shown, shown)]
        readouts = rsa_remixed.read_out(own, self.membership[stimuli], held_out, alphas)
        return rsa_remixed.predicted_cells(readouts), shares(readouts.end)
