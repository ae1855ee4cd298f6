"""Partial least squares and Brain-Score's protocol against scikit-learn's PLSRegression."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import pearsonr
from sklearn.cross_decomposition import PLSRegression
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit

from cortiscope.errors import InputError
from cortiscope.regression import brainscore, held_out_scores, nipals, pls
from cortiscope.regression.cross_validation import fold_numbers
from cortiscope.regression.principal_axes import inner_numbers
from cortiscope.statistics.resampling import permutations
from tests.ridge_scene import scene


def explicit(features: NDArray, responses: NDArray, folds: NDArray, components: int) -> NDArray:
    values = np.empty_like(responses)
    for number in np.unique(folds):
        held = folds == number
        model = PLSRegression(components, scale=False).fit(features[~held], responses[~held])
        values[held] = model.predict(features[held]).reshape(held.sum(), -1)
    return values


@pytest.mark.parametrize(
    ("n_components", "n_neuroids", "taken"), [(60, 20, 25), (200, 20, 25), (60, 90, 25), (9, 4, 9)]
)
def test_all_neuroids_together(n_components: int, n_neuroids: int, taken: int) -> None:
    """Few and many features, more neuroids than stimuli, all the components that there are."""
    features, responses = scene(60, n_components, n_neuroids)
    folds = fold_numbers(60, 6, seed=0)
    predicted = pls.predict(features, responses, folds)
    expected = explicit(features, responses, folds, taken)
    np.testing.assert_allclose(predicted.values, expected, rtol=0, atol=1e-9)
    assert np.all(predicted.alpha == taken)


def test_spread_is_that_of_the_predictions_of_all_stimuli() -> None:
    features, responses = scene(40, 60, 7)
    folds = fold_numbers(40, 5, seed=0)
    predicted = pls.predict(features, responses, folds, 8)
    for number in range(5):
        known = folds != number
        model = PLSRegression(8, scale=False).fit(features[known], responses[known])
        expected = model.predict(features).std(axis=0)
        np.testing.assert_allclose(predicted.spread[number], expected, rtol=1e-9)


def test_each_neuroid_alone_and_sets_of_neuroids() -> None:
    features, responses = scene(50, 60, 7)
    folds = fold_numbers(50, 5, seed=0)
    alone = pls.predict(features, responses, folds, 12, together=np.arange(7))
    for neuroid in range(7):
        expected = explicit(features, responses[:, [neuroid]], folds, 12)[:, 0]
        np.testing.assert_allclose(alone.values[:, neuroid], expected, rtol=0, atol=1e-8)
    labels = np.array([1, 0, 2, 1, 0, 0, 1])  # sets of 3, 3 and 1
    sets = pls.predict(features, responses, folds, 12, together=labels)
    for label in range(3):
        own = labels == label
        expected = explicit(features, responses[:, own], folds, 12)
        np.testing.assert_allclose(sets.values[:, own], expected, rtol=0, atol=1e-8)
    assert np.abs(sets.values[:, :2] - alone.values[:, :2]).max() > 0.01


def test_first_neuroids_that_do_not_vary_start_nothing() -> None:
    features, responses = scene(40, 30, 6)
    responses[:, 0], responses[:, 1] = 4.0, 0.0
    folds = fold_numbers(40, 5, seed=0)
    predicted = pls.predict(features, responses, folds, 10)
    expected = explicit(features, responses, folds, 10)
    np.testing.assert_allclose(predicted.values, expected, rtol=0, atol=1e-9)


def test_components_beyond_what_there_is_change_nothing() -> None:
    """Responses that few components explain without error, and features of few dimensions."""
    random = np.random.default_rng(0)
    features = random.normal(size=(40, 5)) @ random.normal(size=(5, 60))
    responses = features @ random.normal(size=(60, 8)) + random.normal(size=(40, 8))
    folds = fold_numbers(40, 5, seed=0)
    predicted = pls.predict(features, responses, folds, 25)
    expected = explicit(features, responses, folds, 5)
    np.testing.assert_allclose(predicted.values, expected, rtol=0, atol=1e-9)
    assert np.all(predicted.alpha == 5)
    exact = features @ random.normal(size=(60, 2))
    values = pls.predict(features, exact, folds, 25).values
    np.testing.assert_allclose(values, exact, rtol=0, atol=1e-5 * exact.std())


def test_number_of_components_is_chosen_within_the_training_part() -> None:
    features, responses = scene(60, 50, 15, noise=0.5)
    folds = fold_numbers(60, 5, seed=0)
    numbers = np.array([1, 2, 4, 8])
    predicted = pls.predict(features, responses, folds, [4, 1, 8, 2])
    for fold in range(5):
        known = folds != fold
        rows, truth = features[known], responses[known]
        inner = inner_numbers(folds[known])
        errors = [np.square(explicit(rows, truth, inner, k) - truth).sum(axis=0) for k in numbers]
        best = numbers[np.argmin(errors, axis=0)]
        np.testing.assert_array_equal(predicted.alpha[fold], best)
        for neuroid, count in enumerate(best):
            model = PLSRegression(count, scale=False).fit(rows, truth)
            np.testing.assert_allclose(
                predicted.values[~known, neuroid], model.predict(features[~known])[:, neuroid]
            )
    assert len(np.unique(predicted.alpha)) > 2


@pytest.mark.parametrize("n_neuroids", [12, 70])
def test_null_scores_are_those_of_permuted_responses(n_neuroids: int) -> None:
    features, responses = scene(60, 60, n_neuroids)
    responses[:, 3] = 2.0
    responses[1, 5] = np.nan
    folds = fold_numbers(60, 6, seed=0)
    orders = permutations(60, 9, seed=0)
    null = pls.Regression(features, folds, 10).null_scores(responses, orders)
    assert np.array_equal(np.isnan(null), np.tile(np.isin(np.arange(n_neuroids), [3, 5]), (9, 1)))
    expected = []
    for order in orders:
        predicted = pls.predict(features, responses[order], folds, 10)
        expected.append(
            held_out_scores.fold_centred_correlation(predicted, responses[order], folds)
        )
    known = np.isfinite(null)  # a few steps of Lanczos
    assert np.corrcoef(null[known], np.array(expected)[known])[0, 1] > 0.995
    np.testing.assert_allclose(np.nanmean(null, axis=1), np.nanmean(expected, axis=1), atol=0.005)


def test_lanczos_finds_leading_eigenvectors() -> None:
    random = np.random.default_rng(4)
    rows = random.normal(size=(5, 30, 12)) * np.arange(1, 13) ** -0.5
    rows[3] = 0.0
    rows[4] = np.outer(random.normal(size=30), rows[0, 0])  # a single one, found in a step
    squared = np.swapaxes(rows, 1, 2) @ rows
    found = nipals.dominant(squared, np.eye(12)[[0] * 5], steps=12)
    expected = np.linalg.eigh(squared)[1][:, :, -1]
    known = [0, 1, 2, 4]
    agreement = np.abs(np.einsum("sa,sa->s", found[known], expected[known]))
    np.testing.assert_allclose(agreement, 1.0, rtol=0, atol=1e-10)
    assert not found[3].any()


def test_null_scores_are_exact_with_the_powers_of_predict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pls, "NULL_STEPS", 0)
    monkeypatch.setattr(pls.np, "float32", np.float64)
    features, responses = scene(40, 40, 50)
    folds = fold_numbers(40, 5, seed=0)
    orders = permutations(40, 10, seed=0)
    null = pls.Regression(features, folds, 10).null_scores(responses, orders)
    for scores, order in zip(null, orders, strict=True):
        predicted = pls.predict(features, responses[order], folds, 10)
        expected = held_out_scores.fold_centred_correlation(predicted, responses[order], folds)
        np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("sizes", [(13,) * 10, (30, 7, 12, 2, 50), (9,) * 5 + (25,)])
def test_splits_are_scikit_learns(sizes: tuple[int, ...]) -> None:
    labels = np.random.default_rng(1).permutation(np.repeat(np.arange(len(sizes)), sizes))
    ours = brainscore.splits(len(labels), labels.astype(str))
    reference = StratifiedShuffleSplit(10, train_size=0.9, test_size=None, random_state=1)
    for test, (_, expected) in zip(ours, reference.split(labels, labels), strict=True):
        np.testing.assert_array_equal(np.flatnonzero(test), np.sort(expected))
    plain = ShuffleSplit(10, train_size=0.9, test_size=None, random_state=1)
    for test, (_, expected) in zip(
        brainscore.splits(len(labels), None), plain.split(labels), strict=True
    ):
        np.testing.assert_array_equal(np.flatnonzero(test), np.sort(expected))


def test_protocol_is_scikit_learns_loop() -> None:
    features, responses = scene(100, 150, 30)
    categories = np.arange(100) % 5
    found = brainscore.predict(features, responses, categories)
    splits = StratifiedShuffleSplit(10, train_size=0.9, random_state=1)
    r = np.empty((10, 30))
    for number, (known, held) in enumerate(splits.split(features, categories)):
        model = PLSRegression(25, scale=False).fit(features[known], responses[known])
        values = model.predict(features[held])
        r[number] = [pearsonr(values[:, k], responses[held, k])[0] for k in range(30)]
    np.testing.assert_allclose(found.r, r, rtol=0, atol=1e-8)
    median = np.median(r, axis=1)
    np.testing.assert_allclose(found.score, median.mean(), atol=1e-8)
    np.testing.assert_allclose(found.error, median.std() / np.sqrt(10), atol=1e-8)


def test_protocol_leaves_out_what_cannot_be_scored() -> None:
    features, responses = scene(60, 40, 6)
    responses[:, 1] = 3.0
    responses[2, 4] = np.nan
    found = brainscore.predict(features, responses, None)
    rest = brainscore.predict(features, responses[:, [0, 2, 3, 5]], None)
    assert np.array_equal(np.isnan(found.r).all(axis=0), np.isin(np.arange(6), [1, 4]))
    np.testing.assert_allclose(found.score, rest.score, atol=1e-12)
    assert np.isnan(brainscore.predict(np.ones((60, 3)), responses, None).score)
    for labels in (np.arange(60), np.repeat(np.arange(10), 6)):
        with pytest.raises(ValueError, match="class"):
            next(StratifiedShuffleSplit(10, train_size=0.9).split(features, labels))
        with pytest.raises(InputError, match=r"categories, the smallest of \d, .*;"):
            brainscore.splits(60, labels)
    with pytest.raises(InputError, match=r"60 categories, the smallest of 1, .*;"):
        brainscore.predict(features, responses, np.arange(60))


def test_protocol_scores_noise_zero() -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(100, 100))
    noise = random.normal(size=(100, 40))
    orders = permutations(100, 60, seed=0)
    null = brainscore.null(features, noise, None, orders).score
    assert abs(null.mean()) < 0.01
    assert 0.005 < null.std() < 0.1
    exact = [brainscore.predict(features, noise[order], None).score for order in orders[:4]]
    np.testing.assert_allclose(null[:4], exact, atol=0.03)


def test_explained_variance() -> None:
    share = brainscore.explained(np.array([0.5, 0.4, 0.3]), np.array([1.0, 0.8, 0.0]))
    np.testing.assert_allclose(share, [0.25, 0.25, np.nan])
