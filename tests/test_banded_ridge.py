"""Banded ridge against ridge, planted shares and noise."""

import numpy as np
import pytest
from numpy.typing import NDArray

from cortiscope import banded_ridge, ridge
from cortiscope.cross_validation import fold_numbers
from tests.ridge_scene import one_thread, scene

__all__ = ["one_thread"]

ALPHAS = np.logspace(-2, 5, 8)


def features(seed: int) -> tuple[list[NDArray], NDArray]:
    """Sets: common and own; common; noise. Responses to common and own, 40 % noise."""
    random = np.random.default_rng(seed)
    common, own = random.normal(size=(2, 150, 4))
    responses = 0.5 * common @ random.normal(size=(4, 40)) / 2
    responses += 0.6 * own @ random.normal(size=(4, 40)) / 2
    responses += np.sqrt(0.4) * random.normal(size=responses.shape)
    sets = [np.hstack([common, own]), common, random.normal(size=(150, 8))]
    return [ridge.kernel(x) for x in sets], responses


def test_features_are_partitioned_held_out() -> None:
    noise, unique, shared = [], [], []
    for seed in range(3):
        (model, low, irrelevant), responses = features(seed)
        folds = fold_numbers(150, 10, seed)
        ours = banded_ridge.partition_features(model, low, responses, folds, ALPHAS)
        unique.append([ours.unique.mean(), (ours.both - ours.layer).mean()])
        shared.append(ours.shared.mean())
        ours = banded_ridge.partition_features(low, irrelevant, responses, folds, ALPHAS)
        noise.append((ours.both - ours.layer).mean())
    assert np.mean(unique, axis=0)[0] == pytest.approx(0.36, abs=0.1)
    assert abs(np.mean(unique, axis=0)[1]) < 0.01
    assert np.mean(shared) == pytest.approx(0.25, abs=0.1)
    assert abs(np.mean(noise)) < 0.01


def test_one_band_is_ridge_and_noise_explains_nothing() -> None:
    patterns, responses = scene(40, 60, 5)
    responses[3, 2] = np.nan
    responses[:, 4] = 2.0
    folds = fold_numbers(40, 6, seed=0)
    kernel = ridge.kernel(patterns)
    ours = banded_ridge.banded_predict([kernel], responses, folds, ALPHAS)
    theirs = ridge.predict(kernel, responses, folds, ALPHAS)
    np.testing.assert_allclose(ours.values[:, :4], theirs.values[:, :4], rtol=1e-9)
    np.testing.assert_allclose(ours.spread[:, :4], theirs.spread[:, :4], rtol=1e-9)
    np.testing.assert_array_equal(ours.alpha[:, :4], theirs.alpha[:, :4])
    flat = banded_ridge.banded_predict([kernel, 0 * kernel], responses, folds, ALPHAS)
    # Half of a kernel is the same kernel at twice the alpha: only the grid of alphas is finer.
    assert np.corrcoef(flat.values[:, 0], theirs.values[:, 0])[0, 1] > 0.99
    ours = banded_ridge.partition_features(kernel, kernel, responses, folds, ALPHAS)
    for part in (ours.layer, ours.low_level, ours.both):
        assert np.isnan(part).tolist() == [False, False, True, False, True]
    random = np.random.default_rng(0)
    sets = [ridge.kernel(random.normal(size=(80, 30)) * np.arange(1, 31) ** -0.5) for _ in range(2)]
    noise = random.normal(size=(80, 1500))
    folds = fold_numbers(80, 10, seed=0)
    ours = banded_ridge.partition_features(*sets, noise, folds, ALPHAS)
    assert max(abs(part.mean()) for part in (ours.layer, ours.low_level, ours.both)) < 0.01
