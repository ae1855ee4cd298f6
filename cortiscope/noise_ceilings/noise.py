"""Ceilings: how well a perfect model could score, given the noise of the recording.

Responses to the same stimuli are split into halves at random, many times, and the halves compared.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cortiscope.statistics.halves import halves
from cortiscope.statistics.resampling import mean_of_known

NEUROID_BLOCK = 256


@dataclass(frozen=True)
class Ceiling:
    """Reliability of a mean over repetitions and the highest scores it allows.

    reliability: the correlation expected between the mean over all repetitions and that over as
    many new ones, up to 1; 0 or below where nothing but noise was measured. ceiling: its square
    root, the highest correlation of any model with the mean over all. ceiling_half: the same for
    the mean over one half of the repetitions. NaN for a ceiling where the reliability is not
    positive, and throughout for a constant response. half: the reliability of a mean over one half,
    0 or below as well; growth: how many times as many repetitions all are. p: that halves agree by
    more than chance, where it is known of what has one ceiling.
    """

    reliability: NDArray
    ceiling: NDArray
    ceiling_half: NDArray
    half: NDArray
    growth: float | NDArray
    p: float = np.nan


def split_half_ceiling(responses: NDArray, splits: int, seed: int) -> Ceiling:
    """Ceiling of every neuroid from the correlation over stimuli of half means.

    responses (stimulus, repetition, neuroid), NaN where not recorded: means are over the recorded
    repetitions, and a stimulus without any in a half does not count in that split. The correlation
    r is averaged over splits, then extended from the size of a half to all repetitions (Spearman
    1910; Brown 1910): k r / (1 + (k - 1) r), k = 2 for an even number. The sizes are those recorded
    (harmonic means, as the noise of a mean goes with 1 / n), of the stimuli with two repetitions or
    more; of what was shown once, nothing is known. Fields are (neuroid,).
    """
    n_repetitions, n_neuroids = responses.shape[1:]
    some, number = different(halves(n_repetitions, splits, seed))
    mean, factor = np.full(n_neuroids, np.nan), np.full(n_neuroids, growth(n_repetitions))
    for start in range(0, n_neuroids, NEUROID_BLOCK):
        block = slice(start, start + NEUROID_BLOCK)
        part = responses[:, :, block].astype(np.float64)
        recorded = np.isfinite(part)
        part = np.where(recorded, part, 0.0)
        r = [_correlation(*half_means(part, recorded, split)) for split in some]
        mean[block] = mean_of_known(np.array(r)[number], axis=0)
        if not recorded.all():
            factor[block] = _recorded_growth(recorded, some, number)
    return extended(mean, factor)


def different(chosen: NDArray) -> tuple[NDArray, NDArray]:
    """The splits (split, half, repetition) that differ, and of each one its number among these.

    Of few repetitions there are fewer than are drawn: 3 of 3 or 4, 10 of 5. Which half is the first
    makes no difference.
    """
    same = chosen.copy()
    turned = chosen[:, 0].argmax(axis=1) > chosen[:, 1].argmax(axis=1)
    same[turned] = chosen[turned, ::-1]
    first, number = np.unique(same, axis=0, return_index=True, return_inverse=True)[1:]
    return chosen[first], number.ravel()


def growth(n_repetitions: int) -> float:
    """How many times as many as a half has."""
    return n_repetitions / (n_repetitions // 2)


def _recorded_growth(recorded: NDArray, some: NDArray, number: NDArray) -> NDArray:
    """The same of what was recorded (stimulus, repetition, neuroid): (neuroid,).

    some, number: as from `different`.
    """
    inverses = []
    for split in some:
        counts = np.stack([recorded[:, half].sum(axis=1) for half in split])
        both = np.logical_and(counts[0] > 0, counts[1] > 0)
        inverses.append(mean_inverse(counts, both).mean(axis=0))
    return mean_of_known(np.array(inverses)[number], axis=0) / repeated_inverse(recorded)


def repeated_inverse(recorded: NDArray) -> NDArray:
    """(neuroid,): mean 1 / n over stimuli with n of two recorded repetitions or more."""
    count: NDArray = recorded.sum(axis=1)
    more: NDArray = count > 1
    return mean_inverse(count, more)


def mean_inverse(count: NDArray, counted: NDArray) -> NDArray:
    """(..., neuroid): mean of 1 / count (..., stimulus, neuroid) over those counted, if any."""
    total = np.where(counted, 1 / np.maximum(count, 1), 0.0).sum(axis=-2)
    n_counted = counted.sum(axis=-2)
    return total / np.where(n_counted > 0, n_counted, np.nan)


def half_means(responses: NDArray, recorded: NDArray, split: NDArray) -> tuple[NDArray, NDArray]:
    """Means (stimulus, neuroid) over the recorded repetitions of each half; NaN without any."""
    means = []
    for half in split:
        count = recorded[:, half].sum(axis=1)
        total = responses[:, half].sum(axis=1)
        means.append(np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0))
    return means[0], means[1]


def _correlation(first: NDArray, second: NDArray) -> NDArray:
    """Pearson over the stimuli that both have: (neuroid,)."""
    both = np.isfinite(first + second)
    count = np.maximum(both.sum(axis=0), 1)
    centred, varies = [], np.ones(first.shape[1], dtype=bool)
    for values in (first, second):
        known = np.where(both, values, 0.0)
        mean = known.sum(axis=0) / count
        deviation = np.where(both, known - mean, 0.0)
        varies &= np.square(deviation).sum(axis=0) > 1e-12 * count * mean**2
        centred.append(deviation)
    product = np.einsum("sn,sn->n", centred[0], centred[1])
    power = np.einsum("sn,sn->n", centred[0], centred[0])
    power = power * np.einsum("sn,sn->n", centred[1], centred[1])
    return np.where(varies, product / np.sqrt(np.where(varies, power, 1.0)), np.nan)


def extended(r: NDArray, factor: float | NDArray) -> Ceiling:
    """From the correlation of halves to the reliability of all, `factor` times as many."""
    divisor = 1 + (factor - 1) * r  # 0 for halves that are opposites: no reliability fits
    reliability = factor * r / np.where(divisor > 0, divisor, np.nan)
    return Ceiling(
        reliability=reliability,
        ceiling=np.sqrt(np.where(r > 0, reliability, np.nan)),
        ceiling_half=np.sqrt(np.where(r > 0, r, np.nan)),
        half=r,
        growth=factor,
    )
