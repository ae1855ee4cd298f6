"""Stacked regression of an area's neuroids on all layers of a model (see `regression.stacked`)."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from cortiscope.mappings.regressions import Predict, Regressions, Targets
from cortiscope.mappings.scores import LayerScore
from cortiscope.mappings.strengths import Strengths, shares
from cortiscope.networks.features import Layer
from cortiscope.regression import stacked
from cortiscope.regression.held_out_scores import Predictions
from cortiscope.statistics.resampling import mean_of_known


@dataclass(frozen=True)
class Weighted(Predictions):
    """weights: (layer, fold, neuroid), what each layer gives to the predictions; ends, the same:
    whether its strength is the least (-1) or the largest (1) of all.
    """

    weights: np.ndarray = field(kw_only=True)
    ends: np.ndarray = field(kw_only=True)


class Scorer(Strengths):
    """`alpha` is the sum of the weights of the layers, 0..1; the rest is the mean response."""

    def score_together(self, layers: Sequence[Layer]) -> LayerScore:
        """Score all layers of a model as one, and how much each gives to that."""
        self.features = [layer.features for layer in layers]
        self.n_chosen = 3 + len(layers)

        def make() -> Regressions:
            gap = self.validation.gap
            return Regressions(self.prepare, self.sample.stimuli, len(layers), gap=gap)

        regressions = layers[0].once(self.regression, make)
        encoded = self._all(regressions)
        # (layer, neuroid): those count that count for the area's score
        weights = np.where(np.isfinite(encoded.score), encoded.chosen[3:], np.nan)
        result = self._reported(regressions, encoded)
        return replace(result, layer_weights=mean_of_known(weights))

    def prepare(self, stimuli: np.ndarray, folds: np.ndarray) -> Predict:
        """From the numbers of stimuli (stimulus,), whose features are taken layer by layer."""
        alphas = self.settings["stacked"]["alphas"]
        features = (layer[stimuli] for layer in self.features)
        regression = stacked.Regression(features, folds, alphas)

        def predict(targets: Targets) -> Predictions:
            found = regression.predict(targets.values, targets.dtype)
            held = found.predictions
            return Weighted(
                held.values, held.alpha, held.spread, weights=found.weights, ends=found.ends
            )

        return predict

    def chosen(self, predictions: Predictions) -> np.ndarray:
        """The mean over folds, which may be 0: of the sum of the weights, and of each weight.

        Between them the shares, over folds and layers, of strengths at an end.
        """
        assert isinstance(predictions, Weighted)
        by_layer = predictions.weights.mean(axis=1)
        ends = shares(predictions.ends.reshape(-1, by_layer.shape[1]))
        return np.vstack([by_layer.sum(axis=0), ends, by_layer])
