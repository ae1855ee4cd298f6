"""What the mappings that compare dissimilarities share: the area's own, and how it is resampled."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cortiscope.experiment.responses import Area, average
from cortiscope.networks.features import Layer
from cortiscope.regression.cross_validation import CrossValidation
from cortiscope.similarity.dissimilarity import (
    check_repetitions,
    crossnobis,
    layer_rdm,
    pattern_rdm,
)
from cortiscope.statistics.halves import halves


def known_cells(area: Area) -> np.ndarray | None:
    """(cell,): the mean over subjects, for an area of which only dissimilarities are known."""
    if area.dissimilarity is None:
        return None
    mean = area.dissimilarity.mean(axis=0)
    return mean[np.triu_indices(len(mean), 1)]


def independent_pairs(
    area: Area, settings: Mapping[str, Any], coordinates: Mapping[str, np.ndarray]
) -> tuple[CrossValidation, np.ndarray | None]:
    """What is drawn together, and the pairs that count (stimulus, stimulus) bool, None for all."""
    validation = CrossValidation.of(settings.get("cross_validation", {}), coordinates)
    n_stimuli = len(area.stimulus_id)
    return validation, validation.counted(np.arange(n_stimuli), n_stimuli)


class Similarity:
    """An area's dissimilarities, all and of halves of the data, permutations and draws.

    cells: (cell,). orders: (permutation, stimulus). draws: (draw, stimulus). halves: (split, half,
    repetition), or (split, half, stimulus) where trials were averaged. half_cells: (split x half,
    cell) of the halves of the repetitions, none of the stimuli. units: (stimulus,), what is drawn
    together. counted: (cell,) bool, those that are compared; None for all.
    """

    def __init__(
        self, area: Area, settings: Mapping[str, Any], coordinates: Mapping[str, np.ndarray]
    ) -> None:
        self.area, self.settings = area, settings
        self.dissimilarity = settings["rsa"]["dissimilarity"]
        self.method = settings["rsa"]["comparison"]
        n_stimuli, n_repetitions = area.response.shape[:2]
        check_repetitions(self.dissimilarity, n_repetitions)
        statistics, selection = settings["statistics"], settings["selection"]
        self.validation, pairs = independent_pairs(area, settings, coordinates)
        self.counted = None if pairs is None else pairs[np.triu_indices(n_stimuli, 1)]
        self.units, seed = self.validation.units(n_stimuli), statistics["seed"]
        self.orders = self.validation.orders(n_stimuli, statistics["permutations"], seed)
        self.draws = self.validation.draws(n_stimuli, statistics["bootstraps"], seed)
        shared = n_repetitions if area.repeated_throughout else n_stimuli
        self.halves = halves(shared, selection["splits"], selection["seed"])
        known = known_cells(area)
        self.cells = self._of(np.ones(n_repetitions, dtype=bool)) if known is None else known
        chosen = self.halves.reshape(-1, shared) if area.repeated_throughout else ()
        empty = np.empty((0, len(self.cells)))
        self.half_cells = np.vstack([empty, *(self._of(half) for half in chosen)])

    def layer_cells(self, layer: Layer) -> np.ndarray:
        """(cell,): a layer's dissimilarities, of the kind that the area's are compared with."""
        crossed = self.dissimilarity == "crossnobis"  # of squared distances, in an area
        return layer_rdm(layer, "squared_euclidean" if crossed else self.dissimilarity)

    def _of(self, repetitions: np.ndarray) -> np.ndarray:
        """(cell,): dissimilarities of the responses in some repetitions (repetition,) bool."""
        response = self.area.response[:, repetitions]
        if self.dissimilarity == "crossnobis":
            return crossnobis(response)
        return pattern_rdm(average(response), self.dissimilarity)


def among(stimuli: np.ndarray) -> np.ndarray:
    """Which cells are pairs of some stimuli (stimulus,) bool: (cell,) bool."""
    first, second = np.triu_indices(len(stimuli), 1)
    return stimuli[first] & stimuli[second]
