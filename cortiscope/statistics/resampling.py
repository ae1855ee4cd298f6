"""Resampling and permutation: how sure a score or a correlation is.

The same seed gives the same draws to every model, so that differences between models are paired.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations as arrangements
from math import factorial

import numpy as np
from numpy.typing import NDArray

from cortiscope.statistics.rounding import varies

INTERVAL = (2.5, 97.5)  # percentiles of the bootstrap
# Right-hand sides solved together in the permutation null: enough for full speed of the matrix
# products, few enough to stay within some hundred megabytes at a thousand stimuli.
NULL_COLUMNS = 8192


@dataclass(frozen=True)
class Correlation:
    """A correlation r in -1..1, its 95 % bootstrap interval, its p-value and the n points used."""

    r: float
    low: float
    high: float
    p: float
    n: int


def bootstrap_weights(n_stimuli: int, draws: int, seed: int) -> NDArray:
    """How often each draw with replacement takes each stimulus: (draw, stimulus), rows sum to n."""
    random = np.random.default_rng(seed)
    return random.multinomial(n_stimuli, np.full(n_stimuli, 1 / n_stimuli), draws).astype(float)


def bootstrap_weights_of(units: NDArray, draws: int, seed: int) -> NDArray:
    """The same, stimuli of a unit (stimulus,), numbers from 0, being drawn together."""
    return bootstrap_weights(int(units.max()) + 1, draws, seed)[:, units]


def permutations(n_stimuli: int, count: int, seed: int) -> NDArray:
    """Random orders of the stimuli: (permutation, stimulus) int."""
    order = np.tile(np.arange(n_stimuli), (count, 1))
    return np.random.default_rng(seed).permuted(order, axis=1)


@lru_cache(maxsize=2)  # correlations over all models and over those trained, area by area
def random_orders(n_points: int, count: int, seed: int) -> NDArray:
    """The same of few points, such as models, whose orders are asked for again and again."""
    orders = permutations(n_points, count, seed)
    orders.flags.writeable = False
    return orders


def permutations_of(units: NDArray, count: int, seed: int) -> NDArray:
    """The same, stimuli of a unit (stimulus,), labels, changing places together.

    What a unit shares must stay shared, or the null is too narrow (Winkler et al. 2015, NeuroImage
    123:253). Stimuli are listed unit by unit, the units in random order and their stimuli too, and
    take the places of that list in its own order; so units of unlike sizes are cut here and there.
    """
    names, unit = np.unique(units, return_inverse=True)
    listed = permutations(len(names), count, seed)
    if len(names) < len(unit):
        random = np.random.default_rng([seed, 1])
        listed = np.argsort(listed[:, unit] + random.random((count, len(unit))), axis=1)
    order = np.empty_like(listed)
    order[:, np.argsort(unit, kind="stable")] = listed
    return order


def orders_among(orders: NDArray, stimuli: NDArray, units: NDArray | None = None) -> NDArray:
    """Of orders (permutation, stimulus) of all, those of some stimuli: as their places.

    stimuli: their numbers, ascending. units (stimulus,) of all, of `permutations_of`: those left of
    a unit still go together. As random as the orders of all are.
    """
    place = np.full(orders.shape[1], -1)
    place[stimuli] = np.arange(len(stimuli))
    own = np.arange(len(place)) if units is None else np.argsort(units, kind="stable")
    listed, own = place[orders[:, own]], place[own]
    order = np.empty((len(orders), len(stimuli)), dtype=int)
    order[:, own[own >= 0]] = listed[listed >= 0].reshape(order.shape)
    return order


def shifts(n_stimuli: int, count: int, seed: int, least: int = 1) -> NDArray:
    """Random cyclic shifts of the order of the stimuli: (permutation, stimulus) int.

    For series whose neighbours are dependent: shifted against each other they keep their own
    dependence, and lose what they have in common (Harris 2020, Nonsense correlations in
    neuroscience, bioRxiv 2020.11.29.402719). least: the shortest shift either way, beyond which a
    series no longer resembles itself; a half of the file at most. Where there are fewer shifts than
    asked for, each comes again.
    """
    least = min(least, n_stimuli // 2)
    all_shifts = np.arange(least, n_stimuli - least + 1)
    random = np.random.default_rng(seed)
    times = max(1, -(-count // len(all_shifts)))
    drawn = np.concatenate([random.permutation(all_shifts) for _ in range(times)])[:count]
    order: NDArray = (np.arange(n_stimuli) + drawn[:, None]) % n_stimuli
    return order


def shifts_among(orders: NDArray, n_stimuli: int, least: int = 1) -> NDArray:
    """Of `shifts` of all stimuli, those of so many that are left of them, as a ring of their own.

    Each by as much of the ring as that of all, and no less than `least` either way: were those that
    are missing only passed over, shifts of a series that was recorded in one piece would come back
    to where it was. The same where none is missing.
    """
    n_all = orders.shape[1]
    least_all, least = min(least, n_all // 2), min(least, n_stimuli // 2)
    share = (orders[:, 0] - least_all) / max(1, n_all - 2 * least_all)
    drawn = least + np.round(share * (n_stimuli - 2 * least)).astype(int)
    order: NDArray = (np.arange(n_stimuli) + drawn[:, None]) % n_stimuli
    return order


def p_value(score: NDArray | float, null: NDArray) -> NDArray:
    """One-sided permutation p-value: (1 + number of null scores >= score) / (1 + number).

    score (...), null (permutation, ...). The 1 counts the sample itself (Phipson and Smyth 2010,
    Permutation p-values should never be zero). Missing null scores are not counted; NaN for a
    missing score or without any null score.
    """
    null = np.asarray(null)
    count = np.isfinite(null).sum(axis=0)
    reached = (null >= score).sum(axis=0)
    return np.where(np.isfinite(score) & (count > 0), (1 + reached) / (1 + count), np.nan)


def paired_p_value(draws_a: NDArray, draws_b: NDArray) -> NDArray:
    """Two-sided p-value of a difference between two scores, from paired bootstrap draws.

    draws_a, draws_b (draw, ...): twice the smaller share of differences on either side of 0, the
    sample itself counted in, at most 1. Missing draws are not counted; NaN without any.
    """
    difference = np.asarray(draws_a) - np.asarray(draws_b)
    count = np.isfinite(difference).sum(axis=0)
    fewer = np.minimum((difference <= 0).sum(axis=0), (difference >= 0).sum(axis=0))
    return np.where(count > 0, np.minimum(1.0, 2 * (1 + fewer) / (1 + count)), np.nan)


def mean_of_known(values: NDArray, axis: int = -1) -> NDArray:
    """Mean of the finite values along an axis; NaN where none is finite."""
    finite = np.isfinite(values)
    total = np.where(finite, values, 0.0).sum(axis=axis, dtype=np.float64)
    count = finite.sum(axis=axis)
    return np.divide(total, count, out=np.full(np.shape(total), np.nan), where=count != 0)


def average_ranks(values: NDArray) -> NDArray:
    """Ranks from 1 along the last axis, ties sharing their mean rank."""
    order = np.argsort(values, axis=-1, kind="stable")
    ordered = np.take_along_axis(values, order, axis=-1)
    edge = np.ones((*ordered.shape[:-1], ordered.shape[-1] + 1), dtype=bool)
    edge[..., 1:-1] = ordered[..., 1:] != ordered[..., :-1]
    place = np.arange(ordered.shape[-1])
    first = np.maximum.accumulate(np.where(edge[..., :-1], place, 0), axis=-1)
    ends = np.where(edge[..., 1:], place, place[-1:])
    last = np.minimum.accumulate(ends[..., ::-1], axis=-1)[..., ::-1]
    ranks = np.empty(ordered.shape)
    np.put_along_axis(ranks, order, (first + last) / 2 + 1, axis=-1)
    return ranks


def correlation_with_interval(
    x: NDArray, y: NDArray, draws: int, permutations: int, seed: int, method: str = "pearson"
) -> Correlation:
    """Correlation of two variables over points, such as accuracy with score over models.

    x, y (point,); points missing either are left out. method: pearson, or spearman, whose ranks
    are taken anew in each draw. The p-value is two-sided, over all orders of the points where
    there are no more of these than `permutations`, else over random ones with the sample counted
    in. NaN for fewer than 3 points or where a variable does not vary.
    """
    known = np.isfinite(x) & np.isfinite(y)
    x, y = np.asarray(x, dtype=float)[known], np.asarray(y, dtype=float)[known]
    n = len(x)
    r = float(_correlation(x, y, method)) if n >= 3 else np.nan
    if not np.isfinite(r):
        return Correlation(np.nan, np.nan, np.nan, np.nan, n)
    random = np.random.default_rng(seed)
    points = random.integers(n, size=(draws, n))
    resampled = _correlation(x[points], y[points], method)
    resampled = resampled[np.isfinite(resampled)]
    low, high = np.percentile(resampled, INTERVAL) if len(resampled) else (np.nan, np.nan)
    exact = factorial(n) <= permutations
    if exact:
        orders = np.array(list(arrangements(range(n))))
    else:
        orders = random_orders(n, permutations, seed)
    a, b = (unit(average_ranks(one) if method == "spearman" else one) for one in (x, y))
    null = b[orders] @ a  # (permutation, point) x (point,)
    reached = int(np.sum(np.abs(null) >= abs(r) - 1e-12))  # rounding must not break ties
    p = reached / len(orders) if exact else (1 + reached) / (1 + permutations)
    return Correlation(r, float(low), float(high), p, n)


def _correlation(x: NDArray, y: NDArray, method: str) -> NDArray:
    """Along the last axis; NaN where a variable does not vary."""
    if method not in ("pearson", "spearman"):
        raise ValueError(f"method {method!r} is neither pearson nor spearman")
    if method == "spearman":
        x, y = average_ranks(x), average_ranks(y)
    a, b = unit(x), unit(y)
    return np.einsum("...i,...i->...", a, b)


def unit(values: NDArray) -> NDArray:
    """Values (..., value) of mean 0 and norm 1; NaN where they do not vary."""
    centred = values - values.mean(axis=-1, keepdims=True)
    norm = np.linalg.norm(centred, axis=-1, keepdims=True)
    norm = np.where(varies(values)[..., None], norm, np.nan)
    return centred / norm
