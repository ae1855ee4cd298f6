"""A simulated MEG recording in which every layer has its latency."""

import numpy as np
import pytest
from numpy.typing import NDArray

from cortiscope import ridge, rsa, time_course
from cortiscope.cross_validation import fold_numbers

ALPHAS = np.logspace(-2, 5, 8)
TIME = np.arange(0, 200, 10.0)  # ms
LATENCY = np.array([50.0, 90.0, 150.0])


@pytest.fixture(scope="module")
def meg() -> tuple[NDArray, NDArray]:
    """Features (layer, stimulus, component), response (stimulus, time, sensor)."""
    random = np.random.default_rng(0)
    layers = random.normal(size=(3, 90, 12))
    signal = layers @ random.normal(size=(3, 12, 25)) / np.sqrt(12)
    envelope = np.exp(-((TIME - LATENCY[:, None]) ** 2) / (2 * 15**2))
    response = np.einsum("lsn,lt->stn", signal, envelope)
    return layers, response + 0.7 * random.normal(size=response.shape)


def test_latency_of_every_layer_is_recovered(meg: tuple[NDArray, NDArray]) -> None:
    layers, response = meg
    folds = fold_numbers(90, 10, seed=0)
    courses = [
        time_course.ridge_time_course(ridge.kernel(x), response, folds, ALPHAS, np.ones(25))
        for x in layers
    ]
    area = np.array([course.area_score for course in courses])
    np.testing.assert_allclose(time_course.peak_time(area, TIME), LATENCY, atol=10)
    assert (area.max(axis=1) > 0.5).all()
    assert abs(area[0, TIME > 130].mean()) < 0.05
    by_rsa = time_course.rsa_time_course(np.stack([rsa.pearson_rdm(x) for x in layers]), response)
    np.testing.assert_allclose(time_course.peak_time(by_rsa, TIME), LATENCY, atol=10)


def test_one_pass_is_a_loop_over_time(meg: tuple[NDArray, NDArray]) -> None:
    layers, response = meg[0], meg[1].copy()
    response[:, 2, 4] = 0.3
    response[5, 3, :24] = np.nan
    folds = fold_numbers(90, 10, seed=0)
    kernel, models = ridge.kernel(layers[1]), rsa.pearson_rdm(layers[1])[None]
    weight = np.arange(1.0, 26)
    ours = time_course.ridge_time_course(kernel, response, folds, ALPHAS, weight)
    by_rsa = time_course.rsa_time_course(models, response)
    for time in range(0, 20, 3):
        predicted = ridge.predict(kernel, response[:, time], folds, ALPHAS)
        expected = ridge.fold_centred_correlation(predicted, response[:, time], folds)
        np.testing.assert_allclose(ours.score[time], expected, rtol=1e-9)
        np.testing.assert_allclose(
            by_rsa[0, time], rsa.spearman(models[0], rsa.pearson_rdm(response[:, time])), rtol=1e-9
        )
    assert np.isnan(ours.score[2, 4])
    assert ours.area_score[3] == pytest.approx(ours.score[3, 24])
    assert np.isnan(by_rsa[0, 3])


def test_peak_time_needs_a_score() -> None:
    course = np.array([[np.nan, 0.2, 0.1], [np.nan] * 3])
    np.testing.assert_array_equal(time_course.peak_time(course, np.array([5, 6, 7])), [6, np.nan])
