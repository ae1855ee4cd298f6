"""Groups held out whole: the null moves them whole, and few of them still give an interval."""

import numpy as np
import pytest
from scipy.stats import kstest

from cortiscope.mappings.fitting import fit
from tests.regression_scene import NO_HALVES, settings
from tests.synthetic_areas import area, layer


def alike(group: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """(stimulus, count): stimuli of a group share two thirds of the variance."""
    shared = random.normal(size=(group.max() + 1, count))[group]
    return np.sqrt(2) * shared + random.normal(size=(len(group), count))


@pytest.mark.parametrize(
    ("mapping", "sizes"),
    [("ridge", [5] * 20), ("ridge", [3, 4, 5, 6, 7] * 4), ("unit_weighted", [4] * 12)],
)
def test_noise_that_groups_share_has_uniform_p_values(mapping: str, sizes: list[int]) -> None:
    """One in four was below 0.05 when single stimuli changed places."""
    random, p = np.random.default_rng(0), []
    asked = settings(
        mapping,
        n_permutations=39,
        cross_validation={"folds": 5, "group": "object", "seed": 0},
        selection=NO_HALVES,
    )
    for _ in range(100):
        group = random.permutation(np.repeat(np.arange(len(sizes)), sizes))
        response = alike(group, 8, random)
        response[group == 0, :4] = np.nan  # of half the neuroids
        if mapping == "unit_weighted":
            response = np.nan_to_num(response)
        layers = [layer(alike(group, 30, random))]
        found = fit(mapping, layers, area(response[:, None]), asked, {"object": group})
        p.append(float(found["area_p_value"].values[0]))
    assert np.mean(np.array(p) <= 0.05) <= 0.12
    assert kstest(p, "uniform").pvalue > 0.01


def test_four_groups_in_three_folds_have_an_interval() -> None:
    """Without one of the groups, the folds are dealt anew."""
    random = np.random.default_rng(1)
    group = np.repeat(np.arange(4), 12)
    features = random.normal(size=(48, 20))
    response = features @ random.normal(size=(20, 10)) + random.normal(size=(48, 10))
    asked = settings(
        "rsa_remixed",
        n_draws=50,
        cross_validation={"folds": 3, "group": "object", "seed": 0},
        rsa_remixed={"property": "kind", "alphas": [1.0, 100.0]},
    )
    about = {"object": group, "kind": np.arange(48) % 3}
    found = fit("rsa_remixed", [layer(features)], area(response[:, None]), asked, about)
    low, high = np.percentile(found["area_bootstrap"].values[0], [2.5, 97.5])
    assert low < found["area_score"].values[0] < high
