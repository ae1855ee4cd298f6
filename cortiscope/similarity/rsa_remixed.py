"""Remixed representational similarity: what a layer knows of categories, compared with a brain.

Linear readouts of categories are trained on a layer's features, and the dissimilarities of their
outputs are compared with the brain's. Source: Khaligh-Razavi and Kriegeskorte (2014), Deep
supervised, but not unsupervised, models may explain IT cortical representation, there with linear
support vector machines trained on other images; here with ridge classifiers (a column for each
category, 1 for its members and 0 for the others, least squares with alpha |w|^2; for two
categories the direction of Fisher's linear discriminant with a shrunk covariance), trained on the
other stimuli:

    y = w_0 + w'x,   d_ij = |y_i - y_j|, or 1 - Pearson over the categories.

The readouts of a set of stimuli have seen none of these (see `held_out_cells`), and both stimuli
of a cell are read by the same ones, so that features without any category give dissimilarities
without any. With R(alpha) = Q diag(alpha / (values + alpha)) Q' over the eigenvectors of the
centred kernel, r = R y, the residuals of a held-out set S are inv(R_SS) r_S, and alpha is chosen
by the leave-one-out error among the others, both without a refit (see `nested`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cortiscope.errors import InputError
from cortiscope.regression.decomposition import decompose
from cortiscope.regression.strengths import at_ends, go_on, grid
from cortiscope.similarity.dissimilarity import pattern_rdm
from cortiscope.similarity.held_out_cells import HeldOut

ALPHAS = (0.01, 0.1, 1.0, 10.0, 100.0)


@dataclass(frozen=True)
class Readouts:
    """outputs: of each fit (its held-out stimuli, category), about 0..1. alpha: (fit,). end:
    (fit,), whether it is the least (-1) or the largest (1) of all that may be tried. NaN where the
    features do not vary.
    """

    outputs: list[NDArray]
    alpha: NDArray
    end: NDArray


def categories(labels: Sequence[NDArray]) -> NDArray:
    """A column for each value of each property: (stimulus, category), 1 for its members.

    labels: (stimulus,) of each property, such as animacy and category. Raises InputError for a
    property with fewer than two values, of which nothing can be read out.
    """
    columns = []
    for number, property_ in enumerate(labels):
        values = np.unique(property_)
        if len(values) < 2:
            raise InputError(
                f"categories: property {number}", "all stimuli are alike", "leave it out"
            )
        columns.append(np.asarray(property_)[:, None] == values)
    return np.hstack(columns).astype(np.float64)


def read_out(
    kernel: NDArray,
    membership: NDArray,
    held_out: HeldOut,
    alphas: tuple[float, ...] = ALPHAS,
) -> Readouts:
    """Outputs for each held-out set of readouts trained on all other stimuli.

    kernel (stimulus, stimulus), from `ridge.kernel`; membership (stimulus, category), from
    `categories`; alphas relative to the mean diagonal of the kernel: each fit takes the one of
    least squared leave-one-out error over its training stimuli and categories, the first of ties,
    and goes on beyond the ends of several (see `regression.strengths`).
    """
    n_fits, n_categories = len(held_out.stimuli), membership.shape[1]
    if not np.trace(kernel) > 0:
        empty = [np.full((len(s), n_categories), np.nan) for s in held_out.stimuli]
        return Readouts(empty, *np.full((2, n_fits), np.nan))
    values, vectors = decompose(kernel)
    strengths = grid(np.asarray(alphas), values)
    best, alpha = np.full(n_fits, np.inf), np.full(n_fits, np.nan)
    outputs: list[NDArray] = [np.empty(0)] * n_fits

    def attempt(strength: float, among: NDArray) -> None:
        residual = (vectors * (strength / (values + strength))) @ vectors.T
        fitted = residual @ membership  # (stimulus, stimulus) x (stimulus, category)
        for fit in np.flatnonzero(among):
            held = held_out.stimuli[fit]
            error, missed = _left_out(residual, fitted, held)
            if error < best[fit]:
                best[fit], alpha[fit] = error, strength
                outputs[fit] = membership[held] - missed

    for strength in strengths.options:
        attempt(float(strength), np.ones(n_fits, dtype=bool))
    go_on(strengths, alpha, attempt)
    return Readouts(outputs, alpha, at_ends(strengths, alpha))


def predicted_cells(readouts: Readouts, method: str = "euclidean") -> list[NDArray]:
    """Dissimilarities of the outputs of each fit: (its held-out cells,).

    method: see `dissimilarity.pattern_rdm`; pearson needs three categories or more to tell
    anything.
    """
    return [pattern_rdm(outputs, method) for outputs in readouts.outputs]


def _left_out(residual: NDArray, fitted: NDArray, held: NDArray) -> tuple[float, NDArray]:
    """Inner leave-one-out error outside a held-out set, and the residuals in it (held, category).

    residual (stimulus, stimulus) is R, fitted (stimulus, category) is R y.
    """
    own = residual[np.ix_(held, held)]
    missed = np.linalg.solve(own, fitted[held])
    training = np.delete(np.arange(len(residual)), held)
    across = residual[np.ix_(training, held)]
    spread = np.diagonal(residual)[training] - np.einsum(
        "th,ht->t", across, np.linalg.solve(own, across.T)
    )
    left_out = (fitted[training] - across @ missed) / spread[:, None]
    return float(np.sum(np.square(left_out))), missed
