"""Representational similarity analysis of a layer and an area (see `cortiscope.rsa`)."""

import numpy as np

from cortiscope import comparison, rsa
from cortiscope.features import Layer
from cortiscope.fitting import LayerScore
from cortiscope.mappings.similarity import Similarity, among


class Scorer(Similarity):
    """One number for all pairs of stimuli, by a dissimilarity and a comparison."""

    def score(self, layer: Layer) -> LayerScore:
        """Score one layer: its dissimilarities with the area's, the null, bootstrap and halves."""
        cells = self.layer_cells(layer)
        return LayerScore(
            area_score=self._compare(cells, self.cells),
            area_null=self._null(cells),
            area_bootstrap=self._bootstrap(cells),
            selection=self._selection(cells),
            neuroids={},
        )

    def _compare(self, model: np.ndarray, brain: np.ndarray) -> float:
        if self.method == "spearman":
            return float(rsa.ranks(model) @ rsa.ranks(brain))
        return float(comparison.compare(model, brain, self.method))

    def _null(self, cells: np.ndarray) -> np.ndarray:
        if self.method != "spearman":
            return comparison.permutation_null(cells, self.cells, self.orders, self.method)
        statistics = self.settings["statistics"]
        return rsa.permutation_null(
            cells,
            self.cells,
            len(self.area.stimulus_id),
            statistics["permutations"],
            statistics["seed"],
        )

    def _bootstrap(self, cells: np.ndarray) -> np.ndarray:
        if self.method != "spearman":
            return comparison.bootstrap_scores(cells, self.cells, self.draws, self.method)
        return rsa.bootstrap_scores(rsa.ranks(cells), rsa.ranks(self.cells), self.draws)

    def _selection(self, cells: np.ndarray) -> np.ndarray:
        """(split, half): the score on each half of the repetitions, else of the stimuli."""
        n_splits, n_halves, _ = self.halves.shape
        if self.area.repeated:
            scores = [self._compare(cells, brain) for brain in self.half_cells]
        else:
            inside = [among(half) for half in self.halves.reshape(n_splits * n_halves, -1)]
            scores = [self._compare(cells[some], self.cells[some]) for some in inside]
        return np.array(scores).reshape(n_splits, n_halves)
