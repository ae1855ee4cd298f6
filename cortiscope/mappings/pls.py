"""Partial least squares of an area's neuroids, all together, on a layer (see `cortiscope.pls`)."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cortiscope import brainscore, pls
from cortiscope.features import Layer
from cortiscope.fitting import LayerScore
from cortiscope.mappings.encoding import Encoding, Predict, Regressions, recorded_together
from cortiscope.responses import Area
from cortiscope.statistics import p_value


class Scorer(Encoding):
    """In folds, as the other regressions are, or in Brain-Score's protocol.

    There a neuroid's score is its mean r over splits, and the area's the mean over splits of the
    median over neuroids, without weights.
    """

    def __init__(
        self, area: Area, settings: Mapping[str, Any], coordinates: Mapping[str, np.ndarray]
    ) -> None:
        super().__init__(area, settings, coordinates)
        self.categories = coordinates.get(settings["pls"]["category"])

    def prepare(self, features: np.ndarray, folds: np.ndarray) -> Predict:
        return lambda targets: pls.predict(
            features, targets.values, folds, self.components, targets.sets
        )

    @property
    def components(self) -> int:
        return int(self.settings["pls"]["components"])

    @property
    def published(self) -> bool:
        return bool(self.settings["pls"]["protocol"] == "brainscore")

    def score(self, layer: Layer) -> LayerScore:
        if not self.published:
            return super().score(layer)
        features, response = layer.features, self.response
        found = brainscore.predict(
            features, response, self.categories, components=self.components, draws=self.draws
        )
        null = brainscore.null(
            features, response, self.categories, self.orders, components=self.components
        )
        neuroids = brainscore.mean(found.r)
        return LayerScore(
            area_score=found.score,
            area_null=null.score,
            area_bootstrap=found.bootstrap,
            selection=self._published_selection(features),
            neuroids={
                "score": neuroids,
                "alpha": np.where(np.isfinite(neuroids), self.components, np.nan),
                "null_mean": brainscore.mean(null.r),
                "p_value": p_value(neuroids, null.r),
            },
        )

    def _folds(self, stimuli: np.ndarray) -> np.ndarray:
        # The published splits are no folds, and may be of fewer groups than there are folds.
        return np.zeros(len(stimuli), int) if self.published else super()._folds(stimuli)

    def _null(self, regressions: Regressions) -> np.ndarray:
        """(permutation, neuroid): of neuroids recorded on some stimuli, these are permuted."""
        null = np.full((len(self.orders), self.response.shape[1]), np.nan)
        for rows, columns in recorded_together(self.response):
            place = np.full(len(self.response), -1)
            place[rows] = np.arange(len(rows))
            found = place[self.orders]
            orders = found[found >= 0].reshape(len(self.orders), len(rows))
            null[:, columns] = pls.null_scores(
                regressions.features[rows],
                self.response[np.ix_(rows, columns)],
                self.sample.folds[rows],
                orders,
                self.components,
            )
        return null

    def _published_selection(self, features: np.ndarray) -> np.ndarray:
        """(split, half), as `_selection`; halves of the stimuli are split without categories."""
        n_splits, n_halves = self.halves.shape[:2]
        scores = np.empty((n_splits, n_halves))
        for number, (split, half) in enumerate(np.ndindex(n_splits, n_halves)):
            inputs, response, categories = features, self.response, self.categories
            if self.area.repeated:
                own = number * response.shape[1] + np.arange(response.shape[1])
                response = self.half_targets[:, own]
            else:
                shown = self.halves[split, half]
                inputs, response, categories = features[shown], response[shown], None
            found = brainscore.predict(inputs, response, categories, components=self.components)
            scores[split, half] = found.score
        return scores
