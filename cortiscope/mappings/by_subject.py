"""An area recorded in several subjects: each scored by itself, then their mean.

A score of the neuroids of all subjects together is that of whoever has most of them, and mappings
that need whole matrices between stimuli have nothing where subjects saw other images. Here every
subject is an area of its own, scored by the mapping as any area is, on the stimuli that it saw.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from cortiscope.experiment.responses import Area
from cortiscope.experiment.trials import Hold
from cortiscope.mappings.kinds import Kind, repetitions_needed
from cortiscope.mappings.scores import LayerScore, Scorer
from cortiscope.networks.features import Layer
from cortiscope.regression.cross_validation import CrossValidation, number_of_paired_folds
from cortiscope.statistics.resampling import mean_of_known, p_value
from cortiscope.statistics.subjects import (
    about_the_mean,
    own_variance,
    shared_variance,
    two_way_draws,
    with_draws,
)

SUBJECT = "subject"  # the coordinate of the neuroids
# Stimuli, or of a given split those of either part, below which a subject is not scored: halves of
# them choose the best layer. What is drawn together, below which mappings that need whole matrices
# have no interval.
FEWEST, FEWEST_UNITS = 8, 4


@dataclass(frozen=True)
class Part:
    """A subject's share of an area.

    area: its neuroids, on the stimuli that are its own. neuroids: (neuroid of the part,), their
    places in the whole area. repetitions: of every stimulus, for a neuroid to count where whole
    matrices are needed.
    """

    subject: str
    area: Area
    neuroids: np.ndarray
    repetitions: int = 1

    @property
    def complete(self) -> np.ndarray:
        """(neuroid of the part,), whether it counts where whole matrices are needed."""
        return self.area.complete_in(self.repetitions)


def parts(area: Area, kind: Kind, settings: Mapping[str, Any]) -> list[Part]:
    """The subjects of an area, in the order of their names; one, the area itself, without.

    By `statistics.subjects: pooled`, or where all neuroids are of one subject, or known by
    dissimilarities, the area is one. Mappings that need whole matrices are given the stimuli that
    a subject saw (`seen`); of an area that is one all, as long as a neuroid was recorded on all,
    as often as the mapping needs (twice for crossnobis).
    """
    everything = np.arange(len(area.neuroid_id))
    labels = np.asarray(area.metadata.get(SUBJECT, np.zeros(len(everything)))).astype(str)
    names = np.unique(labels)
    pooled = settings["statistics"].get("subjects") == "pooled"
    if area.dissimilarity is not None:
        return [Part("", area, everything)]
    least = repetitions_needed(kind, settings)
    if pooled or len(names) < 2:
        whole = kind.of_neuroids or area.complete_in(least).any()
        return [Part("", area if whole else area.among(seen(area, least)), everything, least)]
    found = []
    for name in names:
        neuroids = np.flatnonzero(labels == name)
        own = area.of_neuroids(neuroids, f"{area.name}, subject {name}")
        if not kind.of_neuroids:
            own = own.among(seen(own, least))
        found.append(Part(str(name), own, neuroids, least))
    return found


def seen(area: Area, repetitions: int = 1) -> np.ndarray:
    """(stimulus,) bool: those on which more than half of the neuroids were recorded so often.

    Of neuroids that were recorded so at all. A stimulus that few of them have would cost those that
    do not, which mappings that need whole matrices cannot use.
    """
    recorded = area.counts >= repetitions
    count = recorded.any(axis=0).sum()
    return np.asarray(2 * recorded.sum(axis=1) > count)


def repeated(area: Area, kind: Kind, settings: Mapping[str, Any]) -> bool:
    """Whether halves of the repetitions choose the best layer, in every subject."""
    own = [part.area for part in parts(area, kind, settings)]
    return all(a.repeated if kind.of_neuroids else a.repeated_throughout for a in own)


def trials_needed(settings: Mapping[str, Any]) -> Hold:
    """What a fit holds of a recording, by the sections of the config that its mapping reads.

    The mean alone, unless repetitions are crossed, or layers may be chosen on halves of them.
    """
    if settings.get("rsa", {}).get("dissimilarity") == "crossnobis":
        return "every trial"
    return "trials" if settings["selection"]["method"] == "halves" else "mean"


def scorer(
    make: Callable[..., Scorer],
    area: Area,
    of: Sequence[Part],
    kind: Kind,
    settings: Mapping[str, Any],
    coordinates: Mapping[str, np.ndarray],
) -> Scorer:
    """What scores an area: by its parts, where there is more to it than one that is the whole."""
    usable = [is_usable(part, kind, settings, coordinates) for part in of]
    if not any(usable) or (len(of) == 1 and of[0].area is area):
        return make(area, settings, coordinates)
    return BySubject(make, area, of, usable, settings, coordinates)


def is_usable(
    part: Part,
    kind: Kind,
    settings: Mapping[str, Any],
    coordinates: Mapping[str, np.ndarray],
) -> bool:
    """Whether a mapping finds enough in it to count as much as any other subject."""
    area = part.area
    if kind.of_neuroids:
        return _n_stimuli(area) >= FEWEST
    if len(area.stimulus_id) < FEWEST or not part.complete.any():
        return False
    validation = CrossValidation.of(settings.get("cross_validation", {}), coordinates)
    if validation.test is not None:
        test = validation.test[area.shown]
        return bool(min(test.sum(), (~test).sum()) >= FEWEST)
    n_units = len(np.unique(validation.units(area.n_shown)[area.shown]))
    if not kind.paired_folds:
        return n_units >= FEWEST_UNITS
    folds = number_of_paired_folds(validation.folds, len(area.stimulus_id), n_units)
    return folds >= kind.paired_folds


class BySubject:
    """Scores the parts of an area, each by a scorer of its own.

    usable: which of the parts are scored; the others have NaN.
    """

    def __init__(
        self,
        make: Callable[..., Scorer],
        area: Area,
        of: Sequence[Part],
        usable: Sequence[bool],
        settings: Mapping[str, Any],
        coordinates: Mapping[str, np.ndarray],
    ) -> None:
        self.area, self.parts, self.usable = area, of, np.asarray(usable)
        self.seed = int(settings["statistics"]["seed"])
        self.scored = [part for part, use in zip(of, usable, strict=True) if use]
        self.scorers = [make(part.area, settings, coordinates) for part in self.scored]

    def score(self, layer: Layer) -> LayerScore:
        """Score one layer in every subject."""
        return self._mean([scorer.score(layer) for scorer in self.scorers])

    def score_together(self, layers: Sequence[Layer]) -> LayerScore:
        """Score all layers of a model as one, in every subject."""
        return self._mean([scorer.score_together(layers) for scorer in self.scorers])

    def _mean(self, found: Sequence[LayerScore]) -> LayerScore:
        """The mean of the subjects' scores; what is said of neuroids, at their places."""
        combined: dict[str, Any] = {}
        for name in (field.name for field in fields(found[0])):
            values = [getattr(score, name) for score in found]
            if isinstance(values[0], Mapping):
                combined[name] = {key: self._placed([v[key] for v in values]) for key in values[0]}
            elif isinstance(values[0], int):  # of stimuli, that subjects share
                combined[name] = max(values)
            elif values[0] is not None:
                combined[name] = mean_of_known(np.stack(values), axis=0)
        scores = np.array([score.area_score for score in found])
        draws = np.stack([score.area_bootstrap for score in found], axis=1)  # (draw, subject)
        combined["area_score"] = float(combined["area_score"])
        combined["area_bootstrap"] = two_way_draws(scores, draws, self.seed)
        if len(self.parts) > 1:
            combined["by_subject"] = self._by_subject(found, scores, draws)
        return replace(found[0], **combined)

    def _placed(self, values: Sequence[np.ndarray]) -> np.ndarray:
        """(..., neuroid) of the area from those of the subjects; NaN of those not scored."""
        placed = np.full((*values[0].shape[:-1], len(self.area.neuroid_id)), np.nan)
        for part, value in zip(self.scored, values, strict=True):
            placed[..., part.neuroids] = value
        return placed

    def _by_subject(
        self, found: Sequence[LayerScore], scores: np.ndarray, draws: np.ndarray
    ) -> dict[str, np.ndarray]:
        """What a score file says of every subject, and of the variance of their mean."""
        n_subjects, known = len(self.parts), np.isfinite(scores)
        lists = {
            "subject_score": scores,
            "subject_null_mean": np.array([mean_of_known(score.area_null) for score in found]),
            "subject_p_value": np.array([p_value(s.area_score, s.area_null) for s in found]),
            "subject_n_stimuli": np.array([_n_stimuli(part.area) for part in self.scored]),
            "subject_n_scored": np.array(
                [_n_scored(*pair) for pair in zip(self.scored, found, strict=True)]
            ),
        }
        result = {}
        for name, values in lists.items():
            result[name] = np.full(n_subjects, 0.0 if "_n_" in name else np.nan)
            result[name][self.usable] = np.where(known, values, 0.0 if "_n_" in name else np.nan)
        own = with_draws(draws[:, known])
        several = known.sum() > 1
        result["shared_variance"] = np.array(shared_variance(own) if several else np.nan)
        result["own_variance"] = np.array(own_variance(own) if several else np.nan)
        # (draw,): of the mean over these subjects, from which layers are chosen.
        result["stimulus_bootstrap"] = about_the_mean(draws[:, known])
        return result


def _n_stimuli(area: Area) -> int:
    """Those on which any of its neuroids was recorded."""
    return int((area.counts > 0).any(axis=1).sum())


def _n_scored(part: Part, found: LayerScore) -> int:
    """Neuroids that count in the score, those with a score or those that are complete."""
    score = found.neuroids.get("score")
    return int((part.complete if score is None else np.isfinite(score)).sum())
