"""Dissimilarities and their comparison against rsatoolbox and explicit loops."""

import numpy as np
import pytest
from numpy.typing import NDArray
from rsatoolbox.data import Dataset
from rsatoolbox.rdm import RDMs, calc_rdm, compare
from scipy.spatial.distance import pdist, squareform
from scipy.stats import pearsonr, rankdata, spearmanr

from cortiscope.similarity import comparison, rsa
from cortiscope.statistics.resampling import bootstrap_weights, permutations


@pytest.fixture
def patterns() -> tuple[NDArray, NDArray]:
    random = np.random.default_rng(0)
    features = random.normal(size=(24, 300)) + 4
    return features, np.round(features[:, :40] + 2 * random.normal(size=(24, 40)), 1)


def test_dissimilarities_and_spearman_are_those_of_rsatoolbox(
    patterns: tuple[NDArray, NDArray],
) -> None:
    theirs = [calc_rdm(Dataset(p), method="correlation") for p in patterns]
    ours = [rsa.pearson_rdm(p) for p in patterns]
    for mine, their in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, their.dissimilarities[0], rtol=1e-10)
    expected = compare(*theirs, method="spearman")[0, 0]
    np.testing.assert_allclose(rsa.spearman(*ours), expected, rtol=1e-10)


def test_spearman_shares_the_ranks_of_ties() -> None:
    random = np.random.default_rng(0)
    model, brain = random.integers(0, 5, size=(2, 3, 66)).astype(float)
    expected = compare(RDMs(model), RDMs(brain), method="spearman")
    np.testing.assert_allclose(rsa.spearman(model, brain), expected, rtol=1e-10)
    np.testing.assert_allclose(rsa.spearman(model[0], brain[1]), expected[0, 1], rtol=1e-10)


def test_gram_and_patterns_agree(patterns: tuple[NDArray, NDArray]) -> None:
    rows = patterns[0] - patterns[0].mean(axis=1, keepdims=True)
    np.testing.assert_allclose(
        rsa.dissimilarities(rows @ rows.T), pdist(patterns[0], "correlation"), rtol=1e-10
    )


def test_missing_neuroids_and_constant_patterns(patterns: tuple[NDArray, NDArray]) -> None:
    responses = patterns[1].copy()
    responses[3, 5] = np.nan
    expected = rsa.pearson_rdm(np.delete(patterns[1], 5, axis=1))
    np.testing.assert_array_equal(rsa.pearson_rdm(responses), expected)
    responses[7] = 0.1
    cells = rsa.square(rsa.pearson_rdm(responses))
    assert np.array_equal(np.isnan(cells).sum(axis=0) == 23, np.arange(24) == 7)
    assert np.isnan(rsa.spearman(rsa.pearson_rdm(responses), expected))
    assert np.isnan(rsa.pearson_rdm(np.full((5, 3), np.nan))).all()


def test_ranks_are_standardised() -> None:
    cells = np.random.default_rng(0).integers(0, 9, size=(2, 50)).astype(float)
    ours = rsa.ranks(cells)
    np.testing.assert_allclose(ours.mean(axis=1), 0, atol=1e-15)
    np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1)
    np.testing.assert_allclose(pearsonr(ours[0], rankdata(cells[0]))[0], 1)
    assert np.isnan(rsa.ranks(np.ones(5))).all()


def test_permutation_null_moves_rows_and_columns(
    patterns: tuple[NDArray, NDArray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "CELLS_AT_ONCE", 700)
    models = np.stack([rsa.pearson_rdm(p) for p in patterns])
    brain = rsa.pearson_rdm(patterns[1])
    orders = permutations(24, 9, seed=5)
    null = comparison.permutation_null(models, brain, orders, "spearman")
    assert null.shape == (9, 2)
    for number, order in enumerate(orders):
        moved = squareform(brain)[np.ix_(order, order)][np.triu_indices(24, 1)]
        for layer in range(2):
            np.testing.assert_allclose(null[number, layer], spearmanr(models[layer], moved)[0])
    assert comparison.permutation_null(brain, brain, orders[:0], "spearman").shape == (0,)


def test_permutation_null_is_at_zero() -> None:
    random = np.random.default_rng(1)
    model, brain = (rsa.pearson_rdm(random.normal(size=(30, 50))) for _ in range(2))
    null = comparison.permutation_null(model, brain, permutations(30, 2000, 0), "spearman")
    assert abs(null.mean()) < 3 * null.std() / np.sqrt(2000)
    assert null.std() > 0.02


def test_bootstrap_counts_pairs(patterns: tuple[NDArray, NDArray]) -> None:
    model, brain = (rsa.ranks(rsa.pearson_rdm(p)) for p in patterns)
    ones = np.ones((1, 24))
    whole = comparison.bootstrap_scores(model, brain, ones, "spearman")
    np.testing.assert_allclose(whole[0], model @ brain)
    weights = bootstrap_weights(24, 4, seed=0)
    both = np.stack([model, brain])
    scores = comparison.bootstrap_scores(both, brain, weights, "spearman")
    np.testing.assert_allclose(scores[:, 1], 1)
    for draw in range(4):
        rows = np.repeat(np.arange(24), weights[draw].astype(int))
        pairs = [(i, j) for a, i in enumerate(rows) for j in rows[a + 1 :] if i != j]
        first, second = np.array(pairs).T
        drawn = [squareform(x, checks=False)[first, second] for x in (model, brain)]
        np.testing.assert_allclose(scores[draw, 0], pearsonr(*drawn)[0])
