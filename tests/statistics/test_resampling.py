"""Resampling, p-values and intervals against known truths and scipy."""

from collections.abc import Callable
from itertools import permutations as arrangements

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import pearsonr, permutation_test, rankdata, spearmanr

from cortiscope.statistics import resampling


def test_bootstrap_weights_count_draws() -> None:
    weights = resampling.bootstrap_weights(50, 4000, seed=1)
    assert weights.shape == (4000, 50)
    assert np.all(weights.sum(axis=1) == 50)
    assert np.all(weights == np.round(weights))
    np.testing.assert_allclose(weights.mean(), 1)
    assert weights.var() == pytest.approx(1 - 1 / 50, abs=0.03)
    assert np.array_equal(weights[:10], resampling.bootstrap_weights(50, 10, seed=1))
    assert not np.array_equal(weights, resampling.bootstrap_weights(50, 4000, seed=2))


def test_bootstrap_gives_the_standard_error_of_a_mean() -> None:
    values = np.random.default_rng(0).normal(size=200)
    means = resampling.bootstrap_weights(200, 4000, seed=0) @ values / 200
    assert means.std() == pytest.approx(values.std() / np.sqrt(200), rel=0.05)


def test_permutations_are_uniform() -> None:
    orders = resampling.permutations(6, 6000, seed=0)
    assert np.array_equal(np.sort(orders, axis=1), np.tile(np.arange(6), (6000, 1)))
    places = np.array([np.bincount(orders[:, k], minlength=6) for k in range(6)])
    assert np.abs(places - 1000).max() < 5 * np.sqrt(1000)


def test_p_value() -> None:
    null = np.array([0.1, 0.2, 0.3, np.nan])
    assert resampling.p_value(0.2, null) == pytest.approx(3 / 4)
    assert resampling.p_value(0.9, null) == pytest.approx(1 / 4)
    many = resampling.p_value(np.array([0.25, np.nan, 1.0]), np.stack([null] * 3, axis=1))
    np.testing.assert_allclose(many, [2 / 4, np.nan, 1 / 4])
    assert np.isnan(resampling.p_value(0.5, np.empty(0)))


def test_p_values_of_null_scores_are_uniform() -> None:
    random = np.random.default_rng(0)
    p = resampling.p_value(random.normal(size=3000), random.normal(size=(99, 3000)))
    for level in (0.05, 0.2, 0.5):
        assert np.mean(p <= level) == pytest.approx(level, abs=0.03)


def test_paired_p_value() -> None:
    draws = np.arange(99.0)
    assert resampling.paired_p_value(draws + 1, draws) == pytest.approx(2 / 100)
    assert resampling.paired_p_value(draws, draws + 1) == pytest.approx(2 / 100)
    assert resampling.paired_p_value(draws, draws) == 1
    assert resampling.paired_p_value(draws - 49.5, 0 * draws) > 0.9
    assert np.isnan(resampling.paired_p_value(draws * np.nan, draws))


def test_mean_of_known_leaves_nan_out() -> None:
    values = np.array([[1.0, 2.0, np.nan], [np.nan] * 3])
    np.testing.assert_allclose(resampling.mean_of_known(values), [1.5, np.nan])
    np.testing.assert_allclose(resampling.mean_of_known(values, axis=0), [1, 2, np.nan])
    assert resampling.mean_of_known(np.array([1.0, 2.0])) == 1.5


def test_average_ranks_are_those_of_scipy() -> None:
    values = np.random.default_rng(0).integers(0, 6, size=(20, 15)).astype(float)
    np.testing.assert_array_equal(resampling.average_ranks(values), rankdata(values, axis=1))
    np.testing.assert_array_equal(resampling.average_ranks(values[0]), rankdata(values[0]))


@pytest.mark.parametrize(("method", "reference"), [("pearson", pearsonr), ("spearman", spearmanr)])
def test_correlation_is_that_of_scipy(
    method: str, reference: Callable[[NDArray, NDArray], tuple[float, float]]
) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=40)
    y = 0.5 * x + random.normal(size=40)
    x[3] = np.nan
    ours = resampling.correlation_with_interval(x, y, 2000, 5000, 0, method)
    known = np.isfinite(x)
    expected = reference(x[known], y[known])
    assert ours.r == pytest.approx(expected[0], rel=1e-12)
    assert ours.n == 39
    assert ours.p == pytest.approx(expected[1], abs=0.02)
    assert ours.low < ours.r < ours.high
    assert ours.high - ours.low == pytest.approx(4 * (1 - ours.r**2) / np.sqrt(39), rel=0.35)


def test_small_samples_are_enumerated() -> None:
    x, y = np.array([1.0, 2, 3, 4, 5]), np.array([1.0, 3, 2, 5, 4])
    ours = resampling.correlation_with_interval(x, y, 200, 1000, 0)
    test = permutation_test(
        (x,), lambda z: abs(pearsonr(z, y)[0]), permutation_type="pairings", alternative="greater"
    )
    assert len(list(arrangements(range(5)))) == 120
    assert ours.p == pytest.approx(test.pvalue)


def test_interval_covers_the_truth() -> None:
    random = np.random.default_rng(0)
    inside = 0
    for _ in range(200):
        x = random.normal(size=60)
        y = 0.6 * x + 0.8 * random.normal(size=60)
        ours = resampling.correlation_with_interval(x, y, 300, 1, 0)
        inside += ours.low < 0.6 < ours.high
    assert 175 <= inside <= 198


def test_too_few_or_constant_points_are_nan() -> None:
    for x in (np.array([1.0, 2.0]), np.full(9, 3.0)):
        ours = resampling.correlation_with_interval(x, np.arange(len(x)), 10, 10, 0)
        assert np.isnan([ours.r, ours.low, ours.high, ours.p]).all()
        assert ours.n == len(x)
    with pytest.raises(ValueError, match="neither"):
        resampling.correlation_with_interval(np.arange(5), np.arange(5), 10, 10, 0, "kendall")


@pytest.mark.parametrize("sizes", [(3, 3, 3, 3), (1, 4, 2, 5)])
def test_units_change_places_together(sizes: tuple[int, ...]) -> None:
    """Those of one size do so whole; of unlike sizes neighbours of a unit mostly stay such."""
    unit = np.random.default_rng(0).permutation(np.repeat(np.arange(4), sizes))
    orders = resampling.permutations_of(unit, 400, seed=0)
    assert np.array_equal(np.sort(orders, axis=1), np.tile(np.arange(12), (400, 1)))
    moved = unit[orders][:, np.argsort(unit, kind="stable")]  # (permutation, place on the list)
    assert np.all((np.diff(moved, axis=1) != 0).sum(axis=1) == 3)  # each unit in one run
    if len(set(sizes)) == 1:
        assert len(np.unique(moved, axis=0)) == 24
    within = np.argsort(np.argsort(orders[:, unit == 3], axis=1), axis=1)
    assert len(np.unique(within, axis=0)) > 1


def test_orders_of_single_stimuli_and_of_some() -> None:
    whole = resampling.permutations(9, 20, seed=3)
    assert np.array_equal(resampling.permutations_of(np.arange(9), 20, seed=3), whole)
    some = np.array([0, 2, 5, 6])
    found = resampling.orders_among(whole, some)
    for order, one in zip(whole, found, strict=True):
        assert some[one].tolist() == [place for place in order if place in some]
    unit = np.arange(9) // 3
    orders = resampling.permutations_of(unit, 20, seed=3)
    few = resampling.orders_among(orders, np.array([0, 1, 2, 6, 7, 8]), unit)
    halves = np.arange(6)[few] // 3
    assert np.all(halves == halves[:, [0, 0, 0, 3, 3, 3]])
    assert 0 < halves[:, 0].sum() < 20
