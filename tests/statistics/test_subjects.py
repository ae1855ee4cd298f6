"""Means over subjects: their variance, intervals and tests, over subjects and stimuli."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from cortiscope.report.subjects import subjects_p
from cortiscope.statistics.nested_bootstrap import small_sample_factor
from cortiscope.statistics.resampling import bootstrap_weights
from cortiscope.statistics.subjects import (
    about_the_mean,
    between_variance,
    own_variance,
    shared_variance,
    student_quantile,
    two_way_draws,
)


@pytest.mark.parametrize("freedom", [1, 2, 3, 7.5, 50])
@pytest.mark.parametrize("probability", [0.6, 0.95, 0.975])
def test_quantiles_are_students(freedom: float, probability: float) -> None:
    exact = stats.t.ppf(probability, freedom)
    assert student_quantile(freedom, probability) == pytest.approx(exact, rel=1e-6)


def crossed(
    random: np.random.Generator, n: int, k: int, of_stimuli: float, of_subjects: float, own: float
) -> NDArray:
    """(stimulus, subject): effects of stimuli, of subjects, and of each pair, by their spread."""
    effects = of_stimuli * random.normal(size=(n, 1)) + of_subjects * random.normal(size=(1, k))
    return effects + own * random.normal(size=(n, k))


def draws_of(values: NDArray, draws: int, seed: int) -> NDArray:
    """Means over stimuli that are resampled, the same for all: (draw, subject)."""
    n = len(values)
    return bootstrap_weights(n, draws, seed) @ values / n  # (draw, stimulus) x (stimulus, subject)


def test_the_variance_counts_what_subjects_share_once() -> None:
    random, n, k = np.random.default_rng(0), 50, 20
    found, means = [], []
    for seed in range(150):
        values = crossed(random, n, k, 0.5, 0.4, 3.0)
        means.append(values.mean())
        draws = draws_of(values, 400, seed)
        found.append(between_variance(values.mean(axis=0)) + shared_variance(draws))
    truth = 0.25 / n + 0.16 / k + 9 / (n * k)
    assert np.var(means) == pytest.approx(truth, rel=0.35)
    assert np.mean(found) == pytest.approx(truth, rel=0.1)


def test_shared_and_own_make_up_the_variance_of_the_mean() -> None:
    random = np.random.default_rng(1)
    draws = draws_of(crossed(random, 60, 3, 1.0, 0.0, 1.0), 300, 0)
    covariance = np.cov(draws.T, bias=True)
    assert shared_variance(draws) == pytest.approx(covariance[np.triu_indices(3, 1)].mean())
    total = shared_variance(draws) + own_variance(draws)
    assert total == pytest.approx(draws.mean(axis=1).var())
    assert np.isnan(shared_variance(draws[:, :1]))


def test_two_subjects_have_the_interval_of_two() -> None:
    draws = np.zeros((20_000, 2)) + 1e-9 * np.random.default_rng(0).normal(size=(20_000, 2))
    scores = np.array([0.2, 0.3])
    low, high = np.percentile(two_way_draws(scores, draws + scores, 0), [2.5, 97.5])
    exact = stats.ttest_1samp(scores, 0).confidence_interval()
    assert (low, high) == pytest.approx((exact.low, exact.high), rel=0.05)
    # Unknown subjects are none; of a single one the draws stay.
    one = two_way_draws(np.array([0.2, np.nan]), draws + np.array([0.2, np.nan]), 0)
    np.testing.assert_array_equal(one, draws[:, 0] + 0.2)
    assert np.isnan(two_way_draws(np.full(2, np.nan), draws, 0)).all()


def test_like_subjects_have_the_interval_of_their_stimuli() -> None:
    random = np.random.default_rng(2)
    draws = 0.3 + 0.1 * random.normal(size=(500, 1)) + np.zeros((500, 4))
    found = two_way_draws(np.full(4, 0.3), draws, 0)
    np.testing.assert_allclose(found, draws[:, 0])


def test_differences_of_two_models_are_paired_by_subject() -> None:
    """Subjects differ widely and models by as much in each of them: Student's paired interval."""
    random = np.random.default_rng(3)
    one = random.normal(0.3, 0.2, size=5)
    other = one - random.normal(0.05, 0.01, size=5)
    draws = 1e-9 * random.normal(size=(20_000, 5))
    paired = two_way_draws(one, draws + one, 0) - two_way_draws(other, draws + other, 0)
    exact = stats.ttest_rel(one, other).confidence_interval()
    found = np.percentile(paired, [2.5, 97.5])
    assert found == pytest.approx([exact.low, exact.high], rel=0.05)


SPREADS = {  # of stimuli, of subjects, of pairs
    "stimuli alone": (1.0, 0.0, 0.0),
    "subjects alone": (0.0, 0.3, 0.0),
    "all": (1.0, 0.15, 1.0),
}


@pytest.mark.parametrize("kind", SPREADS)
@pytest.mark.parametrize("n_subjects", [2, 5, 12])
def test_intervals_hold_and_p_is_uniform(kind: str, n_subjects: int) -> None:
    """The mean is 0; where each pair adds noise, two subjects are told less than might be."""
    random, n, held, p = np.random.default_rng(n_subjects), 60, [], []
    for seed in range(400):
        values = crossed(random, n, n_subjects, *SPREADS[kind])
        # As those of a score they are as wide as intervals over stimuli need.
        draws, scores = draws_of(values, 500, seed) * small_sample_factor(n), values.mean(axis=0)
        low, high = np.percentile(two_way_draws(scores, draws, seed), [2.5, 97.5])
        held.append(low <= 0 <= high)
        variances = shared_variance(draws), own_variance(draws)
        p.append(subjects_p(float(scores.mean()), scores, *variances))
    # 400 studies leave ± 3 of chance, and 500 draws cost their percentiles one.
    assert 0.91 <= np.mean(held) <= 0.99
    assert np.mean(np.array(p) <= 0.05) <= 0.075
    if kind != "all":
        assert stats.kstest(p, "uniform").pvalue > 0.001


def test_p_is_students_where_subjects_alone_vary() -> None:
    scores = np.array([0.1, 0.3, 0.2, 0.25])
    exact = stats.ttest_1samp(scores, 0, alternative="greater").pvalue
    assert subjects_p(scores.mean(), scores, 0.0, 0.0) == pytest.approx(exact, rel=1e-6)
    below = stats.ttest_1samp(-scores, 0, alternative="greater").pvalue
    assert subjects_p(-scores.mean(), -scores, 0.0, 0.0) == pytest.approx(below, rel=1e-6)
    of_stimuli = subjects_p(0.2, np.full(3, 0.2), 0.01, 0.0)
    assert of_stimuli == pytest.approx(stats.norm.sf(2.0), rel=1e-6)
    assert np.isnan(subjects_p(0.2, np.array([0.2, np.nan]), 0.0, 0.0))


def test_a_subject_without_draws_counts_by_its_score() -> None:
    random = np.random.default_rng(0)
    scores, draws = np.array([0.2, 0.4, 0.9]), 0.05 * random.normal(size=(4000, 3))
    draws[:, 2] = np.nan
    found = two_way_draws(scores, draws + scores, 0)
    assert found.mean() == pytest.approx(0.5, abs=0.02)
    assert np.isfinite(found).all()
    assert np.isnan(two_way_draws(scores, np.full((5, 3), np.nan), 0)).all()


def test_draws_about_the_mean_do_not_move_with_who_has_one() -> None:
    random = np.random.default_rng(0)
    draws = np.array([0.1, 0.9]) + 0.01 * random.normal(size=(1000, 2))
    complete = about_the_mean(draws)
    np.testing.assert_allclose(complete, draws.mean(axis=1))
    draws[::2, 1] = np.nan  # of every other draw
    some = about_the_mean(draws)
    assert np.isfinite(some).all()
    assert some.std() < 0.02
    assert some.mean() == pytest.approx(0.5, abs=0.01)
