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

from cortiscope.statistics.resampling import mean_of_known

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


def student_over_normal(freedom: float) -> float:
    """How much wider Student's t makes a 95 % interval, of 2 degrees of freedom or more.

    By the expansion in 1 / freedom (Abramowitz and Stegun 1964, 26.7.5), within 1 % at 2 and
    0.04 % from 4 on: scipy's would take a fit job as long to import as all else together.
    """
    z = NORMAL
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return sum(term / freedom**power for power, term in enumerate(terms)) / z


def rescaled(draws: NDArray, score: float, error: float) -> NDArray:
    """Bootstrap draws (draw,) moved and stretched to this score and standard error of its z.

    What two models' draws share is kept, so that differences between models stay paired, and the
    percentiles are an interval that holds. NaN throughout for a NaN score or error; draws that do
    not vary stay so.
    """
    return stretched(draws, score, stretch(draws, error))


def stretch(draws: NDArray, error: float) -> float:
    """How many times the spread of the z of draws (draw,) an error is; 1 where they do not vary."""
    own = spread(draws)
    return error / own if own > 0 else 1.0


def stretched(draws: NDArray, score: NDArray | float, times: float) -> NDArray:
    """Bootstrap draws (draw, ...) about scores (...), their z so many times as far from the mean.

    NaN where a score or a draw is, or all draws are.
    """
    z = fisher_z(draws)
    return np.tanh(fisher_z(score) + (z - mean_of_known(z, axis=0)) * times)


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


def each_left_out(score: Callable[[NDArray], NDArray | float], groups: NDArray) -> NDArray:
    """The scores without each group of stimuli (stimulus,): (group, ...).

    score: of the stimuli chosen by (stimulus,) bool.
    """
    return np.array([score(groups != group) for group in np.unique(groups)])


def refitted_error(left_out: NDArray, resampled: float, n_units: int) -> float:
    """Standard error of a cross-validated score, its models fitted anew on other stimuli.

    From two variances of its z. The jackknife over g groups of stimuli, with z_k the score without
    group k: J = (g - 1) / g Σ (z_k - z̄)² (Quenouille 1949; Tukey 1958). And D, of draws whose
    models stay as they are. What hangs on single stimuli is in both. What hangs on pairs, either of
    which trains for the other, is in J twice (Efron and Stein 1981, Ann Stat 9:586), in D half:

        √(√(J D)), √D to √(2 D), times t / 1.96

    counts both once; all from pairs is 2 D. J has g - 1 degrees of freedom and D those of n_units
    stimuli, or groups of stimuli, that differ independently. The mean of their logarithms varies as
    that of a variance of 4 / (1 / (g - 1) + 1 / (n_units - 1)) degrees of freedom, whose Student's
    t takes the place of the normal quantile.

    left_out (group,): the scores without each group. resampled: √D, from `resampled_error`. NaN
    where a score is.
    """
    jackknife, n_groups = _jackknife(left_out), len(left_out)
    freedom = 4 / (1 / (n_groups - 1) + 1 / (n_units - 1))
    blended = np.clip(np.sqrt(jackknife * resampled), resampled, np.sqrt(2) * resampled)
    return float(blended * student_over_normal(freedom))


def refitted_null(moved: NDArray) -> NDArray:
    """The null of a cross-validated score (...), from that of predictions moved (...) as they are.

    Of noise, a held-out score is a sum over pairs of stimuli, either of which trains for the other:
    y'M y with M nearly symmetric and empty within folds. Its variance, ‖M‖² + tr(M²), is twice that
    of y'p for a given p = M y. So z is taken √2 times as far from 0; where one dimension of the
    features dominates, or few stimuli are far from the others, that is too far.
    """
    return np.tanh(np.sqrt(2) * fisher_z(moved))


def jackknifed_error(left_out: NDArray) -> float:
    """Standard error of a score of all stimuli together, by the jackknife over groups alone.

    √J of `refitted_error`, times Student's quantile over the normal one. left_out (group,): the
    scores without each group. NaN where one of them is.
    """
    return _jackknife(left_out) * student_over_normal(len(left_out) - 1)


def _jackknife(left_out: NDArray) -> float:
    return float(np.sqrt((len(left_out) - 1) * fisher_z(left_out).var()))


def resampled_error(draws: NDArray, folds: NDArray) -> float:
    """Standard error of a held-out score whose models are taken as they are.

    That of draws (draw,) with test stimuli resampled, corrected for the mean of every fold of more
    than one of the n that are drawn that the score takes out: √(n / (n − n_folds)) times their
    spread. folds (n,), of the stimuli, or of groups of stimuli that are drawn together. 0 without
    draws.
    """
    sizes = np.unique(folds, return_counts=True)[1]
    n_means = int((sizes > 1).sum())  # a stimulus alone is centred on its training part instead
    return spread(draws) * float(np.sqrt(len(folds) / (len(folds) - n_means)))


def drawn_error(draws: NDArray, n_units: int) -> float:
    """Standard error of a score by its draws (draw,) alone, of so many that are drawn, times
    Student's quantile over the normal one.
    """
    return spread(draws) * student_over_normal(n_units - 1)


def spread(draws: NDArray) -> float:
    """The standard deviation of the z of draws (draw,), those that are NaN left out; 0 without."""
    finite = np.isfinite(draws)
    return float(fisher_z(draws[finite]).std()) if finite.any() else 0.0
