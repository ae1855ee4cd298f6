"""What a model explains beyond others, and what they explain together: commonality analysis.

Sets of predictors (a layer; low-level models) explain R² of a brain, alone and together. The part
that exactly the sets of T share is (Newton and Spurrell 1967, Appl Stat 16:51; Nimon et al. 2008,
Behav Res Methods 40:457)

    C(T) = − Σ over the subsets S of T of (−1)^|S| R²(S and all outside T),   R²(none) = 0;

for two sets, unique(A) = R²(A, B) − R²(B), shared = R²(A) + R²(B) − R²(A, B), which is below 0
where one set suppresses the other. The parts add up to R² of all sets. So that noise counts 0,

RDMs      R² is adjusted for what the same predictors explain of the RDM with its stimuli permuted:
          1 − (1 − R²) / (1 − mean R² permuted) (Peres-Neto et al. 2006, Ecology 87:2614). Cells of
          a stimulus are dependent, so that counting predictors would adjust too little.
features  R² is the squared held-out correlation, with its sign, of banded ridge: a kernel a set,
          their weights, zeros among them, and alpha chosen inside the training part (Nunez-Elizalde
          et al. 2019, NeuroImage 197:482). A set of noise is left out there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from cortiscope import ridge, rsa
from cortiscope.errors import InputError
from cortiscope.nested import Solver, blocks, layout
from cortiscope.statistics import permutations

MOST_SETS = 4
WEIGHTS = (0.0, 0.1, 1.0)  # of a set's kernel, relative to the others


@dataclass(frozen=True)
class Partition:
    """explained, parts: (subset, ...): subset number 1 + 2 is that of the first and second set.

    explained: R² of the sets of a subset together. parts: what exactly they explain, no set else,
    and none of them without the others; parts[1] is unique to the first set. Number 0 is of no
    set, and 0. NaN where the brain is missing or does not vary.
    """

    explained: NDArray
    parts: NDArray

    def unique(self, number: int) -> NDArray:
        """What only the set of this number (from 0) explains."""
        return np.asarray(self.parts[1 << number])

    @property
    def shared(self) -> NDArray:
        """What more than one set explains: all that is unique to none."""
        n_sets = len(self.parts).bit_length() - 1
        alone = sum(self.parts[1 << number] for number in range(n_sets))
        return np.asarray(self.parts.sum(axis=0) - alone)


def commonality(explained: NDArray) -> Partition:
    """Parts from R² (subset, ...) of every subset of the sets, numbered as in `Partition`."""
    whole = len(explained) - 1
    parts = np.zeros_like(explained)
    for subset in range(1, whole + 1):
        outside = whole & ~subset
        inside = subset
        while True:  # every subset of this subset, the empty one last
            sign = -1.0 if inside.bit_count() % 2 == 0 else 1.0
            parts[subset] += sign * explained[outside | inside]
            if not inside:
                break
            inside = (inside - 1) & subset
    return Partition(explained, parts)


def partition_rdms(sets: Sequence[NDArray], brain: NDArray, count: int, seed: int) -> Partition:
    """Partition the variance of a brain's ranked RDM (cell,) over sets of ranked RDMs.

    sets: each (rdm, cell), or (cell,) for one; R² is that of linear regression of ranks on ranks,
    adjusted by `count` permutations of stimuli. Arrays of the result are (subset,). Raises
    InputError for one set, for more than four, and without permutations.
    """
    _check(len(sets))
    if count < 1:
        raise InputError("variance_partition", "no permutations", "give 1 or more, such as 100")
    ranked = [rsa.ranks(np.atleast_2d(cells)) for cells in sets]
    moved = _permuted(rsa.ranks(brain), count, seed)  # (1 + permutation, cell)
    explained = np.zeros(1 << len(sets))
    for subset in range(1, len(explained)):
        predictors = np.concatenate([r for k, r in enumerate(ranked) if subset >> k & 1])
        found = _explained(predictors, moved)
        explained[subset] = 1 - (1 - found[0]) / (1 - found[1:].mean())
    return commonality(explained)


def _permuted(ranks: NDArray, count: int, seed: int) -> NDArray:
    full = rsa.square(ranks)
    first, second = np.triu_indices(len(full), 1)
    orders = permutations(len(full), count, seed)
    return np.vstack([ranks, *(full[order[first], order[second]] for order in orders)])


def _explained(predictors: NDArray, brains: NDArray) -> NDArray:
    """R² of brains (brain, cell), of mean 0 and norm 1, on predictors (predictor, cell)."""
    known = predictors[np.isfinite(predictors).all(axis=1)]
    if len(known) < len(predictors):
        return np.full(len(brains), np.nan)
    values, vectors = np.linalg.eigh(known @ known.T)  # (predictor, cell) x (cell, predictor)
    kept = values > 1e-10 * values[-1]
    basis = (vectors[:, kept] / np.sqrt(values[kept])).T @ known
    return np.square(basis @ brains.T).sum(axis=0)  # (component, cell) x (cell, brain)


def partition_features(
    kernels: Sequence[NDArray], responses: NDArray, folds: NDArray, alphas: NDArray
) -> Partition:
    """Partition the held-out variance of neuroids (stimulus, neuroid) over sets of features.

    kernels: each (stimulus, stimulus), of `ridge.kernel`. folds (stimulus,). Arrays of the result
    are (subset, neuroid). Raises InputError for one set or more than four.
    """
    _check(len(kernels))
    explained = np.zeros((1 << len(kernels), responses.shape[1]))
    for subset in range(1, len(explained)):
        chosen = [kernel for k, kernel in enumerate(kernels) if subset >> k & 1]
        predicted = banded_predict(chosen, responses, folds, alphas)
        r = ridge.fold_centred_correlation(predicted, responses, folds)
        explained[subset] = r * np.abs(r)
    return commonality(explained)


def banded_predict(
    kernels: Sequence[NDArray], responses: NDArray, folds: NDArray, alphas: NDArray
) -> ridge.Predictions:
    """`ridge.predict` on a weighted sum of kernels, the weights chosen with alpha.

    For each (fold, neuroid), the weights and alpha of least leave-one-out error in the training
    part, the first of ties. The alpha returned is that of the sum.
    """
    targets = np.asarray(responses, dtype=np.float64)
    mean, deviation = targets.mean(axis=0), targets.std(axis=0)
    scale = np.where(deviation > 0, deviation, 1.0)
    places = layout(folds)
    ordered = ((targets - mean) / scale)[places.order]
    best = np.full((len(places.real), targets.shape[1]), np.inf)
    values = np.full(targets.shape, np.nan)
    alpha, spread = np.full((2, *best.shape), np.nan)
    for kernel in _sums(kernels):
        solver = Solver(kernel, places)
        chosen, residuals, error = solver.choose(np.asarray(alphas, dtype=float), ordered)
        better = error < best
        strength = np.asarray(alphas, dtype=float)[chosen]
        for block in blocks(ordered):
            predicted, varied = solver.predict(
                ordered[:, block], residuals[:, :, block], strength[:, block]
            )
            now = better[:, block]
            spread[:, block] = np.where(now, varied, spread[:, block])
            values[places.order, block] = np.where(
                now[places.fold], predicted, values[places.order, block]
            )
        best, alpha = np.where(better, error, best), np.where(better, strength, alpha)
    return ridge.Predictions(values * scale + mean, alpha, spread * scale)


def _sums(kernels: Sequence[NDArray]) -> Iterator[NDArray]:
    """Kernels weighted 0, 1 or a tenth, relative to each other, and scaled to a sum of 1."""
    given = {tuple(np.divide(w, sum(w))) for w in product(WEIGHTS, repeat=len(kernels)) if any(w)}
    for weights in sorted(given):
        total = np.tensordot(weights, np.stack(kernels), axes=1)  # (set,) x (set, stimulus, ..)
        if np.trace(total) > 0:  # features that do not vary predict nothing
            yield total


def _check(n_sets: int) -> None:
    if not 2 <= n_sets <= MOST_SETS:
        raise InputError(
            "variance_partition", f"{n_sets} sets of predictors", f"give 2 to {MOST_SETS}"
        )
