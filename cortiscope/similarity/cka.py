"""Linear centred kernel alignment: how alike two Gram matrices between stimuli are.

With K = X X', L = Y Y' (stimulus, stimulus), H = I - 11'/n and K~ = K with a diagonal of zeros:

    CKA      = HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L))
    biased   HSIC_0 = tr(K H L H) / (n - 1)^2
    debiased HSIC_1 = [tr(K~ L~) + 1'K~1 1'L~1 / ((n - 1)(n - 2)) - 2 1'K~L~1 / (n - 2)]
                      / (n (n - 3))

Sources: Kornblith, Norouzi, Lee and Hinton (2019), Similarity of neural network representations
revisited; HSIC_1: Song, Smola, Gretton, Bedo and Borgwardt (2012), Feature selection via
dependence maximization, equation 5; debiased CKA: Murphy, Zylberberg and Fyshe (2024), Correcting
biased centered kernel alignment measures in biological and artificial neural networks. HSIC_1 is
the inner product of U-centred matrices (Szekely and Rizzo 2014, Partial distance correlation), so
that each matrix is centred once, and permuting stimuli only moves its entries.

Where pairs of stimuli are left out, since they are copies of each other or neighbours in time, the
matrices are centred over the others alone: K - a_i - a_j with the a that make every row's sum over
the pairs that count 0, which for all pairs is the U-centring.

The biased form is far above 0 for noise with more features than stimuli; the debiased is 0 on
average between unrelated systems.
"""

import numpy as np
from numpy.typing import NDArray

from cortiscope.similarity.pairs import pair_sums, permuted_sums
from cortiscope.similarity.rsa import square, upper
from cortiscope.statistics.rounding import centred


def gram(patterns: NDArray) -> NDArray:
    """Inner products of the rows of (stimulus, neuroid), each neuroid centred over stimuli.

    Neuroids with a missing response are left out; zeros where none is left.
    """
    known = np.asarray(patterns, dtype=np.float64)[:, np.isfinite(patterns).all(axis=0)]
    known = centred(known, axis=0)  # in its place: of thousands of stimuli a gigabyte
    return known @ known.T  # (stimulus, neuroid) x (neuroid, stimulus)


def distance_gram(dissimilarity: NDArray) -> NDArray:
    """The Gram matrix whose squared distances are the cells (cell,): -J D J / 2 (Torgerson 1952).

    For an area of which only dissimilarities are known. NaN cells stay NaN throughout.
    """
    squared = square(np.asarray(dissimilarity, dtype=np.float64))
    squared -= squared.mean(axis=0)
    return -(squared - squared.mean(axis=1, keepdims=True)) / 2


def prepared(gram: NDArray, debiased: bool = True, counted: NDArray | None = None) -> NDArray:
    """A Gram matrix (..., stimulus, stimulus) centred, of norm 1: CKA is then a dot product.

    Done once, before permuting. counted: (stimulus, stimulus) bool, the pairs that count, debiased
    only; None for all but those of a stimulus with itself. NaN throughout where the stimuli do not
    differ, an entry is NaN, or, debiased, there are fewer than 4 stimuli.
    """
    n_stimuli = gram.shape[-1]
    values = np.array(gram, dtype=np.float64)
    ends = (-2, -1)
    size = np.maximum(values.max(axis=ends, keepdims=True), -values.min(axis=ends, keepdims=True))
    if counted is not None:
        values = _centred_over(values, counted)
    elif debiased:
        own = np.arange(n_stimuli)
        # K~ sums the entries off the diagonal: the origin of the features does not matter to it.
        values[..., own, own] = 0.0
        freedom = n_stimuli - 2
        row = values.sum(axis=-1, keepdims=True) / max(freedom, 1)
        total = row.sum(axis=-2, keepdims=True) / max(n_stimuli - 1, 1)
        values -= row
        values -= np.swapaxes(row, -1, -2)
        values += total
        values[..., own, own] = 0.0
    else:
        row = values.mean(axis=-1, keepdims=True)
        values = values - row - np.swapaxes(row, -1, -2) + row.mean(axis=-2, keepdims=True)
    norm = np.sqrt(np.square(values).sum(axis=(-2, -1), keepdims=True))
    defined = (norm > 1e-13 * n_stimuli * size) & (n_stimuli >= 4 or not debiased)
    values /= np.where(defined, norm, np.nan)
    return values


def _centred_over(values: NDArray, counted: NDArray) -> NDArray:
    """Matrices (..., stimulus, stimulus) of rows that sum to 0 over the pairs that count."""
    pairs = counted & ~np.eye(len(counted), dtype=bool)
    values = np.where(pairs, values, 0.0)
    system = pairs + np.diag(pairs.sum(axis=1)).astype(float)
    # Of pairs between two groups alone one a is free, and no matter.
    system += np.eye(len(pairs)) * (1e-12 * len(pairs))
    # (stimulus, stimulus) x (..., stimulus)
    effect = np.moveaxis(np.linalg.solve(system, np.moveaxis(values.sum(axis=-1), -1, 0)), 0, -1)
    return np.where(pairs, values - effect[..., None] - effect[..., None, :], 0.0)


def cka(
    model: NDArray, brain: NDArray, debiased: bool = True, counted: NDArray | None = None
) -> NDArray:
    """CKA of models (..., stimulus, stimulus) with brains (..., stimulus, stimulus).

    Returns (model, brain), without the axis that a single system lacks: biased 0..1, debiased
    -1..1. counted and NaN: see `prepared`.
    """
    return products(prepared(model, debiased, counted), prepared(brain, debiased, counted))


def products(model: NDArray, brain: NDArray) -> NDArray:
    """CKA of matrices from `prepared`: (model, brain), without the axes that single ones lack."""
    return np.tensordot(model, np.moveaxis(brain, (-2, -1), (0, 1)), axes=2)


def permutation_null(model: NDArray, brain: NDArray, orders: NDArray) -> NDArray:
    """CKA of matrices from `prepared` with the stimuli of the brain permuted.

    model (..., stimulus, stimulus), brain (stimulus, stimulus), orders (permutation, stimulus).
    Returns (permutation, model).
    """
    models = model.reshape(-1, *brain.shape)
    null = 2 * permuted_sums(np.stack([upper(one) for one in models]), brain, orders)
    null += np.diagonal(brain)[orders] @ np.diagonal(models, axis1=1, axis2=2).T
    return null.reshape(len(orders), *model.shape[:-2])


def bootstrap_scores(model: NDArray, brain: NDArray, weights: NDArray) -> NDArray:
    """CKA with stimulus i counted weights (draw, stimulus) times, of matrices from `prepared`.

    model, brain (..., stimulus, stimulus). An entry then counts w_i w_j times; debiased, a
    stimulus drawn twice forms no pair with itself. The centring stays that of the full sample,
    which changes a draw to second order only: rows of centred matrices sum to 0. Returns
    (draw, model, brain), without the axes that single systems lack; NaN for a draw of one
    stimulus.
    """
    n_stimuli = weights.shape[1]
    models = model.reshape(-1, n_stimuli, n_stimuli)
    brains = brain.reshape(-1, n_stimuli, n_stimuli)
    model_square = np.stack([_form(weights, one, one) for one in models], axis=1)
    brain_square = np.stack([_form(weights, one, one) for one in brains], axis=1)
    joint = np.empty((len(weights), len(models), len(brains)))
    for m, b in np.ndindex(joint.shape[1:]):
        joint[:, m, b] = _form(weights, models[m], brains[b])
    squares = model_square[:, :, None] * brain_square[:, None, :]
    scores = joint / np.sqrt(np.where(squares > 0, squares, np.nan))
    return scores.reshape(len(weights), *model.shape[:-2], *brain.shape[:-2])


def _form(weights: NDArray, first: NDArray, second: NDArray) -> NDArray:
    """The quadratic forms w' M w of weights (draw, stimulus): (draw,), M two matrices' product."""
    own = np.diagonal(first) * np.diagonal(second)
    cells = (upper(first) * upper(second))[None]
    return 2 * pair_sums(weights, cells)[:, 0] + np.square(weights) @ own
