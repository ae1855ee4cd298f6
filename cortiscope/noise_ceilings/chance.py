"""Whether halves of the data agree by more than chance: p-values of ceilings.

Of each split, the stimuli of one half are permuted: of nothing but noise, halves agree no better
as they are. Splits of the same data depend on each other in ways that a permutation of halves does
not keep, so that each has a p-value of its own; twice their median is one whatever the dependence
(Ruger 1978, Das maximale Signifikanzniveau; Vovk and Wang 2020, Biometrika 107:791).
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from cortiscope.experiment.responses import recorded_together
from cortiscope.noise_ceilings.noise import different, half_means
from cortiscope.statistics.resampling import orders_among, p_value, permutations

SPLITS = 10  # more would change a median little
PERMUTATIONS = 199
NEUROIDS_AT_ONCE = 2048
ROUNDING = 1e-12  # orders that change nothing reach r


def orders(n_stimuli: int, seed: int) -> NDArray:
    """(permutation, stimulus)."""
    return permutations(n_stimuli, PERMUTATIONS, seed)


def reached(r: float, null: NDArray) -> float:
    """The p-value of one split, from its r and those with stimuli permuted (permutation,)."""
    return float(p_value(r - ROUNDING, null))


def of_splits(p: Iterable[float]) -> float:
    """One p-value from those of splits, NaN without any."""
    known = [each for each in p if np.isfinite(each)]
    if len(known) < 2:
        return float(known[0]) if known else np.nan
    return min(1.0, 2 * float(np.median(known)))


def neuroids_p(responses: NDArray, chosen: NDArray, seed: int) -> float:
    """That the responses of an area's neuroids repeat: of their mean correlation between halves.

    responses (stimulus, repetition, neuroid), chosen (split, half, repetition)
    from `halves`. Stimuli are permuted for all neuroids alike, whose noise may be shared, each
    among those that it was shown in both halves.
    """
    moved = orders(len(responses), seed)
    some, number = different(chosen)
    sums = np.zeros((len(some), 1 + len(moved)))
    for start in range(0, responses.shape[2], NEUROIDS_AT_ONCE):
        block = responses[:, :, start : start + NEUROIDS_AT_ONCE].astype(np.float64)
        recorded = np.isfinite(block)
        known = np.where(recorded, block, 0.0)
        sums += [_sums(*half_means(known, recorded, split), moved) for split in some]
    p = np.array([_p(*each / responses.shape[2]) for each in sums])
    return of_splits(p[number])


def _p(score: float, *null: float) -> float:
    return reached(score, np.array(null)) if np.any(null) else np.nan


def _sums(first: NDArray, second: NDArray, moved: NDArray) -> NDArray:
    """(1 + permutation,): the correlations of the means of two halves (stimulus, neuroid), summed
    over neuroids, then those with stimuli permuted.
    """
    score, null = 0.0, np.zeros(len(moved))
    for rows, columns in recorded_together(first + second):
        a, b = (_unit(half[np.ix_(rows, columns)]) for half in (first, second))
        products = a @ b.T  # (stimulus, neuroid) x (neuroid, stimulus)
        score += float(np.trace(products))
        null += products[np.arange(len(rows)), orders_among(moved, rows)].sum(axis=1)
    return np.array([score, *null])


def _unit(values: NDArray) -> NDArray:
    """Each neuroid of mean 0 and norm 1; zeros where it does not vary."""
    centred = values - values.mean(axis=0)
    size = np.square(centred).sum(axis=0)
    varies = size > 1e-12 * np.square(values).sum(axis=0)
    return np.where(varies, centred / np.sqrt(np.where(varies, size, 1.0)), 0.0)
