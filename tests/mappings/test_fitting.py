"""Scores against planted truth: the code itself nears its ceiling, noise scores zero."""

import numpy as np
import pytest
import torch

from cortiscope.experiment import shapes, simulated_brain
from cortiscope.experiment.readers import simulated_stimuli
from cortiscope.mappings.fitting import fit
from cortiscope.networks import extraction, networks
from cortiscope.networks.preprocessing import Preprocessed
from cortiscope.noise_ceilings import noise
from tests.running import REPOSITORY, study_config
from tests.synthetic_areas import area, layer

SETTINGS = study_config() | {"statistics": {"permutations": 0, "bootstraps": 0, "seed": 0}}
CONWELL = SETTINGS | {"ridge": {"alphas": [1.0], "protocol": "conwell2021"}}


@pytest.fixture(scope="module")
def real_features():
    """Layers of the trained shapenet5 for 118 stimuli, by scikit-learn's sparse projection."""
    torch.set_num_threads(1)
    row = {
        "model": "shapenet5",
        "source": "zoo",
        "architecture": "shapenet5",
        "weights": "resources/zoo/shapenet5.safetensors",
        "seed": "0",
        "preprocessing": "auto",
    }
    images = simulated_stimuli.render(118, 5)["image"].values
    network = networks.build(row, str(REPOSITORY / row["weights"]))
    outcomes = extraction.extract(
        network,
        Preprocessed(images, networks.transform(row)),
        ["relu3", "average"],
        {"projection": "srp", "components": 0, "seed": 0},
    )
    return {name: layer(arrays["features"], name) for name, (arrays, _) in outcomes.items()}


def test_what_is_kept_with_a_layer_serves_one_mapping_and_its_settings():
    random = np.random.default_rng(3)
    features, response = random.normal(size=(30, 8)), random.normal(size=(30, 2, 3))
    shared = layer(features)
    kinds = [("ols", SETTINGS), ("pcr", SETTINGS), ("ridge", SETTINGS), ("ridge", CONWELL)]
    scores = []
    for mapping, settings in kinds:
        found = fit(mapping, [shared], area(response), settings)["score"].values
        alone = fit(mapping, [layer(features)], area(response), settings)["score"].values
        np.testing.assert_array_equal(found, alone)
        scores.append(tuple(found.ravel()))
    assert len(set(scores)) == len(kinds)


def test_a_layer_that_holds_the_planted_code_nears_the_ceiling():
    stimuli = shapes.render(240, 1)
    random = np.random.default_rng(0)
    signal = simulated_brain.it_signal(stimuli, 64, random)
    reliability = np.linspace(0.3, 0.95, 64)
    response = simulated_brain.repeated(signal, reliability, 8, random)
    ceiling = np.nanmean(noise.split_half_ceiling(response, 50, 0).ceiling)
    scores = fit("ridge", [layer(signal)], area(response), SETTINGS)
    assert 0.9 < scores["area_score"].values[0] / ceiling < 1.02


@pytest.mark.parametrize("name", ["relu3", "average"])
def test_noise_scores_zero(real_features, name):
    response = np.random.default_rng(0).normal(size=(118, 1, 2000))
    scores = fit("ridge", [real_features[name]], area(response), SETTINGS)
    assert abs(scores["area_score"].values[0]) < 0.01


def test_the_published_protocol_scores_noise_below_zero(real_features):
    response = np.random.default_rng(0).normal(size=(118, 1, 2000))
    scores = fit("ridge", [real_features["average"]], area(response), CONWELL)
    # Its standard error is 0.002 here: 2,000 neuroids, 118 stimuli.
    assert scores["area_score"].values[0] < -0.02


def test_permutations_give_a_null_around_zero_and_small_p_for_signal(real_features):
    features = real_features["average"]
    random = np.random.default_rng(0)
    signal = features.features @ random.normal(size=(features.features.shape[1], 20))
    response = np.stack([signal / signal.std(axis=0), random.normal(size=signal.shape)], axis=2)
    response = response.reshape(118, 1, 40)  # signal and noise by turns
    settings = SETTINGS | {"statistics": {"permutations": 50, "bootstraps": 50, "seed": 0}}
    scores = fit("ridge", [features], area(response), settings)
    assert np.abs(scores["null_mean"].values.mean()) < 0.02
    assert (scores["p_value"].values[0, ::2] == 1 / 51).all()
    assert scores["p_value"].values[0, 1::2].mean() > 0.3
    low, high = np.percentile(scores["area_bootstrap"].values[0], [2.5, 97.5])
    assert low < scores["area_score"].values[0] < high


def test_neuroids_recorded_on_some_stimuli_are_scored_on_these(real_features):
    features = real_features["average"]
    random = np.random.default_rng(1)
    response = random.normal(size=(118, 1, 6))
    response[60:, 0, 3:] = np.nan
    everything = fit("ridge", [features], area(response), SETTINGS)["score"].values[0]
    assert np.isfinite(everything).all()
    whole = fit("ridge", [features], area(response[:, :, :3]), SETTINGS)["score"].values[0]
    np.testing.assert_array_equal(everything[:3], whole)


def test_a_constant_neuroid_is_not_scored(real_features):
    response = np.random.default_rng(1).normal(size=(118, 1, 3))
    response[:, 0, 1] = 7.0
    scores = fit("ridge", [real_features["average"]], area(response), SETTINGS)
    assert np.isnan(scores["score"].values[0]).tolist() == [False, True, False]
    assert np.isfinite(scores["area_score"].values[0])


def test_rsa_of_a_layer_with_itself_is_one(real_features):
    features = real_features["average"]
    scores = fit("rsa", [features], area(features.features[:, None, :]), SETTINGS)
    assert scores["area_score"].values[0] == pytest.approx(1.0)
