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
class _Moments:
    """Over the training cells of one fit: means of the design (component,) and of the brains
    (brain,), covariance of the design (component, component), and with the brains (component,
    brain).
    """

    design: NDArray
    brain: NDArray
    gram: NDArray
    cross: NDArray


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
    _check(held_out, alphas)
    size = np.sqrt(np.mean(np.square(features, dtype=np.float64)))
    scaled = np.asarray(features, dtype=np.float64) / (size if size > 0 else 1.0)
    known = np.isfinite(brains).all(axis=1)
    targets = np.where(known[:, None], brains, 0.0)
    level = targets.mean(axis=1, keepdims=True)
    similarity = level - targets
    blocks = _BlockSums(scaled, similarity, held_out)
    chosen = _choose(scaled, similarity, held_out, blocks, np.array(alphas))
    predicted, weights = [], []
    for fit, stimuli in enumerate(held_out.stimuli):
        moments = blocks.moments(held_out.trained[fit], stimuli)
        solved = _solve(moments, np.array(alphas)[chosen[fit]])
        own = (moments.brain - moments.design @ solved)[:, None]
        # (brain, component) x (component, cell)
        values = level - own - solved.T @ _design(scaled[stimuli]).T
        values[~known] = np.nan
        predicted.append(values)
        weights.append(solved[:, 0] / (size**2 if size > 0 else 1.0))
    alpha = np.where(known, np.array(alphas)[chosen], np.nan).T
    return UnitWeighted(predicted, alpha, np.where(known[0], np.stack(weights), np.nan))


def _choose(
    features: NDArray, similarity: NDArray, held_out: HeldOut, blocks: "_BlockSums", alphas: NDArray
) -> NDArray:
    """The number of the alpha of each fit and brain (fit, brain)."""
    chosen = np.zeros((len(held_out.pair), len(similarity)), dtype=int)
    solved: dict[tuple[int, int], list[tuple[NDArray, NDArray]]] = {}
    for fit, partner in enumerate(held_out.partner):
        both = min(fit, partner), max(fit, partner)
        if both not in solved:
            trained = held_out.trained[fit] * held_out.trained[partner]
            left_out = np.concatenate([held_out.stimuli[fit], held_out.stimuli[partner]])
            solved[both] = _path(blocks.moments(trained, left_out), alphas)
        design = _design(features[held_out.stimuli[partner]])
        truth = similarity[:, held_out.cells[partner]]
        square = design.T @ design  # (component, cell) x (cell, component)
        total, cross = design.sum(axis=0), (truth @ design).T
        errors = []
        for weights, own in solved[both]:
            # |truth - own - design w|^2, without what does not depend on alpha
            fitted = np.einsum("cb,cb->b", weights, square @ weights - 2.0 * cross)
            fitted += own * (2.0 * (total @ weights) + len(design) * own - 2.0 * truth.sum(axis=1))
            errors.append(fitted)
        chosen[fit] = np.argmin(errors, axis=0)
    return chosen


class _BlockSums:
    """Inner products of design and brains over each block of cells, summed up for any fit."""

    def __init__(self, features: NDArray, similarity: NDArray, held_out: HeldOut) -> None:
        self.features = features
        first, second = np.triu_indices(len(features), 1)
        self.sizes = np.array([len(cells) for cells in held_out.blocks], dtype=float)
        n_brains, n_components = len(similarity), features.shape[1]
        self.cross = np.empty((len(self.sizes), n_components, n_brains))
        self.total = np.empty((len(self.sizes), n_brains))
        for number, cells in enumerate(held_out.blocks):
            design = features[first[cells]] * features[second[cells]]
            values = similarity[:, cells]
            self.cross[number] = design.T @ values.T  # (component, cell) x (cell, brain)
            self.total[number] = values.sum(axis=1)

    def moments(self, trained: NDArray, left_out: NDArray) -> _Moments:
        """Over the cells of the trained blocks, those among all stimuli but some."""
        rows = np.delete(self.features, left_out, axis=0)
        size = float(trained @ self.sizes)
        squared = rows * rows
        # each (component, stimulus) x (stimulus, component)
        gram = (np.square(rows.T @ rows) - squared.T @ squared) / (2.0 * size)
        design = (rows.sum(axis=0) ** 2 - squared.sum(axis=0)) / (2.0 * size)
        used = np.flatnonzero(trained)
        brain = self.total[used].sum(axis=0) / size
        cross = self.cross[used].sum(axis=0) / size - np.outer(design, brain)
        return _Moments(design, brain, gram - np.outer(design, design), cross)


def _solve(moments: _Moments, alpha: NDArray) -> NDArray:
    """Weights (component, brain) at the alpha of each brain (brain,)."""
    values, vectors, scale = _decompose(moments)
    return vectors @ ((vectors.T @ moments.cross) / (values[:, None] + scale * alpha))


def _path(moments: _Moments, alphas: NDArray) -> list[tuple[NDArray, NDArray]]:
    """Weights (component, brain) and constants (brain,) at each alpha."""
    values, vectors, scale = _decompose(moments)
    turned = vectors.T @ moments.cross
    path = []
    for alpha in alphas:
        weights = vectors @ (turned / (values[:, None] + scale * alpha))
        path.append((weights, moments.brain - moments.design @ weights))
    return path


def _decompose(moments: _Moments) -> tuple[NDArray, NDArray, float]:
    values, vectors = np.linalg.eigh(moments.gram)
    return np.maximum(values, 0.0), vectors, max(float(values.mean()), np.finfo(float).tiny)


def _design(features: NDArray) -> NDArray:
    """Elementwise products of each two of some stimuli: (cell, component)."""
    first, second = np.triu_indices(len(features), 1)
    return features[first] * features[second]


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
