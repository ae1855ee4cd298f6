"""Mappings that learn from pairs of stimuli, and are tested on pairs of others.

See `similarity.held_out_cells`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from weakref import finalize

import numpy as np

from cortiscope.experiment.responses import Area
from cortiscope.mappings.scores import LayerScore
from cortiscope.mappings.similarity import Similarity, among
from cortiscope.regression.cross_validation import (
    contiguous_folds,
    fold_numbers,
    number_of_paired_folds,
)
from cortiscope.similarity import held_out_cells
from cortiscope.similarity.comparison import permuted
from cortiscope.similarity.held_out_cells import (
    HeldOut,
    check_comparison,
    given_set,
    pairs_of_folds,
)
from cortiscope.similarity.rsa import without_pattern
from cortiscope.statistics import standard_errors

# Of the predictions for permuted brains together: 256 MB.
CELLS_AT_ONCE = 2**25
FEWEST_FOLDS = 3  # two held out, one to train on
# Of these and of the permuted brains, to be kept for the next layer: 256 MB for all areas of a job.
KEPT_CELLS = 2**25

# From the numbers of some stimuli, what is learnt of brains (brain, ...; see `lessons`), and which
# stimuli are held out: of each fit, the predicted cells (brain, held-out cell), or (held-out cell,)
# for all brains.
Predict = Callable[[np.ndarray, np.ndarray, HeldOut], list[np.ndarray]]


class HeldOutSimilarity(Similarity):
    """An area's dissimilarities, and the pairs of folds that are held out.

    null_dtype: precision of the permuted brains that a null learns from.
    refits: whether intervals need models of other stimuli, since the draws alone do not hold.
    fewest_folds: that it can be learnt in.
    """

    refits = False
    fewest_folds = FEWEST_FOLDS
    null_dtype: type = np.float64
    cells_kept = 0  # by all areas

    @classmethod
    def _forget(cls, count: int) -> None:
        HeldOutSimilarity.cells_kept -= count

    def __init__(
        self, area: Area, settings: Mapping[str, Any], coordinates: Mapping[str, np.ndarray]
    ) -> None:
        super().__init__(area, settings, coordinates)
        check_comparison(self.method)
        self.stimuli = np.arange(len(area.stimulus_id))
        self.held_out = self._held_out(self.stimuli)
        self.n_cells = len(self.cells) + sum(len(tested) for tested in self.held_out.cells)
        self.kept: dict[int, tuple[np.ndarray, list[np.ndarray]]] = {}
        self._reserve(len(self.orders) * self.n_cells)

    def _reserve(self, count: int) -> None:
        """Keep the permuted cells if there is room for so many beside those of other areas."""
        self.keeps = HeldOutSimilarity.cells_kept + count <= KEPT_CELLS
        if self.keeps:
            HeldOutSimilarity.cells_kept += count
            finalize(self, HeldOutSimilarity._forget, count)

    def lessons(self) -> np.ndarray:
        """(brain, ...), what is learnt from of all the data, and of halves of the repetitions.

        Here the cells of all stimuli.
        """
        return np.vstack([self.cells, self.half_cells])

    def lessons_of(self, part: np.ndarray) -> np.ndarray:
        """(1, ...): the same of some stimuli, part (stimulus,) bool, and all the data."""
        return self.cells[None, among(part)]

    def learnt(self, predict: Predict) -> LayerScore:
        """Score what is predicted of the area, of permutations, and of halves of the data.

        The halves of the repetitions are further brains, as are the permutations: what is learnt
        from the brain is learnt anew from each; but from the test stimuli of a given split nothing
        is.
        """
        given = self.validation.test is not None
        brains, lessons = np.vstack([self.cells, self.half_cells]), self.lessons()
        predicted = predict(self.stimuli, lessons[:1] if given else lessons, self.held_out)
        scores = held_out_cells.score(predicted, brains, self.held_out, self.method)
        own = [np.atleast_2d(cells)[0] for cells in predicted]
        score = float(scores[0])
        return LayerScore(
            area_score=score,
            area_null=self._null(predict, own),
            area_bootstrap=self._intervals(predict, own, score),
            neuroids={},
            selection=self._selection(predict, own, scores[1:]),
            n_without_pattern=without_pattern(self.cells),
        )

    def _intervals(self, predict: Predict, own: list[np.ndarray], score: float) -> np.ndarray:
        """(draw,): the score with stimuli resampled, brought to its standard error."""
        draws = held_out_cells.bootstrap(own, self.cells, self.held_out, self.draws, self.method)
        if not len(draws):
            return draws
        test = self.validation.test
        n_units = len(np.unique(self.units if test is None else self.units[test]))
        enough = min(len(self.stimuli) // 2, n_units) > FEWEST_FOLDS  # without some of them too
        if self.refits and test is None and enough:
            seed, folds = self.settings["statistics"]["seed"], self._folds(self.stimuli)
            left_out = standard_errors.each_left_out(
                lambda kept: self._on_part(predict, kept, folds[kept]),
                standard_errors.deletion_groups(folds, seed, self.units),
            )
            error = standard_errors.refitted_error(left_out, standard_errors.spread(draws), n_units)
        else:
            error = standard_errors.drawn_error(draws, n_units)
        return standard_errors.rescaled(draws, score, error)

    def _held_out(self, stimuli: np.ndarray) -> HeldOut:
        """Pairs of folds of some stimuli, given by their numbers; or the given test stimuli."""
        if self.validation.test is not None:
            return given_set(self.validation.test[stimuli])
        return self._pairs_of_folds(self._folds(stimuli), stimuli)

    def _pairs_of_folds(self, folds: np.ndarray, stimuli: np.ndarray) -> HeldOut:
        """Of some stimuli, given by their numbers; of the pairs held out those count that do."""
        pairs = self.of_study.counted(self.area.shown[stimuli], self.area.n_shown)
        counted = None if pairs is None else pairs[np.triu_indices(len(stimuli), 1)]
        return replace(pairs_of_folds(folds), counted=counted)

    def _together(self, stimuli: np.ndarray) -> np.ndarray:
        """(stimulus,) labels of some stimuli, given by their numbers, of what is held out whole."""
        validation = self.validation
        if validation.block:  # of the file's order, of which the area may have some
            labels: np.ndarray = self.area.shown[stimuli] // validation.block
            return labels
        return stimuli if validation.groups is None else validation.groups[stimuli]

    def _n_folds(self, stimuli: np.ndarray) -> int:
        n_groups = len(np.unique(self._together(stimuli)))
        return number_of_paired_folds(self.validation.folds, len(stimuli), n_groups)

    def _folds(self, stimuli: np.ndarray) -> np.ndarray:
        validation, folds = self.validation, self._n_folds(stimuli)
        if validation.block:
            return contiguous_folds(self._together(stimuli), folds)
        groups = None if validation.groups is None else validation.groups[stimuli]
        return fold_numbers(len(stimuli), folds, validation.seed, groups)

    def _null(self, predict: Predict, own: list[np.ndarray]) -> np.ndarray:
        """(permutation,): scores when the stimuli of the area are permuted.

        own: of each fit, the predicted cells (held-out cell,) of the area itself. They are those of
        its permutations too where only test stimuli are permuted, from which nothing is learnt.
        """
        null = np.empty(len(self.orders))
        for part in self._parts():
            moved, brains = self._permuted(part)
            given = self.validation.test is not None
            predicted = own if given else predict(self.stimuli, moved, self.held_out)
            null[part] = held_out_cells.null_score(predicted, brains, self.method, self.held_out)
        return null

    def _permuted(self, part: slice) -> tuple[np.ndarray, list[np.ndarray]]:
        """What is learnt of permuted brains, here their cells, and what `null_score` compares.

        The same for every layer.
        """
        if part.start in self.kept:
            return self.kept[part.start]
        moved = permuted(self.cells, self.orders[part])
        brains = held_out_cells.null_brains(moved, self.held_out, self.method)
        made: tuple[np.ndarray, list[np.ndarray]] = moved.astype(self.null_dtype), brains
        if self.keeps:
            self.kept[part.start] = made
        return made

    def _selection(
        self, predict: Predict, own: list[np.ndarray], of_repetitions: np.ndarray
    ) -> np.ndarray | None:
        """(split, half): the scores of halves of the repetitions, else those of the stimuli."""
        if not len(self.halves):
            return None
        repeated = self.area.repeated_throughout
        by_half = of_repetitions if repeated else self._on_halves(predict, own)
        return by_half.reshape(self.halves.shape[:2])

    def _on_halves(self, predict: Predict, own: list[np.ndarray]) -> np.ndarray:
        """(split x half,): the score on each half of the stimuli, folded anew.

        Of a given split, the predictions `own` for the test stimuli on each half of these.
        """
        test, halves = self.validation.test, self.halves.reshape(-1, len(self.stimuli))
        if test is None:
            return np.array([self._on_half(predict, half) for half in halves])
        brain, scores = self.cells[None], []
        for half in halves:
            predicted = [own[0][among(half[test])]]
            scores.append(held_out_cells.score(predicted, brain, given_set(half), self.method)[0])
        return np.array(scores)

    def _on_half(self, predict: Predict, half: np.ndarray) -> float:
        """NaN where a subject saw too few of its stimuli, (stimulus,) bool, to be learnt from."""
        stimuli = np.flatnonzero(half)
        if self._n_folds(stimuli) < self.fewest_folds:
            return np.nan
        folds = self._folds(stimuli)
        if np.unique(folds, return_counts=True)[1].min() < 2:  # a fold without a pair
            return np.nan
        return self._on_part(predict, half, folds)

    def _on_part(self, predict: Predict, part: np.ndarray, folds: np.ndarray) -> float:
        """The score on some stimuli alone, part (stimulus,) bool, in folds of (part,) numbers.

        These are dealt anew where they are too many for two stimuli each, or too few.
        """
        stimuli, brain = np.flatnonzero(part), self.cells[None, among(part)]
        n_folds = len(np.unique(folds))
        if 2 * n_folds > len(stimuli) or n_folds < FEWEST_FOLDS:
            folds = self._folds(stimuli)
        held_out = self._pairs_of_folds(folds, stimuli)
        predicted = predict(stimuli, self.lessons_of(part), held_out)
        return float(held_out_cells.score(predicted, brain, held_out, self.method)[0])

    def _parts(self) -> Iterator[slice]:
        step = max(1, CELLS_AT_ONCE // self.n_cells)
        for start in range(0, len(self.orders), step):
            yield slice(start, start + step)
