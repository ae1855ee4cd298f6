"""Procrustes similarity of a layer and an area, adjusted for chance.

With X (stimulus, component) and Y (stimulus, neuroid) centred over stimuli and of norm 1, and
s_1, s_2, ... the singular values of X'Y, the best rotation of one onto the other leaves

    c = max over rotations Q of <X Q, Y> = s_1 + s_2 + ...,   0..1, and 1 of what is X but rotated

the cosine of the Procrustes angle. Of noise it is far above 0 where there are as many neuroids as
stimuli, so that it is adjusted as agreement of partitions is by Hubert and Arabie (1985):

    score = (c - c_0) / (1 - c_0)

c_0 the mean of c over permutations of the stimuli of Y, which are the same for all layers. Systems
that share nothing but their stimuli score 0 on average, whatever their spectra; identity, rotation
and scale 1. Stimuli that are drawn together are permuted together, so that what copies of a picture
have in common is chance.

Sources: Williams, Kunz, Kornblith and Linderman (2021), Generalized shape metrics on neural
representations; Hubert and Arabie (1985), Comparing partitions. Another estimate of c without bias,
by moments of the spectrum: Pospisil, Larsen, Harvey and Williams (2024), Estimating shape distances
on neural representations with limited samples; its zero is no rotation of new stimuli at all, not
that of as many as these.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cortiscope.experiment.responses import Area, average
from cortiscope.mappings.scores import LayerScore
from cortiscope.mappings.similarity import known_cells, resampled
from cortiscope.networks.features import Layer
from cortiscope.regression.cross_validation import CrossValidation
from cortiscope.similarity.cka import distance_gram
from cortiscope.statistics import standard_errors
from cortiscope.statistics.rounding import KEPT, centred, rounding

# Permutations that chance is the mean of, at least; and of the parts of a jackknife.
CHANCE, CHANCE_OF_PARTS = 100, 25


class Scorer:
    """The layer's patterns with the area's mean responses, of the neuroids recorded throughout.

    Of an area of which only dissimilarities are known, these are taken as squared distances.
    """

    def __init__(
        self, area: Area, settings: Mapping[str, Any], coordinates: Mapping[str, np.ndarray]
    ) -> None:
        self.area = area
        self.validation = CrossValidation.of(settings.get("cross_validation", {}), coordinates)
        seed, self.n_permutations = (
            settings["statistics"][key] for key in ("seed", "permutations")
        )
        _, self.draws, self.halves = resampled(area, settings, self.validation)
        count = max(self.n_permutations, CHANCE)
        self.orders = self.validation.orders(area.n_shown, count, seed)  # of all that were shown
        self.units = self.validation.units(area.n_shown)[area.shown]
        alike = np.zeros(len(self.units), dtype=int)
        self.groups = standard_errors.deletion_groups(alike, seed, self.units)
        cells = known_cells(area)
        self.brain = _complete(area.mean_response) if cells is None else _points(cells)

    def score(self, layer: Layer) -> LayerScore:
        """Score one layer: its null, its bootstrap and halves."""
        features = layer.features[self.area.shown]
        found, chance = self._compared(features, self.brain, self.area.shown, self.orders)
        score = adjusted(found, chance.mean())
        null = adjusted(chance[: self.n_permutations], chance.mean())
        return LayerScore(
            area_score=float(score),
            area_null=null,
            area_bootstrap=self._intervals(features, float(score), float(chance.mean())),
            neuroids={},
            selection=self._selection(features),
        )

    def _compared(
        self, features: np.ndarray, brain: np.ndarray, shown: np.ndarray, orders: np.ndarray
    ) -> tuple[float, np.ndarray]:
        """The similarity, and (permutation,) those with the stimuli of the brain permuted.

        shown: (stimulus,), their numbers among all that were shown, of whom orders are.
        """
        one, other = prepared(features), prepared(brain)
        own = self.validation.orders_among(orders, shown)
        return similarity(one, other), np.array([similarity(one, other[order]) for order in own])

    def _intervals(self, features: np.ndarray, score: float, chance: float) -> np.ndarray:
        """(draw,): the score with stimuli resampled, brought to its standard error.

        Draws have the rotation and the chance of all stimuli. The error is of the jackknife, in
        which others have their own: without these intervals are too narrow, by a third.
        """
        if not len(self.draws) or np.isnan(score):
            return np.full(len(self.draws), np.nan)
        one, other = prepared(features), prepared(self.brain)
        left, _, right = np.linalg.svd(one.T @ other, full_matrices=False)
        shared = self.draws @ np.sum((one @ left) * (other @ right.T), axis=1)
        sizes = [self.draws @ np.square(each).sum(axis=1) for each in (one, other)]
        draws = adjusted(shared / np.sqrt(sizes[0] * sizes[1]), chance)

        def without(kept: np.ndarray) -> float:
            some = self.orders[:CHANCE_OF_PARTS]
            of_part = self._compared(features[kept], self.brain[kept], self.area.shown[kept], some)
            return float(adjusted(of_part[0], of_part[1].mean()))

        left_out = standard_errors.each_left_out(without, self.groups)
        error = standard_errors.jackknifed_error(left_out)
        return standard_errors.rescaled(draws, score, error)

    def _selection(self, features: np.ndarray) -> np.ndarray | None:
        """(split, half): the score on each half of the repetitions, else of the stimuli."""
        if not len(self.halves):
            return None
        scores = []
        for half in self.halves.reshape(-1, self.halves.shape[-1]):
            stimuli, brain = np.ones(len(features), dtype=bool), self.brain
            if self.area.repeated_throughout:
                brain = _complete(average(self.area.response[:, half]))
            else:
                stimuli = half
            shown = self.area.shown[stimuli]
            found, chance = self._compared(features[stimuli], brain[stimuli], shown, self.orders)
            scores.append(adjusted(found, chance.mean()))
        return np.array(scores).reshape(self.halves.shape[:2])


def prepared(patterns: np.ndarray) -> np.ndarray:
    """Patterns (stimulus, feature) centred over stimuli, of norm 1 and no wider than long.

    Features that outnumber the stimuli are turned onto as many axes, which no rotation sees. NaN
    throughout where stimuli do not differ, or there are no features.
    """
    rows = centred(np.asarray(patterns, dtype=np.float64), axis=0)
    if rows.shape[1] > len(rows):
        rows = np.linalg.qr(rows.T).R.T
    norm = np.linalg.norm(rows)
    defined = norm > np.linalg.norm(patterns) * rounding(patterns)
    return rows / norm if defined else np.full((len(rows), 1), np.nan)


def similarity(one: np.ndarray, other: np.ndarray) -> float:
    """The cosine of the Procrustes angle of patterns from `prepared`: 0..1."""
    product = one.T @ other  # (feature, stimulus) x (stimulus, feature)
    if not np.isfinite(product).all():
        return np.nan
    return float(np.linalg.svd(product, compute_uv=False).sum())


def adjusted(similarity: float | np.ndarray, chance: float) -> np.ndarray:
    """1 where the similarity is 1, 0 where it is chance; NaN where chance reaches 1 as well."""
    room = 1 - chance
    return (np.asarray(similarity) - chance) / (room if room > KEPT else np.nan)


def _complete(patterns: np.ndarray) -> np.ndarray:
    return patterns[:, np.isfinite(patterns).all(axis=0)]


def _points(cells: np.ndarray) -> np.ndarray:
    """Patterns (stimulus, axis) of these squared distances (cell,), but for what no points have."""
    spectrum, axes = np.linalg.eigh(distance_gram(cells))
    return axes * np.sqrt(np.maximum(spectrum, 0.0))
