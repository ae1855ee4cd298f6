"""Best depths and their order over areas against scipy and enumeration."""

from itertools import permutations

import numpy as np
import pytest
from scipy.stats import kstest, spearmanr

from cortiscope.report.best_layers import best_depth
from cortiscope.report.hierarchy import hierarchy


def test_best_depth_averages_over_the_data() -> None:
    depth = np.array([0.0, 0.4, 1.0])
    assert best_depth(np.array([0.25, 0.25, 0.5]), depth) == pytest.approx((0.4 + 2 * 1) / 4)
    assert np.isnan(best_depth(np.zeros(3), depth))
    # All layers together have no depth.
    assert np.isnan(best_depth(np.ones(1), np.array([np.nan])))


def test_rho_and_exact_p() -> None:
    random = np.random.default_rng(0)
    rank = np.array([1, 2, 2, 4, 5.0])
    depths = random.normal(size=(4, 5)).round(1) + 0.5 * rank
    ours = hierarchy(depths, rank, 1000, 0)
    expected = [spearmanr(row, rank)[0] for row in depths]
    np.testing.assert_allclose(ours.by_model, expected, rtol=1e-12)
    assert ours.rho == pytest.approx(np.mean(expected))
    null = [
        np.mean([spearmanr(row, order)[0] for row in depths])
        for order in permutations(rank.tolist())
    ]
    assert ours.exact
    assert ours.p == pytest.approx(np.mean(np.array(null) >= ours.rho - 1e-9))
    sampled = hierarchy(depths, rank, 100, 0)
    assert not sampled.exact
    assert sampled.p == pytest.approx(ours.p, abs=0.1)


def test_planted_order_and_smallest_p() -> None:
    assert hierarchy(np.array([0.1, 0.5, 0.9]), np.arange(3), 6, 0).p == pytest.approx(1 / 6)
    ours = hierarchy(np.tile(np.arange(7.0), (5, 1)), np.arange(7), 999, 0)
    assert ours.rho == pytest.approx(1)
    assert ours.p <= 3 / 1000  # of 5,040 orders one reaches it
    assert hierarchy(-np.arange(7.0), np.arange(7), 999, 0).p > 0.99


def test_p_values_are_uniform() -> None:
    random = np.random.default_rng(0)
    p = [hierarchy(random.normal(size=(3, 8)), np.arange(8), 199, seed).p for seed in range(400)]
    assert kstest(p, "uniform").pvalue > 0.01


def test_missing_areas_and_models() -> None:
    rank = np.array([1.0, np.nan, 2, 3])
    depths = np.array([[0.1, np.nan, 0.2, 0.3], [0.1, 0.1, np.nan, 0.2], [0.5] * 4])
    ours = hierarchy(depths, rank, 100, 0)
    np.testing.assert_allclose(ours.by_model, [1, np.nan, np.nan])
    assert ours.rho == pytest.approx(1)
    for few in (rank[:3], np.ones(4)):
        assert np.isnan(hierarchy(depths[:, : len(few)], few, 100, 0).p)
    assert np.isnan(hierarchy(depths[1:], rank, 100, 0).rho)
