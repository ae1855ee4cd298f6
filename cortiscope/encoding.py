"""Encoding models: predict every neuroid from a layer's features, on stimuli held out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cortiscope import ridge
from cortiscope.cross_validation import fold_numbers
from cortiscope.features import Layer
from cortiscope.fitting import LayerScore
from cortiscope.halves import halves
from cortiscope.responses import Area, average
from cortiscope.statistics import bootstrap_weights, p_value, permutations, weighted_mean

# Right-hand sides solved together in the permutation null: enough for full speed of the matrix
# products, few enough to stay within some hundred megabytes at a thousand stimuli.
NULL_COLUMNS = 8192


@dataclass(frozen=True)
class Encoded:
    """score, alpha: (target,); bootstrap: (draw, neuroid). NaN where a target is constant."""

    score: np.ndarray
    alpha: np.ndarray
    bootstrap: np.ndarray


class Scorer:
    """Cross-validated ridge of one area's neuroids on a layer (see `cortiscope.ridge`)."""

    def __init__(self, area: Area, settings: Mapping[str, Any], groups: np.ndarray | None) -> None:
        self.area, self.settings, self.groups = area, settings, groups
        statistics = settings["statistics"]
        self.response = area.mean_response
        n_stimuli = len(self.response)
        self.folds = self._folds(np.arange(n_stimuli))
        self.draws = bootstrap_weights(n_stimuli, statistics["bootstraps"], statistics["seed"])
        self.orders = permutations(n_stimuli, statistics["permutations"], statistics["seed"])
        selection = settings["selection"]
        shared = area.response.shape[1] if area.repeated else n_stimuli
        # (split, half, repetition), or (split, half, stimulus) where trials were averaged
        self.halves = halves(shared, selection["splits"], selection["seed"])
        self.targets = self._targets()

    def _targets(self) -> np.ndarray:
        """(stimulus, target): every neuroid's mean response, then its mean over each half."""
        if not self.area.repeated:
            return self.response
        chosen = self.halves.reshape(-1, self.halves.shape[-1])
        return np.hstack([self.response, *(average(self.area.response[:, c]) for c in chosen)])

    def score(self, layer: Layer) -> LayerScore:
        """Score one layer: every neuroid, the area, its null, its bootstrap, its halves."""
        features, weight = layer.features, self.area.weight
        # One solve for all data and for the halves of the repetitions: what it costs beyond a few
        # matrix products depends on the features alone.
        encoded = self._encode(features, self.targets, self.folds, self.draws)
        n_neuroids = self.response.shape[1]
        score, alpha = encoded.score[:n_neuroids], encoded.alpha[:n_neuroids]
        null = self._null(features)
        return LayerScore(
            area_score=float(weighted_mean(score, weight)),
            area_null=weighted_mean(null, weight),
            area_bootstrap=weighted_mean(encoded.bootstrap, weight),
            selection=self._selection(features, encoded.score[n_neuroids:]),
            neuroids={
                "score": score,
                "alpha": alpha,
                "null_mean": null.mean(axis=0) if len(null) else np.full(n_neuroids, np.nan),
                "p_value": p_value(score, null),
            },
        )

    def _folds(self, stimuli: np.ndarray) -> np.ndarray:
        validation = self.settings["cross_validation"]
        groups = None if self.groups is None else self.groups[stimuli]
        return fold_numbers(len(stimuli), validation["folds"], validation["seed"], groups)

    def _encode(
        self,
        features: np.ndarray,
        targets: np.ndarray,
        folds: np.ndarray,
        draws: np.ndarray | None = None,
        dtype: type = np.float64,
    ) -> Encoded:
        """Score targets (stimulus, target), each on the stimuli on which it was recorded."""
        n_targets, n_neuroids = targets.shape[1], self.response.shape[1]
        score, alpha = np.full(n_targets, np.nan), np.full(n_targets, np.nan)
        bootstrap = np.full((0 if draws is None else len(draws), n_neuroids), np.nan)
        for rows, columns in recorded_together(targets):
            values = targets[np.ix_(rows, columns)]
            if self.settings["ridge"]["protocol"] == "conwell2021":
                score[columns] = ridge.conwell2021(features[rows], values)
                continue
            kernel = ridge.kernel(features[rows])
            predicted = ridge.predict(
                kernel, values, folds[rows], self.settings["ridge"]["alphas"], dtype
            )
            score[columns] = ridge.fold_centred_correlation(predicted, values, folds[rows])
            alpha[columns] = np.exp(np.log(predicted.alpha).mean(axis=0))
            if draws is not None:
                whole = columns < n_neuroids  # the halves of the repetitions need no interval
                bootstrap[:, columns[whole]] = ridge.bootstrap_scores(
                    ridge.chosen(predicted, whole), values[:, whole], folds[rows], draws[:, rows]
                )
        return Encoded(score, alpha, bootstrap)

    def _null(self, features: np.ndarray) -> np.ndarray:
        """(permutation, neuroid): scores when stimuli are permuted, alpha chosen anew each time."""
        n_neuroids = self.response.shape[1]
        null = np.full((len(self.orders), n_neuroids), np.nan)
        step = max(1, NULL_COLUMNS // n_neuroids)
        for start in range(0, len(self.orders), step):
            orders = self.orders[start : start + step]
            shuffled = np.moveaxis(self.response[orders], 0, 1)  # (stimulus, permutation, neuroid)
            targets = shuffled.reshape(len(self.response), -1)
            encoded = self._encode(features, targets, self.folds, dtype=np.float32)
            null[start : start + step] = encoded.score.reshape(len(orders), n_neuroids)
        return null

    def _selection(self, features: np.ndarray, half_scores: np.ndarray) -> np.ndarray:
        """(split, half): the area's score on each half of the repetitions, else of the stimuli.

        half_scores: (split * half * neuroid,), of the halves of the repetitions.
        """
        n_splits, n_halves = self.halves.shape[:2]
        if self.area.repeated:
            by_half = half_scores.reshape(n_splits, n_halves, -1)
            return weighted_mean(by_half, self.area.weight)
        scores = np.empty((n_splits, n_halves))
        for split, half in np.ndindex(n_splits, n_halves):
            stimuli = np.flatnonzero(self.halves[split, half])
            encoded = self._encode(features[stimuli], self.response[stimuli], self._folds(stimuli))
            scores[split, half] = weighted_mean(encoded.score, self.area.weight)
        return scores


def recorded_together(targets: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Group the columns of (stimulus, target) by the stimuli on which they were recorded.

    Yields (stimuli, columns) as index arrays; columns recorded on fewer than 4 stimuli are left
    out: nothing can be trained, chosen and tested on less.
    """
    recorded = np.isfinite(targets)
    if recorded.all():
        yield np.arange(len(targets)), np.arange(targets.shape[1])
        return
    patterns, group = np.unique(recorded, axis=1, return_inverse=True)
    for number, pattern in enumerate(patterns.T):
        if pattern.sum() >= 4:
            yield np.flatnonzero(pattern), np.flatnonzero(group == number)
