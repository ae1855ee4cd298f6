"""What a layer explains of an area beyond low-level models, and what it shares with them.

With R²(S) the variance of a brain that a set of predictors S explains, of a layer A and low-level
models B (Newton and Spurrell 1967, Appl Stat 16:51; Nimon et al. 2008, Behav Res Methods 40:457)

    unique = R²(A, B) − R²(B),   shared = R²(A) + R²(B) − R²(A, B),

the latter below 0 where one suppresses the other. Here the brain and the predictors are RDMs, and
R² is of linear regression, over pairs of stimuli, of the brain's (ranked) dissimilarities on the
predictors' (Groen et al. 2018, eLife 7:e32962). So that predictors of noise explain 0, R² is
adjusted for what they explain of the brain with its stimuli permuted:

    1 − (1 − R²) / (1 − mean R² permuted)          (Peres-Neto et al. 2006, Ecology 87:2614),

as cells of a stimulus are dependent, so that counting predictors would adjust too little. The null
of what is unique permutes the stimuli of what B leaves unexplained (Freedman and Lane 1983, J Bus
Econ Stat 1:292; Legendre 2000, J Stat Comput Simul 67:37): that A adds nothing, however well B
explains the brain.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cortiscope.errors import InputError
from cortiscope.similarity.comparison import among, parts, permuted
from cortiscope.similarity.pairs import pair_sums

METHODS = ("spearman", "pearson")
SPANNED = 1e-10  # of a layer's variance: less is rounding, and the low-level models span the layer


@dataclass(frozen=True)
class Partition:
    """R² of a layer, of low-level models, and of both together: (...), NaN = not known."""

    layer: NDArray
    low_level: NDArray
    both: NDArray

    @property
    def unique(self) -> NDArray:
        """What the layer explains beyond the low-level models."""
        return self.both - self.low_level

    @property
    def shared(self) -> NDArray:
        """What both explain, each without the other; below 0 where one suppresses the other."""
        return self.layer + self.low_level - self.both


@dataclass(frozen=True)
class Beyond:
    """What a layer explains of brains, and how sure it is for the first of them.

    partition: arrays are (brain,). null: (permutation,), what is unique to the layer where it adds
    nothing. draws: (draw,), the same with stimuli resampled: a pair of stimuli counts as often as
    both were drawn, while ranks, and what is explained by chance, stay those of the full sample.
    R² grows in every draw by the noise that drawing adds, so that draws are moved to have the R² of
    the full sample as their mean.
    """

    partition: Partition
    null: NDArray
    draws: NDArray


def check(method: str, permutations: int) -> None:
    """Raise an InputError where R² is not defined, or cannot be adjusted."""
    if method not in METHODS:
        raise InputError(
            "config: rsa.comparison",
            f"{method} explains no variance, which variance_partition divides",
            f"use {' or '.join(METHODS)}",
        )
    if permutations < 1:
        raise InputError(
            "config: statistics.permutations",
            "0, by which variance_partition adjusts what is explained",
            "give 1 or more, such as 100",
        )


class Background:
    """RDMs of brains, and what low-level models explain of them; then layers one by one.

    low_level (rdm, cell) and brains (brain, cell), with NaN where a stimulus has no dissimilarity;
    orders (permutation, stimulus), from `CrossValidation.orders`; method: of METHODS, ranked or
    not; counted: (cell,) bool, the cells that are explained, None for all. Errors: see `check`.
    """

    def __init__(
        self,
        low_level: NDArray,
        brains: NDArray,
        orders: NDArray,
        method: str,
        counted: NDArray | None = None,
    ) -> None:
        check(method, len(orders))
        self.method, self.counted = method, counted
        self.basis = _orthonormal(among(low_level, method, counted))
        self.brains = among(brains, method, counted)
        # To permute predictors, which are fewer than brains, is to permute brains back.
        self.inverse = np.argsort(orders, axis=1)
        on_basis = self.brains @ self.basis.T  # (brain, cell) x (cell, component)
        self.low_level = np.square(on_basis).sum(axis=1)
        self.residual = self.brains[0] - on_basis[0] @ self.basis
        self.low_level_by_chance = self._on_permuted(self.basis, self.brains).mean(axis=0)

    def beyond(self, cells: NDArray, weights: NDArray | None = None) -> Beyond:
        """What a layer's dissimilarities (cell,) explain; weights (draw, stimulus), if any."""
        whole, rest = self._layer(cells)
        targets = np.vstack([self.brains, self.residual])
        moved = self._on_permuted(rest[None], targets)  # (permutation, brain + 1)
        by_chance = self.low_level_by_chance + moved[:, :-1].mean(axis=0)
        layer_by_chance = self._on_permuted(whole[None], self.brains).mean(axis=0)
        found = Partition(
            adjusted(np.square(self.brains @ whole), layer_by_chance),
            adjusted(self.low_level, self.low_level_by_chance),
            adjusted(self.low_level + np.square(self.brains @ rest), by_chance),
        )
        null = adjusted(self.low_level[0] + moved[:, -1], by_chance[0]) - found.low_level[0]
        if weights is None or not len(weights):
            return Beyond(found, null, np.empty(0))
        systems = np.vstack([self.brains[:1], self.basis, rest])
        low_level, both = _weighted_explained(systems, weights, self.counted)
        draws = adjusted(both, by_chance[0]) - adjusted(low_level, self.low_level_by_chance[0])
        known = np.isfinite(draws)
        centre = draws[known].mean() if known.any() else np.nan
        return Beyond(found, null, draws - centre + found.unique[0])

    def _layer(self, cells: NDArray) -> tuple[NDArray, NDArray]:
        """A layer's cells, and what of them the low-level models do not span, both of norm 1."""
        whole = among(cells, self.method, self.counted)
        rest = whole - (whole @ self.basis.T) @ self.basis
        square = rest @ rest
        return whole, np.zeros_like(rest) if square < SPANNED else rest / np.sqrt(square)

    def _on_permuted(self, predictors: NDArray, targets: NDArray) -> NDArray:
        """R² of targets on orthonormal predictors that are permuted: (permutation, target)."""
        found = np.zeros((len(self.inverse), len(targets)))
        for one in predictors:
            for part in parts(len(self.inverse), len(one)):
                # (permutation, cell) x (cell, target)
                found[part] += np.square(permuted(one, self.inverse[part]) @ targets.T)
        return found


def adjusted(explained: NDArray, by_chance: NDArray) -> NDArray:
    """R² less what permuted stimuli explain: 0 on average for noise, 1 stays."""
    return 1 - (1 - explained) / (1 - by_chance)


def _orthonormal(rows: NDArray) -> NDArray:
    """An orthonormal basis of rows (rdm, cell): (component, cell); NaN where one of them is."""
    if not np.isfinite(rows).all():
        return np.full((1, rows.shape[1]), np.nan)
    values, vectors = np.linalg.eigh(rows @ rows.T)  # (rdm, cell) x (cell, rdm)
    kept = values > SPANNED * values[-1]
    return np.asarray((vectors[:, kept] / np.sqrt(values[kept])).T @ rows)


def _weighted_explained(
    systems: NDArray, weights: NDArray, counted: NDArray | None
) -> tuple[NDArray, NDArray]:
    """R² of the first of some systems (system, cell), over weighted pairs of stimuli.

    On all others but the last, and on all others: each (draw,). NaN for a draw of one stimulus.
    """
    first, second = np.triu_indices(len(systems))
    pairs = (weights.sum(axis=1) ** 2 - np.square(weights).sum(axis=1)) / 2
    if counted is not None:
        pairs = pair_sums(weights, counted[None].astype(float))[:, 0]
    sums = pair_sums(weights, systems)  # (draw, system)
    products = pair_sums(weights, systems[first] * systems[second])
    covariance = np.empty((len(weights), len(systems), len(systems)))
    with np.errstate(divide="ignore", invalid="ignore"):
        covariance[:, first, second] = products - sums[:, first] * sums[:, second] / pairs[:, None]
    covariance[:, second, first] = covariance[:, first, second]
    usable = np.isfinite(covariance).all(axis=(1, 2))
    usable &= covariance[:, 0, 0] > SPANNED * products[:, 0]  # not of two stimuli
    found = np.full((2, len(weights)), np.nan)
    for number, others in enumerate((np.s_[1:-1], np.s_[1:])):
        with_brain = covariance[usable, others, 0]
        inverse = np.linalg.pinv(covariance[usable][:, others, others], hermitian=True)
        found[number, usable] = np.einsum("di,dij,dj->d", with_brain, inverse, with_brain)
    found /= np.where(usable, covariance[:, 0, 0], np.nan)
    return found[0], found[1]
