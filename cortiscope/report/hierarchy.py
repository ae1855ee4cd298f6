"""Do deeper layers explain higher areas?

The best depth of every area in every model, and the Spearman correlation of the areas' rank in
the anatomical hierarchy with it (Güçlü and van Gerven 2015, J Neurosci 35:10005; Cadena et al.
2019 ask the same of mouse visual areas). The null permutes the areas, for all models alike, since
all models are compared with the same recordings.
"""

from dataclasses import dataclass
from itertools import permutations as arrangements
from math import factorial

import numpy as np
from numpy.typing import NDArray

from cortiscope.statistics.resampling import average_ranks


@dataclass(frozen=True)
class Hierarchy:
    """rho: mean over models of Spearman's correlation over areas, -1..1; by_model: (model,).

    p: one-sided, the share of the orders of the areas that give a mean as high; exact where all
    orders were tried. NaN for fewer than three areas, or without a model whose best depths vary.
    """

    rho: float
    p: float
    by_model: NDArray
    exact: bool


def hierarchy(depths: NDArray, rank: NDArray, permutations: int, seed: int) -> Hierarchy:
    """Correlate the best depth (model, area) with the rank of the areas (area,), 1 the lowest.

    Areas without a rank are left out, models with a NaN in the others too. All orders of the areas
    are tried where there are no more than `permutations`, else so many random ones with the sample
    counted in. Three areas have six orders: p is 1/6 at the least.
    """
    ranked = np.isfinite(rank)
    position = _unit(average_ranks(np.asarray(rank, dtype=float)[ranked]))
    values = np.atleast_2d(depths)[:, ranked]
    known = np.isfinite(values).all(axis=1)
    by_model = np.full(len(values), np.nan)
    if ranked.sum() < 3:
        return Hierarchy(np.nan, np.nan, by_model, exact=False)
    orders = _unit(average_ranks(values[known]))
    by_model[known] = orders @ position  # (model, area) x (area,)
    found = np.isfinite(by_model[known])
    if not found.any() or not np.isfinite(position).all():
        return Hierarchy(np.nan, np.nan, by_model, exact=False)
    profile = orders[found].mean(axis=0)  # its product with any order of ranks is the mean rho
    rho = float(profile @ position)
    exact = factorial(len(position)) <= permutations
    null = profile @ _orders(position, permutations, seed, exact)
    reached = int((null >= rho - 1e-12).sum())
    p = reached / len(null) if exact else (1 + reached) / (1 + len(null))
    return Hierarchy(rho, p, by_model, exact)


def _orders(values: NDArray, count: int, seed: int, exact: bool) -> NDArray:
    """Values in all orders, or in random ones: (value, order)."""
    if exact:
        return np.array(list(arrangements(values))).T
    tiled = np.tile(values, (count, 1))
    return np.random.default_rng(seed).permuted(tiled, axis=1).T


def _unit(ranks: NDArray) -> NDArray:
    """Ranks along the last axis, of mean 0 and norm 1; NaN where all are equal."""
    centred = ranks - ranks.mean(axis=-1, keepdims=True)
    norm = np.linalg.norm(centred, axis=-1, keepdims=True)
    return centred / np.where(norm > 0, norm, np.nan)
