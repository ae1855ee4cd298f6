"""Ridge against explicit scikit-learn loops, its null, its scores, what it refuses."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import pearsonr
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.preprocessing import StandardScaler

from cortiscope import nested, ridge
from cortiscope.cross_validation import fold_numbers
from cortiscope.errors import InputError
from cortiscope.statistics import bootstrap_weights

ALPHAS = np.logspace(-3, 4, 8)


def scene(
    n_stimuli: int, n_components: int, n_neuroids: int, noise: float = 1.0, seed: int = 0
) -> tuple[NDArray, NDArray]:
    """Correlated features with a mean, and responses that depend on some of them."""
    random = np.random.default_rng(seed)
    spectrum = np.arange(1, n_components + 1) ** -0.5
    features = random.normal(size=(n_stimuli, n_components)) * spectrum + 3
    slopes = random.normal(size=(n_components, n_neuroids)) * (spectrum**2)[:, None]
    responses = features @ slopes + noise * random.normal(size=(n_stimuli, n_neuroids)) + 5
    return features, responses


def scaled(features: NDArray) -> NDArray:
    """Features whose centred Gram matrix is `ridge.kernel`."""
    centred = features - features.mean(axis=0)
    return centred * np.sqrt(len(features) / np.sum(centred**2))


def explicit(features: NDArray, responses: NDArray, folds: NDArray) -> tuple[NDArray, NDArray]:
    """Nested cross-validation by refitting: inner leave-one-out by scikit-learn."""
    inputs = scaled(features)
    values = np.empty_like(responses)
    chosen = []
    for fold in range(folds.max() + 1):
        held = folds == fold
        model = RidgeCV(ALPHAS, alpha_per_target=True).fit(inputs[~held], responses[~held])
        values[held] = model.predict(inputs[held])
        chosen.append(model.alpha_)
    return values, np.array(chosen)


@pytest.mark.parametrize(("n_components", "n_folds"), [(200, 10), (12, 10), (38, 6), (200, 41)])
def test_nested_prediction_is_that_of_refitting(n_components: int, n_folds: int) -> None:
    features, responses = scene(41, n_components, 30)
    folds = fold_numbers(41, n_folds, seed=1)
    predicted = ridge.predict(ridge.kernel(features), responses, folds, ALPHAS)
    values, alpha = explicit(features, responses, folds)
    np.testing.assert_allclose(predicted.alpha, alpha, rtol=1e-12)
    np.testing.assert_allclose(predicted.values, values, rtol=1e-10)
    assert len(np.unique(alpha)) > 2  # else the choice of alpha was not tested


def test_leave_one_out_of_one_alpha_is_that_of_refitting() -> None:
    features, responses = scene(30, 50, 8)
    inputs = scaled(features)
    values = np.empty_like(responses)
    for left_out in range(30):
        training = np.arange(30) != left_out
        model = Ridge(alpha=0.1).fit(inputs[training], responses[training])
        values[left_out] = model.predict(inputs[[left_out]])[0]
    predicted = ridge.predict(ridge.kernel(features), responses, np.arange(30), [0.1])
    np.testing.assert_allclose(predicted.values, values, rtol=1e-10)


def test_unequal_folds_in_any_order() -> None:
    features, responses = scene(37, 60, 20)
    folds = np.random.default_rng(0).permutation(np.repeat([0, 1, 2, 3], [20, 10, 6, 1]))
    predicted = ridge.predict(ridge.kernel(features), responses, folds, ALPHAS)
    np.testing.assert_allclose(
        predicted.values, explicit(features, responses, folds)[0], rtol=1e-10
    )


def test_refitting_takes_over_where_the_closed_form_loses_digits() -> None:
    """Twin stimuli in different folds and alphas that all but interpolate."""
    random = np.random.default_rng(4)
    features = np.repeat(random.normal(size=(15, 40)), 2, axis=0)
    features += 1e-7 * random.normal(size=features.shape)
    responses = features @ random.normal(size=(40, 6)) + random.normal(size=(30, 6))
    folds = np.arange(30) % 5
    alphas = np.array([1e-14, 1e-9, 1e-5])
    predicted = ridge.predict(ridge.kernel(features), responses, folds, alphas)
    inputs = scaled(features)
    for fold in range(5):
        held = folds == fold
        rows, truth = inputs[~held], responses[~held]
        errors = []
        for alpha in alphas:
            left_out = ridge.predict(rows @ rows.T, truth, np.arange(len(rows)), [alpha])
            errors.append(np.square(left_out.values - truth).sum(axis=0))
        expected = alphas[np.argmin(errors, axis=0)]
        np.testing.assert_allclose(predicted.alpha[fold], expected)
        for neuroid, alpha in enumerate(expected):
            model = Ridge(alpha=alpha, solver="svd").fit(rows, truth[:, neuroid])
            np.testing.assert_allclose(
                predicted.values[held, neuroid], model.predict(inputs[held]), rtol=1e-4, atol=1e-4
            )


def test_shared_and_refitted_paths_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    features, responses = scene(33, 80, 12)
    folds = fold_numbers(33, 4, seed=0)
    shared = ridge.predict(ridge.kernel(features), responses, folds, ALPHAS)
    monkeypatch.setitem(nested.ERROR_TOLERANCE, np.dtype(np.float64), 0.0)
    refitted = ridge.predict(ridge.kernel(features), responses, folds, ALPHAS)
    np.testing.assert_allclose(shared.values, refitted.values, rtol=1e-10)
    np.testing.assert_array_equal(shared.alpha, refitted.alpha)


def test_nothing_leaks_from_the_held_out_fold() -> None:
    features, responses = scene(40, 100, 20)
    folds = fold_numbers(40, 5, seed=0)
    before = ridge.predict(ridge.kernel(features), responses, folds, ALPHAS)
    held = folds == 2
    responses[held] += 100 * np.random.default_rng(9).normal(size=(held.sum(), 20))
    after = ridge.predict(ridge.kernel(features), responses, folds, ALPHAS)
    np.testing.assert_allclose(after.values[held], before.values[held], rtol=1e-9)
    np.testing.assert_array_equal(after.alpha[2], before.alpha[2])
    np.testing.assert_allclose(after.spread[2], before.spread[2], rtol=1e-9)
    assert not np.allclose(after.values[~held], before.values[~held])


def test_single_precision_is_close() -> None:
    features, responses = scene(60, 100, 50)
    folds = fold_numbers(60, 6, seed=0)
    gram = ridge.kernel(features)
    scores = []
    for dtype in (np.float64, np.float32):
        predicted = ridge.predict(gram, responses, folds, ALPHAS, dtype)
        scores.append(ridge.fold_centred_correlation(predicted, responses, folds))
    np.testing.assert_allclose(scores[1], scores[0], atol=2e-3)
    assert not np.array_equal(scores[1], scores[0])  # single precision was used


def test_units_do_not_matter() -> None:
    features, responses = scene(30, 40, 10)
    folds = fold_numbers(30, 5, seed=0)
    volts = ridge.predict(ridge.kernel(features * 1e6), responses * 1e-30, folds, ALPHAS)
    plain = ridge.predict(ridge.kernel(features), responses, folds, ALPHAS)
    np.testing.assert_allclose(volts.values * 1e30, plain.values, rtol=1e-10)


@pytest.mark.parametrize("n_folds", [10, 118])
@pytest.mark.parametrize("decay", [0.0, -0.5, -1.0])
def test_noise_scores_zero(n_folds: int, decay: float) -> None:
    """Whatever the spectrum: a steep one, or strongly shrunk folds, bias other statistics."""
    random = np.random.default_rng(5)
    features = random.normal(size=(118, 300)) * np.arange(1, 301) ** decay + 3
    noise = random.normal(size=(118, 2000)) + 2
    folds = fold_numbers(118, n_folds, seed=0)
    predicted = ridge.predict(ridge.kernel(features), noise, folds, np.logspace(-2, 6, 9))
    assert abs(ridge.fold_centred_correlation(predicted, noise, folds).mean()) < 0.01


def test_conwell2021_scores_noise_below_zero() -> None:
    """Features of few dimensions leave little to fit: the mean of the others dominates."""
    random = np.random.default_rng(0)
    features = random.normal(size=(118, 5)) @ random.normal(size=(5, 400))
    features += 0.01 * random.normal(size=features.shape)
    noise = random.normal(size=(118, 2000))
    folds = fold_numbers(118, 10, seed=0)
    predicted = ridge.predict(ridge.kernel(features), noise, folds, np.logspace(-2, 6, 9))
    assert ridge.conwell2021(features, noise).mean() < -0.05
    assert abs(ridge.fold_centred_correlation(predicted, noise, folds).mean()) < 0.01


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
    np.testing.assert_allclose(ridge.conwell2021(features, responses), expected, rtol=1e-10)


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
    score = ridge.fold_centred_correlation(predicted, responses, folds)
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
        score = ridge.fold_centred_correlation(predicted, responses[known], folds)
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
        score = ridge.fold_centred_correlation(predicted, responses, folds)
        np.testing.assert_allclose(score, 1.0, atol=1e-6)


def test_constant_and_missing_neuroids_and_constant_predictions() -> None:
    features, responses = scene(30, 40, 4)
    responses[:, 1] = 7.3
    responses[3, 2] = np.nan
    folds = fold_numbers(30, 5, seed=0)
    predicted = ridge.predict(ridge.kernel(features), responses, folds, ALPHAS)
    score = ridge.fold_centred_correlation(predicted, responses, folds)
    assert np.array_equal(np.isnan(score), [False, True, True, False])
    shrunk = ridge.predict(ridge.kernel(features), responses[:, [0, 3]], folds, [1e30])
    score = ridge.fold_centred_correlation(shrunk, responses[:, [0, 3]], folds)
    assert np.array_equal(score, [0, 0])


def test_constant_features_score_nan() -> None:
    gram = ridge.kernel(np.full((20, 7), 0.1))
    assert np.array_equal(gram, np.zeros((20, 20)))
    responses = scene(20, 5, 3)[1]
    predicted = ridge.predict(gram, responses, np.arange(20) % 4, ALPHAS)
    assert np.isnan(predicted.values).all()
    assert np.isnan(ridge.fold_centred_correlation(predicted, responses, np.arange(20) % 4)).all()


def test_kernel_is_the_scaled_centred_gram(monkeypatch: pytest.MonkeyPatch) -> None:
    features = scene(20, 50, 1)[0]
    monkeypatch.setattr(ridge, "FEATURE_CHUNK", 7)
    np.testing.assert_allclose(
        ridge.kernel(features), scaled(features) @ scaled(features).T, atol=1e-12
    )


def test_bootstrap_counts_stimuli() -> None:
    features, responses = scene(40, 60, 6)
    folds = fold_numbers(40, 5, seed=0)
    predicted = ridge.predict(ridge.kernel(features), responses, folds, ALPHAS)
    np.testing.assert_allclose(
        ridge.bootstrap_scores(predicted, responses, folds, np.ones((1, 40)))[0],
        ridge.fold_centred_correlation(predicted, responses, folds),
    )
    weights = bootstrap_weights(40, 3, seed=0)
    scores = ridge.bootstrap_scores(predicted, responses, folds, weights)
    member = (folds[:, None] == folds) / np.bincount(folds)[folds]
    a = (predicted.values - member @ predicted.values) / predicted.spread[folds]
    b = responses - member @ responses
    for draw in range(3):
        rows = np.repeat(np.arange(40), weights[draw].astype(int))
        product = (a[rows] * b[rows]).sum(0)
        expected = product / np.sqrt((a[rows] ** 2).sum(0) * (b[rows] ** 2).sum(0))
        np.testing.assert_allclose(scores[draw], expected)


def test_folds_may_have_lost_stimuli() -> None:
    """Neuroids that missed stimuli are fitted on the rest, with the folds of all."""
    features, responses = scene(40, 60, 6)
    folds = np.arange(40) % 8
    rows = (folds != 3) & ((folds != 5) | (np.arange(40) > 30))
    kept = ridge.predict(ridge.kernel(features[rows]), responses[rows], folds[rows], ALPHAS)
    assert kept.alpha.shape == (7, 6)
    expected = explicit(
        features[rows], responses[rows], np.unique(folds[rows], return_inverse=True)[1]
    )
    np.testing.assert_allclose(kept.values, expected[0], rtol=1e-10)
    assert np.isfinite(ridge.fold_centred_correlation(kept, responses[rows], folds[rows])).all()


@pytest.mark.parametrize("alphas", [[0.0], [1.0, -1.0], [], [np.nan], [np.inf]])
def test_alphas_must_be_positive(alphas: list[float]) -> None:
    features, responses = scene(10, 5, 2)
    with pytest.raises(InputError, match=r"mappings\.ridge\.alphas: .*;"):
        ridge.predict(ridge.kernel(features), responses, np.arange(10) % 2, alphas)
