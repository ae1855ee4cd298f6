"""Which mixture of all layers' dissimilarities is the area's (see `similarity.rsa_reweighted`)."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cortiscope.mappings.held_out import HeldOutSimilarity
from cortiscope.mappings.scores import LayerScore
from cortiscope.mappings.similarity import among
from cortiscope.networks.features import Layer
from cortiscope.regression.cross_validation import number_of_paired_folds
from cortiscope.similarity.held_out_cells import HeldOut, given_set_in_folds
from cortiscope.similarity.rsa import without_pattern
from cortiscope.similarity.rsa_reweighted import Reweighted, as_compared, best_single, predict, seen


class Scorer(HeldOutSimilarity):
    """Weights of 0 or more, by least squares over the pairs of other stimuli."""

    def score_together(self, layers: Sequence[Layer]) -> LayerScore:
        """Score all layers as one.

        layer_weights: the means over fits, per standard deviation of the layer's dissimilarities
        (or ranks), in that of the area's ranks or in the area's dissimilarity.
        """
        models = np.stack([self.layer_cells(layer) for layer in layers])

        def predicted(
            stimuli: np.ndarray, brains: np.ndarray, held_out: HeldOut
        ) -> list[np.ndarray]:
            own = models[:, among(np.isin(self.stimuli, stimuli))]
            return self._fitted(own, brains, held_out).predicted

        fitted = self._fitted(models, self.cells[None], self.held_out)
        found = self.learnt(predicted)
        if np.isnan(models).any(axis=1).all():
            found = replace(
                found,
                area_score=np.nan,
                area_null=np.full_like(found.area_null, np.nan),
                area_bootstrap=np.full_like(found.area_bootstrap, np.nan),
                selection=None if found.selection is None else found.selection * np.nan,
            )
        return replace(
            found,
            layer_weights=fitted.weights[0].mean(axis=0),
            best_single=best_single(models, self.cells, self.held_out, self.method),
            n_without_pattern=without_pattern(*models, self.cells),
        )

    def _fitted(self, models: np.ndarray, brains: np.ndarray, held_out: HeldOut) -> Reweighted:
        layers = as_compared(models, self.method)
        targets = as_compared(brains, self.method, seen(held_out))
        errors = self.settings["rsa_reweighted"]["standard_errors"]
        return predict(layers, targets, self._in_folds(held_out), errors)

    def _in_folds(self, held_out: HeldOut) -> HeldOut:
        """Of a given split, the training stimuli in folds, by which errors are told."""
        test, validation = self.validation.test, self.validation
        if test is None:
            return held_out
        count = int((~test).sum())
        folds = number_of_paired_folds(validation.folds, count, count)
        return given_set_in_folds(test, folds, validation.seed)
