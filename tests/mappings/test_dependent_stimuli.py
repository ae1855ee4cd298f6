"""Copies of pictures and slow drifts score 0, or p-values are uniform, once the config says so."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import kstest

from cortiscope.mappings.fitting import fit
from cortiscope.mappings.kinds import MAPPINGS
from tests.experiment.test_drift import slow
from tests.mappings.test_fitting import SETTINGS
from tests.regression_scene import NO_HALVES
from tests.synthetic_areas import area, layer

N = 60
TWICE = np.arange(N) % 40  # 20 pictures twice, 20 once
PICTURES = {"picture": np.array([f"p{number}" for number in TWICE])}


def settings(permutations: int = 0, bootstraps: int = 0, **validation: Any) -> dict[str, Any]:
    statistics = {"permutations": permutations, "bootstraps": bootstraps, "seed": 0}
    folds = SETTINGS["cross_validation"] | {"folds": 5} | validation
    pls = SETTINGS["pls"] | {"components": 3}
    asked = {"statistics": statistics, "cross_validation": folds, "pls": pls}
    return SETTINGS | asked | {"selection": NO_HALVES}


def unrelated(seed: int) -> tuple[NDArray, NDArray]:
    """Features (stimulus, component) and responses of copies, which share nothing else."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(40, 30))[TWICE]
    response = random.normal(size=(40, 10))[TWICE] + 0.3 * random.normal(size=(N, 10))
    return features, response[:, None]


def scores(mapping: str, group: str, count: int, **options: Any) -> NDArray:
    given = settings(group=group) | options
    found = []
    for seed in range(count):
        features, response = unrelated(seed)
        found.append(fit(mapping, [layer(features)], area(response), given, PICTURES))
    return np.array([one["area_score"].values[0] for one in found])


@pytest.mark.parametrize("mapping", ["ridge", "ols", "pls", "rsa", "cka", "unit_weighted"])
def test_copies_score_nothing_where_pictures_are_held_out_whole(mapping: str) -> None:
    alone = scores(mapping, "", 8)
    grouped = scores(mapping, "picture", 24)
    error = grouped.std() / np.sqrt(len(grouped))
    assert alone.mean() > 3 * error  # what copies give
    assert abs(grouped.mean()) < 3 * error
    assert grouped.mean() < alone.mean() / 2


@pytest.mark.parametrize("comparison", ["spearman", "pearson", "kendall"])
def test_every_comparison_leaves_out_the_pairs_within_a_picture(comparison: str) -> None:
    rsa = SETTINGS["rsa"] | {"comparison": comparison}
    grouped = scores("rsa", "picture", 24, rsa=rsa)
    assert abs(grouped.mean()) < 3 * grouped.std() / np.sqrt(len(grouped))


@pytest.mark.parametrize("mapping", ["rsa", "cka"])
def test_a_shared_code_is_found_beside_copies(mapping: str) -> None:
    features, _ = unrelated(0)
    given = settings(permutations=40, bootstraps=40, group="picture")
    found = fit(mapping, [layer(features)], area(features[:, None]), given, PICTURES)
    assert found["area_score"].values[0] == pytest.approx(1.0)
    assert found["area_p_value"].values[0] == pytest.approx(1 / 41)


@pytest.mark.parametrize("mapping", ["rsa", "cka"])
def test_where_all_pictures_differ_groups_change_nothing(mapping: str) -> None:
    random = np.random.default_rng(0)
    features, response = random.normal(size=(N, 20)), random.normal(size=(N, 1, 10))
    every = {"picture": np.array([f"p{number:02d}" for number in range(N)])}
    given = [settings(20, 20, group=group) for group in ("", "picture")]
    plain, grouped = (fit(mapping, [layer(features)], area(response), one, every) for one in given)
    for name in ("area_score", "area_null", "area_bootstrap"):
        np.testing.assert_allclose(grouped[name].values, plain[name].values, atol=1e-10)


def drifting(seed: int, n_stimuli: int = 120) -> tuple[NDArray, NDArray]:
    random = np.random.default_rng(seed)
    features = slow(n_stimuli, 12, 0.9, random)
    return features, slow(n_stimuli, 4, 0.9, random)[:, None]


STRETCHES = {"block": 12, "gap": 12}


def p_values(mapping: str, count: int, **validation: int) -> tuple[NDArray, NDArray]:
    given, found = settings(permutations=39, **validation), []
    for seed in range(count):
        features, response = drifting(seed)
        found.append(fit(mapping, [layer(features)], area(response), given))
    return tuple(
        np.array([one[name].values[0] for one in found]) for name in ("area_score", "area_p_value")
    )


@pytest.mark.parametrize("mapping", ["rsa", "cka", "ridge", "ols"])
def test_p_values_of_drifts_are_uniform_with_stretches(mapping: str) -> None:
    """Without, a drift is as significant as can be."""
    score, p = p_values(mapping, 8)
    assert np.median(p) <= 0.05
    count = 60 if mapping in ("rsa", "cka") else 30
    held, p = p_values(mapping, count, **STRETCHES)
    assert held.mean() < score.mean() / 2
    assert kstest(p, "uniform").pvalue > 0.01
    if mapping == "ridge":
        assert abs(held.mean()) < 3 * held.std() / np.sqrt(count)


@pytest.mark.parametrize(
    "mapping", [m for m, kind in MAPPINGS.items() if m != "variance_partition"]
)
def test_every_mapping_scores_a_code_in_stretches(mapping: str) -> None:
    features, _ = drifting(0)
    response = features @ np.random.default_rng(1).normal(size=(12, 8))
    response = response + 0.1 * np.random.default_rng(2).normal(size=response.shape)
    gap = 0 if MAPPINGS[mapping].paired_folds else 6
    given = settings(19, 20, block=12, gap=gap)
    given |= {"rsa": SETTINGS["rsa"] | {"dissimilarity": "euclidean"}}
    remixed = SETTINGS["rsa_remixed"] | {"property": "half"}
    halves = {"half": np.where(features[:, 0] > 0, "up", "down")}
    found = fit(
        mapping,
        [layer(features)],
        area(response[:, None]),
        given | {"rsa_remixed": remixed},
        halves,
    )
    assert found["area_score"].values[0] > (0.05 if mapping == "rsa_remixed" else 0.3)
    assert np.isfinite(found["area_p_value"].values[0])
    assert np.isfinite(found["area_bootstrap"].values).any()
