"""Ceilings from single repetitions and single subjects, and scores as a share of a ceiling.

Split halves are in `noise`; its `Ceiling` says what every field means.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cortiscope.errors import InputError
from cortiscope.noise_ceilings.noise import Ceiling, mean_inverse, repeated_inverse
from cortiscope.similarity.comparison import compare, paired, prepared
from cortiscope.statistics.resampling import average_ranks, mean_of_known, unit

NEUROID_BLOCK = 256
CONSTANT = 1e-12  # variance relative to the squared mean


@dataclass(frozen=True)
class Oracle:
    """How well the other repetitions predict one.

    score: (neuroid,), in -1..1, uncorrected: the other repetitions are noisy as well, so that a
    perfect model scores above it. ceiling: corrected for that, in the sense of `noise.Ceiling`:
    of models that are compared with the mean over all repetitions. NaN: a response that does not
    vary, and for the ceiling a score of 0 or below, whose reliability is 0.
    """

    score: NDArray
    ceiling: Ceiling


def leave_one_repetition_out(responses: NDArray) -> Oracle:
    """Correlate every repetition over stimuli with the mean of the others; average over these.

    The oracle score of Schoppe et al. (2016, Front Comput Neurosci 10:10) and of the MICrONS and
    Sensorium recordings, here `score`. With q the reliability of one repetition, the expected
    score o of one and the mean of k others obeys o² = q · k q / (1 + (k − 1) q); solved for q and
    extended to all by Spearman (1910) and Brown (1910) that gives `ceiling`. responses
    (stimulus, repetition, neuroid), NaN where not recorded: such a stimulus does not count in the
    repetition, and the mean of the others is over those recorded; numbers of repetitions are
    harmonic means, as in `noise.split_half_ceiling`. Raises InputError for fewer than two
    repetitions.
    """
    n_repetitions, n_neuroids = responses.shape[1:]
    if n_repetitions < 2:
        raise InputError("responses", f"{n_repetitions} repetition has no others", "give 2 or more")
    score, others, n_recorded = np.full((3, n_neuroids), np.nan)
    for start in range(0, n_neuroids, NEUROID_BLOCK):
        block = slice(start, start + NEUROID_BLOCK)
        part = np.asarray(responses[:, :, block], dtype=np.float64)
        score[block], others[block] = _mean_oracle(part)
        n_recorded[block] = 1 / repeated_inverse(np.isfinite(part))
    half = n_recorded * (n_repetitions // 2) / n_repetitions
    return Oracle(score, corrected(score, others, n_recorded, half))


def corrected(
    score: NDArray, others: float | NDArray, whole: float | NDArray, half: float | NDArray
) -> Ceiling:
    """The ceiling from the oracle score (...), of one repetition and the mean of so many others.

    whole, half: how many repetitions the means have that models are compared with.
    """
    o = np.abs(score)
    root = np.sqrt(((others - 1) * o**2) ** 2 + 4 * others * o**2)
    single = ((others - 1) * o**2 + root) / (2 * others)
    of_whole, of_half = (k * single / (1 + (k - 1) * single) for k in (whole, half))
    ceiling, ceiling_half = (np.sqrt(np.where(score > 0, k, np.nan)) for k in (of_whole, of_half))
    reliability = np.where(score <= 0, 0.0, of_whole)
    growth = np.asarray(whole) / half
    return Ceiling(reliability, ceiling, ceiling_half, np.sign(score) * of_half, growth)


def _mean_oracle(responses: NDArray) -> tuple[NDArray, NDArray]:
    """(neuroid,): the mean over repetitions of their correlation with the mean of the others, and
    how many others these have.
    """
    recorded = np.isfinite(responses)
    known = np.where(recorded, responses, 0.0)
    total, count = known.sum(axis=1), recorded.sum(axis=1)
    scores, inverses = [], []
    for repetition in range(responses.shape[1]):
        n_others = count - recorded[:, repetition]
        both = recorded[:, repetition] & (n_others > 0)
        others = (total - known[:, repetition]) / np.maximum(n_others, 1)
        scores.append(_correlation(known[:, repetition], others, both))
        inverses.append(mean_inverse(n_others, both))
    return mean_of_known(np.array(scores), axis=0), 1 / mean_of_known(np.array(inverses), axis=0)


def _correlation(first: NDArray, second: NDArray, both: NDArray) -> NDArray:
    """Pearson over the stimuli of `both` (stimulus, neuroid): (neuroid,)."""
    count = np.maximum(both.sum(axis=0), 1)
    centred, power = [], np.ones(first.shape[1])
    for values in (first, second):
        mean = (values * both).sum(axis=0) / count
        deviation = np.where(both, values - mean, 0.0)
        square = np.square(deviation).sum(axis=0)
        power = power * np.where(square > CONSTANT * count * mean**2, square, np.nan)
        centred.append(deviation)
    return np.einsum("sn,sn->n", centred[0], centred[1]) / np.sqrt(power)


@dataclass(frozen=True)
class Bounds:
    """Between which the mean correlation of the true RDM with single subjects' RDMs lies.

    lower: of the mean RDM of the other subjects; upper: of the mean of all, which is the highest
    any RDM can reach on these subjects. In -1..1; NaN where a subject has a missing cell.
    """

    lower: float
    upper: float


def rdm_bounds(dissimilarities: NDArray, method: str = "spearman") -> Bounds:
    """Lower and upper bound of the RDM ceiling of subjects.

    Nili et al. (2014), PLoS Comput Biol 10:e1003553. dissimilarities (subject, cell). method: that
    of the comparison; so that no RDM has a higher mean score than the mean of all, cells are
    standardised within each subject before they are averaged (`pearson`), replaced by their ranks
    (`spearman`; `kendall`, for which that is all but the highest), or divided by their norm
    (`cosine`). The bounds hold for scores that are averaged over subjects, not for those with the
    mean RDM of all subjects, whose ceiling is that of `similarity_ceilings.subject_rdm_ceiling`.
    Raises InputError for a single subject or another method.
    """
    if len(dissimilarities) < 2:
        raise InputError("rdms", "1 subject has no others", "give the RDMs of 2 or more")
    cells = np.asarray(dissimilarities, dtype=np.float64)
    if method == "pearson":
        return bounds_of_units(unit(cells))
    if method == "cosine":
        return bounds_of_units(prepared(cells, method))
    if method not in ("spearman", "kendall"):
        raise InputError("rdms", f"no bounds by {method!r}", "use a comparison of RDMs")
    # Ranks are added up as they are: their sums are exact, so that ties stay ties.
    ranked = average_ranks(cells)
    total = ranked.sum(axis=0)
    lower = paired(cells, total - ranked, method)  # (subject,)
    upper = compare(cells, total, method)  # (subject,)
    return Bounds(float(lower.mean()), float(upper.mean()))


def bounds_of_units(subjects: NDArray) -> Bounds:
    """The same of (subject, entry) of norm 1, whose dot product is the score of two."""
    total = subjects.sum(axis=0)
    others = total - subjects
    others = others / np.linalg.norm(others, axis=1, keepdims=True)
    lower = np.einsum("sc,sc->s", subjects, others)
    upper = subjects @ (total / np.linalg.norm(total))  # (subject, entry) x (entry,)
    return Bounds(float(lower.mean()), float(upper.mean()))


@dataclass(frozen=True)
class Normalised:
    """score: (...) as a share of the ceiling, above 1 where it is, NaN without a ceiling above 0.

    unknown: how many known scores have no such ceiling.
    """

    score: NDArray
    unknown: int


def normalised(score: NDArray, ceiling: NDArray) -> Normalised:
    """Divide scores by ceilings (shapes that broadcast) where there is one above 0."""
    usable = np.where(np.asarray(ceiling) > 0, ceiling, np.nan)
    share = np.asarray(score) / usable
    return Normalised(share, int((np.isfinite(score) & ~np.isfinite(share)).sum()))
