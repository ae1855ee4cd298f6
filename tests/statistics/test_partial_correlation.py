"""Partial correlations against the inverse covariance, the level of their p-values, few models."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import kstest, pearsonr, rankdata

from cortiscope.errors import InputError
from cortiscope.statistics.partial_correlation import partial_correlation


def variables(n: int, seed: int, effect: float = 0.0) -> tuple[NDArray, NDArray, NDArray]:
    """x and y that both depend on three covariates, y on x as well."""
    random = np.random.default_rng(seed)
    covariates = random.normal(size=(n, 3)) * [1, 10, 1e6]
    common = covariates @ [1, 0.1, 0]
    x = common + random.normal(size=n)
    return x, common + effect * x + random.normal(size=n), covariates


def by_precision(x: NDArray, y: NDArray, covariates: NDArray) -> float:
    inverse = np.linalg.inv(np.corrcoef(np.column_stack([x, y, covariates]).T))
    return float(-inverse[0, 1] / np.sqrt(inverse[0, 0] * inverse[1, 1]))


def test_is_that_of_the_inverse_covariance() -> None:
    x, y, covariates = variables(40, 0, effect=0.5)
    ours = partial_correlation(x, y, covariates, 10, 0)
    assert ours.r == pytest.approx(by_precision(x, y, covariates), rel=1e-10)
    ranked = partial_correlation(x, y, covariates, 10, 0, "spearman")
    ranks = rankdata(np.column_stack([x, y, covariates]), axis=0)
    assert ranked.r == pytest.approx(by_precision(*ranks.T[:2], ranks[:, 2:]), rel=1e-10)
    none = partial_correlation(x, y, covariates[:, :0], 2000, 0)
    assert none.r == pytest.approx(pearsonr(x, y)[0], rel=1e-12)
    theirs = pearsonr(x, y).confidence_interval(0.95)
    np.testing.assert_allclose([none.low, none.high], theirs, rtol=1e-10)


def test_covariates_that_add_nothing_do_not_count() -> None:
    x, y, covariates = variables(30, 1)
    ours = partial_correlation(x, y, covariates, 10, 0)
    more = np.column_stack([covariates, np.full(30, 7.3), covariates @ [1, 2, 1e-6]])
    same = partial_correlation(x, y, more, 10, 0)
    assert (ours.n, ours.n_covariates, same.n_covariates) == (30, 3, 3)
    np.testing.assert_allclose([same.r, same.low, same.high], [ours.r, ours.low, ours.high])


def test_p_values_are_uniform_and_intervals_hold() -> None:
    """With x and y that correlate by 0.67 through the covariates alone."""
    found = [partial_correlation(*variables(15, seed), 199, seed) for seed in range(400)]
    assert kstest([one.p for one in found], "uniform").pvalue > 0.01
    assert np.mean([one.low <= 0 <= one.high for one in found]) == pytest.approx(0.95, abs=0.03)
    effect = [partial_correlation(*variables(15, seed, 0.9), 1, seed) for seed in range(400)]
    truth = 0.9 / np.hypot(0.9, 1)
    assert np.mean([one.low <= truth <= one.high for one in effect]) == pytest.approx(
        0.95, abs=0.03
    )


def test_few_models() -> None:
    x, y, covariates = variables(6, 0)
    whole = partial_correlation(x, y, covariates, 50, 0)
    assert np.isfinite(whole.r)
    assert np.isnan(whole.low)
    x[0] = np.nan
    few = partial_correlation(x, y, covariates, 50, 0)
    assert (few.n, few.n_covariates) == (5, 3)
    assert np.isnan([few.r, few.low, few.high, few.p]).all()
    assert np.isnan(partial_correlation(x[:1], y[:1], covariates[:1], 50, 0).r)


def test_nothing_left() -> None:
    x, y, covariates = variables(20, 0)
    for constant in (np.full(20, 0.1), covariates[:, 1] * 3 + 1):
        assert np.isnan(partial_correlation(constant, y, covariates, 50, 0).p)
    same = partial_correlation(x, x, covariates, 50, 0)
    assert same.r == pytest.approx(1, abs=1e-12)
    assert np.isfinite(same.low)
    assert np.isnan(partial_correlation(x, y, covariates, 0, 0).p)
    with pytest.raises(InputError, match="kendall"):
        partial_correlation(x, y, covariates, 1, 0, "kendall")
