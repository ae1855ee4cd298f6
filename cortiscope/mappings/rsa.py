"""Representational similarity analysis of a layer and an area (see `rsa`, `comparison`)."""

from functools import cached_property

import numpy as np

from cortiscope.mappings.scores import LayerScore
from cortiscope.mappings.similarity import Similarity, among
from cortiscope.networks.features import Layer
from cortiscope.similarity import comparison
from cortiscope.similarity.rdm_standard_error import comparison_error
from cortiscope.similarity.rsa import without_pattern
from cortiscope.statistics.standard_errors import rescaled


class Scorer(Similarity):
    """One number for all pairs of stimuli, by a dissimilarity and a comparison."""

    def score(self, layer: Layer) -> LayerScore:
        """Score one layer: its dissimilarities with the area's, the null, bootstrap and halves."""
        cells, counted = self.layer_cells(layer), self.counted
        units = None if counted is None else self.units
        both, method = (self._ranked(cells), self.ranked), self.method
        error = comparison_error(*both, method, units, counted, ranked=method == "spearman")
        method = "pearson" if method == "spearman" else method
        score = float(comparison.compare(*both, method, counted))
        draws = comparison.bootstrap_scores(*both, self.draws, method, counted=counted)
        return LayerScore(
            area_score=score,
            area_null=comparison.permutation_null(*both, self.orders, method, counted),
            area_bootstrap=rescaled(draws, score, error),
            neuroids={},
            selection=self._selection(cells),
            n_without_pattern=without_pattern(cells, self.cells),
        )

    @cached_property
    def ranked(self) -> np.ndarray:
        """(cell,): of the area."""
        return self._ranked(self.cells)

    def _ranked(self, cells: np.ndarray) -> np.ndarray:
        """Their ranks, once for all that asks for Spearman's: it is Pearson's of these."""
        if self.method != "spearman":
            return cells
        return comparison.among(cells, self.method, self.counted)

    def _compare(
        self, model: np.ndarray, brain: np.ndarray, some: np.ndarray | None = None
    ) -> float:
        """some: (cell,) bool, of which those count that do at all."""
        counted = self.counted
        if some is not None:
            counted = some if counted is None else some & counted
        return float(comparison.compare(model, brain, self.method, counted))

    def _selection(self, cells: np.ndarray) -> np.ndarray | None:
        """(split, half): the score on each half of the repetitions, else of the stimuli."""
        n_splits, n_halves, _ = self.halves.shape
        if not n_splits:
            return None
        if self.area.repeated_throughout:
            scores = [self._compare(cells, brain) for brain in self.half_cells]
        else:
            inside = [among(half) for half in self.halves.reshape(n_splits * n_halves, -1)]
            scores = [self._compare(cells, self.cells, some) for some in inside]
        return np.array(scores).reshape(n_splits, n_halves)
