"""Encoding models: predict every neuroid from a layer's features, on stimuli held out.

What all regressions share; each says in a module of its own how it predicts.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cortiscope.experiment.responses import Area, average, recorded_together
from cortiscope.mappings.regressions import Predict, Regressions, Sample, Targets, can_train
from cortiscope.mappings.scores import LayerScore
from cortiscope.networks.features import Layer
from cortiscope.regression import given_split
from cortiscope.regression.cross_validation import TRAINING, CrossValidation
from cortiscope.regression.held_out_scores import (
    Predictions,
    bootstrap_scores,
    fold_centred_correlation,
    moved_scores,
)
from cortiscope.statistics import standard_errors
from cortiscope.statistics.halves import halves
from cortiscope.statistics.resampling import (
    NULL_COLUMNS,
    mean_of_known,
    orders_among,
    p_value,
)

# Of draws, so many are kept of every neuroid, to choose its own layer by.
OWN_DRAWS = 20


@dataclass(frozen=True)
class Encoded:
    """score: (target,); chosen: (value, target); bootstrap: (draw, target). NaN = not scored.

    chosen: what the models took inside their training stimuli, see `Encoding.chosen`. null:
    (permutation, target), with predictions moved against the responses; none where models are
    fitted anew for it.
    """

    score: np.ndarray
    chosen: np.ndarray
    bootstrap: np.ndarray
    null: np.ndarray


@dataclass(frozen=True)
class Tested(Encoded):
    """Of a given split, whose one fit serves all: with half of the data halves
    (split, half, target), where layers are chosen by these.
    """

    halves: np.ndarray


class Encoding(ABC):
    """A cross-validated regression of one area's neuroids on a layer.

    n_chosen: how many values `chosen` gives of a target. at_once, numbers_at_once: how many targets
    are predicted at once, and of how many numbers, so that copies of thousands of neuroids on
    thousands of stimuli do not fill the memory. refitted: on how many neuroids of an area it is
    seen what other models would add to the error of the score.
    """

    n_chosen = 1
    at_once, numbers_at_once = 2048, 2**23
    refitted = 512

    def __init__(
        self, area: Area, settings: Mapping[str, Any], coordinates: Mapping[str, np.ndarray]
    ) -> None:
        self.area, self.settings = area, settings
        self.validation = CrossValidation.of(settings["cross_validation"], coordinates)
        statistics = settings["statistics"]
        self.response, self.seed = area.mean_response, statistics["seed"]
        n_stimuli, stimuli = len(self.response), np.arange(len(self.response))
        self.sample = Sample(stimuli, self._folds(stimuli))
        self.units = self.validation.units(n_stimuli)
        self.draws = self.validation.draws(n_stimuli, statistics["bootstraps"], self.seed)
        self.orders = self.validation.orders(n_stimuli, statistics["permutations"], self.seed)
        self.moved = self.orders[:0] if statistics.get("null_method") != "moved" else self.orders
        self.groups = standard_errors.deletion_groups(self.sample.folds, self.seed, self.units)
        self.halves = np.empty((0, 2, n_stimuli), dtype=bool)
        if settings["selection"]["method"] == "halves":
            self._halve(settings["selection"])

    def _halve(self, selection: Mapping[str, Any]) -> None:
        """(split, half, repetition), or (split, half, stimulus) where trials were averaged."""
        n_stimuli, n_repetitions = self.area.response.shape[:2]
        shared = n_repetitions if self.area.repeated else n_stimuli
        make = halves if self.area.repeated else self.validation.halves
        self.halves = make(shared, selection["splits"], selection["seed"])
        if self.area.repeated:
            chosen = self.halves.reshape(-1, shared)
            # (stimulus, split * half * neuroid): every neuroid's mean over each half
            self.half_targets = np.hstack([average(self.area.response[:, c]) for c in chosen])

    @abstractmethod
    def prepare(self, features: np.ndarray, folds: np.ndarray) -> Predict:
        """Do once what all responses share; gives what predicts each fold from the others.

        features (stimulus, component), folds (stimulus,) numbers. Of the settings alone, so that
        areas can share it.
        """

    def refit(self, features: np.ndarray, folds: np.ndarray) -> Predict:
        """As `prepare`, for targets with the strengths (`Targets.alpha`) that all stimuli chose.

        For intervals, which count that other stimuli would train other models.
        """
        return self.prepare(features, folds)

    def refitted_at(self, encoded: Encoded) -> np.ndarray:
        """(target,): the strength at which all folds are fitted again, where there is a choice."""
        return encoded.chosen[0]

    def chosen(self, predictions: Predictions) -> np.ndarray:
        """(value, target): what to report as `alpha`, its mean over folds, and what else is kept.

        The mean is that of a quantity such as a number of components; strengths, which are powers
        of ten apart, have another.
        """
        return predictions.alpha.mean(axis=0, keepdims=True)

    def centred_within(self, folds: np.ndarray) -> np.ndarray:
        """The sets of stimuli (stimulus,) within which predictions and responses are centred."""
        return folds

    def score(self, layer: Layer) -> LayerScore:
        """Score one layer: every neuroid, the area, its null, its bootstrap."""

        def make() -> Regressions:
            gap = self.validation.gap
            return Regressions(self.prepare, layer.features, refit=self.refit, gap=gap)

        regressions = layer.once(self.regression, make)
        return self._reported(regressions, self._all(regressions))

    @property
    def regression(self) -> tuple[type, str]:
        """What is regressed how: areas share what is prepared, mappings and settings do not."""
        return type(self), repr(self.settings)

    def _all(self, regressions: Regressions) -> Encoded:
        if self.validation.test is not None:
            return self._tested(regressions)
        return self._encode(regressions, self.sample, self.response, resampled=True)

    def _reported(self, regressions: Regressions, encoded: Encoded) -> LayerScore:
        null = encoded.null
        if isinstance(encoded, Tested):
            selection = mean_of_known(encoded.halves)
        else:
            null = null if len(null) else self._null(regressions)
            selection = self._selection(regressions)
        of_area = mean_of_known(encoded.bootstrap)
        stretch = standard_errors.stretch(of_area, self._error(regressions, encoded, of_area))
        score = float(mean_of_known(encoded.score))
        own_draws = standard_errors.stretched(encoded.bootstrap, encoded.score, stretch)
        return LayerScore(
            area_score=score,
            area_null=mean_of_known(null),
            area_bootstrap=standard_errors.stretched(of_area, score, stretch),
            neuroids={
                "score": encoded.score,
                "alpha": encoded.chosen[0],
                "null_mean": null.mean(axis=0) if len(null) else np.full(null.shape[1], np.nan),
                "p_value": p_value(encoded.score, null),
                "neuroid_bootstrap": own_draws[:OWN_DRAWS],
            },
            selection=selection if len(selection) else None,
        )

    def _error(self, regressions: Regressions, encoded: Encoded, draws: np.ndarray) -> float:
        """Standard error of the z of the area's score; draws (draw,), of its test stimuli alone."""
        if not len(draws):
            return float("nan")
        folds, within = self.sample.folds, self.centred_within(self.sample.folds)
        if self.validation.test is not None:
            return standard_errors.resampled_error(draws, within[folds != TRAINING])
        drawn = np.unique(self.units, return_index=True)[1]  # a stimulus of each unit
        resampled = standard_errors.resampled_error(draws, within[drawn])
        some = evenly(np.flatnonzero(np.isfinite(encoded.score)), self.refitted)
        left_out = standard_errors.each_left_out(
            lambda kept: self._refitted(regressions, kept, encoded, some), self.groups
        )
        of_some = mean_of_known(encoded.bootstrap[:, some])
        theirs = standard_errors.resampled_error(of_some, within[drawn])
        refitted = standard_errors.refitted_error(mean_of_known(left_out), theirs, len(drawn))
        return refitted * resampled / theirs if theirs > 0 else refitted

    def _refitted(
        self, regressions: Regressions, kept: np.ndarray, encoded: Encoded, some: np.ndarray
    ) -> np.ndarray:
        """Scores of some neuroids, by their numbers, on some of the stimuli, (stimulus,) bool."""
        part, alpha = self.sample.among(kept), self.refitted_at(encoded)[some]
        responses = self.response[np.ix_(kept, some)]
        return self._encode(regressions, part, responses, np.float32, alpha).score

    def _folds(self, stimuli: np.ndarray) -> np.ndarray:
        return self.validation.numbers(stimuli)

    def _encode(
        self,
        regressions: Regressions,
        sample: Sample,
        targets: np.ndarray,
        dtype: type = np.float64,
        alpha: np.ndarray | None = None,
        resampled: bool = False,
    ) -> Encoded:
        """Score targets (stimulus, target) of a sample, each where it was recorded.

        resampled: with draws, and moved permutations, of all stimuli.
        """
        n_targets, within = targets.shape[1], self.centred_within(sample.folds)
        sets = np.arange(n_targets) // self.response.shape[1]
        score, chosen = np.full(n_targets, np.nan), np.full((self.n_chosen, n_targets), np.nan)
        counts = (len(self.draws), len(self.moved)) if resampled else (0, 0)
        bootstrap, null = (np.full((count, n_targets), np.nan) for count in counts)
        for rows, columns in self._recorded_together(targets, sample):
            values = targets[np.ix_(rows, columns)]
            given = None if alpha is None else alpha[columns]
            predict = regressions.on(sample.among(rows), given is not None)
            predicted = predict(Targets(values, dtype, sets[columns], given))
            score[columns] = fold_centred_correlation(predicted, values, within[rows])
            chosen[:, columns] = self.chosen(predicted)
            if resampled:
                bootstrap[:, columns] = bootstrap_scores(
                    predicted, values, within[rows], self.draws[:, rows]
                )
                orders = self.validation.orders_among(self.moved, rows)
                moved = moved_scores(predicted, values, within[rows], orders)
                null[:, columns] = standard_errors.refitted_null(moved)
        return Encoded(score, chosen, bootstrap, null)

    def _recorded_together(
        self, targets: np.ndarray, sample: Sample
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """As `recorded_together`, some at once, without columns of which a gap leaves nothing to
        train on.
        """
        for rows, columns in recorded_together(targets):
            if can_train(sample.among(rows), self.validation.gap):
                step = max(1, min(self.at_once, self.numbers_at_once // len(targets)))
                for start in range(0, len(columns), step):
                    yield rows, columns[start : start + step]

    def _null(self, regressions: Regressions) -> np.ndarray:
        """(permutation, neuroid): scores when stimuli are permuted, alpha chosen anew each time.

        Of neuroids recorded on some stimuli these are permuted, so that one preparation serves all.
        """
        null = np.full((len(self.orders), self.response.shape[1]), np.nan)
        for rows, columns in self._recorded_together(self.response, self.sample):
            sample, own = self.sample.among(rows), self.response[np.ix_(rows, columns)]
            predict, within = regressions.on(sample), self.centred_within(sample.folds)
            orders = self.validation.orders_among(self.orders, rows)
            step = max(1, NULL_COLUMNS // len(columns))
            for start in range(0, len(orders), step):
                shuffled = np.moveaxis(own[orders[start : start + step]], 0, 1)
                values = shuffled.reshape(len(rows), -1)  # (stimulus, permutation * neuroid)
                sets = np.arange(values.shape[1]) // len(columns)
                predicted = predict(Targets(values, np.float32, sets))
                scores = fold_centred_correlation(predicted, values, within)
                null[start : start + step, columns] = scores.reshape(-1, len(columns))
        return null

    def _selection(self, regressions: Regressions) -> np.ndarray:
        """(split, half): the area's score on each half of the repetitions, else of the stimuli.

        No splits where layers are not chosen by halves.
        """
        n_splits, n_halves = self.halves.shape[:2]
        if self.area.repeated and n_splits:
            # At half the precision, like the null: only means over neuroids are kept of them.
            targets = self.half_targets
            encoded = self._encode(regressions, self.sample, targets, dtype=np.float32)
            by_half = encoded.score.reshape(n_splits, n_halves, -1)
            return mean_of_known(by_half)
        scores = np.empty((n_splits, n_halves))
        for split, half in np.ndindex(n_splits, n_halves):
            stimuli = np.flatnonzero(self.halves[split, half])
            sample = Sample(stimuli, self._folds(stimuli))
            encoded = self._encode(regressions, sample, self.response[stimuli])
            scores[split, half] = mean_of_known(encoded.score)
        return scores

    def _tested(self, regressions: Regressions) -> Tested:
        """Score the test stimuli of a given split."""
        n_neuroids, shape = self.response.shape[1], self.halves.shape[:2]
        lengths = (), (self.n_chosen,), (len(self.draws),), (len(self.orders),), shape
        found = Tested(*(np.full((*length, n_neuroids), np.nan) for length in lengths))
        for rows, columns in self._recorded_together(self.response, self.sample):
            sample = self.sample.among(rows)
            test = rows[sample.folds != TRAINING]
            if min(len(test), len(rows) - len(test)) < given_split.FEWEST:
                continue
            values, known = (self.response[np.ix_(some, columns)] for some in (rows, test))
            together = np.zeros(len(columns), dtype=int)
            everywhere = regressions.on(sample)(Targets(values, np.float64, together))
            predicted = given_split.tested(everywhere, values, sample.folds)
            found.score[columns] = given_split.score(predicted, known)
            found.chosen[:, columns] = self.chosen(everywhere)
            found.bootstrap[:, columns] = given_split.bootstrap_scores(
                predicted, known, self.draws[:, test]
            )
            moved = orders_among(self.orders, test)
            found.null[:, columns] = given_split.null_scores(predicted, known, moved)
            found.halves[..., columns] = self._tested_halves(predicted, test, columns)
        return found

    def _tested_halves(
        self, predicted: Predictions, test: np.ndarray, columns: np.ndarray
    ) -> np.ndarray:
        """(split, half, neuroid): scores on halves of the repetitions, or of the test stimuli."""
        scores = np.full((*self.halves.shape[:2], len(columns)), np.nan)
        for number, (split, half) in enumerate(np.ndindex(*self.halves.shape[:2])):
            if self.area.repeated:
                known = self.half_targets[:, number * self.response.shape[1] + columns][test]
            else:
                counted = self.halves[split, half][test]
                known = np.where(counted[:, None], self.response[np.ix_(test, columns)], np.nan)
            for rows, own in recorded_together(known):
                some = given_split.among(predicted, rows, own)
                scores[split, half, own] = given_split.score(some, known[np.ix_(rows, own)])
        return scores


def evenly(numbers: np.ndarray, count: int) -> np.ndarray:
    """At most so many of them, evenly apart."""
    places = np.linspace(0, len(numbers) - 1, min(count, len(numbers)))
    return numbers[np.round(places).astype(int)]


def geometric_mean(alpha: np.ndarray) -> np.ndarray:
    """(1, target): of positive strengths (fold, target)."""
    mean: np.ndarray = np.exp(np.log(alpha).mean(axis=0))
    return mean[None]
