"""Ridge predictions against explicit scikit-learn loops, and what is refused."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from cortiscope.errors import InputError
from cortiscope.regression import held_out_scores, nested, ridge
from cortiscope.regression.cross_validation import fold_numbers
from tests.ridge_scene import ALPHAS, explicit, scaled, scene


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


@pytest.mark.parametrize("room", [0, 2**28], ids=["anew each time", "kept"])
def test_refitting_takes_over_where_the_closed_form_loses_digits(
    room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twin stimuli in different folds and alphas that all but interpolate."""
    monkeypatch.setattr(nested, "REFIT_BYTES", room)
    random = np.random.default_rng(4)
    features = np.repeat(random.normal(size=(15, 40)), 2, axis=0)
    features += 1e-7 * random.normal(size=features.shape)
    responses = features @ random.normal(size=(40, 6)) + random.normal(size=(30, 6))
    folds = np.arange(30) % 5
    alphas = np.array([1e-14, 1e-9, *10.0 ** np.arange(-5, 3)])
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
        scores.append(held_out_scores.fold_centred_correlation(predicted, responses, folds))
    np.testing.assert_allclose(scores[1], scores[0], atol=2e-3)
    assert not np.array_equal(scores[1], scores[0])  # single precision was used


def test_units_do_not_matter() -> None:
    features, responses = scene(30, 40, 10)
    folds = fold_numbers(30, 5, seed=0)
    volts = ridge.predict(ridge.kernel(features * 1e6), responses * 1e-30, folds, ALPHAS)
    plain = ridge.predict(ridge.kernel(features), responses, folds, ALPHAS)
    np.testing.assert_allclose(volts.values * 1e30, plain.values, rtol=1e-10)


def test_constant_features_score_nan() -> None:
    gram = ridge.kernel(np.full((20, 7), 0.1))
    assert np.array_equal(gram, np.zeros((20, 20)))
    responses = scene(20, 5, 3)[1]
    predicted = ridge.predict(gram, responses, np.arange(20) % 4, ALPHAS)
    assert np.isnan(predicted.values).all()
    assert np.isnan(
        held_out_scores.fold_centred_correlation(predicted, responses, np.arange(20) % 4)
    ).all()


def test_kernel_is_the_scaled_centred_gram(monkeypatch: pytest.MonkeyPatch) -> None:
    features = scene(20, 50, 1)[0]
    monkeypatch.setattr(ridge, "FEATURE_CHUNK", 7)
    np.testing.assert_allclose(
        ridge.kernel(features), scaled(features) @ scaled(features).T, atol=1e-12
    )


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
    assert np.isfinite(
        held_out_scores.fold_centred_correlation(kept, responses[rows], folds[rows])
    ).all()


@pytest.mark.parametrize("alphas", [[0.0], [1.0, -1.0], [], [np.nan], [np.inf]])
def test_alphas_must_be_positive(alphas: list[float]) -> None:
    features, responses = scene(10, 5, 2)
    with pytest.raises(InputError, match=r"^ridge\.alphas: .*;"):
        ridge.predict(ridge.kernel(features), responses, np.arange(10) % 2, alphas)
