"""Ridge at given strengths: one decomposition serves all folds."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from cortiscope.regression import given_alpha, ridge
from cortiscope.regression.cross_validation import fold_numbers

ALPHAS = np.array([1e-3, 1.0, 30.0, 1e4])


@pytest.fixture(params=[(47, 10), (20, "loo")], ids=["unequal folds", "one a stimulus"])
def scene(request):
    n_stimuli, n_folds = request.param
    random = np.random.default_rng(n_stimuli)
    features = random.normal(size=(n_stimuli, 60))
    responses = 5 + features[:, :4] + random.normal(size=(n_stimuli, 4))
    return features, responses, fold_numbers(n_stimuli, n_folds, 0)


def test_predictions_and_spread_are_those_of_scikit_learn(scene):
    features, responses, folds = scene
    kernel = ridge.kernel(features)
    found = ridge.Regression(kernel, folds, [1.0]).predict_at(responses, ALPHAS)
    # An alpha is relative to the mean diagonal of the centred Gram matrix.
    scale = np.square(features - features.mean(axis=0)).sum() / len(features)
    for neuroid, alpha in enumerate(ALPHAS):
        for fold in np.unique(folds):
            training = folds != fold
            model = Ridge(alpha=alpha * scale, solver="svd")
            model.fit(features[training], responses[training, neuroid])
            predicted = model.predict(features)
            held = found.values[~training, neuroid]
            np.testing.assert_allclose(held, predicted[~training], rtol=1e-10)
            # About the mean over all stimuli that the model of a fold has them at.
            whole = np.where(training, responses[:, neuroid], predicted)
            spread = np.sqrt(np.square(predicted - whole.mean()).mean())
            assert found.spread[fold, neuroid] == pytest.approx(spread, rel=1e-8)


def test_it_is_what_is_predicted_when_that_alpha_is_chosen(scene):
    features, responses, folds = scene
    kernel = ridge.kernel(features)
    chosen = ridge.Regression(kernel, folds, [30.0]).predict(responses)
    given = ridge.Regression(kernel, folds, [1.0]).predict_at(responses, np.full(4, 30.0))
    np.testing.assert_allclose(given.values, chosen.values, rtol=1e-10)
    np.testing.assert_allclose(given.spread, chosen.spread, rtol=1e-10)
    assert np.array_equal(given.alpha, chosen.alpha)
    single = ridge.Regression(kernel, folds, [1.0]).predict_at(
        responses, np.full(4, 30.0), np.float32
    )
    np.testing.assert_allclose(single.values, chosen.values, rtol=1e-5)


def test_no_more_is_kept_than_there_is_room_for(scene, monkeypatch):
    features, responses, folds = scene
    kernel = ridge.kernel(features)
    kept = ridge.Regression(kernel, folds, [1.0])
    first = kept.predict_at(responses, ALPHAS)
    assert len(kept.given.kept) == len(ALPHAS)
    sizes = np.bincount(folds)
    of_alpha = 3 * 8 * len(sizes) * sizes.max() ** 2
    monkeypatch.setattr(given_alpha, "KEPT_BYTES", 2 * of_alpha)
    anew = ridge.Regression(kernel, folds, [1.0])
    for _ in range(2):
        np.testing.assert_array_equal(anew.predict_at(responses, ALPHAS).values, first.values)
    assert len(anew.given.kept) == 2


def test_from_features_that_do_not_vary_nothing_is_predicted(scene):
    _, responses, folds = scene
    flat = ridge.Regression(np.zeros((len(folds), len(folds))), folds, [1.0])
    assert np.isnan(flat.predict_at(responses, ALPHAS).values).all()


def test_the_nearest_strength_is_so_in_ratio():
    found = ridge.nearest([0.1, 1.0, 10.0], np.array([0.02, 0.4, 5.5, 300.0]))
    assert np.array_equal(found, [0.1, 1.0, 10.0, 10.0])
