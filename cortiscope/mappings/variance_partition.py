"""What a layer explains of an area's dissimilarities beyond low-level models.

See `similarity.variance_partition`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cortiscope.errors import InputError
from cortiscope.experiment.responses import Area
from cortiscope.mappings.kinds import low_level
from cortiscope.mappings.scores import LayerScore
from cortiscope.mappings.similarity import Similarity, among
from cortiscope.networks.features import Layer
from cortiscope.similarity.dissimilarity import pattern_rdm
from cortiscope.similarity.rsa import without_pattern
from cortiscope.similarity.variance_partition import Background, Partition
from cortiscope.statistics.resampling import permutations


class Scorer(Similarity):
    """The variance that is unique to a layer, of the dissimilarities between all pairs of stimuli.

    Of the neuroids it says what their dissimilarities say, the same of all: `explained_layer`,
    `explained_low_level`, and `explained_shared` by both.
    """

    def __init__(
        self, area: Area, settings: Mapping[str, Any], coordinates: Mapping[str, np.ndarray]
    ) -> None:
        super().__init__(area, settings, coordinates)
        self.low_level = np.stack(
            [
                self._low_level_cells(name, coordinates[name][area.shown])
                for name in low_level(settings)
            ]
        )
        brains = np.vstack([self.cells, self.half_cells])
        self.whole = Background(self.low_level, brains, self.orders, self.method, self.counted)
        chosen = () if area.repeated_throughout else self.halves.reshape(-1, self.halves.shape[-1])
        self.by_half = [(among(half), self._among(half)) for half in chosen]

    def score(self, layer: Layer) -> LayerScore:
        """Score one layer."""
        cells = self.layer_cells(layer)
        found = self.whole.beyond(cells, self.draws)
        unique = found.partition.unique
        return LayerScore(
            area_score=float(unique[0]),
            area_null=found.null,
            area_bootstrap=found.draws,
            neuroids=self._shares(found.partition),
            selection=self._selection(cells, unique[1:]),
            n_without_pattern=without_pattern(cells, self.cells),
        )

    def _low_level_cells(self, name: str, features: np.ndarray) -> np.ndarray:
        """(cell,): dissimilarities by a low-level model's features (stimulus, component)."""
        crossed = self.dissimilarity == "crossnobis"  # of squared distances, in an area
        cells = pattern_rdm(features, "squared_euclidean" if crossed else self.dissimilarity)
        if not np.isfinite(cells).all():
            raise InputError(
                f"config: low_level.models: {name}",
                f"an image without contrast has no dissimilarity by {self.dissimilarity}",
                "leave the model out, or set rsa.dissimilarity: euclidean",
            )
        return cells

    def _among(self, half: np.ndarray) -> Background:
        """The same of half of the stimuli, (stimulus,) bool."""
        stimuli, cells = np.flatnonzero(half), among(half)
        if self.counted is None:
            count, seed = len(self.orders), self.settings["statistics"]["seed"]
            orders, counted = permutations(len(stimuli), count, seed), None
        else:
            orders = self.validation.orders_among(self.orders, stimuli)
            counted = self.counted[cells]
        low_level, brain = self.low_level[:, cells], self.cells[None, cells]
        return Background(low_level, brain, orders, self.method, counted)

    def _selection(self, cells: np.ndarray, of_repetitions: np.ndarray) -> np.ndarray | None:
        """(split, half): what is unique by halves of the repetitions, else of the stimuli."""
        if not len(self.halves):
            return None
        repeated = self.area.repeated_throughout
        by_half = of_repetitions if repeated else self._on_halves(cells)
        return by_half.reshape(self.halves.shape[:2])

    def _on_halves(self, cells: np.ndarray) -> np.ndarray:
        """(split x half,): what is unique on each half of the stimuli."""
        found = [within.beyond(cells[half]).partition for half, within in self.by_half]
        return np.concatenate([partition.unique for partition in found])

    def _shares(self, partition: Partition) -> dict[str, np.ndarray]:
        of_area = {
            "explained_layer": partition.layer[0],
            "explained_low_level": partition.low_level[0],
            "explained_shared": partition.shared[0],
        }
        n_neuroids = len(self.area.neuroid_id)
        return {name: np.full(n_neuroids, share) for name, share in of_area.items()}
