"""Least squares, principal components and lasso against explicit scikit-learn loops."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.linear_model import Lasso, LassoCV, LinearRegression
from sklearn.model_selection import PredefinedSplit
from sklearn.pipeline import make_pipeline

from cortiscope.errors import InputError
from cortiscope.regression import held_out_scores, lasso, ols, pcr, pls, principal_axes
from cortiscope.regression.cross_validation import fold_numbers
from cortiscope.regression.principal_axes import Parts, inner_numbers
from tests.ridge_scene import scaled, scene

SHARES = 0.9 * np.logspace(0, -3, 8)
NUMBERS = [1, 2, 4, 8, 12]
Predict = Callable[[NDArray, NDArray, NDArray], held_out_scores.Predictions]

MAPPINGS: dict[str, Predict] = {
    "ols": ols.predict,
    "pcr": lambda x, y, f: pcr.predict(x, y, f, [1, 2, 5, 10, 20, 40]),
    "pcr fixed": lambda x, y, f: pcr.predict(x, y, f, 10),
    "lasso": lambda x, y, f: lasso.predict(x, y, f, SHARES),
    "pls": lambda x, y, f: pls.predict(x, y, f, 10),
    "pls chosen": lambda x, y, f: pls.predict(x, y, f, [1, 2, 5, 10]),
    "pls each": lambda x, y, f: pls.predict(x, y, f, 5, together=np.arange(y.shape[1])),
}
every_mapping = pytest.mark.parametrize("predict", MAPPINGS.values(), ids=MAPPINGS.keys())


def loop(model: Callable, features: NDArray, responses: NDArray, folds: NDArray) -> NDArray:
    """Held-out predictions of a scikit-learn model; `model(training)` makes it."""
    values = np.empty_like(responses)
    for number in np.unique(folds):
        held = folds == number
        fitted = model(~held).fit(features[~held], responses[~held])
        values[held] = fitted.predict(features[held]).reshape(held.sum(), -1)
    return values


@pytest.mark.parametrize("n_components", [12, 36, 200])
def test_ols_is_linear_regression(n_components: int) -> None:
    """Fewer components than stimuli, as many as a training part has, more: minimum norm."""
    features, responses = scene(40, n_components, 9)
    folds = fold_numbers(40, 10, seed=0)
    predicted = ols.predict(features, responses, folds)
    expected = loop(lambda _: LinearRegression(), features, responses, folds)
    np.testing.assert_allclose(predicted.values, expected, rtol=1e-7)
    assert np.all(predicted.alpha == min(n_components, 35))
    known = folds != 0
    left_out = loop(
        lambda _: LinearRegression(), features[known], responses[known], np.arange(known.sum())
    )
    np.testing.assert_allclose(predicted.spread[0], left_out.std(axis=0), rtol=1e-7)


@pytest.mark.parametrize("n_components", [20, 90])
def test_pcr_is_least_squares_on_principal_components(n_components: int) -> None:
    features, responses = scene(50, n_components, 7)
    folds = fold_numbers(50, 7, seed=0)
    predicted = pcr.predict(features, responses, folds, 6)
    expected = loop(
        lambda _: make_pipeline(PCA(6, svd_solver="full"), LinearRegression()),
        features,
        responses,
        folds,
    )
    np.testing.assert_allclose(predicted.values, expected, rtol=1e-9)
    assert np.all(predicted.alpha == 6)


def test_pcr_chooses_within_the_training_part() -> None:
    features, responses = scene(60, 80, 12)
    folds = fold_numbers(60, 6, seed=0)
    predicted = pcr.predict(features, responses, folds, NUMBERS)
    for number in range(6):
        known = folds != number
        inner = inner_numbers(folds[known])
        models = [make_pipeline(PCA(k, svd_solver="full"), LinearRegression()) for k in NUMBERS]
        truth = responses[known]
        errors = [
            np.square(loop(lambda _, m=m: m, features[known], truth, inner) - truth).sum(axis=0)
            for m in models
        ]
        best = np.argmin(errors, axis=0)
        np.testing.assert_array_equal(predicted.alpha[number], np.array(NUMBERS)[best])
        for neuroid, place in enumerate(best):
            model = models[place].fit(features[known], truth)
            values = model.predict(features)[:, neuroid]
            np.testing.assert_allclose(predicted.values[~known, neuroid], values[~known], rtol=1e-9)
            np.testing.assert_allclose(predicted.spread[number, neuroid], values.std(), rtol=1e-9)
    assert len(np.unique(predicted.alpha)) > 2  # else the choice was not tested


def explicit_lasso(
    features: NDArray, responses: NDArray, folds: NDArray
) -> tuple[NDArray, NDArray]:
    """Scikit-learn's lasso, its alpha chosen by LassoCV with the same inner folds."""
    values, shares = np.empty_like(responses), []
    for number in np.unique(folds):
        known = folds != number
        inner = PredefinedSplit(inner_numbers(folds[known]))
        for neuroid in range(responses.shape[1]):
            target = responses[known, neuroid]
            inputs = features - features[known].mean(axis=0)
            least = np.abs(inputs[known].T @ (target - target.mean())).max() / known.sum()
            search = LassoCV(alphas=SHARES * least, cv=inner, max_iter=100_000, tol=1e-10)
            alpha = search.fit(inputs[known], target).alpha_
            model = Lasso(alpha, max_iter=100_000, tol=1e-12).fit(inputs[known], target)
            values[~known, neuroid] = model.predict(inputs[~known])
            shares.append(alpha / least)
    return values, np.reshape(shares, (-1, responses.shape[1]))


def test_lasso_in_given_axes_is_scikit_learns() -> None:
    features, responses = scene(40, 15, 4)
    folds = fold_numbers(40, 5, seed=0)
    predicted = lasso.predict(features, responses, folds, SHARES, axes="given")
    values, shares = explicit_lasso(features, responses, folds)
    np.testing.assert_allclose(predicted.alpha, shares, rtol=1e-9)
    np.testing.assert_allclose(predicted.values, values, atol=3e-3 * responses.std())
    assert len(np.unique(predicted.alpha.round(9))) > 2


@pytest.mark.parametrize("n_components", [15, 80])
def test_lasso_in_principal_axes_is_that_of_rotated_features(n_components: int) -> None:
    """One alpha at a time against coordinate descent, then the choice against refitting."""
    features, responses = scene(40, n_components, 5)
    inputs = scaled(features)
    folds = fold_numbers(40, 5, seed=0)
    for share in (0.5, 0.05):
        predicted = lasso.predict(features, responses, folds, [share])
        for number in range(5):
            known = folds != number
            axes = PCA(min(n_components, known.sum() - 1), svd_solver="full").fit(inputs[known])
            rotated = axes.transform(inputs)
            for neuroid in range(5):
                target = responses[known, neuroid]
                least = np.abs(rotated[known].T @ (target - target.mean())).max() / known.sum()
                model = Lasso(share * least, max_iter=100_000, tol=1e-14)
                values = model.fit(rotated[known], target).predict(rotated)
                np.testing.assert_allclose(
                    predicted.values[~known, neuroid], values[~known], atol=1e-6
                )
                np.testing.assert_allclose(
                    predicted.spread[number, neuroid], values.std(), atol=1e-6
                )


def test_lasso_in_principal_axes_chooses_within_the_training_part() -> None:
    """The inner errors of LassoCV-like loops, at the alphas of the whole training part."""
    features, responses = scene(45, 70, 6)
    inputs, folds = scaled(features), fold_numbers(45, 5, seed=0)
    predicted = lasso.predict(features, responses, folds, SHARES)
    for number in range(5):
        known = folds != number
        rows, truth = inputs[known], responses[known]
        inner = inner_numbers(folds[known])
        rotated = PCA(svd_solver="full").fit_transform(rows)
        least = np.abs(rotated.T @ (truth - truth.mean(axis=0))).max(axis=0) / len(rows)
        errors = np.zeros((len(SHARES), 6))
        for held in (inner == other for other in np.unique(inner)):
            axes = PCA((~held).sum() - 1, svd_solver="full").fit(rows[~held])
            for place, neuroid in np.ndindex(errors.shape):
                alpha = SHARES[place] * least[neuroid]
                model = Lasso(alpha, max_iter=100_000, tol=1e-12)
                model.fit(axes.transform(rows[~held]), truth[~held, neuroid])
                missed = model.predict(axes.transform(rows[held])) - truth[held, neuroid]
                errors[place, neuroid] += np.square(missed).sum()
        np.testing.assert_allclose(predicted.alpha[number], SHARES[errors.argmin(axis=0)])
    assert len(np.unique(predicted.alpha)) > 2


@every_mapping
def test_noise_scores_zero(predict: Predict) -> None:
    random = np.random.default_rng(5)
    features = random.normal(size=(80, 120)) * np.arange(1, 121) ** -0.5 + 3
    noise = random.normal(size=(80, 2000)) + 2
    folds = fold_numbers(80, 10, seed=0)
    score = held_out_scores.fold_centred_correlation(predict(features, noise, folds), noise, folds)
    assert abs(score.mean()) < 0.01


@every_mapping
def test_a_planted_signal_is_recovered(predict: Predict) -> None:
    """Responses made of the features score high, of others' features nothing."""
    random = np.random.default_rng(2)
    decay = np.arange(1, 61) ** -1.0
    features = random.normal(size=(120, 60)) * decay
    signal = features @ random.normal(size=(60, 30))
    signal /= signal.std(axis=0)
    responses = signal + 0.3 * random.normal(size=signal.shape)
    folds = fold_numbers(120, 10, seed=0)
    score = held_out_scores.fold_centred_correlation(
        predict(features, responses, folds), responses, folds
    )
    assert score.mean() > 0.7
    others = random.normal(size=features.shape) * decay
    wrong = held_out_scores.fold_centred_correlation(
        predict(others, responses, folds), responses, folds
    )
    assert abs(wrong.mean()) < 0.25  # the neuroids share what they are by chance like


@every_mapping
def test_constant_and_missing_neuroids_and_constant_features(predict: Predict) -> None:
    features, responses = scene(40, 50, 5)
    alone = predict(features, responses[:, [0, 3, 4]], np.arange(40) % 5)
    responses[:, 1] = 7.3
    responses[3, 2] = np.nan
    folds = np.arange(40) % 5
    predicted = predict(features, responses, folds)
    score = held_out_scores.fold_centred_correlation(predicted, responses, folds)
    assert np.array_equal(np.isnan(score), [False, True, True, False, False])
    np.testing.assert_allclose(predicted.values[:, [0, 3, 4]], alone.values, rtol=1e-7)
    assert np.isnan(predicted.alpha[:, 2]).all()
    nothing = predict(np.full((40, 7), 0.1), responses, folds)
    assert np.isnan(nothing.values).all()


@every_mapping
def test_nothing_leaks_and_units_do_not_matter(predict: Predict) -> None:
    features, responses = scene(45, 60, 8)
    folds = fold_numbers(45, 5, seed=0)
    before = predict(features, responses, folds)
    other = predict(features * 1e6, responses * 1e-30, folds)
    np.testing.assert_allclose(other.values * 1e30, before.values, rtol=1e-7)
    held = folds == 2
    responses[held] += 100 * np.random.default_rng(9).normal(size=(held.sum(), 8))
    after = predict(features, responses, folds)
    np.testing.assert_allclose(after.values[held], before.values[held], rtol=1e-7)
    np.testing.assert_array_equal(after.alpha[2], before.alpha[2])
    np.testing.assert_allclose(after.spread[2], before.spread[2], rtol=1e-7)


@pytest.mark.parametrize("predict", [ols.predict, MAPPINGS["pcr"], MAPPINGS["lasso"]])
def test_only_inner_products_matter(predict: Predict) -> None:
    features, responses = scene(40, 60, 5)
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(60, 60)))[0]
    folds = fold_numbers(40, 5, seed=0)
    np.testing.assert_allclose(
        predict(features @ rotation, responses, folds).values,
        predict(features, responses, folds).values,
        rtol=1e-8,
    )


def test_what_is_refused() -> None:
    features, responses = scene(20, 5, 2)
    folds = np.arange(20) % 4
    for components in (np.array(0), np.array([]), np.array([1.5]), np.array([3, -1])):
        with pytest.raises(InputError, match=r"^pcr\.components: .*;"):
            pcr.predict(features, responses, folds, components)
        with pytest.raises(InputError, match=r"^pls\.components: .*;"):
            pls.predict(features, responses, folds, components)
    for alphas in ([0.0], [1.0], []):
        with pytest.raises(InputError, match=r"^lasso\.alphas: .*;"):
            lasso.predict(features, responses, folds, alphas)
    with pytest.raises(InputError, match=r"^lasso\.axes: .*;"):
        lasso.predict(features, responses, folds, [0.1], axes="other")


def test_inner_folds_keep_outer_ones_whole() -> None:
    folds = np.repeat(np.arange(1, 10), 3)
    number = inner_numbers(folds)
    assert len(np.unique(number)) == 5
    assert all(len(np.unique(number[folds == fold])) == 1 for fold in range(1, 10))
    assert len(np.unique(inner_numbers(np.full(12, 3)))) == 5


def test_decompositions_are_made_anew_where_there_is_no_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    features, responses = scene(40, 60, 5)
    folds = fold_numbers(40, 5, seed=0)
    kept = pcr.prepare(Parts(features, folds), NUMBERS)
    held = Parts.bytes_kept
    assert held > 0
    monkeypatch.setattr(principal_axes, "KEPT_BYTES", 0)
    made_anew = pcr.prepare(Parts(features, folds), NUMBERS)
    assert Parts.bytes_kept == held
    for _ in range(2):
        np.testing.assert_array_equal(
            kept(responses, np.float64).values, made_anew(responses, np.float64).values
        )
    del kept
    assert Parts.bytes_kept < held
