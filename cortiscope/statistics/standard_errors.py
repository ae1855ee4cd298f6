"""How far a score lies from what other stimuli would have given, so that intervals hold.

Percentiles of bootstrap draws do not hold by themselves (benchmarks/coverage.py). Resampling the
test stimuli of an encoding model leaves its training part as it was, while the folds share most of
theirs (Bates, Hastie and Tibshirani 2024, J Am Stat Assoc 119:1434): intervals come out too narrow.
Resampling the stimuli of an RDM adds noise of its own to pairs that share a stimulus: too wide.
All errors here are of Fisher's z = atanh(score), over which the spread of a correlation changes
little; `rescaled` gives bootstrap draws the right one, and keeps them paired between models.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

NORMAL = 1.959963984540054  # standard errors to either end of a 95 % interval
HIGHEST = 1 - 1e-12  # a score of 1 has no z
DELETED_GROUPS = 10


def fisher_z(score: NDArray | float) -> NDArray:
    """Atanh of scores (...), those of 1 and -1 taken as next to it; NaN stays."""
    return np.arctanh(np.clip(score, -HIGHEST, HIGHEST))


def interval(
    score: NDArray | float, error: NDArray | float, quantile: float = NORMAL
) -> tuple[NDArray, NDArray]:
    """Lower and upper end (...), for scores and standard errors (...) of their z."""
    z, half = fisher_z(score), quantile * np.asarray(error)
    return np.tanh(z - half), np.tanh(z + half)


def rescaled(draws: NDArray, score: float, error: float) -> NDArray:
    """Bootstrap draws (draw,) moved and stretched to this score and standard error of its z.

    What two models' draws share is kept, so that differences between models stay paired, and the
    percentiles are an interval that holds. NaN throughout for a NaN score or error; draws that do
    not vary stay so.
    """
    z = fisher_z(draws)
    finite = np.isfinite(z)
    if not finite.any():
        return np.full(z.shape, np.nan)
    deviation = z - z[finite].mean()
    spread = deviation[finite].std()
    return np.tanh(fisher_z(score) + deviation * (error / spread if spread > 0 else 1.0))


def deletion_groups(folds: NDArray, seed: int, labels: NDArray | None = None) -> NDArray:
    """Ten groups of stimuli to leave out in turn, each with as much of every fold: (stimulus,).

    folds (stimulus,). labels (stimulus,): those of one label stay together, as in
    `cross_validation.fold_numbers`; there are then no more groups than labels.
    """
    label = np.arange(len(folds)) if labels is None else np.unique(labels, return_inverse=True)[1]
    first = np.unique(label, return_index=True)[1]  # a stimulus of each label
    random = np.random.default_rng(seed).random(len(first))
    order = np.lexsort((random, np.asarray(folds)[first]))
    group = np.empty(len(first), dtype=int)
    group[order] = np.arange(len(first)) % min(DELETED_GROUPS, len(first))
    return group[label]


def refitted_error(
    score: Callable[[NDArray], float], groups: NDArray, draws: NDArray, folds: NDArray
) -> float:
    """Standard error of a cross-validated score, its models fitted anew on other stimuli.

    The jackknife over g groups of stimuli (Quenouille 1949; Tukey 1958), with z_k the score without
    group k: √((g − 1) / g Σ (z_k − z̄)²). On average it errs on the high side (Efron and Stein 1981,
    Ann Stat 9:586), which at ten groups makes up for the normal quantile. Never less than
    `resampled_error`.

    score: of the stimuli chosen by (stimulus,) bool. groups, folds (stimulus,). draws (draw,), of
    the whole sample's score with test stimuli resampled. NaN where a score is.
    """
    z = np.array([fisher_z(score(groups != group)) for group in np.unique(groups)])
    jackknife = np.sqrt((len(z) - 1) * z.var())
    return float(np.maximum(jackknife, resampled_error(draws, folds)))


def resampled_error(draws: NDArray, folds: NDArray) -> float:
    """Standard error of a held-out score whose models are taken as they are.

    That of draws (draw,) with test stimuli resampled, corrected for the mean of every fold of more
    than one stimulus that the score takes out: √(n / (n − n_folds)) times their spread. folds
    (stimulus,). 0 without draws.
    """
    sizes = np.unique(folds, return_counts=True)[1]
    n_means = int((sizes > 1).sum())  # a stimulus alone is centred on its training part instead
    finite = np.isfinite(draws)
    spread = fisher_z(draws[finite]).std() if finite.any() else 0.0
    return float(spread * np.sqrt(len(folds) / (len(folds) - n_means)))
