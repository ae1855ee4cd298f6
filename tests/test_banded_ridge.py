"""Banded ridge against ridge, planted shares and noise."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cortiscope import banded_ridge, ridge
from cortiscope.banded_ridge import signed_square
from cortiscope.cross_validation import fold_numbers
from cortiscope.fitting import fit
from cortiscope.ridge import fold_centred_correlation
from cortiscope.variance_partition import Partition
from tests.ridge_scene import scene
from tests.synthetic_areas import area, layer
from tests.test_fitting import SETTINGS

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


def partition(layer: NDArray, low_level: NDArray, responses: NDArray, folds: NDArray) -> Partition:
    def explained(*kernels: NDArray) -> NDArray:
        predicted = banded_ridge.Regression(kernels, folds, ALPHAS).predict(responses)
        return signed_square(fold_centred_correlation(predicted, responses, folds))

    return Partition(explained(layer), explained(low_level), explained(layer, low_level))


def test_features_are_partitioned_held_out() -> None:
    noise, unique, shared = [], [], []
    for seed in range(3):
        (model, low, irrelevant), responses = features(seed)
        folds = fold_numbers(150, 10, seed)
        ours = partition(model, low, responses, folds)
        unique.append([ours.unique.mean(), (ours.both - ours.layer).mean()])
        shared.append(ours.shared.mean())
        ours = partition(low, irrelevant, responses, folds)
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
    ours = banded_ridge.Regression([kernel], folds, ALPHAS).predict(responses)
    theirs = ridge.predict(kernel, responses, folds, ALPHAS)
    np.testing.assert_allclose(ours.values[:, :4], theirs.values[:, :4], rtol=1e-9)
    np.testing.assert_allclose(ours.spread[:, :4], theirs.spread[:, :4], rtol=1e-9)
    np.testing.assert_array_equal(ours.alpha[:, :4], theirs.alpha[:, :4])
    flat = banded_ridge.Regression([kernel, 0 * kernel], folds, ALPHAS).predict(responses)
    # Half of a kernel is the same kernel at twice the alpha: only the grid of alphas is finer.
    assert np.corrcoef(flat.values[:, 0], theirs.values[:, 0])[0, 1] > 0.99
    ours = partition(kernel, kernel, responses, folds)
    for part in (ours.layer, ours.low_level, ours.both):
        assert np.isnan(part).tolist() == [False, False, True, False, True]
    random = np.random.default_rng(0)
    sets = [ridge.kernel(random.normal(size=(80, 30)) * np.arange(1, 31) ** -0.5) for _ in range(2)]
    noise = random.normal(size=(80, 1500))
    folds = fold_numbers(80, 10, seed=0)
    ours = partition(*sets, noise, folds)
    assert max(abs(part.mean()) for part in (ours.layer, ours.low_level, ours.both)) < 0.01


def scene_of_layers() -> tuple[list, Any, dict[str, NDArray]]:
    """Layers: all the area codes; what a low-level model knows of it; noise."""
    random = np.random.default_rng(0)
    low, high, noise = random.normal(size=(3, 100, 4))
    code = low @ random.normal(size=(4, 12)) + high @ random.normal(size=(4, 12))
    brain = area(code[:, None] / code.std() + 0.7 * random.normal(size=(100, 4, 12)))
    layers = [layer(np.hstack([low, high])), layer(low), layer(noise)]
    return layers, brain, {"pixels": low, "gist": random.normal(size=(100, 4))}


def values(models: list[str], permutations: int) -> dict[str, NDArray]:
    layers, brain, known = scene_of_layers()
    asked = SETTINGS | {
        "banded_ridge": {"alphas": ALPHAS},
        "low_level": {"models": models},
        "statistics": {"permutations": permutations, "bootstraps": 20, "seed": 0},
        "cross_validation": {"folds": 5, "group": "", "seed": 0},
    }
    found = fit("banded_ridge", layers, brain, asked, known)
    return {name: variable.values for name, variable in found.items()}


def test_the_mapping_scores_what_is_unique() -> None:
    found = values(["pixels"], 19)
    whole, of_low, of_noise = found["area_score"]
    assert whole > 0.25
    assert max(abs(of_low), abs(of_noise)) < 0.02
    assert found["area_p_value"][0] == 1 / 20
    assert np.abs(found["area_null_mean"]).max() < 0.02
    assert (found["selection_score"].argmax(axis=0) == 0).all()
    low, high = np.percentile(found["area_bootstrap"][0], [2.5, 97.5])
    assert low < whole < high


def test_low_level_models_share_a_kernel() -> None:
    found = values(["pixels", "gist"], 0)
    layers, brain, known = scene_of_layers()
    folds = fold_numbers(100, 5, 0)
    joined = (ridge.kernel(known["pixels"]) + ridge.kernel(known["gist"])) / 2
    for number, one in enumerate(layers):
        expected = partition(ridge.kernel(one.features), joined, brain.mean_response, folds)
        for name, part in (
            ("score", expected.unique),
            ("explained_layer", expected.layer),
            ("explained_low_level", expected.low_level),
            ("explained_shared", expected.shared),
        ):
            np.testing.assert_allclose(found[name][number], part, atol=1e-6)
