"""Voxel-encoding RSA: the dissimilarities of an area as ridge predicts it, with those it has.

Every neuroid is predicted from a layer by ridge (see `regression.ridge`), and what is predicted of
stimuli held out takes the place of their responses:

    d_ij = 1 - Pearson(y_i, y_j),   y_i (neuroid,) the predictions for stimulus i

or another of `similarity.dissimilarity`, compared with the area's own d_ij. Sources: Konkle and
Alvarez (2022), A self-supervised domain-general learning framework for human ventral stream
representation; Conwell, Prince, Kay, Alvarez and Konkle (2024), A large-scale examination of
inductive biases shaping high-level visual representation in brains and machines.

Both stimuli of a cell are held out by the fit that predicts it, two folds at a time (see
`similarity.held_out_cells`). In ten folds, of which every prediction is of nine, y_i has learnt
from the response to j and y_j from that to i, so that noise scores 0.007 (120 stimuli) to 0.015
(48), centred within folds or not.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from cortiscope.experiment.responses import Area, average
from cortiscope.mappings.held_out import HeldOutSimilarity
from cortiscope.mappings.kinds import MAPPINGS, repetitions_needed
from cortiscope.mappings.regressions import Predict, Regressions, Sample, Targets
from cortiscope.mappings.scores import LayerScore
from cortiscope.mappings.strengths import shares
from cortiscope.networks.features import Layer
from cortiscope.regression import ridge
from cortiscope.regression.cross_validation import TRAINING
from cortiscope.regression.held_out_scores import Predictions
from cortiscope.similarity.dissimilarity import pattern_rdm
from cortiscope.similarity.held_out_cells import HeldOut
from cortiscope.statistics.resampling import NULL_COLUMNS, mean_of_known


class Scorer(HeldOutSimilarity):
    """From the neuroids that were recorded on all stimuli.

    responses: (row, neuroid), of every stimulus the mean of all the data, then those of each half
    of the repetitions. What is learnt of a brain is its rows (brain, stimulus).
    """

    refits = True

    def __init__(
        self, area: Area, settings: Mapping[str, Any], coordinates: Mapping[str, np.ndarray]
    ) -> None:
        super().__init__(area, settings, coordinates)
        complete = area.complete_in(repetitions_needed(MAPPINGS["rsa"], settings))
        chosen = self.halves.reshape(-1, self.halves.shape[-1])
        means = [average(area.response[:, half]) for half in chosen[: len(self.half_cells)]]
        self.responses = np.vstack([area.mean_response, *means])[:, complete]

    def lessons(self) -> np.ndarray:
        return np.arange(len(self.responses)).reshape(-1, len(self.stimuli))

    def lessons_of(self, part: np.ndarray) -> np.ndarray:
        return np.flatnonzero(part)[None]

    def _permuted(self, part: slice) -> tuple[np.ndarray, list[np.ndarray]]:
        return self.orders[part], super()._permuted(part)[1]

    def score(self, layer: Layer) -> LayerScore:
        """Score one layer."""
        key, kind = (type(self), repr(self.settings["ridge"])), self.predicted_dissimilarity
        regressions = layer.once(key, lambda: Regressions(self.prepare, layer.features))
        at_edge: list[np.ndarray] = []  # of the area itself, which is predicted first

        def predict(
            stimuli: np.ndarray, lessons: np.ndarray, held_out: HeldOut
        ) -> list[np.ndarray]:
            found = [np.empty((len(lessons), len(cells))) for cells in held_out.cells]
            for folds, fits in self._side_by_side(held_out, len(stimuli)):
                regression = regressions.on(Sample(self.area.shown[stimuli], folds))
                for brains in self._blocks(len(lessons)):
                    predicted = self._predicted(regression, lessons[brains], brains.start > 0)
                    assert predicted.end is not None
                    at_edge.append(mean_of_known(shares(predicted.end)))
                    # (stimulus, brain, neuroid)
                    shape = len(stimuli), len(lessons[brains]), self.responses.shape[1]
                    values = predicted.values.reshape(shape)
                    for fit in fits:
                        held = np.moveaxis(values[held_out.stimuli[fit]], 1, 0)
                        found[fit][brains] = [pattern_rdm(each, kind) for each in held]
            return found

        learnt = self.learnt(predict)
        return replace(learnt, at_edge=at_edge[0])

    def prepare(self, features: np.ndarray, folds: np.ndarray) -> Predict:
        """As `ridge` does."""
        alphas = self.settings["ridge"]["alphas"]
        regression = ridge.Regression(ridge.kernel(features), folds, alphas)
        return lambda targets: regression.predict(targets.values, targets.dtype)

    def _predicted(self, regression: Predict, lessons: np.ndarray, half: bool) -> Predictions:
        """Of (stimulus, brain x neuroid); half: of the precision, which will do for nulls."""
        targets = np.moveaxis(self.responses[lessons], 0, 1).reshape(lessons.shape[1], -1)
        sets = np.repeat(np.arange(len(lessons)), self.responses.shape[1])
        return regression(Targets(targets, np.float32 if half else np.float64, sets))

    def _side_by_side(
        self, held_out: HeldOut, n_stimuli: int
    ) -> Iterator[tuple[np.ndarray, list[int]]]:
        """Folds (stimulus,) that one regression serves, and the fits that hold out one each.

        A fold that is in none of these is one of its own; stimuli of a given split are trained on.
        """
        rest = len(held_out.stimuli) if self.validation.test is None else TRAINING
        folds, fits = np.full(n_stimuli, rest), list[int]()
        for fit, stimuli in enumerate(held_out.stimuli):
            if (folds[stimuli] != rest).any():
                yield folds, fits
                folds, fits = np.full(n_stimuli, rest), []
            folds[stimuli] = fit
            fits.append(fit)
        yield folds, fits

    def _blocks(self, n_brains: int) -> Iterator[slice]:
        """The first, which may be of all the data, alone; others as many as fit."""
        step = max(1, NULL_COLUMNS // max(1, self.responses.shape[1]))
        yield slice(0, 1)
        for start in range(1, n_brains, step):
            yield slice(start, min(n_brains, start + step))
