"""What is unique to a layer: against scikit-learn, planted shares, noise, and by the mapping."""

from typing import Any

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray
from scipy.spatial.distance import pdist
from scipy.stats import kstest, rankdata
from sklearn.linear_model import LinearRegression

from cortiscope.errors import InputError
from cortiscope.experiment import low_level
from cortiscope.mappings.fitting import fit
from cortiscope.planning.checks import folds
from cortiscope.planning.study import Study
from cortiscope.similarity import rsa, variance_partition
from cortiscope.similarity.comparison import permuted
from cortiscope.similarity.variance_partition import Background
from cortiscope.statistics.resampling import bootstrap_weights, permutations
from tests.mappings.test_fitting import SETTINGS
from tests.regression_scene import HALVES
from tests.running import REPOSITORY
from tests.synthetic_areas import area, layer

MODELS = ["pixels", "gabor_energy"]


def r_squared(predictors: list[NDArray], brain: NDArray, weights: NDArray | None = None) -> float:
    """Of ranks, by scikit-learn."""
    x = np.stack([rankdata(cells) for cells in predictors], axis=1)
    y = rankdata(brain)
    return float(LinearRegression().fit(x, y, weights).score(x, y, weights))


def planted(seed: int, n: int = 40) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """RDMs: of a common part with own parts of two models, of the brain, of noise."""
    random = np.random.default_rng(seed)
    common, own, other, noise = random.normal(size=(4, n, 15))
    model = rsa.pearson_rdm(np.hstack([common, own]))
    low = rsa.pearson_rdm(np.hstack([common, other]))
    brain = rsa.pearson_rdm(np.hstack([common, own, 0.5 * random.normal(size=(n, 15))]))
    return model, low, brain, rsa.pearson_rdm(noise)


def test_rdms_are_regressed_as_by_scikit_learn() -> None:
    model, low, brain, noise = planted(0)
    orders = permutations(40, 10, 3)
    brains, weights = np.stack([brain, model + noise]), bootstrap_weights(40, 5, 0)
    found = Background(np.stack([low, noise]), brains, orders, "spearman").beyond(model, weights)
    for number, one in enumerate(brains):
        for ours, of in (
            (found.partition.layer, [model]),
            (found.partition.low_level, [low, noise]),
            (found.partition.both, [model, low, noise]),
        ):
            by_chance = np.mean([r_squared(of, moved) for moved in permuted(one, orders)])
            expected = 1 - (1 - r_squared(of, one)) / (1 - by_chance)
            assert ours[number] == pytest.approx(expected, rel=1e-9)
    first, second = np.triu_indices(40, 1)
    draws = []
    for times in weights:
        counted = times[first] * times[second]
        of_draw = []
        for of in ([low, noise], [model, low, noise]):
            by_chance = np.mean([r_squared(of, moved) for moved in permuted(brain, orders)])
            of_draw.append(1 - (1 - r_squared(of, brain, counted)) / (1 - by_chance))
        draws.append(of_draw[1] - of_draw[0])
    expected = np.array(draws) - np.mean(draws) + found.partition.unique[0]
    np.testing.assert_allclose(found.draws, expected, rtol=1e-9)


def test_the_null_keeps_what_low_level_models_explain() -> None:
    """Brains of them and noise: a layer that is like them adds nothing, as often as is said."""
    p_values, mean = [], []
    for seed in range(200):
        random = np.random.default_rng(seed)
        common = random.normal(size=(30, 8))
        low, model = (
            rsa.pearson_rdm(np.hstack([common, random.normal(size=(30, 4))])) for _ in "ab"
        )
        brain = low + 0.5 * low.std() * random.normal(size=low.shape)
        orders = permutations(30, 39, seed)
        found = Background(low[None], brain[None], orders, "spearman").beyond(model)
        unique = found.partition.unique[0]
        p_values.append((1 + (found.null >= unique).sum()) / 40 - random.uniform() / 40)
        mean.append([unique, found.null.mean()])
    assert kstest(p_values, "uniform").pvalue > 0.01
    assert np.abs(np.mean(mean, axis=0)).max() < 0.002


def test_planted_shares_are_found_and_noise_adds_nothing() -> None:
    noise_parts, raw, unique, shared = [], [], [], []
    for seed in range(40):
        model, low, brain, noise = planted(seed)
        orders = permutations(40, 40, seed)
        beyond_model = Background(model[None], brain[None], orders, "spearman")
        noise_parts.append(beyond_model.beyond(noise).partition.unique)
        raw.append(r_squared([model, noise], brain) - r_squared([model], brain))
        ours = beyond_model.beyond(low).partition
        unique.append((ours.low_level - ours.shared, ours.unique))
        shared.append(ours.shared)
    assert abs(np.mean(noise_parts)) < 0.002
    assert np.mean(raw) > 2 * abs(np.mean(noise_parts))
    by_model, by_low = np.mean(unique, axis=0)
    assert by_model > 0.2
    assert abs(by_low) < 0.02
    assert np.mean(shared) > 0.1


def test_copies_add_nothing_and_missing_cells_are_not_known() -> None:
    model, low, brain, _ = planted(0)
    orders, weights = permutations(40, 10, 0), bootstrap_weights(40, 5, 0)
    background = Background(np.stack([low, model, low]), brain[None], orders, "pearson")
    copy = background.beyond(2 * model + 1, weights)
    assert copy.partition.unique == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(copy.draws, 0, atol=1e-9)
    np.testing.assert_allclose(copy.null, 0, atol=1e-9)
    model[5] = np.nan
    missing = background.beyond(model, weights)
    assert np.isnan([missing.partition.unique[0], *missing.null, *missing.draws]).all()
    assert np.isfinite(missing.partition.low_level).all()


def scene(repetitions: int) -> tuple[list, Any, dict[str, NDArray]]:
    """Layers: all the area codes; what low-level models know of it; noise."""
    random = np.random.default_rng(0)
    low, high, noise = random.normal(size=(3, 48, 20))
    code = np.hstack([low, high])[:, None]
    brain = area(code + 0.7 * random.normal(size=(48, repetitions, 40)))
    known = {"pixels": low, "gabor_energy": random.normal(size=(48, 30))}
    return [layer(np.hstack([low, high])), layer(low), layer(noise)], brain, known


def settings(**sections: Any) -> dict[str, Any]:
    statistics = {"permutations": 39, "bootstraps": 30, "seed": 0}
    own = {"statistics": statistics, "selection": HALVES, "low_level": {"models": MODELS}}
    return SETTINGS | own | sections


@pytest.mark.parametrize("repetitions", [4, 1])
def test_the_mapping_scores_what_is_unique(repetitions: int) -> None:
    layers, brain, known = scene(repetitions)
    found = fit("variance_partition", layers, brain, settings(), known)
    values = {name: variable.values for name, variable in found.items()}
    whole, low, noise = values["area_score"]
    assert whole > 0.2
    assert max(abs(low), abs(noise)) < 0.03
    assert values["area_p_value"][0] == 1 / 40
    assert values["area_p_value"][1:].min() > 0.05
    assert np.abs(values["area_null_mean"]).max() < 0.01
    selection = values["selection_score"]
    assert selection.shape == (3, 2, 2)
    assert (selection.argmax(axis=0) == 0).all()
    assert abs(selection[1:].mean()) < 0.03
    assert values["area_bootstrap"].mean(axis=1) == pytest.approx(values["area_score"])
    assert 0.01 < values["area_bootstrap"][0].std() < 0.2
    of_low, of_layer, shared = (
        values[f"explained_{name}"][:, 0] for name in ("low_level", "layer", "shared")
    )
    np.testing.assert_allclose(of_layer - shared, values["area_score"], atol=1e-6)
    np.testing.assert_allclose(of_low, of_low[0])
    assert shared[1] == pytest.approx(of_low[0], abs=0.03)
    assert "score" not in values


@pytest.mark.parametrize("repetitions", [4, 1])
def test_a_layer_that_is_one_of_several_low_level_models_adds_nothing(repetitions: int) -> None:
    """Each of them is a predictor of its own: their mean would leave some of each unexplained."""
    random = np.random.default_rng(0)
    known = {name: random.normal(size=(48, 15)) for name in low_level.MODELS}
    code = np.hstack([size * known[name] for size, name in enumerate(known, 1)])[:, None]
    brain = area(code + 0.5 * random.normal(size=(48, repetitions, 60)))
    layers = [layer(features) for features in known.values()]
    models = settings(low_level={"models": list(known)})
    found = fit("variance_partition", layers, brain, models, known)
    for name in ("area_score", "area_null", "area_bootstrap", "selection_score"):
        np.testing.assert_allclose(found[name].values, 0, atol=1e-9)

    cells = [rsa.pearson_rdm(features) for features in known.values()]
    orders, brains = permutations(48, 39, 0), rsa.pearson_rdm(brain.mean_response)[None]
    by_mean = Background(np.mean(cells, axis=0)[None], brains, orders, "spearman")
    assert max(by_mean.beyond(one).partition.unique[0] for one in cells) > 0.01


def test_low_level_dissimilarities_are_those_of_the_config() -> None:
    layers, brain, known = scene(1)
    asked = settings(rsa={"dissimilarity": "euclidean", "comparison": "pearson"})
    found = fit("variance_partition", layers, brain, asked, known)
    low = [pdist(known[name]) for name in MODELS]
    orders = permutations(48, 39, 0)
    truth = Background(np.stack(low), pdist(brain.mean_response)[None], orders, "pearson")
    expected = [truth.beyond(pdist(one.features)).partition.unique[0] for one in layers]
    np.testing.assert_allclose(found["area_score"].values, expected, atol=1e-9)


def test_bad_input() -> None:
    layers, brain, known = scene(1)
    known["pixels"][3] = 0.5
    with pytest.raises(InputError, match=r"^config: low_level\.models: pixels: an image without"):
        fit("variance_partition", layers, brain, settings(), known)
    config = yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text())
    config |= {"mappings": ["variance_partition"], "rsa": {"comparison": "kendall"}}
    with pytest.raises(InputError, match=r"^config: rsa\.comparison: kendall explains no variance"):
        folds.check_pairs(Study.load(config, REPOSITORY))
    for method, count in (("kendall", 5), ("cosine", 5), ("spearman", 0)):
        with pytest.raises(InputError, match="variance_partition"):
            variance_partition.check(method, count)
