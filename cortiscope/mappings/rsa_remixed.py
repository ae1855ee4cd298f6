"""What a layer knows of categories, compared with an area (see `cortiscope.rsa_remixed`)."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cortiscope import rsa_remixed
from cortiscope.features import Layer
from cortiscope.fitting import LayerScore
from cortiscope.held_out_cells import HeldOut
from cortiscope.mapping_kinds import coordinates as named
from cortiscope.mappings.held_out import HeldOutSimilarity
from cortiscope.responses import Area
from cortiscope.ridge import kernel


class Scorer(HeldOutSimilarity):
    """Dissimilarities (Euclidean) of what readouts of categories say of stimuli held out."""

    def __init__(
        self, area: Area, settings: Mapping[str, Any], coordinates: Mapping[str, np.ndarray]
    ) -> None:
        super().__init__(area, settings, coordinates)
        properties = named(settings)["rsa_remixed.property"]
        self.membership = rsa_remixed.categories([coordinates[name] for name in properties])

    def score(self, layer: Layer) -> LayerScore:
        """Score one layer."""
        gram = kernel(layer.features)
        held = np.concatenate(self.held_out.stimuli).tobytes()
        key = type(self), repr(self.settings), self.membership.tobytes(), held
        whole = layer.once(key, lambda: self._outputs(gram, self.stimuli, self.held_out))

        def predict(stimuli: np.ndarray, brains: np.ndarray, held_out: HeldOut) -> list[np.ndarray]:
            # What is read out depends on no area.
            return whole if held_out is self.held_out else self._outputs(gram, stimuli, held_out)

        return self.learnt(predict)

    def _outputs(
        self, gram: np.ndarray, stimuli: np.ndarray, held_out: HeldOut
    ) -> list[np.ndarray]:
        """Of each fit (held-out cell,): dissimilarities of the readouts of some stimuli."""
        alphas = tuple(self.settings["rsa_remixed"]["alphas"])
        own = gram[np.ix_(stimuli, stimuli)]
        readouts = rsa_remixed.read_out(own, self.membership[stimuli], held_out, alphas)
        return rsa_remixed.predicted_cells(readouts)
