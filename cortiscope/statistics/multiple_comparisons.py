"""Many tests at once: adjusted p-values, and every pair of models compared on an area.

Holm (1979), Scand J Statist 6:65, keeps the chance of one false claim or more below the level,
whatever the dependence between the tests. Benjamini and Hochberg (1995), J R Statist Soc B 57:289,
keep the expected share of false claims among all claims (FDR) below it, for tests that are
independent or positively dependent. Reference implementations: R's p.adjust, statsmodels'
multipletests, scipy's false_discovery_control.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cortiscope.errors import InputError
from cortiscope.statistics.resampling import INTERVAL, paired_p_value

# Models, up to which every pair is compared. The pairs of a thousand would be half a million for
# each mapping and area, and corrected for so many hardly one could differ.
ALL_PAIRS = 100
TOGETHER = 256  # pairs whose draws are in memory at a time
NONE = np.empty((0, 2), dtype=int)


def holm(p: NDArray) -> NDArray:
    """Holm's step-down adjustment of p-values (test,); NaN stays and is no test.

    The k-th smallest of m becomes the largest of (m − j + 1) p_j over j ≤ k, at most 1.
    """
    adjusted, order = _by_size(p)
    steps = len(order) - np.arange(len(order))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(steps * np.asarray(p)[order]))
    return adjusted


def benjamini_hochberg(p: NDArray) -> NDArray:
    """Benjamini and Hochberg's step-up adjustment of p-values (test,); NaN stays and is no test.

    The k-th smallest of m becomes the smallest of m p_j / j over j ≥ k, at most 1.
    """
    adjusted, order = _by_size(p)
    place = np.arange(1, len(order) + 1)
    scaled = np.asarray(p)[order] * len(order) / place
    adjusted[order] = np.minimum(1.0, np.minimum.accumulate(scaled[::-1])[::-1])
    return adjusted


METHODS = {"holm": holm, "fdr": benjamini_hochberg}


def adjust(p: NDArray, method: str) -> NDArray:
    """Adjust p-values (test,) by the method of that name; an unknown name is an InputError."""
    if method not in METHODS:
        raise InputError(
            "config: statistics.correction", f"{method!r} is unknown", f"use {' or '.join(METHODS)}"
        )
    return METHODS[method](p)


def _by_size(p: NDArray) -> tuple[NDArray, NDArray]:
    """NaN for every test, and the places of the known p-values in ascending order."""
    values = np.asarray(p, dtype=float)
    order = np.argsort(values, kind="stable")[: int(np.isfinite(values).sum())]  # NaN comes last
    return np.full(len(values), np.nan), order


@dataclass(frozen=True)
class Pairs:
    """Pairs of models, the first before the second in the order given.

    first, second: (pair,) numbers of the models. difference: (pair,) score of the first less that
    of the second; low, high: its 95 % interval; p: two-sided; p_adjusted: over these pairs.
    NaN where a model has no score or no draw.
    """

    first: NDArray
    second: NDArray
    difference: NDArray
    low: NDArray
    high: NDArray
    p: NDArray
    p_adjusted: NDArray


def compare_models(scores: NDArray, draws: NDArray, method: str, twins: NDArray = NONE) -> Pairs:
    """Compare models on one area from bootstrap draws that resample the same stimuli.

    scores (model,); draws (model, draw), paired between models, so that what is hard about a
    sample of stimuli is hard for both. The interval is the percentiles of the differences of
    draws, shifted to be centred on the difference of scores. method: a name in METHODS. Every pair
    of up to ALL_PAIRS models; of more, the highest score (the first of ties) with each other one,
    and twins (pair, 2), numbers of models.
    """
    first, second = _compared(np.asarray(scores), twins)
    difference = np.asarray(scores)[first] - np.asarray(scores)[second]
    low, high, p = np.full((3, len(first)), np.nan)
    starts = np.arange(0, len(first), TOGETHER)
    for some in (slice(start, start + TOGETHER) for start in starts):
        drawn = draws[first[some]] - draws[second[some]]  # (pair, draw)
        low[some], high[some], p[some] = _shifted(drawn, difference[some])
    return Pairs(first, second, difference, low, high, p, adjust(p, method))


def _compared(scores: NDArray, twins: NDArray) -> tuple[NDArray, NDArray]:
    """Numbers (pair,) of the first and the second model of each pair, in their order."""
    n = len(scores)
    if n <= ALL_PAIRS:
        return np.triu_indices(n, 1)
    best = int(np.argmax(np.where(np.isfinite(scores), scores, -np.inf)))
    others = np.delete(np.arange(n), best)
    pairs = np.concatenate([np.stack([others, np.full(n - 1, best)], axis=1), twins])
    first, second = np.unique(np.sort(pairs, axis=1), axis=0).T
    return first, second


def _shifted(drawn: NDArray, difference: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Both ends and the p-value (pair,) of differences whose draws (pair, draw) are moved to them.

    Draws that are missing are not counted, which takes each pair by itself.
    """
    known = np.isfinite(drawn)
    if not known.all() and len(drawn) > 1:
        parts = [_shifted(drawn[[i]], difference[[i]]) for i in range(len(drawn))]
        low, high, p = np.concatenate(parts, axis=1)
        return low, high, p
    drawn = drawn[:, known.all(axis=0)]
    if not drawn.size:
        return (np.full(len(drawn), np.nan),) * 3
    drawn = drawn + (difference - drawn.mean(axis=1))[:, None]
    low, high = np.percentile(drawn, INTERVAL, axis=1)
    p = paired_p_value(drawn.T, np.zeros(drawn.shape[1])[:, None])
    return low, high, np.where(np.isfinite(difference), p, np.nan)
