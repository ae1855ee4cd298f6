"""Comparisons of dissimilarities against rsatoolbox, scipy and explicit resampling."""

import numpy as np
import pytest
from numpy.typing import NDArray
from rsatoolbox.rdm import RDMs, compare
from scipy.spatial.distance import squareform
from scipy.stats import kendalltau, kstest

from cortiscope.errors import InputError
from cortiscope.similarity import comparison, kendall, pairs, rsa
from cortiscope.statistics.resampling import bootstrap_weights, p_value, permutations

THEIRS = {"spearman": "spearman", "pearson": "corr", "kendall": "tau-a", "cosine": "cosine"}


def systems(n_stimuli: int, seed: int = 0, signal: float = 1.0) -> tuple[NDArray, NDArray]:
    """Dissimilarities of three models and two brains that share some structure."""
    random = np.random.default_rng(seed)
    shared = signal * random.normal(size=(n_stimuli, 20))
    patterns = [shared + 2 * random.normal(size=(n_stimuli, 20)) for _ in range(5)]
    cells = np.stack([rsa.pearson_rdm(p) for p in patterns])
    return cells[:3], cells[3:]


@pytest.mark.parametrize("method", comparison.METHODS)
@pytest.mark.parametrize("ties", [False, True])
def test_comparisons_are_those_of_rsatoolbox(method: str, ties: bool) -> None:
    models, brains = systems(30)
    if ties:
        models, brains = np.round(models, 1), np.round(4 * brains) / 4
    expected = compare(RDMs(models), RDMs(brains), method=THEIRS[method])
    np.testing.assert_allclose(comparison.compare(models, brains, method), expected, rtol=1e-10)
    single = comparison.compare(models[1], brains[0], method)
    np.testing.assert_allclose(single, expected[1, 0], rtol=1e-10)
    np.testing.assert_allclose(
        comparison.paired(models[:2], brains, method), np.diagonal(expected), rtol=1e-10
    )


def test_inversions_and_tau_of_many_cells() -> None:
    random = np.random.default_rng(0)
    for values in (random.integers(0, 9, 200), random.permutation(257), np.zeros(4, dtype=int)):
        above = values[:, None] > values
        assert kendall.inversions(values) == np.triu(above).sum()
    large = random.permutation(70_000)  # more than 16 bits
    assert kendall.inversions(large[::-1]) == 70_000 * 69_999 // 2 - kendall.inversions(large)
    x = random.normal(size=28_680)
    y = x + 3 * random.normal(size=28_680)
    np.testing.assert_allclose(kendall.tau_a(x, y), kendalltau(x, y).statistic, rtol=1e-12)


@pytest.mark.parametrize("method", comparison.METHODS)
def test_missing_and_constant_cells_are_nan(method: str) -> None:
    models, brains = systems(12)
    models[0, 5] = np.nan
    models[1] = 0.0
    orders = permutations(12, 6, seed=0)
    weights = bootstrap_weights(12, 5, seed=0)
    for scores in (
        comparison.compare(models, brains, method),
        comparison.permutation_null(models, brains, orders, method)[0],
        comparison.bootstrap_scores(models, brains, weights, method)[0],
    ):
        assert np.isnan(scores[:2]).all()
        assert np.isfinite(scores[2]).all()


def test_unknown_comparison() -> None:
    with pytest.raises(InputError, match="tau-b"):
        comparison.prepared(np.arange(3.0), "tau-b")


@pytest.mark.parametrize("method", comparison.METHODS)
def test_permutations_move_rows_and_columns(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "CELLS_AT_ONCE", 700)
    monkeypatch.setattr(pairs, "CELLS_AT_ONCE", 100)
    models, brains = systems(24)
    # As many levels as cells: tau-a of levels is then exact.
    monkeypatch.setattr(kendall.levels, "__defaults__", (276,))
    monkeypatch.setattr(kendall.level_tau, "__defaults__", (276,))
    orders = permutations(24, 7, seed=5)
    null = comparison.permutation_null(models, brains, orders, method)
    assert null.shape == (7, 3, 2)
    for number, order in enumerate(orders):
        moved = [squareform(b)[np.ix_(order, order)][np.triu_indices(24, 1)] for b in brains]
        expected = compare(RDMs(models), RDMs(np.stack(moved)), method=THEIRS[method])
        np.testing.assert_allclose(null[number], expected, rtol=1e-9, atol=1e-12)
    assert comparison.permutation_null(models[0], brains[1], orders, method).shape == (7,)


def test_levels_cost_a_fraction_of_the_null() -> None:
    models, brains = systems(60)
    orders = permutations(60, 80, seed=0)
    null = comparison.permutation_null(models[0], brains[0], orders, "kendall")
    exact = [kendall.tau_a(models[0], moved) for moved in comparison.permuted(brains[0], orders)]
    error = np.std(null - exact)
    assert 0 < error < 0.04 * np.std(exact)


@pytest.mark.parametrize("method", ["pearson", "kendall", "cosine"])
def test_bootstrap_counts_pairs(method: str) -> None:
    """Resampled explicitly; a pair of stimuli drawn twice forms no pair with itself."""
    models, brains = systems(15)
    weights = bootstrap_weights(15, 4, seed=0)
    scores = comparison.bootstrap_scores(models, brains[0], weights, method, levels=105)
    full = comparison.bootstrap_scores(models, brains[0], np.ones((1, 15)), method)
    np.testing.assert_allclose(full[0], comparison.compare(models, brains[0], method))
    first, second = np.triu_indices(15, 1)
    for draw, weight in enumerate(weights):
        times = (weight[first] * weight[second]).astype(int)
        x, y = np.repeat(models[0], times), np.repeat(brains[0], times)
        if method == "kendall":
            concordance = np.sign(np.subtract.outer(x, x)) * np.sign(np.subtract.outer(y, y))
            expected = concordance.sum() / (len(x) ** 2 - np.square(times).sum())
        else:
            expected = comparison.compare(x, y, method)
        np.testing.assert_allclose(scores[draw, 0], expected, rtol=1e-9)


def test_bootstrap_of_kendall_by_levels_is_close() -> None:
    models, brains = systems(60)
    weights = bootstrap_weights(60, 40, seed=0)
    coarse = comparison.bootstrap_scores(models[0], brains[0], weights, "kendall")
    fine = comparison.bootstrap_scores(models[0], brains[0], weights, "kendall", levels=600)
    assert np.abs(coarse - fine).max() < 0.05 * fine.std()


@pytest.mark.parametrize(
    ("method", "runs"), [("spearman", 500), ("pearson", 500), ("kendall", 200)]
)
def test_p_values_of_noise_are_uniform(method: str, runs: int) -> None:
    random = np.random.default_rng(2)
    orders = permutations(26, 99, seed=1)
    scores, p_values = [], []
    for _ in range(runs):
        model, brain = (rsa.pearson_rdm(random.normal(size=(26, 12))) for _ in range(2))
        scores.append(comparison.compare(model, brain, method))
        null = comparison.permutation_null(model, brain, orders, method)
        p_values.append(p_value(scores[-1], null))
    assert abs(np.mean(scores)) < 0.01
    assert kstest(p_values, "uniform").pvalue > 0.01
