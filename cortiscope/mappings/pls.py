"""Partial least squares of an area's neuroids, all together, on a layer (see `regression.pls`)."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cortiscope.experiment.responses import Area, recorded_together
from cortiscope.mappings.encoding import Encoding
from cortiscope.mappings.regressions import Predict, Regressions, Targets
from cortiscope.mappings.scores import LayerScore
from cortiscope.networks.features import Layer
from cortiscope.regression import brainscore, pls
from cortiscope.regression.held_out_scores import Predictions
from cortiscope.statistics.resampling import mean_of_known, p_value
from cortiscope.statistics.standard_errors import drawn_error, rescaled


@dataclass(frozen=True)
class Prepared:
    """What predicts targets, neuroids of a set together."""

    regression: pls.Regression

    def __call__(self, targets: Targets) -> Predictions:
        return self.regression.predict(targets.values, targets.sets)


class Scorer(Encoding):
    """In folds, as the other regressions are, or in Brain-Score's protocol.

    There a neuroid's score is its mean r over splits, and the area's the mean over splits of the
    median over neuroids, without weights.
    """

    at_once = numbers_at_once = refitted = sys.maxsize  # neuroids are regressed together

    def __init__(
        self, area: Area, settings: Mapping[str, Any], coordinates: Mapping[str, np.ndarray]
    ) -> None:
        if settings["pls"]["protocol"] == "brainscore":  # whose splits know no groups
            validation = settings["cross_validation"] | {"group": "", "block": 0, "gap": 0}
            settings = {**settings, "cross_validation": validation}
        super().__init__(area, settings, coordinates)
        self.categories = coordinates.get(settings["pls"]["category"])

    def prepare(self, features: np.ndarray, folds: np.ndarray) -> Prepared:
        return Prepared(pls.Regression(features, folds, self.components))

    def refit(self, features: np.ndarray, folds: np.ndarray) -> Predict:
        regression = pls.Regression(features, folds, self.components)
        return lambda targets: regression.predict(targets.values, targets.sets, quickly=True)

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
        neuroids = mean_of_known(found.r, axis=0)
        # Draws of medians lie to one side of the median.
        error = drawn_error(found.bootstrap, len(response))
        return LayerScore(
            area_score=found.score,
            area_null=null.score,
            area_bootstrap=rescaled(found.bootstrap, found.score, error),
            neuroids={
                "score": neuroids,
                "alpha": np.where(np.isfinite(neuroids), self.components, np.nan),
                "null_mean": mean_of_known(null.r, axis=0),
                "p_value": p_value(neuroids, null.r),
            },
            selection=self._published_selection(features) if len(self.halves) else None,
        )

    def _folds(self, stimuli: np.ndarray) -> np.ndarray:
        # The published splits are no folds, and may be of fewer groups than there are folds.
        return np.zeros(len(stimuli), int) if self.published else super()._folds(stimuli)

    def _null(self, regressions: Regressions) -> np.ndarray:
        """(permutation, neuroid): of neuroids recorded on some stimuli, these are permuted."""
        if self.validation.gap:  # every fold has a model of its own
            return super()._null(regressions)
        null = np.full((len(self.orders), self.response.shape[1]), np.nan)
        for rows, columns in recorded_together(self.response):
            orders = self.validation.orders_among(self.orders, rows)
            prepared = regressions.on(self.sample.among(rows))
            assert isinstance(prepared, Prepared)
            own = self.response[np.ix_(rows, columns)]
            null[:, columns] = prepared.regression.null_scores(own, orders)
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
