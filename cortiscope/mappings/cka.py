"""Linear centred kernel alignment of a layer and an area, debiased (see `similarity.cka`)."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cortiscope.experiment.responses import Area, average
from cortiscope.mappings.scores import LayerScore
from cortiscope.mappings.similarity import known_cells, resampled
from cortiscope.networks.features import Layer
from cortiscope.regression.cross_validation import CrossValidation
from cortiscope.similarity import cka
from cortiscope.similarity.rdm_standard_error import comparison_error
from cortiscope.similarity.rsa import upper
from cortiscope.statistics.standard_errors import rescaled


class Scorer:
    """Inner products between stimuli in a layer with those of the area's mean responses.

    Of an area of which only dissimilarities are known, these are taken as squared distances.
    """

    def __init__(
        self, area: Area, settings: Mapping[str, Any], coordinates: Mapping[str, np.ndarray]
    ) -> None:
        self.area = area
        of_study = CrossValidation.of(settings.get("cross_validation", {}), coordinates)
        self.orders, self.draws, self.halves = resampled(area, settings, of_study)
        self.counted = of_study.counted(area.shown, area.n_shown)
        self.units = of_study.units(area.n_shown)[area.shown]
        known = known_cells(area)
        self.gram = cka.gram(area.mean_response) if known is None else cka.distance_gram(known)
        self.brain = cka.prepared(self.gram, counted=self.counted)
        self.half_brains = [
            cka.prepared(cka.gram(average(area.response[:, half])), counted=self.counted)
            for half in (self._of_repetitions() if area.repeated_throughout else ())
        ]

    def score(self, layer: Layer) -> LayerScore:
        """Score one layer: its inner products with the area's, the null, bootstrap and halves."""
        gram = layer.once(cka.gram, lambda: cka.gram(layer.features))
        if self.area.seen is not None:  # the origin, the mean of all stimuli, does not matter
            gram = gram[np.ix_(self.area.shown, self.area.shown)]
        model = cka.prepared(gram, counted=self.counted)
        score = float(cka.products(model, self.brain))
        draws = cka.bootstrap_scores(model, self.brain, self.draws)
        cells = upper(model), upper(self.brain)
        if self.counted is None:
            error = comparison_error(*cells, "cosine")
        else:
            error = comparison_error(*cells, "cosine", self.units, upper(self.counted))
        return LayerScore(
            area_score=score,
            area_null=cka.permutation_null(model, self.brain, self.orders),
            area_bootstrap=rescaled(draws, score, error),
            neuroids={},
            selection=self._selection(gram),
        )

    def _of_repetitions(self) -> np.ndarray:
        """(split x half, repetition) bool."""
        return self.halves.reshape(-1, self.halves.shape[-1])

    def _selection(self, gram: np.ndarray) -> np.ndarray | None:
        """(split, half): the score on each half of the repetitions, else of the stimuli."""
        n_splits, n_halves, _ = self.halves.shape
        if not n_splits:
            return None
        if self.area.repeated_throughout:
            model = cka.prepared(gram, counted=self.counted)
            scores = [float(cka.products(model, brain)) for brain in self.half_brains]
        else:
            inside = [np.ix_(half, half) for half in self.halves.reshape(n_splits * n_halves, -1)]
            counted = self.counted
            among = [None if counted is None else counted[some] for some in inside]
            scores = [
                float(cka.cka(gram[some], self.gram[some], counted=own))
                for some, own in zip(inside, among, strict=True)
            ]
        return np.array(scores).reshape(n_splits, n_halves)
