"""Standard errors against explicit sums, the truth of many samples, and their uses."""

import numpy as np
import pytest
from scipy.special import stdtrit
from scipy.stats import pearsonr

from cortiscope.regression.cross_validation import fold_numbers
from cortiscope.similarity import comparison, rdm_standard_error, rsa
from cortiscope.statistics import standard_errors
from cortiscope.statistics.correlation_interval import correlation_interval
from cortiscope.statistics.resampling import average_ranks, bootstrap_weights


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


def test_students_quantile() -> None:
    freedom = np.array([2, 3, 4, 8, 33.4, 1000])
    found = np.array([standard_errors.student_over_normal(one) for one in freedom])
    exact = stdtrit(freedom, 0.975) / standard_errors.NORMAL
    np.testing.assert_allclose(found[:2], exact[:2], rtol=0.01)
    np.testing.assert_allclose(found[2:], exact[2:], rtol=4e-4)


def test_refitted_error_is_between_the_jackknife_and_the_draws() -> None:
    """The z of a mean: its standard error is known, and the jackknife of a mean is exact."""
    values = np.random.default_rng(0).normal(size=200)
    folds = fold_numbers(200, 10, seed=0)
    groups = standard_errors.deletion_groups(folds, seed=0)
    means = np.array([values[groups == group].mean() for group in range(10)])
    jackknife = means.std(ddof=1) / np.sqrt(10)

    def found(resampled: float) -> float:
        left_out = standard_errors.each_left_out(
            lambda chosen: float(np.tanh(values[chosen].mean())), groups
        )
        error = standard_errors.refitted_error(left_out, resampled, 200)
        return error / standard_errors.student_over_normal(4 / (1 / 9 + 1 / 199))

    assert found(0.8 * jackknife) == pytest.approx(np.sqrt(0.8) * jackknife)
    assert found(1.5 * jackknife) == pytest.approx(1.5 * jackknife)  # no less than the draws
    assert found(0.3 * jackknife) == pytest.approx(np.sqrt(2) * 0.3 * jackknife)
    assert np.isnan(standard_errors.refitted_error(np.full(10, np.nan), 0.1, 200))


def test_refitted_error_counts_pairs_once() -> None:
    """Noise predicted from noise by a kernel: of each pair of stimuli, one trains for the other."""
    random = np.random.default_rng(0)
    groups = standard_errors.deletion_groups(np.arange(60), seed=0)
    z, jackknife, resampled, errors = [], [], [], []
    for _ in range(400):
        features, response = random.normal(size=(60, 40)), random.normal(size=60)
        pairs = (features @ features.T) * np.outer(response, response) / (40 * 60)
        np.fill_diagonal(pairs, 0)

        def score(chosen: np.ndarray, pairs: np.ndarray = pairs) -> float:
            return float(np.tanh(pairs[np.ix_(chosen, chosen)].sum() / chosen.mean()))

        z.append(np.arctanh(score(np.full(60, True))))
        of_test = pairs.sum(axis=0)  # what each tested stimulus gives, the others having trained
        resampled.append(np.sqrt(np.square(of_test).sum()))
        alone = [np.arctanh(score(groups != group)) for group in range(10)]
        jackknife.append(9 * np.var(alone))
        left_out = standard_errors.each_left_out(score, groups)
        errors.append(standard_errors.refitted_error(left_out, resampled[-1], 60))
    student = standard_errors.student_over_normal(4 / (1 / 9 + 1 / 59))
    assert np.mean(jackknife) / np.var(z) == pytest.approx(2, abs=0.3)
    assert np.mean(np.square(resampled)) / np.var(z) == pytest.approx(0.5, abs=0.1)
    assert np.mean(np.square(errors)) / student**2 / np.var(z) == pytest.approx(1, abs=0.15)


def test_resampled_error_counts_the_means_of_folds() -> None:
    draws = np.tanh(np.random.default_rng(1).normal(size=5000))
    folds = fold_numbers(200, 10, seed=0)
    found = standard_errors.resampled_error(draws, folds)
    assert found == pytest.approx(np.sqrt(200 / 190) * standard_errors.spread(draws))
    assert standard_errors.resampled_error(draws, np.arange(200)) == pytest.approx(1, rel=0.05)
    assert standard_errors.resampled_error(np.full(9, np.nan), folds) == 0


def weighted_score(model: np.ndarray, brain: np.ndarray, weight: np.ndarray, method: str) -> float:
    """A comparison of RDMs whose cells count weight (cell,), from its definition."""
    x, y = model, brain
    if method == "kendall":
        signs = np.sign(np.subtract.outer(x, x)) * np.sign(np.subtract.outer(y, y))
        return float(weight @ signs @ weight)
    if method == "spearman":  # of middle ranks
        x, y = (weight @ (np.less.outer(v, v) + 0.5 * np.equal.outer(v, v)) for v in (model, brain))
    if method != "cosine":
        x, y = x - weight @ x, y - weight @ y
    return float((weight @ (x * y)) / np.sqrt((weight @ (x * x)) * (weight @ (y * y))))


@pytest.mark.parametrize("method", comparison.METHODS)
def test_error_of_a_comparison_is_that_of_cells_that_share_a_stimulus(method: str) -> None:
    """By hand: influence by counting a cell a little more, and a sum over all pairs of cells."""
    random = np.random.default_rng(0)
    n_stimuli = 20
    shared = random.normal(size=(n_stimuli, 10))
    model, brain = (rsa.pearson_rdm(shared + random.normal(size=shared.shape)) for _ in range(2))
    m, little = len(model), 1e-6
    even = np.full(m, 1 / m)
    more = (1 - little) * even + little * np.eye(m)
    score = weighted_score(model, brain, even, method)
    moved = np.array([weighted_score(model, brain, weight, method) for weight in more])
    influence = (moved - score) / little
    ranked = method in ("spearman", "kendall")
    cells = [average_ranks(v) if ranked else v for v in (model, brain)]
    if method != "cosine":
        cells = [v - v.mean() for v in cells]
    share = np.mean([np.square(v) / np.square(v).sum() for v in cells], axis=0)
    ends = np.stack(np.triu_indices(n_stimuli, 1))
    touches = (ends[:, :, None] == np.arange(n_stimuli)).any(axis=0)  # (cell, stimulus)
    of_stimulus = influence @ touches / (1 - share @ touches)
    alike = np.square(influence).sum() * (n_stimuli / (n_stimuli - 2)) ** 2
    variance = (np.square(of_stimulus).sum() - alike) / m**2
    student = standard_errors.student_over_normal(n_stimuli - 2)
    expected = student * np.sqrt(variance) / (1 - score**2)
    found = rdm_standard_error.comparison_error(model, brain, method)
    # Ranks and their pairs differ by whether a cell counts itself: one of 190.
    assert found == pytest.approx(expected, rel=2 / m if ranked else 1e-5)


@pytest.mark.parametrize("method", comparison.METHODS)
@pytest.mark.parametrize("noise", [1.0, 6.0])
def test_error_of_a_comparison_is_the_spread_over_studies(noise: float, method: str) -> None:
    random = np.random.default_rng(0)
    z, errors, plain = [], [], []
    for _ in range(200):
        latents = random.normal(size=(40, 20))
        brain = rsa.pearson_rdm(latents + noise * random.normal(size=latents.shape))
        model = rsa.pearson_rdm(latents[:, :12])
        if method == "cosine":
            brain, model = brain - 1, model - 1  # where 0 means something
        z.append(np.arctanh(float(comparison.compare(model, brain, method))))
        errors.append(rdm_standard_error.comparison_error(model, brain, method))
        if len(plain) < 20:
            weights = bootstrap_weights(40, 300, len(plain))
            draws = comparison.bootstrap_scores(model, brain, weights, method)
            plain.append(np.arctanh(draws).std())
    student = standard_errors.student_over_normal(38)
    # Where next to nothing is shared the error is at least that of independent cells: above.
    assert 0.9 < np.mean(errors) / student / np.std(z) < (1.15 if noise == 1 else 1.25)
    if noise > 1:  # what resampling adds is most of its spread
        assert np.mean(plain) > 1.3 * np.std(z)


@pytest.mark.parametrize("method", comparison.METHODS)
def test_rdms_without_a_correlation(method: str) -> None:
    cells = np.random.default_rng(0).normal(size=45)

    def error(model: np.ndarray, brain: np.ndarray) -> float:
        return rdm_standard_error.comparison_error(model, brain, method)

    assert np.isnan(error(cells, np.ones(45)))
    assert np.isnan(error(np.where(cells > 1, np.nan, cells), cells))
    assert np.isnan(error(cells[:3], cells[3:6]))
    assert np.isfinite(error(cells, cells))


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
