"""Standard errors against explicit sums, the truth of many samples, and their uses."""

import numpy as np
import pytest
from scipy.spatial.distance import squareform
from scipy.stats import pearsonr

from cortiscope.regression.cross_validation import fold_numbers
from cortiscope.similarity import comparison, rdm_standard_error, rsa
from cortiscope.statistics import standard_errors
from cortiscope.statistics.correlation_interval import correlation_interval
from cortiscope.statistics.resampling import bootstrap_weights


def test_interval_is_that_of_scipy() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 50))
    theirs = pearsonr(x, y).confidence_interval(0.95)
    ours = standard_errors.interval(pearsonr(x, y)[0], 1 / np.sqrt(47))
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)
    assert standard_errors.interval(1.0, 0.1)[1] <= 1
    assert np.isnan(standard_errors.interval(np.nan, 0.1)[0])


def test_rescaled_draws_have_the_interval_and_stay_paired() -> None:
    random = np.random.default_rng(0)
    common = random.normal(size=4000)
    draws = np.tanh(0.5 + 0.1 * common)
    held = standard_errors.rescaled(draws, 0.6, 0.2)
    expected = standard_errors.interval(0.6, 0.2)
    np.testing.assert_allclose(np.percentile(held, [2.5, 97.5]), expected, atol=0.02)
    assert np.corrcoef(held, draws)[0, 1] > 0.98
    draws[3] = np.nan
    assert np.array_equal(np.isnan(standard_errors.rescaled(draws, 0.6, 0.2)), np.isnan(draws))
    assert np.isnan(standard_errors.rescaled(draws, np.nan, 0.2)).all()
    assert np.isnan(standard_errors.rescaled(draws, 0.6, np.nan)).all()
    np.testing.assert_allclose(standard_errors.rescaled(np.full(5, 0.3), 0.4, 0.2), 0.4)
    assert np.isnan(standard_errors.rescaled(np.full(5, np.nan), 0.4, 0.2)).all()


def test_groups_take_as_much_of_every_fold() -> None:
    folds = fold_numbers(100, 10, seed=0)
    groups = standard_errors.deletion_groups(folds, seed=0)
    table = np.zeros((10, 10), dtype=int)
    np.add.at(table, (folds, groups), 1)
    assert np.array_equal(table, np.ones((10, 10)))
    labels = np.repeat(list("abcdefghijkl"), 5)
    kept = standard_errors.deletion_groups(fold_numbers(60, 4, 0, labels), 0, labels)
    assert len(np.unique(kept)) == 10
    assert all(len(np.unique(kept[labels == label])) == 1 for label in "abcdefghijkl")
    assert len(np.unique(standard_errors.deletion_groups(np.arange(6), 0))) == 6


def test_refitted_error_is_the_jackknife_or_the_draws() -> None:
    """The z of a mean: its standard error is known, and the jackknife of a mean is exact."""
    values = np.random.default_rng(0).normal(size=200)
    folds = fold_numbers(200, 10, seed=0)
    groups = standard_errors.deletion_groups(folds, seed=0)

    def score(chosen: np.ndarray) -> float:
        return float(np.tanh(values[chosen].mean()))

    means = np.array([values[groups == group].mean() for group in range(10)])
    found = standard_errors.refitted_error(score, groups, np.full(9, 0.2), folds)
    assert found == pytest.approx(means.std(ddof=1) / np.sqrt(10), rel=1e-9)
    draws = np.tanh(np.random.default_rng(1).normal(size=5000))
    found = standard_errors.refitted_error(score, groups, draws, folds)
    assert found == pytest.approx(np.sqrt(200 / 190), rel=0.05)
    alone = standard_errors.refitted_error(score, groups, draws, np.arange(200))
    assert alone == pytest.approx(1, rel=0.05)
    assert np.isnan(standard_errors.refitted_error(lambda _: np.nan, groups, draws, folds))


def test_spearman_error_is_the_sum_over_pairs_that_share_a_stimulus() -> None:
    random = np.random.default_rng(0)
    shared = random.normal(size=(14, 10))
    model, brain = (rsa.pearson_rdm(shared + random.normal(size=(14, 10))) for _ in range(2))
    m = len(model)
    u, v = (np.argsort(np.argsort(cells)) / m for cells in (model, brain))
    u, v = u - u.mean(), v - v.mean()
    influence = np.array(
        [u[c] * v[c] + np.mean((u >= u[c]) * v) + np.mean((v >= v[c]) * u) for c in range(m)]
    )
    influence = (influence - influence.mean()) / (u.std() * v.std())
    first, second = np.triu_indices(14, 1)
    ends = np.stack([first, second])
    sharing = (ends[:, None, :, None] == ends[None, :, None, :]).any(axis=(0, 1))
    variance = influence @ sharing @ influence / m**2 * 14 / 12
    expected = np.sqrt(variance) / (1 - (rsa.ranks(model) @ rsa.ranks(brain)) ** 2)
    assert rdm_standard_error.spearman_error(model, brain) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("noise", [1.0, 6.0])
def test_spearman_error_is_the_spread_over_studies(noise: float) -> None:
    random = np.random.default_rng(0)
    z, errors, plain = [], [], []
    for _ in range(200):
        latents = random.normal(size=(40, 20))
        brain = rsa.pearson_rdm(latents + noise * random.normal(size=latents.shape))
        model = rsa.pearson_rdm(latents[:, :12])
        ranks = rsa.ranks(model), rsa.ranks(brain)
        z.append(np.arctanh(ranks[0] @ ranks[1]))
        errors.append(rdm_standard_error.spearman_error(model, brain))
        if len(plain) < 20:
            weights = bootstrap_weights(40, 300, len(plain))
            draws = comparison.bootstrap_scores(model, brain, weights, "spearman")
            plain.append(np.arctanh(draws).std())
    # Where next to nothing is shared the error is at least that of independent cells: above.
    assert 0.9 < np.mean(errors) / np.std(z) < (1.12 if noise == 1 else 1.25)
    if noise > 1:  # what resampling adds is most of its spread
        assert np.mean(plain) > 1.3 * np.std(z)


def test_rdms_without_a_correlation() -> None:
    cells = np.random.default_rng(0).normal(size=45)
    assert np.isnan(rdm_standard_error.spearman_error(cells, np.ones(45)))
    assert np.isnan(rdm_standard_error.spearman_error(np.where(cells > 1, np.nan, cells), cells))
    assert np.isnan(rdm_standard_error.spearman_error(cells[:3], cells[3:6]))
    assert np.isfinite(rdm_standard_error.spearman_error(cells, cells))
    assert squareform(cells).shape == (10, 10)


def test_correlation_interval_covers_the_truth() -> None:
    random = np.random.default_rng(0)
    inside = {"pearson": 0, "spearman": 0}
    truth = {"pearson": 0.6, "spearman": 6 / np.pi * np.arcsin(0.3)}
    for _ in range(600):
        x, noise = random.normal(size=(2, 15))
        for method in inside:
            low, high = correlation_interval(x, 0.6 * x + 0.8 * noise, method)
            inside[method] += low <= truth[method] <= high
    assert inside["pearson"] / 600 == pytest.approx(0.955, abs=0.025)
    assert inside["spearman"] / 600 == pytest.approx(0.955, abs=0.03)


def test_correlation_interval_of_few_points() -> None:
    x = np.array([1.0, 2, 3, 5, np.nan])
    low, high = correlation_interval(x, x**2)
    assert -1 < low < high <= 1
    assert np.isnan(correlation_interval(x[1:], x[1:])).all()
    assert np.isnan(correlation_interval(np.ones(9), np.arange(9))).all()
    normal = np.random.default_rng(0).normal(size=(2, 30))
    theirs = pearsonr(*normal).confidence_interval(0.95)
    low, high = correlation_interval(*normal)
    assert low <= theirs.low + 1e-12
    assert high >= theirs.high - 1e-12
