"""A mean score over subjects, where both the subjects and the stimuli are a sample.

With s_k the score of subject k of K, measured on stimuli that subjects may share, the variance of
their mean over new subjects and new stimuli is

    A + C,   A = Σ (s_k − s̄)² / (K (K − 1)),   C = mean over pairs of subjects of cov(s_j, s_k),

since the spread of the subjects holds all that is each subject's own, what its stimuli and its
noise add to it included, but nothing of what all have in common because they saw the same
stimuli. C is told by draws of the stimuli that are the same for all subjects. This is the
two-factor estimate of Schütt et al. (2023, eLife 12:e82566), V_stimuli + V_subjects − V_both, with
the last in closed form: A is V_subjects, and C is V_stimuli less what subjects do not share of it.

A has K − 1 degrees of freedom, so that its share of an interval takes Student's quantile: with two
subjects 12.7 in place of 1.96. A is no smaller than B, what other stimuli add to each subject by
itself: the mean over subjects is never surer than these subjects' mean on other stimuli is.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cortiscope.statistics.resampling import mean_of_known
from cortiscope.statistics.standard_errors import NORMAL

ANGLES = 20_001  # of a quarter circle: quantiles to seven digits


@lru_cache
def student_quantile(freedom: float, probability: float = 0.975) -> float:
    """The quantile of Student's t, of one degree of freedom or more; probability 0.5 to 1.

    With t = √f tan θ, f the freedom, the density of θ is as cos θ to the f − 1, whose integral is
    taken in equal steps: scipy's would take a fit job as long to import as all else together.
    """
    angle = np.linspace(0.0, np.pi / 2, ANGLES)
    density = np.cos(angle) ** (freedom - 1)
    share = np.concatenate([[0.0], np.cumsum(density[1:] + density[:-1])])
    found = np.interp(2 * probability - 1, share / share[-1], angle)
    return float(np.sqrt(freedom) * np.tan(found))


def shared_variance(draws: NDArray) -> float:
    """C: the mean covariance of two subjects' draws (draw, subject), 0 or more.

    Draws with a NaN are left out. NaN for fewer than two subjects, 0 without draws.
    """
    known = draws[np.isfinite(draws).all(axis=1)]
    n_subjects = draws.shape[1]
    if n_subjects < 2:
        return np.nan
    if not len(known):
        return 0.0
    pairs = n_subjects * (n_subjects - 1)
    return max(0.0, float(known.sum(axis=1).var() - known.var(axis=0).sum()) / pairs)


def own_variance(draws: NDArray) -> float:
    """B: of the mean over subjects, from draws (draw, subject), what these do not share of it."""
    known = draws[np.isfinite(draws).all(axis=1)]
    if not len(known):
        return 0.0
    return max(0.0, float(known.mean(axis=1).var()) - shared_variance(draws))


def between_variance(scores: NDArray) -> float:
    """A: of the mean of scores (subject,), by their spread; NaN for fewer than two."""
    return float(scores.var(ddof=1)) / len(scores) if len(scores) > 1 else np.nan


def two_way_draws(scores: NDArray, draws: NDArray, seed: int) -> NDArray:
    """Draws (draw,) of the mean over subjects, with other subjects and other stimuli.

    scores (subject,); draws (draw, subject) with stimuli resampled, the same ones for all. Those of
    the mean, drawn together to a variance of C (and of what of B is above A), and beside them the
    subjects' deviations from it, each times a normal number that is that subject's in this draw:
    for any two models the same, so that what they differ by in every subject stays paired (a
    multiplier bootstrap; van der Vaart and Wellner 1996, Weak convergence, section 2.9). They are
    as wide as Student's t makes an interval of A and a normal one of C. The ends may pass 1, as
    Student's do. Subjects of unknown score are left out; the draws of a single one stay, about
    that subject; NaN without any.
    """
    known = np.isfinite(scores)
    n_subjects = int(known.sum())
    if not np.isfinite(draws[:, known]).any():
        return np.full(len(draws), np.nan)
    own, found = draws[:, known], scores[known]
    if n_subjects == 1:
        return own[:, 0]
    random = np.random.default_rng([seed, 2])
    times = random.normal(size=(len(draws), len(scores)))[:, known]
    ratio = student_quantile(n_subjects - 1) / NORMAL
    deviation = (found - found.mean()) / np.sqrt(n_subjects * (n_subjects - 1))
    of_subjects = ratio * times @ deviation  # (draw, subject) x (subject,)
    level = found.mean() - found[np.isfinite(own).any(axis=0)].mean()  # of those without draws
    own = with_draws(own)
    mean = own.mean(axis=1)
    spread = float(np.nanvar(mean))
    above = max(0.0, own_variance(own) - ratio**2 * between_variance(found))
    scale = np.sqrt((shared_variance(own) + above) / spread) if spread > 0 else 1.0
    centre = np.nanmean(mean)
    return level + centre + scale * (mean - centre) + of_subjects


def with_draws(draws: NDArray) -> NDArray:
    """Draws (draw, subject) of the subjects that have any: one may be too short for them.

    Of a single subject that has, twice: what other stimuli change is then taken as shared by all.
    """
    found = draws[:, np.isfinite(draws).any(axis=0)]
    return np.repeat(found, 2, axis=1) if found.shape[1] == 1 < draws.shape[1] else found


def about_the_mean(draws: NDArray) -> NDArray:
    """(draw,): of the mean over subjects, from draws (draw, subject) of which some are missing.

    As the mean of deviations from each subject's own mean: which subjects have a draw would move it
    otherwise, as much as they differ.
    """
    centre = mean_of_known(draws, axis=0)
    return mean_of_known(centre) + mean_of_known(draws - centre)
