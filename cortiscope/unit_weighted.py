"""One weight per component: which of a layer's dimensions an area's similarities rest on.

    s_ij = w_0 + sum over components k of w_k f_ik f_jk

for pairs of stimuli i < j, by ridge regression over the pairs: squared error plus alpha |w|^2,
w_0 free. Source: Peterson, Abbott and Griffiths (2018), Evaluating (and improving) the
correspondence between deep neural networks and human representations (Cognitive Science 42).

The design has a row a pair and a column a component, the elementwise products f_i * f_j. Its
normal equations need neither: summed over the pairs of stimuli T, with F = features[T],

    sum (f_i * f_j)(f_i * f_j)' = [(F'F) * (F'F) - (F * F)'(F * F)] / 2,

products elementwise. Its inner products with the similarities are sums over blocks of pairs, so
that permutations of the brain are further right-hand sides. Both stimuli of a test cell are held
out (see `held_out_cells`), and so are those on which alpha is chosen: a fit chooses it by the
squared error on the set of its partner, after training on what neither of them holds out.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cortiscope.errors import InputError
from cortiscope.held_out_cells import HeldOut

ALPHAS = (0.01, 0.1, 1.0, 10.0, 100.0)
KEPT_BYTES = 2**27  # of decompositions, which are otherwise made anew for each set of brains
MIN_FOLDS = 5  # two are tested, two choose alpha, at least one trains


@dataclass(frozen=True)
class UnitWeighted:
    """predicted: of each fit (brain, its held-out cells), dissimilarities in the unit of the brain.
    alpha: (brain, fit). weights: (fit, component) of the first brain, in its unit per squared unit
    of the features. NaN where a brain has missing cells.
    """

    predicted: list[NDArray]
    alpha: NDArray
    weights: NDArray


@dataclass(frozen=True)
class _Design:
    """Over some training cells: their blocks, their number, the mean of the design (component,),
    the decomposition of its covariance, and the mean of that one's eigenvalues.
    """

    blocks: NDArray
    size: float
    mean: NDArray
    values: NDArray
    vectors: NDArray
    scale: float


@dataclass(frozen=True)
class _Moments:
    """Over the same cells: means of the brains (brain,), covariance of the design with them, in
    the eigenvectors of the design's (component, brain).
    """

    brain: NDArray
    turned: NDArray


def onto_principal_axes(features: NDArray) -> NDArray:
    """Features (stimulus, component), centred, turned onto at most n - 1 principal axes.

    For layers of more components than stimuli, where weighting each of them would cost the cube
    of their number; the exact projection is turned already. Weights then belong to the axes.
    """
    centred = features - features.mean(axis=0, dtype=np.float64)
    vectors, values, _ = np.linalg.svd(centred, full_matrices=False)
    return (vectors * values)[:, : len(features) - 1]


def predict(
    features: NDArray,
    brains: NDArray,
    held_out: HeldOut,
    alphas: tuple[float, ...] = ALPHAS,
) -> UnitWeighted:
    """Predict the held-out dissimilarities of brains (brain, cell) from (stimulus, component).

    alphas: relative to the mean eigenvalue of the design's covariance; each fit takes, for each
    brain, the one of least squared error on the set of its partner, the first of ties.
    Permutations and halves of the data are further brains. Features that do not vary predict a
    constant. Raises InputError where folds are too few for partners and for an alpha not above 0.
    """
    return Regression(features, held_out, alphas).predict(brains)


class Regression:
    """`predict` with what depends on the features alone done once, for many brains."""

    def __init__(
        self, features: NDArray, held_out: HeldOut, alphas: tuple[float, ...] = ALPHAS
    ) -> None:
        _check(held_out, alphas)
        size = float(np.sqrt(np.mean(np.square(features, dtype=np.float64))))
        self.size = size if size > 0 else 1.0
        self.features = np.asarray(features, dtype=np.float64) / self.size
        self.held_out, self.alphas = held_out, np.array(alphas)
        self.sizes = np.array([len(cells) for cells in held_out.blocks], dtype=float)
        self.made: dict[tuple[int, int], _Design] = {}
        decompositions = 2 * len(held_out.stimuli) * features.shape[1] ** 2 * 8
        self.keeps = decompositions <= KEPT_BYTES

    def predict(self, brains: NDArray) -> UnitWeighted:
        """As the function of the same name."""
        known = np.isfinite(brains).all(axis=1)
        targets = np.where(known[:, None], brains, 0.0)
        level = targets.mean(axis=1, keepdims=True)
        similarity = level - targets
        sums = _BlockSums(self.features, similarity, self.held_out.blocks)
        chosen = self._choose(similarity, sums)
        predicted, weights = [], []
        for fit, stimuli in enumerate(self.held_out.stimuli):
            design = self._design(fit, fit)
            moments = sums.moments(design)
            solved = _solve(design, moments, self.alphas[chosen[fit]])
            own = (moments.brain - design.mean @ solved)[:, None]
            # (brain, component) x (component, cell)
            values = level - own - solved.T @ _products(self.features[stimuli]).T
            values[~known] = np.nan
            predicted.append(values)
            weights.append(solved[:, 0] / self.size**2)
        alpha = np.where(known, self.alphas[chosen], np.nan).T
        return UnitWeighted(predicted, alpha, np.where(known[0], np.stack(weights), np.nan))

    def _choose(self, similarity: NDArray, sums: "_BlockSums") -> NDArray:
        """The number of the alpha of each fit and brain (fit, brain)."""
        chosen = np.zeros((len(self.held_out.pair), similarity.shape[0]), dtype=int)
        paths: dict[tuple[int, int], list[tuple[NDArray, NDArray]]] = {}
        for fit, partner in enumerate(self.held_out.partner):
            both = min(fit, partner), max(fit, partner)
            if both not in paths:
                paths[both] = self._path(self._design(*both), sums)
            tested = self.features[self.held_out.stimuli[partner]]
            truth = similarity[:, self.held_out.cells[partner]]
            square, total = _pair_products(tested), _pair_sums(tested)
            cross = _products(tested).T @ truth.T  # (component, cell) x (cell, brain)
            errors = []
            for weights, own in paths[both]:
                # |truth - own - design w|^2, without what does not depend on alpha
                fitted = np.einsum("cb,cb->b", weights, square @ weights - 2.0 * cross)
                rest = 2.0 * (total @ weights - truth.sum(axis=1)) + truth.shape[1] * own
                errors.append(fitted + own * rest)
            chosen[fit] = np.argmin(errors, axis=0)
        return chosen

    def _path(self, design: _Design, sums: "_BlockSums") -> list[tuple[NDArray, NDArray]]:
        """Weights (component, brain) and constants (brain,) at each alpha."""
        moments = sums.moments(design)
        weights = [_solve(design, moments, alpha) for alpha in self.alphas]
        return [(each, moments.brain - design.mean @ each) for each in weights]

    def _design(self, one: int, other: int) -> _Design:
        """Over the cells that two fits, or one, are trained on."""
        if (one, other) in self.made:
            return self.made[one, other]
        trained = np.flatnonzero(self.held_out.trained[one] * self.held_out.trained[other])
        left_out = np.union1d(self.held_out.stimuli[one], self.held_out.stimuli[other])
        rows, size = np.delete(self.features, left_out, axis=0), float(self.sizes[trained].sum())
        mean = _pair_sums(rows) / size
        gram = _pair_products(rows) / size - np.outer(mean, mean)
        values, vectors = np.linalg.eigh(gram)
        scale = max(float(values.mean()), np.finfo(float).tiny)
        made = _Design(trained, size, mean, np.maximum(values, 0.0), vectors, scale)
        if self.keeps:
            self.made[one, other] = made
        return made


class _BlockSums:
    """Inner products of design and brains over each block of cells, summed up for any fit."""

    def __init__(self, features: NDArray, similarity: NDArray, blocks: list[NDArray]) -> None:
        first, second = np.triu_indices(len(features), 1)
        self.cross = np.empty((len(blocks), features.shape[1], len(similarity)))
        self.total = np.empty((len(blocks), len(similarity)))
        for number, cells in enumerate(blocks):
            values = similarity[:, cells]
            products = features[first[cells]] * features[second[cells]]
            self.cross[number] = products.T @ values.T  # (component, cell) x (cell, brain)
            self.total[number] = values.sum(axis=1)

    def moments(self, design: _Design) -> _Moments:
        brain = self.total[design.blocks].sum(axis=0) / design.size
        cross = self.cross[design.blocks].sum(axis=0) / design.size
        # (component, component) x (component, brain)
        return _Moments(brain, design.vectors.T @ (cross - np.outer(design.mean, brain)))


def _solve(design: _Design, moments: _Moments, alpha: NDArray) -> NDArray:
    """Weights (component, brain) at an alpha for all, or at that of each brain (brain,)."""
    return design.vectors @ (moments.turned / (design.values[:, None] + design.scale * alpha))


def _products(features: NDArray) -> NDArray:
    """Elementwise products of each two of some stimuli: (cell, component)."""
    first, second = np.triu_indices(len(features), 1)
    return features[first] * features[second]


def _pair_sums(features: NDArray) -> NDArray:
    """Their sum over cells (component,)."""
    total: NDArray = (features.sum(axis=0) ** 2 - np.square(features).sum(axis=0)) / 2.0
    return total


def _pair_products(features: NDArray) -> NDArray:
    """Their inner products (component, component)."""
    squared = features * features
    # each (component, stimulus) x (stimulus, component)
    return (np.square(features.T @ features) - squared.T @ squared) / 2.0


def _check(held_out: HeldOut, alphas: tuple[float, ...]) -> None:
    shared = held_out.trained * held_out.trained[held_out.partner]
    if (held_out.partner < 0).any() or not shared.any(axis=1).all():
        raise InputError(
            "cross_validation.folds", "too few to choose alpha", f"give {MIN_FOLDS} or more"
        )
    if not alphas or not all(0 < alpha < np.inf for alpha in alphas):
        raise InputError(
            "mappings.unit_weighted.alphas",
            f"{list(alphas)} are not all positive numbers",
            "give strengths above 0, such as 1",
        )
