"""Similarity mappings: compare a layer's dissimilarities between stimuli with an area's."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cortiscope import rsa
from cortiscope.features import Layer, row_centred_gram
from cortiscope.fitting import LayerScore
from cortiscope.halves import halves
from cortiscope.responses import Area, average
from cortiscope.statistics import bootstrap_weights


def area_rdm(area: Area) -> np.ndarray:
    """(cell,): 1 − Pearson of the mean responses, or the mean of the known dissimilarities."""
    if area.dissimilarity is None:
        return rsa.pearson_rdm(area.mean_response)
    mean = area.dissimilarity.mean(axis=0)
    return mean[np.triu_indices(len(mean), 1)]


class Scorer:
    """Representational similarity analysis of one area (see `cortiscope.rsa`)."""

    def __init__(
        self, area: Area, settings: Mapping[str, Any], coordinates: Mapping[str, np.ndarray]
    ) -> None:
        self.area = area
        self.statistics = settings["statistics"]
        n_stimuli = len(area.stimulus_id)
        self.cells = area_rdm(area)
        self.ranks = rsa.ranks(self.cells)
        self.draws = bootstrap_weights(
            n_stimuli, self.statistics["bootstraps"], self.statistics["seed"]
        )
        selection = settings["selection"]
        shared = area.response.shape[1] if area.repeated else n_stimuli
        self.halves = halves(shared, selection["splits"], selection["seed"])

    def score(self, layer: Layer) -> LayerScore:
        """Score one layer: Spearman of its RDM with the area's, its null, bootstrap and halves."""
        cells = rsa.dissimilarities(row_centred_gram(layer))
        ranks = rsa.ranks(cells)
        null = rsa.permutation_null(
            cells,
            self.cells,
            len(self.area.stimulus_id),
            self.statistics["permutations"],
            self.statistics["seed"],
        )
        return LayerScore(
            area_score=float(ranks @ self.ranks),
            area_null=null,
            area_bootstrap=rsa.bootstrap_scores(ranks, self.ranks, self.draws),
            selection=self._selection(cells),
            neuroids={},
        )

    def _selection(self, cells: np.ndarray) -> np.ndarray:
        """(split, half): Spearman on each half of the repetitions, else of the stimuli."""
        n_splits, n_halves = self.halves.shape[:2]
        first, second = np.triu_indices(len(self.area.stimulus_id), 1)
        scores = np.empty((n_splits, n_halves))
        for split, half in np.ndindex(n_splits, n_halves):
            chosen = self.halves[split, half]
            if self.area.repeated:
                brain = rsa.pearson_rdm(average(self.area.response[:, chosen]))
                scores[split, half] = rsa.ranks(cells) @ rsa.ranks(brain)
            else:
                inside = chosen[first] & chosen[second]
                scores[split, half] = rsa.ranks(cells[inside]) @ rsa.ranks(self.cells[inside])
        return scores
