"""Ridge scores: their null, their truth, their bootstrap, the published protocol."""

import numpy as np
import pytest
from scipy.stats import pearsonr
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.preprocessing import StandardScaler

from cortiscope.regression import held_out_scores, ridge
from cortiscope.regression.cross_validation import fold_numbers
from cortiscope.statistics.resampling import bootstrap_weights
from tests.ridge_scene import ALPHAS, scaled, scene


@pytest.mark.parametrize("n_folds", [10, 118])
@pytest.mark.parametrize("decay", [0.0, -0.5, -1.0])
def test_noise_scores_zero(n_folds: int, decay: float) -> None:
    """Whatever the spectrum: a steep one, or strongly shrunk folds, bias other statistics."""
    random = np.random.default_rng(5)
    features = random.normal(size=(118, 300)) * np.arange(1, 301) ** decay + 3
    noise = random.normal(size=(118, 2000)) + 2
    folds = fold_numbers(118, n_folds, seed=0)
    predicted = ridge.predict(ridge.kernel(features), noise, folds, np.logspace(-2, 6, 9))
    assert abs(held_out_scores.fold_centred_correlation(predicted, noise, folds).mean()) < 0.01


def test_conwell2021_scores_noise_below_zero() -> None:
    """Features of few dimensions leave little to fit: the mean of the others dominates."""
    random = np.random.default_rng(0)
    features = random.normal(size=(118, 5)) @ random.normal(size=(5, 400))
    features += 0.01 * random.normal(size=features.shape)
    noise = random.normal(size=(118, 2000))
    folds = fold_numbers(118, 10, seed=0)
    predicted = ridge.predict(ridge.kernel(features), noise, folds, np.logspace(-2, 6, 9))
    published = ridge.conwell2021(features, noise)
    assert held_out_scores.fold_centred_correlation(published, noise, np.zeros(118)).mean() < -0.05
    assert abs(held_out_scores.fold_centred_correlation(predicted, noise, folds).mean()) < 0.01


def test_conwell2021_is_leave_one_out_of_z_scored_features() -> None:
    features, responses = scene(25, 60, 5)
    features = np.column_stack([features, np.full(25, 3.0)])
    inputs = StandardScaler().fit_transform(features)
    values = np.empty_like(responses)
    for left_out in range(25):
        training = np.arange(25) != left_out
        model = Ridge(alpha=1.0).fit(inputs[training], responses[training])
        values[left_out] = model.predict(inputs[[left_out]])[0]
    expected = [pearsonr(values[:, k], responses[:, k])[0] for k in range(5)]
    published = ridge.conwell2021(features, responses)
    found = held_out_scores.fold_centred_correlation(published, responses, np.zeros(25))
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_score_is_the_correlation_after_centring_and_scaling_by_fold() -> None:
    features, responses = scene(30, 40, 4)
    folds = fold_numbers(30, 4, seed=0)
    predicted = ridge.predict(ridge.kernel(features), responses, folds, ALPHAS)
    values, truth = predicted.values.copy(), responses.copy()
    for fold in range(4):
        held = folds == fold
        values[held] -= values[held].mean(axis=0)
        truth[held] -= truth[held].mean(axis=0)
        rows = scaled(features)
        for neuroid, alpha in enumerate(predicted.alpha[fold]):
            model = Ridge(alpha=alpha).fit(rows[~held], responses[~held, neuroid])
            spread = model.predict(rows).std()
            np.testing.assert_allclose(predicted.spread[fold, neuroid], spread, rtol=1e-9)
            values[held, neuroid] /= spread
    expected = [pearsonr(values[:, k], truth[:, k])[0] for k in range(4)]
    score = held_out_scores.fold_centred_correlation(predicted, responses, folds)
    np.testing.assert_allclose(score, expected, rtol=1e-9)


@pytest.mark.parametrize("n_folds", [10, 118])
def test_score_is_the_correlation_with_new_stimuli(n_folds: int) -> None:
    """On average over samples of stimuli; new stimuli show how well the same model really does."""
    random = np.random.default_rng(3)
    decay = np.arange(1, 101) ** -0.5
    differences = []
    for _ in range(15):
        features = random.normal(size=(1118, 100)) * decay
        signal = features @ (random.normal(size=(100, 20)) * decay[:, None])
        responses = 0.6 * signal / signal.std(axis=0) + random.normal(size=signal.shape)
        known, new = slice(0, 118), slice(118, None)
        folds = fold_numbers(118, n_folds, seed=0)
        predicted = ridge.predict(ridge.kernel(features[known]), responses[known], folds, ALPHAS)
        score = held_out_scores.fold_centred_correlation(predicted, responses[known], folds)
        factor = np.std(scaled(features[known])) / np.std(features[known] - features[known].mean(0))
        model = RidgeCV(ALPHAS, alpha_per_target=True)
        model.fit(features[known] * factor, responses[known])
        values = model.predict(features[new] * factor)
        truth = [pearsonr(values[:, k], responses[new, k])[0] for k in range(20)]
        differences.append(score.mean() - np.mean(truth))
    assert abs(np.mean(differences)) < 0.02


def test_noiseless_responses_score_one() -> None:
    features, responses = scene(80, 20, 10, noise=0.0)
    for n_folds in (8, 80):
        folds = fold_numbers(80, n_folds, seed=0)
        predicted = ridge.predict(ridge.kernel(features), responses, folds, [1e-8])
        score = held_out_scores.fold_centred_correlation(predicted, responses, folds)
        np.testing.assert_allclose(score, 1.0, atol=1e-6)


def test_constant_and_missing_neuroids_and_constant_predictions() -> None:
    features, responses = scene(30, 40, 4)
    responses[:, 1] = 7.3
    responses[3, 2] = np.nan
    folds = fold_numbers(30, 5, seed=0)
    predicted = ridge.predict(ridge.kernel(features), responses, folds, ALPHAS)
    score = held_out_scores.fold_centred_correlation(predicted, responses, folds)
    assert np.array_equal(np.isnan(score), [False, True, True, False])
    shrunk = ridge.predict(ridge.kernel(features), responses[:, [0, 3]], folds, [1e30])
    score = held_out_scores.fold_centred_correlation(shrunk, responses[:, [0, 3]], folds)
    assert np.array_equal(score, [0, 0])


def test_bootstrap_counts_stimuli() -> None:
    features, responses = scene(40, 60, 6)
    folds = fold_numbers(40, 5, seed=0)
    predicted = ridge.predict(ridge.kernel(features), responses, folds, ALPHAS)
    np.testing.assert_allclose(
        held_out_scores.bootstrap_scores(predicted, responses, folds, np.ones((1, 40)))[0],
        held_out_scores.fold_centred_correlation(predicted, responses, folds),
    )
    weights = bootstrap_weights(40, 3, seed=0)
    scores = held_out_scores.bootstrap_scores(predicted, responses, folds, weights)
    member = (folds[:, None] == folds) / np.bincount(folds)[folds]
    a = (predicted.values - member @ predicted.values) / predicted.spread[folds]
    b = responses - member @ responses
    for draw in range(3):
        rows = np.repeat(np.arange(40), weights[draw].astype(int))
        product = (a[rows] * b[rows]).sum(0)
        expected = product / np.sqrt((a[rows] ** 2).sum(0) * (b[rows] ** 2).sum(0))
        np.testing.assert_allclose(scores[draw], expected)
