"""What the mappings that compare dissimilarities share: the area's own, and how it is resampled."""

from collections.abc import Mapping
from typing import Any, NamedTuple

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
from cortiscope.similarity.rsa import upper
from cortiscope.statistics.halves import halves


def known_cells(area: Area) -> np.ndarray | None:
    """(cell,): the mean over subjects, for an area of which only dissimilarities are known."""
    if area.dissimilarity is None:
        return None
    return upper(area.dissimilarity.mean(axis=0))


class Resampled(NamedTuple):
    """Of an area's stimuli: orders (permutation, stimulus), draws (draw, stimulus) and halves.

    halves: (split, half, repetition), or (split, half, stimulus) where trials were averaged; no
    splits where layers are not chosen by halves.
    """

    orders: np.ndarray
    draws: np.ndarray
    halves: np.ndarray


def resampled(area: Area, settings: Mapping[str, Any], validation: CrossValidation) -> Resampled:
    """Permutations, draws and halves of an area's data, for mappings that need whole matrices.

    Where the area has some of the study's stimuli, those of all are restricted to these: what is
    drawn of one subject is drawn of all who saw it. validation: of all the study's stimuli; what
    is drawn together moves together, and of a given split only the test stimuli do.
    """
    statistics, seed = settings["statistics"], settings["statistics"]["seed"]
    orders = validation.orders(area.n_shown, statistics["permutations"], seed)
    draws = validation.draws(area.n_shown, statistics["bootstraps"], seed)
    chosen = _halves(area, settings["selection"], validation)
    if area.seen is None:
        return Resampled(orders, draws, chosen)
    orders = validation.orders_among(orders, area.shown)
    chosen = chosen if area.repeated_throughout else chosen[..., area.shown]
    return Resampled(orders, draws[:, area.shown], chosen)


def _halves(area: Area, selection: Mapping[str, Any], validation: CrossValidation) -> np.ndarray:
    """As in `Resampled`, of all the study's stimuli."""
    shared = area.response.shape[1] if area.repeated_throughout else area.n_shown
    if selection["method"] != "halves":
        return np.empty((0, 2, shared), dtype=bool)
    make = halves if area.repeated_throughout else validation.halves
    return make(shared, selection["splits"], selection["seed"])


class Similarity:
    """An area's dissimilarities, all and of halves of the data, permutations and draws.

    cells: (cell,). orders: (permutation, stimulus). draws: (draw, stimulus). halves: (split, half,
    repetition), or (split, half, stimulus) where trials were averaged; no splits where layers are
    not chosen by halves. half_cells: (split x half, cell) of the halves of the repetitions, none of
    the stimuli. units: (stimulus,), what is drawn together. counted: (cell,) bool, those that are
    compared; None for all.
    """

    def __init__(
        self, area: Area, settings: Mapping[str, Any], coordinates: Mapping[str, np.ndarray]
    ) -> None:
        self.area, self.settings = area, settings
        self.dissimilarity = settings["rsa"]["dissimilarity"]
        self.method = settings["rsa"]["comparison"]
        n_repetitions = area.response.shape[1]
        check_repetitions(self.dissimilarity, n_repetitions)
        of_study = CrossValidation.of(settings.get("cross_validation", {}), coordinates)
        self.orders, self.draws, self.halves = resampled(area, settings, of_study)
        self.of_study, self.validation = of_study, of_study.among(area.shown)
        self.units = of_study.units(area.n_shown)[area.shown]
        pairs = of_study.counted(area.shown, area.n_shown)
        self.counted = None if pairs is None else upper(pairs)
        known = known_cells(area)
        self.cells = self._of(np.ones(n_repetitions, dtype=bool)) if known is None else known
        chosen = self.halves.reshape(-1, n_repetitions) if area.repeated_throughout else ()
        empty = np.empty((0, len(self.cells)))
        self.half_cells = np.vstack([empty, *(self._of(half) for half in chosen)])

    @property
    def predicted_dissimilarity(self) -> str:
        """That of a model: crossnobis, of an area, is of squared distances."""
        crossed = self.dissimilarity == "crossnobis"
        return "squared_euclidean" if crossed else str(self.dissimilarity)

    def layer_cells(self, layer: Layer) -> np.ndarray:
        """(cell,): a layer's dissimilarities, of the kind that the area's are compared with."""
        kind = self.predicted_dissimilarity
        cells: np.ndarray = layer.once((layer_rdm, kind), lambda: layer_rdm(layer, kind))
        return cells if self.area.seen is None else cells[among(self.area.seen)]

    def _of(self, repetitions: np.ndarray) -> np.ndarray:
        """(cell,): dissimilarities of the responses in some repetitions (repetition,) bool."""
        response = self.area.response[:, repetitions]
        if self.dissimilarity == "crossnobis":
            return crossnobis(response)
        return pattern_rdm(average(response), self.dissimilarity)


def among(stimuli: np.ndarray) -> np.ndarray:
    """Which cells are pairs of some stimuli (stimulus,) bool: (cell,) bool."""
    return upper(stimuli[:, None] & stimuli)
