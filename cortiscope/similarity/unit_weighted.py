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

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cortiscope.errors import InputError
from cortiscope.regression.strengths import Grid, at_ends, go_on, grid
from cortiscope.similarity.held_out_cells import HeldOut
from cortiscope.statistics.rounding import rounding

ALPHAS = (0.01, 0.1, 1.0, 10.0, 100.0)
KEPT_BYTES = 2**27  # of decompositions, which are otherwise made anew for each set of brains
MIN_FOLDS = 5  # two are tested, two choose alpha, at least one trains


@dataclass(frozen=True)
class UnitWeighted:
    """predicted: of each fit (brain, its held-out cells), dissimilarities in the unit of the brain.
    alpha: (brain, fit). end: (brain, fit), whether it is the least (-1) or the largest (1) of all
    that may be tried. weights: (fit, component) of the first brain, in its unit per squared unit of
    the features. NaN where a brain has missing cells.
    """

    predicted: list[NDArray]
    alpha: NDArray
    end: NDArray
    weights: NDArray


@dataclass(frozen=True)
class _Design:
    """Over some training cells: their number, the mean of the design (component,), the
    decomposition of its covariance, and the mean of that one's eigenvalues.
    """

    size: float
    mean: NDArray
    values: NDArray
    vectors: NDArray
    scale: float

    def moments(self, sums: "_Sums") -> "_Moments":
        """Of brains, from sums over the same cells."""
        brain, dtype = sums.total / self.size, sums.cross.dtype
        cross = sums.cross / self.size - np.outer(self.mean, brain).astype(dtype)
        # (component, component) x (component, brain)
        return _Moments(brain, self.vectors.T.astype(dtype) @ cross)

    def solve(self, moments: "_Moments", alpha: NDArray) -> tuple[NDArray, NDArray]:
        """Weights (component, brain) at an alpha for all, or at that of each brain (brain,), and
        constants (brain,).
        """
        dtype = moments.turned.dtype
        shrunk = moments.turned / (self.values[:, None] + self.scale * alpha).astype(dtype)
        # (component, component) x (component, brain)
        weights = self.vectors.astype(dtype) @ shrunk
        return weights, moments.brain - self.mean.astype(dtype) @ weights


@dataclass(frozen=True)
class _Moments:
    """Over the same cells: means of the brains (brain,), covariance of the design with them, in
    the eigenvectors of the design's (component, brain).
    """

    brain: NDArray
    turned: NDArray


@dataclass(frozen=True)
class _Sums:
    """Inner products of design and brains (component, brain), sums of the brains (brain,)."""

    cross: NDArray
    total: NDArray


# From weights (component, brain) and constants (brain,), and which brains these are: (brain,).
Errors = Callable[[tuple[NDArray, NDArray], NDArray], NDArray]


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
    brain, the one of least squared error on the set of its partner, the first of ties, and goes on
    beyond the ends of several (see `regression.strengths`).
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
        fits = range(len(held_out.stimuli))
        pairs = {tuple(sorted(each)) for each in enumerate(held_out.partner.tolist())}
        self.trainings = [*((fit, fit) for fit in fits), *sorted(pairs)]
        self.made: dict[tuple[int, int], _Design] = {}
        decompositions = 2 * len(held_out.stimuli) * features.shape[1] ** 2 * 8
        self.keeps = decompositions <= KEPT_BYTES

    def predict(self, brains: NDArray) -> UnitWeighted:
        """As the function of the same name, in the precision of the brains."""
        known = np.isfinite(brains).all(axis=1)
        targets = np.where(known[:, None], brains, brains.dtype.type(0))
        level = targets.mean(axis=1, keepdims=True)
        similarity, n_fits = level - targets, len(self.held_out.stimuli)
        blocks = _block_sums(self.features, similarity, self.held_out.blocks)
        # As one product, since each block is summed up for most of them.
        trained = _summed(blocks, self._blocks_of(self.trainings))
        chosen, end = self._choose(blocks, trained[n_fits:])
        predicted, weights = [], []
        for fit, (stimuli, sums) in enumerate(zip(self.held_out.stimuli, trained, strict=False)):
            design = self._design(fit, fit)
            solved, constant = design.solve(design.moments(sums), chosen[fit])
            tested = _products(self.features[stimuli].astype(similarity.dtype))
            # (brain, component) x (component, cell)
            values = (solved.T @ tested.T).astype(np.float64)  # else the level makes ties
            np.subtract(level - constant[:, None], values, out=values)
            values[~known] = np.nan
            predicted.append(values)
            weights.append(solved[:, 0] / self.size**2)
        alpha, end = (np.where(known, each, np.nan).T for each in (chosen, end))
        own = np.where(known[0], np.stack(weights), np.nan)
        return UnitWeighted(predicted, alpha, end, own)

    def _choose(self, blocks: _Sums, trained: list[_Sums]) -> tuple[NDArray, NDArray]:
        """The alpha of each fit and brain, and whether it is at an end of all: (fit, brain) each.

        blocks: sums over each block; trained: of each pair of partners.
        """
        n_fits, n_brains = len(self.held_out.pair), blocks.total.shape[1]
        alpha, end = np.full((2, n_fits, n_brains), np.nan)
        for both, sums in zip(self.trainings[n_fits:], trained, strict=True):
            design = self._design(*both)
            moments = design.moments(sums)
            strengths = grid(self.alphas, design.values / design.scale)
            path = [design.solve(moments, each) for each in strengths.options]
            for fit, partner in (both, both[::-1]):
                if self.held_out.partner[fit] == partner:
                    errors = self._errors(partner, blocks)
                    alpha[fit] = self._chosen(errors, design, moments, strengths, path)
                    end[fit] = at_ends(strengths, alpha[fit])
        return alpha, end

    def _chosen(
        self,
        errors: Errors,
        design: _Design,
        moments: _Moments,
        strengths: Grid,
        path: list[tuple[NDArray, NDArray]],
    ) -> NDArray:
        """The alpha of each brain (brain,); path: the solutions at the options of the grid."""
        everyone = np.arange(len(moments.brain))
        tried = np.stack([errors(solved, everyone) for solved in path])
        chosen, best = strengths.options[tried.argmin(axis=0)], tried.min(axis=0)

        def attempt(alpha: float, among: NDArray) -> None:
            some = np.flatnonzero(among)
            part = _Moments(moments.brain[some], moments.turned[:, some])
            error = errors(design.solve(part, np.asarray(alpha)), some)
            better = error < best[some]
            best[some[better]], chosen[some[better]] = error[better], alpha

        go_on(strengths, chosen, attempt)
        return chosen

    def _errors(self, fit: int, blocks: _Sums) -> Errors:
        """Squared errors on the set that a fit holds out, without what does not depend on alpha:
        |truth - constant - design w|^2.
        """
        own, dtype = np.flatnonzero(self.held_out.tested[fit]), blocks.cross.dtype
        cross, truth = blocks.cross[own].sum(axis=0), blocks.total[own].sum(axis=0)
        rows = self.features[self.held_out.stimuli[fit]]
        square, total = _pair_products(rows).astype(dtype), _pair_sums(rows).astype(dtype)
        size = self.sizes[own].sum()

        def errors(solved: tuple[NDArray, NDArray], brains: NDArray) -> NDArray:
            weights, constant = solved
            missed = square @ weights - 2 * cross[:, brains]
            fitted: NDArray = np.einsum("cb,cb->b", weights, missed)
            rest = 2 * (total @ weights - truth[brains]) + size * constant
            return fitted + constant * rest

        return errors

    def _blocks_of(self, trainings: list[tuple[int, int]]) -> NDArray:
        """(training, block) 1 or 0: the blocks that both of two fits are trained on."""
        one, other = np.array(trainings).T
        both: NDArray = self.held_out.trained[one] * self.held_out.trained[other]
        return both

    def _design(self, one: int, other: int) -> _Design:
        """Over the cells that two fits, or one, are trained on."""
        if (one, other) in self.made:
            return self.made[one, other]
        left_out = np.union1d(self.held_out.stimuli[one], self.held_out.stimuli[other])
        rows = np.delete(self.features, left_out, axis=0)
        size = float((self._blocks_of([(one, other)]) @ self.sizes)[0])
        mean = _pair_sums(rows) / size
        products = _pair_products(rows) / size
        gram = products - np.outer(mean, mean)
        if np.trace(gram) <= rounding(gram) * np.trace(products):  # products that do not vary
            gram = np.zeros_like(gram)
        values, vectors = np.linalg.eigh(gram)
        scale = float(values.mean())
        if not scale > 0:  # nothing is learnt from them, at any strength
            vectors, scale = np.zeros_like(vectors), 1.0
        made = _Design(size, mean, np.maximum(values, 0.0), vectors, scale)
        if self.keeps:
            self.made[one, other] = made
        return made


def _block_sums(features: NDArray, similarity: NDArray, blocks: list[NDArray]) -> _Sums:
    """Over each block of cells: (block, component, brain), (block, brain)."""
    first, second = np.triu_indices(len(features), 1)
    rows = features.astype(similarity.dtype)
    cross = np.empty((len(blocks), rows.shape[1], len(similarity)), rows.dtype)
    total = np.empty((len(blocks), len(similarity)), rows.dtype)
    for number, cells in enumerate(blocks):
        values = similarity[:, cells]
        products = rows[first[cells]] * rows[second[cells]]
        cross[number] = products.T @ values.T  # (component, cell) x (cell, brain)
        total[number] = values.sum(axis=1)
    return _Sums(cross, total)


def _summed(blocks: _Sums, chosen: NDArray) -> list[_Sums]:
    """Sums over the blocks of each row of chosen (training, block), 1 or 0."""
    chosen = chosen.astype(blocks.cross.dtype)
    # (training, block) x (block, component * brain)
    cross = (chosen @ blocks.cross.reshape(len(blocks.cross), -1)).reshape(
        len(chosen), *blocks.cross.shape[1:]
    )
    return [_Sums(*each) for each in zip(cross, chosen @ blocks.total, strict=True)]


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
            "unit_weighted.alphas",
            f"{list(alphas)} are not all positive numbers",
            "give strengths above 0, such as 1",
        )
