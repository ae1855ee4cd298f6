"""Ceilings of areas recorded in several subjects: the mean of their own, and those between them.

A score that is the mean of the subjects' scores has the mean of the subjects' ceilings, each of the
subject's own neuroids on the stimuli that it saw. Between subjects, a model that is the same for
all can do no better than what subjects have in common: bounds after Nili et al. (2014).
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from cortiscope.experiment.copies import first_alike
from cortiscope.experiment.responses import Area, average
from cortiscope.mappings.by_subject import FEWEST, Part
from cortiscope.noise_ceilings.noise import Ceiling
from cortiscope.noise_ceilings.oracle import Bounds, bounds_of_units, rdm_bounds
from cortiscope.similarity import cka
from cortiscope.similarity.dissimilarity import crossnobis, pattern_rdm

UNKNOWN = Bounds(np.nan, np.nan)


class Stated(NamedTuple):
    """The ceiling of all the data, of half of it, and the p-value that it is above chance."""

    whole: float
    half: float
    p: float


def stated(found: Ceiling) -> Stated:
    """Of what has one ceiling: 0 of nothing but noise, NaN of what was not repeated."""
    known = np.isfinite(found.half)
    whole, half = (
        np.where(known & ~np.isfinite(each), 0.0, each)
        for each in (found.ceiling, found.ceiling_half)
    )
    return Stated(float(whole), float(half), found.p)


def mean_over_subjects(found: Sequence[Stated]) -> Stated:
    """The mean of the ceilings that are known, 0 of a subject of noise; and one p-value of all.

    That of Fisher (1932): the recordings of subjects are independent, and of nothing but noise
    −2 Σ log p of K subjects is no more than chi² of 2 K degrees of freedom.
    """
    if len(found) == 1:
        return found[0]
    known = np.array([each for each in found if np.isfinite(each.whole)]).reshape(-1, 3)
    if not len(known):
        return Stated(np.nan, np.nan, np.nan)
    p = known[np.isfinite(known[:, 2]), 2]
    combined = float(chdtrc(2 * len(p), -2 * np.log(p).sum())) if len(p) else np.nan
    return Stated(float(known[:, 0].mean()), float(known[:, 1].mean()), combined)


def between_rdms(area: Area, of: Sequence[Part], dissimilarity: str, comparison: str) -> Bounds:
    """Between which the mean score of the RDM that subjects share lies, see `oracle.rdm_bounds`.

    NaN for fewer than two subjects, or fewer than FEWEST stimuli that all saw.
    """

    def cells(own: Area) -> NDArray:
        if dissimilarity == "crossnobis":
            return crossnobis(own.trials)  # which there are of all that it saw twice
        return pattern_rdm(average(own.response), dissimilarity)

    known = area.dissimilarity
    found = distinct(_of_subjects(area, of, cells) if known is None else upper(known))
    return UNKNOWN if len(found) < 2 else rdm_bounds(found, comparison)


def between_grams(area: Area, of: Sequence[Part]) -> Bounds:
    """The same for debiased CKA: each subject's centred inner products with those of the others.

    Centred and of norm 1, inner products have the CKA as their dot product, so that bounds are
    those of correlations.
    """

    def entries(own: Area) -> NDArray:
        return cka.prepared(cka.gram(own.mean_response)).ravel()

    if area.dissimilarity is None:
        found = distinct(_of_subjects(area, of, entries))
    else:
        cells = distinct(upper(area.dissimilarity))
        grams = [cka.prepared(cka.distance_gram(own)) for own in cells]
        found = np.stack(grams).reshape(len(grams), -1)
    return UNKNOWN if len(found) < 2 else bounds_of_units(found)


def upper(rdms: NDArray) -> NDArray:
    """(subject, cell) of (subject, stimulus, stimulus)."""
    return rdms[:, *np.triu_indices(rdms.shape[1], 1)]


def distinct(found: NDArray) -> NDArray:
    """(subject, ...) without those that are copies of another: a subject agrees with its copy."""
    return found[first_alike(found) == np.arange(len(found))] if len(found) > 1 else found


def _of_subjects(area: Area, of: Sequence[Part], make: Callable[[Area], NDArray]) -> NDArray:
    """(subject, ...): of the stimuli that all saw; without subjects that have nothing there."""
    shared = np.ones(area.n_shown, dtype=bool)
    for part in of:
        shared &= np.isin(np.arange(len(shared)), part.area.shown)
    if len(of) < 2 or shared.sum() < FEWEST:
        return np.empty((0, 0))
    own = [make(area.of_neuroids(part.neuroids, area.name).among(shared)) for part in of]
    found = np.stack(own)
    return np.asarray(found[np.isfinite(found).all(axis=1)])
