"""Neuroids that answer one stimulus: nothing of what is predicted of them may be rounding."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from cortiscope.regression import (
    brainscore,
    given_split,
    held_out_scores,
    lasso,
    ols,
    pcr,
    pls,
    precision,
    ridge,
    stacked,
)
from cortiscope.regression.cross_validation import TRAINING, fold_numbers
from cortiscope.regression.principal_axes import Parts
from cortiscope.statistics.resampling import bootstrap_weights, permutations
from tests.regression_scene import NO_HALVES, layers, run
from tests.synthetic_areas import area

N_STIMULI, N_NEUROIDS = 60, 40
ALPHAS = np.logspace(-3, 3, 7)
DTYPES = (np.float64, np.float32)
Predict = Callable[[NDArray, NDArray, NDArray, type], held_out_scores.Predictions]


def _ridge_at(x: NDArray, y: NDArray, folds: NDArray, dtype: type) -> held_out_scores.Predictions:
    strengths = np.full(y.shape[1], 10.0)
    return ridge.Regression(ridge.kernel(x), folds, ALPHAS).predict_at(y, strengths, dtype)


def _pls(x: NDArray, y: NDArray, folds: NDArray, dtype: type) -> held_out_scores.Predictions:
    return pls.Regression(x, folds, 3).predict(y, quickly=dtype == np.float32)


PREDICT: dict[str, Predict] = {
    "ridge": lambda x, y, folds, dtype: ridge.predict(ridge.kernel(x), y, folds, ALPHAS, dtype),
    "ridge at given strengths": _ridge_at,
    "ols": ols.predict,
    "pcr": lambda x, y, folds, dtype: pcr.predict(x, y, folds, [1, 2, 5, 10], dtype),
    "lasso": lambda x, y, f, dtype: lasso.predict(x, y, f, [0.1, 0.5], "principal", dtype),
    "lasso in given axes": lambda x, y, f, _: lasso.predict(x, y, f, [0.1, 0.5], "given"),
    "pls": _pls,
    "stacked": lambda x, y, f, d: stacked.predict([x, x[:, :5]], y, f, ALPHAS[:6], d).predictions,
}


def _features() -> NDArray:
    return np.random.default_rng(0).normal(size=(N_STIMULI, 30))


def _sparse(unit: float = 1.0, n_neuroids: int = N_NEUROIDS) -> NDArray:
    """Each neuroid answers one stimulus of its own, (stimulus, neuroid)."""
    responses = np.zeros((N_STIMULI, n_neuroids))
    answered = np.arange(n_neuroids)
    random = np.random.default_rng(1)
    responses[answered, answered] = unit * (1 + 0.3 * random.random(n_neuroids))
    return responses


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", PREDICT)
@pytest.mark.parametrize(("unit", "baseline"), [(1.0, 0.0), (1e-3, 0.1), (0.3, 1000.0)])
def test_a_neuroid_that_answers_one_stimulus_scores_exactly_zero(
    kind: str, dtype: type, unit: float, baseline: float
) -> None:
    """In its fold the model is a constant, and in all others the responses are."""
    folds = fold_numbers(N_STIMULI, 10, seed=0)
    responses = _sparse(unit, 8 if kind == "lasso in given axes" else N_NEUROIDS) + baseline
    predicted = PREDICT[kind](_features(), responses, folds, dtype)
    assert (held_out_scores.fold_centred_correlation(predicted, responses, folds) == 0).all()
    draws = bootstrap_weights(N_STIMULI, 20, seed=0)
    drawn = held_out_scores.bootstrap_scores(predicted, responses, folds, draws)
    known = np.isfinite(drawn)  # not in a draw without the fold of what was answered
    assert (drawn[known] == 0).all()
    assert known.mean() > 0.9


@pytest.mark.parametrize("noise", [1e-1, 1e-3, 1e-5])
@pytest.mark.parametrize("n_folds", [10, N_STIMULI])
@pytest.mark.parametrize("kind", ["ridge", "ridge at given strengths", "ols", "pcr", "stacked"])
def test_single_precision_serves_neuroids_that_hardly_answer_but_one(
    kind: str, n_folds: int, noise: float
) -> None:
    random = np.random.default_rng(2)
    responses = _sparse() + noise * random.normal(size=(N_STIMULI, N_NEUROIDS))
    folds = fold_numbers(N_STIMULI, n_folds, seed=0)
    exact, single = (
        held_out_scores.fold_centred_correlation(
            PREDICT[kind](_features(), responses, folds, dtype), responses, folds
        )
        for dtype in DTYPES
    )
    assert exact.std() > 0.05
    np.testing.assert_allclose(single, exact, atol=0.003)


@pytest.mark.parametrize("kind", ["ridge", "ols", "pls"])
def test_of_a_given_split_the_training_stimuli_decide(kind: str) -> None:
    """Answered in the test part only: nothing was learnt. In the training part only: constant."""
    folds = np.where(np.arange(N_STIMULI) < 20, 0, TRAINING)
    responses = _sparse()
    together = np.zeros(N_NEUROIDS, dtype=int)
    predict = {
        "ridge": lambda: ridge.predict(ridge.kernel(_features()), responses, folds, ALPHAS),
        "ols": lambda: ols.predict(_features(), responses, folds),
        "pls": lambda: pls.Regression(_features(), folds, 3).predict(responses, together),
    }[kind]
    predicted, known = given_split.tested(predict(), responses, folds), responses[:20]
    score = given_split.score(predicted, known)
    np.testing.assert_array_equal(score, np.where(np.arange(N_NEUROIDS) < 20, 0.0, np.nan))
    null = given_split.null_scores(predicted, known, permutations(20, 10, seed=0))
    np.testing.assert_array_equal(null, np.tile(score, (10, 1)))


def test_brain_scores_protocol_has_no_r_of_what_does_not_vary() -> None:
    """Not in a test part without the stimulus that was answered, nor where it is in no other."""
    responses = np.hstack([_sparse(), np.random.default_rng(3).normal(size=(N_STIMULI, 70))])
    found = brainscore.predict(_features(), responses, None, draws=np.ones((2, N_STIMULI)))
    assert np.isnan(found.r[:, :N_NEUROIDS]).all()
    assert np.isfinite(found.r[:, N_NEUROIDS:]).all()
    null = brainscore.null(_features(), responses, None, permutations(N_STIMULI, 3, seed=0))
    assert np.isnan(null.r[:, :N_NEUROIDS]).all()


def test_features_of_few_dimensions_have_as_many_in_single_precision() -> None:
    """Products in single precision would leave rounding in all others, which least squares fits."""
    few = np.random.default_rng(4).normal(size=(100, 5)).astype(np.float32)
    features = np.repeat(few, 60, axis=1)
    folds = fold_numbers(100, 10, seed=0)
    assert [len(axes.values) for axes in Parts(features, folds)] == [5] * 10


@pytest.mark.parametrize("dtype", DTYPES)
def test_features_that_do_not_vary_but_for_their_rounding_give_an_empty_kernel(
    dtype: type,
) -> None:
    random = np.random.default_rng(5)
    features = (3.0 * (1 + 2 * np.finfo(dtype).eps * random.normal(size=(20, 50)))).astype(dtype)
    assert np.ptp(features, axis=0).max() > 0
    assert not ridge.kernel(features).any()
    varying = 3.0 * (1 + 1e5 * np.finfo(dtype).eps * random.normal(size=(20, 50)))
    assert np.trace(ridge.kernel(varying.astype(dtype))) == pytest.approx(20)


def test_training_parts_are_constant_where_their_variance_is() -> None:
    random = np.random.default_rng(6)
    responses = _sparse() + 10.0 ** -np.arange(N_NEUROIDS) * random.normal(size=(1, N_NEUROIDS))
    responses[:, :20] += 1e-3 * random.normal(size=(N_STIMULI, 20))
    folds = fold_numbers(N_STIMULI, 7, seed=0)
    found = precision.constant_parts(responses, folds)
    for fold, own in enumerate(found):
        known = responses[folds != fold]
        expected = known.var(axis=0) <= 1e-12 * np.square(responses).mean(axis=0)
        np.testing.assert_array_equal(own, expected)
    assert 0 < found.sum() < found.size


def test_a_look_at_few_stimuli_tells_of_most_neuroids_what_all_folds_would() -> None:
    """Of those it is sure of, every training part varies; of ordinary ones it is sure."""
    random = np.random.default_rng(8)
    ordinary = random.normal(size=(N_STIMULI, 200)) + 1e3 * random.normal(size=200)
    responses = np.hstack([ordinary, _sparse(), np.zeros((N_STIMULI, 1))])
    for n_folds in (2, 7, 10, N_STIMULI):
        folds = fold_numbers(N_STIMULI, n_folds, seed=0)
        for share in (1e-12, 1e-2):
            least = share * responses.var(axis=0)
            sure = precision._surely_varies(responses, folds, least)
            parts = np.stack([responses[folds != fold].var(axis=0) for fold in range(n_folds)])
            assert (parts > least)[:, sure].all()
            assert sure[:200].mean() > 0.95
            assert not sure[200:].any()


@pytest.mark.parametrize("kind", ["ridge", "stacked"])
def test_p_values_of_noise_are_uniform_with_neuroids_that_answer_one_stimulus(kind: str) -> None:
    """A fifth of the neuroids; their nulls are in single precision."""
    scene = layers(40, n_components=20)
    random = np.random.default_rng(7)
    p = []
    for _ in range(60):
        noise = random.normal(size=(40, 1, 10))
        noise[:, :, :2] = 0.0
        noise[random.choice(40, 2, replace=False), 0, [0, 1]] = 1 + random.random(2)
        options = {"n_permutations": 19, "selection": NO_HALVES}
        found = run(kind, scene if kind == "stacked" else scene[:1], area(noise), **options)
        p.append(found["area_p_value"][0])
    assert stats.kstest(p, "uniform").pvalue > 0.01
