"""What every mapping is asked, and what it answers of a layer and an area."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from cortiscope.experiment.responses import Area
from cortiscope.networks.features import Layer


@dataclass(frozen=True)
class LayerScore:
    """How well one layer, or all together, explain one area, by one mapping.

    area_score: the whole area's held-out score. area_null: (permutation,) the same with stimuli
    permuted, the same way for all layers. area_bootstrap: (draw,) with stimuli resampled.
    neuroids: what the mapping says of each neuroid, name to (neuroid,); where they are predicted,
    `neuroid_bootstrap` (draw, neuroid), a few of the draws, by which each chooses its own layer.
    selection: (split, half), scores with half of the data only, where layers are chosen by these.
    layer_weights: (layer,), what each layer gives to the score of all together, 0 or more.
    best_single: the score of the one layer that is best in training, chosen and tested on the same
    stimuli as all together; NaN where the mapping does not say.
    n_without_pattern: stimuli without a dissimilarity to others, in the layer or the area.
    by_subject: of an area that is scored by subject, name to (subject,), of the variance of their
    mean name to (), and `stimulus_bootstrap` (draw,); see `by_subject`.
    at_edge: (2,), of the neuroids that count, the shares whose strength of regularisation is the
    least and the largest of all that may be tried (see `regression.strengths`), averaged over
    folds; NaN where the mapping chooses none.
    """

    area_score: float
    area_null: np.ndarray
    area_bootstrap: np.ndarray
    neuroids: Mapping[str, np.ndarray]
    selection: np.ndarray | None = None
    layer_weights: np.ndarray | None = None
    best_single: float = float("nan")
    n_without_pattern: int = 0
    by_subject: Mapping[str, np.ndarray] | None = None
    at_edge: np.ndarray = field(default_factory=lambda: np.full(2, np.nan))


class Scorer(Protocol):
    """Scores layers of one area; what does not depend on the layer is done once, at the start.

    That of a joint mapping has `score_together` in place of `score`.
    """

    def __init__(
        self, area: Area, settings: Mapping[str, Any], coordinates: Mapping[str, np.ndarray]
    ) -> None:
        """settings: the sections of the config that the mapping reads, and what these name."""

    def score(self, layer: Layer) -> LayerScore:
        """Score one layer."""

    def score_together(self, layers: Sequence[Layer]) -> LayerScore:
        """Score all layers of a model as one."""
