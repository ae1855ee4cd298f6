"""Ridge where components are fewer than stimuli: the kernel is never made, the answers the same."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from cortiscope.regression import ridge
from cortiscope.regression.cross_validation import TRAINING, fold_numbers
from tests.ridge_scene import ALPHAS, explicit, scaled, scene

UNEVEN = np.random.default_rng(0).permutation(np.repeat([0, 1, 2, 3, 4], [25, 15, 12, 7, 1]))
FOLDS = {"ten": fold_numbers(60, 10, 1), "one a stimulus": np.arange(60), "uneven": UNEVEN}
BY_PARTS = pytest.mark.parametrize("by_parts", [True, False], ids=["by parts", "closed form"])


@pytest.fixture(params=FOLDS)
def folds(request):
    return FOLDS[request.param]


def regression(features, folds, monkeypatch, by_parts, alphas=ALPHAS):
    made = ridge.Regression(ridge.kernel_or_factor(features), folds, alphas)
    monkeypatch.setattr(made, "by_parts", lambda n_neuroids: by_parts)
    return made


@BY_PARTS
@pytest.mark.parametrize("n_components", [1, 8, 30, 200])
def test_predictions_are_those_of_refitting(n_components, folds, by_parts, monkeypatch):
    features, responses = scene(60, n_components, 12)
    responses[:, :3] = np.random.default_rng(1).normal(size=(60, 3))  # noise takes an end
    found = regression(features, folds, monkeypatch, by_parts).predict(responses)
    values, alpha = explicit(features, responses, folds)
    np.testing.assert_allclose(found.alpha, alpha, rtol=1e-12)
    np.testing.assert_allclose(found.values, values, rtol=1e-10)


@BY_PARTS
@pytest.mark.parametrize("n_components", [1, 8, 30])
def test_all_is_that_of_the_kernel(n_components, folds, by_parts, monkeypatch):
    features, responses = scene(60, n_components, 12)
    alphas = np.array([1.0, 10.0])  # goes on beyond both ends
    few = regression(features, folds, monkeypatch, by_parts, alphas)
    assert few.solver.kernel.shape == (60, n_components)
    whole = ridge.Regression(ridge.kernel(features), folds, alphas)
    given = np.geomspace(1e-3, 1e4, 4).repeat(3)
    for dtype, tolerance in ((np.float64, 1e-10), (np.float32, 1e-5)):
        found, expected = few.predict(responses, dtype), whole.predict(responses)
        np.testing.assert_array_equal(found.alpha, expected.alpha)
        np.testing.assert_array_equal(found.end, expected.end)
        pairs = [(found, expected)]
        pairs += [(few.predict_at(responses, given, dtype), whole.predict_at(responses, given))]
        for own, other in pairs:
            size = np.abs(other.values).max()
            np.testing.assert_allclose(own.values, other.values, rtol=0, atol=tolerance * size)
            np.testing.assert_allclose(own.spread, other.spread, rtol=tolerance * 10)


@BY_PARTS
def test_tiny_strengths_that_rounding_spoils(folds, by_parts, monkeypatch):
    """Twin components, and a stimulus that alone has one, which all but interpolates it."""
    features, responses = scene(60, 10, 8)
    features = np.hstack([features, features[:, :3], np.zeros((60, 1))])
    features[7, -1] = 30.0
    inputs = scaled(features)
    for alpha in (1e-9, 1e-6, 1e-3):
        made = regression(features, folds, monkeypatch, by_parts, np.array([alpha]))
        found = made.predict(responses)
        given = made.predict_at(responses, np.full(8, alpha))
        for fold in np.unique(folds):
            held = folds == fold
            model = Ridge(alpha=alpha, solver="svd").fit(inputs[~held], responses[~held])
            expected = model.predict(inputs[held])
            for values in (found.values[held], given.values[held]):
                np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("n_components", [8, 200])
def test_no_strength_is_left_out_that_would_be_chosen(n_components):
    """Of stimuli that are so unlike that the bounds of the errors are wide, and of noise."""
    features, responses = scene(80, n_components, 300, noise=5.0)
    features[::9] *= np.geomspace(1, 20, 9)[:, None]
    responses[:, ::2] = np.random.default_rng(1).normal(size=(80, 150))
    training = np.arange(80) % 4 > 0
    folds = np.where(training, TRAINING, 0)
    kernel = ridge.kernel_or_factor(features)
    for dtype in (np.float64, np.float32):
        found = ridge.Regression(kernel, folds, ALPHAS).predict(responses, dtype)
        errors = []
        for alpha in ALPHAS:
            rows = scaled(features)[training]
            alone = ridge.Regression(rows @ rows.T, np.arange(len(rows)), np.array([alpha]))
            inner = alone.predict(responses[training]).values - responses[training]
            errors.append(np.square(inner).sum(axis=0))
        expected = ALPHAS[np.argmin(errors, axis=0)]
        assert len(np.unique(expected)) > 3
        least = np.min(errors, axis=0)
        taken = np.array(errors)[np.searchsorted(ALPHAS, found.alpha[0] * 0.99), np.arange(300)]
        np.testing.assert_allclose(taken, least, rtol=1e-9 if dtype == np.float64 else 1e-3)


def test_missing_responses_and_constant_features_are_nan():
    features, responses = scene(60, 8, 3)
    responses[5, 1] = np.nan
    found = ridge.Regression(ridge.kernel_or_factor(features), FOLDS["ten"], ALPHAS)
    assert found.by_parts(3)
    predicted = found.predict(responses)
    assert np.isnan(predicted.values[:, 1]).all()
    assert np.isnan(predicted.alpha[:, 1]).all()
    assert np.isfinite(predicted.values[:, [0, 2]]).all()
    flat = ridge.Regression(ridge.kernel_or_factor(np.full((60, 8), 0.1)), FOLDS["ten"], ALPHAS)
    assert np.isnan(flat.predict(responses).values).all()


def test_parts_are_fitted_by_themselves_where_that_costs_less():
    def by_parts(n_stimuli, n_components, n_folds):
        folds = np.arange(n_stimuli) % n_folds
        random = np.random.default_rng(0)
        kernel = ridge.kernel_or_factor(random.normal(size=(n_stimuli, n_components)))
        return ridge.Regression(kernel, folds, ALPHAS).by_parts(100)

    assert by_parts(400, 40, 10)
    assert not by_parts(400, 40, 400)  # many folds
    assert not by_parts(100, 99, 10)  # no thin factor
