"""What a layer predicts of an area's neuroids beyond low-level models (see `banded_ridge`)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from cortiscope import banded_ridge, ridge
from cortiscope.banded_ridge import signed_square
from cortiscope.features import Layer
from cortiscope.fitting import LayerScore
from cortiscope.mapping_kinds import low_level
from cortiscope.mappings.encoding import Encoded, Encoding, Tested, geometric_mean
from cortiscope.mappings.regressions import Predict, Regressions, Sample
from cortiscope.nested import decompose
from cortiscope.responses import Area
from cortiscope.ridge import Predictions


class Scorer(Encoding):
    """The variance of each neuroid that a layer and low-level models predict, less the latter's."""

    def __init__(
        self, area: Area, settings: Mapping[str, Any], coordinates: Mapping[str, np.ndarray]
    ) -> None:
        super().__init__(area, settings, coordinates)
        kernels = [ridge.kernel(coordinates[name]) for name in low_level(settings)]
        values, vectors = decompose(np.mean(kernels, axis=0))  # each model counts the same
        self.low_level = vectors * np.sqrt(values)  # (stimulus, component), of that mean kernel
        self.without_layer = Regressions(self.prepare, self.low_level)

    def prepare(self, features: np.ndarray, folds: np.ndarray) -> Predict:
        """Of low-level components, and of a layer's behind them where there are any."""
        n_low_level = self.low_level.shape[1]
        sets = np.split(features, [n_low_level], axis=1)
        kernels = [ridge.kernel(part) for part in sets if part.shape[1]]
        alphas = self.settings["banded_ridge"]["alphas"]
        regression = banded_ridge.Regression(kernels, folds, alphas)
        return lambda targets: regression.predict(targets.values, targets.dtype)

    def chosen(self, predictions: Predictions) -> np.ndarray:
        return geometric_mean(predictions.alpha)

    def score(self, layer: Layer) -> LayerScore:
        """Score one layer; also what it explains alone, what low-level models do, and both."""

        def both() -> Regressions:
            known = self.low_level.astype(layer.features.dtype)
            return Regressions(self.prepare, np.hstack([known, layer.features]))

        def alone() -> Regressions:
            return Regressions(self._prepare_alone, layer.features)

        regressions = layer.once(self.regression, both)
        of_layer = self._explained(layer.once((*self.regression, "alone"), alone))
        of_low_level = self._explained(self.without_layer)
        found = self._reported(regressions, self._all(regressions))
        shares = {
            "explained_layer": of_layer,
            "explained_low_level": of_low_level,
            "explained_shared": of_layer - found.neuroids["score"],
        }
        return replace(found, neuroids={**found.neuroids, **shares})

    def _prepare_alone(self, features: np.ndarray, folds: np.ndarray) -> Predict:
        alphas = self.settings["banded_ridge"]["alphas"]
        regression = ridge.Regression(ridge.kernel(features), folds, alphas)
        return lambda targets: regression.predict(targets.values, targets.dtype)

    def _explained(self, regressions: Regressions) -> np.ndarray:
        """(neuroid,): variance explained of all the data."""
        if self.validation.test is not None:
            return signed_square(super()._tested(regressions).score)
        return signed_square(super()._encode(regressions, self.sample, self.response).score)

    def _encode(
        self,
        regressions: Regressions,
        sample: Sample,
        targets: np.ndarray,
        draws: np.ndarray | None = None,
        dtype: type = np.float64,
    ) -> Encoded:
        """What both sets explain less what the low-level models do."""
        both, low_level = (
            super(Scorer, self)._encode(some, sample, targets, draws, dtype)
            for some in (regressions, self.without_layer)
        )
        score = signed_square(both.score) - signed_square(low_level.score)
        bootstrap = signed_square(both.bootstrap) - signed_square(low_level.bootstrap)
        return Encoded(score, both.chosen, bootstrap)

    def _tested(self, regressions: Regressions) -> Tested:
        """The same of a given split."""
        both, low_level = (
            super(Scorer, self)._tested(some) for some in (regressions, self.without_layer)
        )
        return Tested(
            signed_square(both.score) - signed_square(low_level.score),
            both.chosen,
            signed_square(both.bootstrap) - signed_square(low_level.bootstrap),
            signed_square(both.null) - signed_square(low_level.null),
            signed_square(both.halves) - signed_square(low_level.halves),
        )
