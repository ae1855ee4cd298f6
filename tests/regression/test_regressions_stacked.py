"""Stacked regression: its weights, its parts against scikit-learn and scipy."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import nnls
from sklearn.linear_model import Ridge

from cortiscope.regression import held_out_scores, nested, ridge, stacked
from cortiscope.regression.cross_validation import fold_numbers
from tests.ridge_scene import ALPHAS, explicit, scaled, scene


def layers(n_stimuli: int, count: int) -> list[NDArray]:
    return [scene(n_stimuli, 50, 1, seed=seed)[0] for seed in range(count)]


def planted(features: NDArray, n_neuroids: int, seed: int) -> NDArray:
    random = np.random.default_rng(seed)
    decay = np.arange(1, features.shape[1] + 1) ** -1.0
    signal = (features - features.mean(axis=0)) @ (
        random.normal(size=(features.shape[1], n_neuroids)) * decay[:, None]
    )
    return signal / signal.std(axis=0)


def score(predictions: held_out_scores.Predictions, responses: NDArray, folds: NDArray) -> float:
    return float(held_out_scores.fold_centred_correlation(predictions, responses, folds).mean())


@pytest.mark.parametrize("shared", [0.0, 1.0, 30.0])
def test_non_negative_least_squares_is_scipys(shared: float) -> None:
    """Unknowns that are independent, alike, and all but copies of each other."""
    random = np.random.default_rng(0)
    inputs = random.normal(size=(200, 30, 9)) + shared * random.normal(size=(200, 30, 1))
    aim = random.normal(size=(200, 30)) + inputs[:, :, :3].mean(axis=2)
    gram = np.swapaxes(inputs, 1, 2) @ inputs
    found = stacked.non_negative(gram, np.einsum("psu,ps->pu", inputs, aim))
    expected = np.array([nnls(a, b)[0] for a, b in zip(inputs, aim, strict=True)])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    assert 0.1 < (expected == 0).mean() < 0.9
    assert found.min() >= 0


def test_weights_are_the_minimum_over_the_simplex() -> None:
    random = np.random.default_rng(1)
    errors = random.normal(size=(20, 4, 25)) + random.normal(size=(20, 1, 25))
    products = errors @ np.swapaxes(errors, 1, 2)
    weights = stacked.simplex_weights(products)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    assert weights.min() >= 0
    # No model would do better than the mixture if it took some of its weight.
    slope = np.einsum("pmk,pk->pm", products, weights)
    value = np.einsum("pm,pm->p", slope, weights)
    assert np.all(slope >= value[:, None] * (1 - 1e-8))
    assert 0.05 < (weights == 0).mean() < 0.95
    nothing = stacked.simplex_weights(np.zeros((1, 4, 4)))
    np.testing.assert_allclose(nothing.sum(), 1.0)


@pytest.mark.parametrize("alphas", [ALPHAS, np.array([1e-14, 1e-3, 1.0])])
def test_stacking_is_that_of_refitting(alphas: NDArray) -> None:
    """Every step by loops: strength, leave-one-out residuals, weights, held-out predictions."""
    inputs = layers(28, 3)
    responses = planted(inputs[0], 3, 0) + planted(inputs[1], 3, 1)
    responses += 0.3 * np.random.default_rng(0).normal(size=responses.shape) + 5
    folds = fold_numbers(28, 4, seed=0)
    found = stacked.predict(inputs, responses, folds, alphas)
    chosen = [ridge.predict(ridge.kernel(x), responses, folds, alphas).alpha for x in inputs]
    np.testing.assert_array_equal(found.alphas, chosen)
    for fold, neuroid in np.ndindex(4, 3):
        known = folds != fold
        truth, mean = responses[known, neuroid], responses[known, neuroid].mean()
        errors, fitted = [_left_out(np.zeros((len(truth), 1)), truth, 1.0)], []
        for layer, features in enumerate(inputs):
            rows, alpha = scaled(features), found.alphas[layer, fold, neuroid]
            errors.append(_left_out(rows[known], truth, alpha))
            model = Ridge(alpha, solver="svd").fit(rows[known], truth)
            fitted.append(model.predict(rows) - mean)
        weights = _simplex(np.array(errors))
        np.testing.assert_allclose(found.weights[:, fold, neuroid], weights[1:], atol=1e-6)
        combined = weights[1:] @ np.array(fitted)
        values = found.predictions.values[~known, neuroid]
        np.testing.assert_allclose(values, combined[~known] + mean, atol=1e-5)
        spread = found.predictions.spread[fold, neuroid]
        np.testing.assert_allclose(spread, combined.std(), atol=1e-5)
    np.testing.assert_allclose(found.predictions.alpha, found.weights.sum(axis=0))


def _left_out(inputs: NDArray, truth: NDArray, alpha: float) -> NDArray:
    values = np.empty(len(truth))
    for number in range(len(truth)):
        rest = np.arange(len(truth)) != number
        model = Ridge(alpha, solver="svd").fit(inputs[rest], truth[rest])
        values[number] = model.predict(inputs[[number]])[0]
    return truth - values


def _simplex(errors: NDArray) -> NDArray:
    """By scipy's non-negative least squares, with the sum held by a heavy row."""
    scale = np.linalg.norm(errors)
    heavy = 1e5
    system = np.vstack([errors.T / scale, np.full((1, len(errors)), heavy)])
    weights = nnls(system, np.append(np.zeros(errors.shape[1]), heavy))[0]
    return weights / weights.sum()


def test_shared_and_refitted_paths_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = layers(33, 3)
    responses = planted(inputs[2], 8, 0) + np.random.default_rng(0).normal(size=(33, 8))
    folds = fold_numbers(33, 4, seed=0)
    shared = stacked.predict(inputs, responses, folds, ALPHAS)
    monkeypatch.setitem(nested.ERROR_TOLERANCE, np.dtype(np.float64), 0.0)
    refitted = stacked.predict(inputs, responses, folds, ALPHAS)
    np.testing.assert_allclose(shared.predictions.values, refitted.predictions.values, atol=1e-9)
    np.testing.assert_allclose(shared.weights, refitted.weights, atol=1e-9)


def test_a_response_made_of_two_layers_takes_both() -> None:
    inputs = layers(120, 5)
    random = np.random.default_rng(3)
    responses = planted(inputs[1], 20, 0) + planted(inputs[3], 20, 1)
    responses += 0.5 * random.normal(size=responses.shape)
    folds = fold_numbers(120, 10, seed=0)
    found = stacked.predict(inputs, responses, folds, ALPHAS)
    weights = found.weights.mean(axis=(1, 2))
    assert np.all(weights[[1, 3]] > 0.35)
    assert np.all(weights[[0, 2, 4]] < 0.05)
    alone = [
        score(ridge.predict(ridge.kernel(x), responses, folds, ALPHAS), responses, folds)
        for x in inputs
    ]
    assert score(found.predictions, responses, folds) > max(alone) + 0.1


def test_a_response_made_of_one_layer_takes_that() -> None:
    inputs = layers(120, 5)
    responses = planted(inputs[2], 20, 0)
    responses += 0.5 * np.random.default_rng(3).normal(size=responses.shape)
    folds = fold_numbers(120, 10, seed=0)
    weights = stacked.predict(inputs, responses, folds, ALPHAS).weights.mean(axis=(1, 2))
    assert weights[2] > 0.95
    assert weights.sum() <= 1 + 1e-9


def test_a_single_layer_is_ridge() -> None:
    features, responses = scene(60, 40, 10, noise=0.1)
    folds = fold_numbers(60, 6, seed=0)
    found = stacked.predict([features], responses, folds, ALPHAS)
    values, _ = explicit(features, responses, folds)
    for fold in range(6):
        held = folds == fold
        mean = responses[~held].mean(axis=0)
        expected = mean + found.weights[0, fold] * (values[held] - mean)
        np.testing.assert_allclose(found.predictions.values[held], expected, rtol=1e-9)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_noise_scores_zero(dtype: type) -> None:
    inputs = layers(80, 4)
    noise = np.random.default_rng(5).normal(size=(80, 3000)) + 2
    folds = fold_numbers(80, 10, seed=0)
    found = stacked.predict(inputs, noise, folds, np.logspace(-2, 4, 7), dtype)
    assert abs(score(found.predictions, noise, folds)) < 0.01


def test_nothing_leaks_from_the_held_out_fold() -> None:
    inputs = layers(40, 3)
    responses = planted(inputs[0], 8, 0) + np.random.default_rng(0).normal(size=(40, 8))
    folds = fold_numbers(40, 5, seed=0)
    before = stacked.predict(inputs, responses, folds, ALPHAS)
    held = folds == 2
    responses[held] += 100 * np.random.default_rng(9).normal(size=(held.sum(), 8))
    after = stacked.predict(inputs, responses, folds, ALPHAS)
    np.testing.assert_allclose(
        after.predictions.values[held], before.predictions.values[held], rtol=1e-7
    )
    np.testing.assert_allclose(after.weights[:, 2], before.weights[:, 2], atol=1e-7)
    assert not np.allclose(after.weights[:, 1], before.weights[:, 1])


def test_blocks_of_neuroids_and_missing_and_constant(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = layers(40, 3)
    inputs[1] = np.full((40, 3), 0.7)
    responses = planted(inputs[0], 6, 0) + np.random.default_rng(0).normal(size=(40, 6))
    folds = fold_numbers(40, 5, seed=0)
    whole = stacked.predict(inputs, responses, folds, ALPHAS)
    assert np.all(whole.weights[1] == 0)
    assert np.isnan(whole.alphas[1]).all()
    responses[:, 1], responses[7, 4] = 3.0, np.nan
    monkeypatch.setattr(stacked, "MEMORY", 1)
    found = stacked.predict(inputs, responses, folds, ALPHAS)
    rest = [0, 2, 3, 5]
    np.testing.assert_allclose(found.weights[:, :, rest], whole.weights[:, :, rest], atol=1e-9)
    got = held_out_scores.fold_centred_correlation(found.predictions, responses, folds)
    assert np.array_equal(np.isnan(got), [False, True, False, False, True, False])
    assert np.isnan(found.predictions.alpha[:, 4]).all()
    nothing = stacked.predict([np.ones((40, 3))], responses, folds, ALPHAS)
    assert np.isnan(nothing.predictions.values).all()
