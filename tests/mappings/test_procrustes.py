"""Adjusted Procrustes similarity against the direct formula, and what does not change it.

What all mappings that compare stimuli have in common is in test_mappings_similarity.
"""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.linalg import orthogonal_procrustes
from scipy.spatial.distance import pdist, squareform

from cortiscope.experiment.rdms import mixtures
from cortiscope.files import Group
from cortiscope.mappings.fitting import fit
from cortiscope.mappings.kinds import MAPPINGS
from cortiscope.mappings.procrustes import CHANCE
from cortiscope.report.ceilings import area_ceilings
from cortiscope.statistics.resampling import permutations
from tests.mappings.test_fitting import SETTINGS
from tests.synthetic_areas import area, layer

N = 40


def score(features: NDArray, brain: Any, count: int = 0, draws: int = 0, **sections: Any) -> dict:
    statistics = {"permutations": count, "bootstraps": draws, "seed": 0}
    asked = SETTINGS | {"statistics": statistics, "selection": {"method": "nested"}} | sections
    found = fit("procrustes", [layer(features)], brain, asked)
    return {name: variable.values for name, variable in found.items()}


def scene(n_components: int = 12, noise: float = 1.0) -> tuple[NDArray, NDArray]:
    random = np.random.default_rng(0)
    features = random.normal(size=(N, n_components)) * np.linspace(2, 1, n_components) + 3
    turned, _ = np.linalg.qr(random.normal(size=(n_components, n_components)))
    return features, features @ turned[:, :9] + noise * random.normal(size=(N, 9)) + 5


@pytest.mark.parametrize("n_components", [12, 90])
def test_scores_are_those_of_the_direct_formula(n_components: int) -> None:
    features, response = scene(n_components)

    def normed(patterns: NDArray) -> NDArray:
        centred = patterns - patterns.mean(axis=0)
        return centred / np.sqrt(np.sum(centred**2))

    def cosine(order: NDArray) -> float:
        """By the rotation itself, from scipy, with axes of zeros where neuroids are fewer."""
        one, other = normed(features), normed(response)[order]
        wide = np.hstack([other, np.zeros((N, n_components - other.shape[1]))])
        turned, _ = orthogonal_procrustes(one, wide)
        return float(np.sum(one @ turned * wide))

    orders = permutations(N, CHANCE, seed=0)
    chance = [cosine(order) for order in orders]
    expected = (cosine(np.arange(N)) - np.mean(chance)) / (1 - np.mean(chance))
    found = score(features, area(response[:, None]), 5)
    assert found["area_score"][0] == pytest.approx(expected, abs=1e-10)
    null = (np.array(chance[:5]) - np.mean(chance)) / (1 - np.mean(chance))
    np.testing.assert_allclose(found["area_null"][0], null, atol=1e-10)
    assert np.mean(chance) > 0.2  # what is taken off


def test_rotation_and_scale_change_nothing_and_identity_is_one() -> None:
    features, response = scene()
    random = np.random.default_rng(1)
    expected = score(features, area(response[:, None]))["area_score"][0]
    assert 0.2 < expected < 0.9
    for axes in (features.shape[1], response.shape[1]):
        turned, _ = np.linalg.qr(random.normal(size=(axes, axes)))
        of_layer = axes == features.shape[1]
        one = 7 * features @ turned + 2 if of_layer else features
        other = response if of_layer else 7 * response @ turned + 2
        found = score(one, area(other[:, None]))["area_score"][0]
        assert found == pytest.approx(expected, abs=1e-10)
    same = score(features, area(features[:, None]), draws=20)
    assert same["area_score"][0] == pytest.approx(1.0, abs=1e-10)
    assert np.isfinite(same["area_bootstrap"]).all()


def test_an_area_known_by_distances_is_known_but_for_rotation() -> None:
    features, response = scene()
    rdm = squareform(pdist(response, "sqeuclidean"))
    known = area(mixtures(rdm)[:, None])
    known = type(known)(**known.__dict__ | {"dissimilarity": rdm[None]})
    found = score(features, known)["area_score"][0]
    assert found == pytest.approx(score(features, area(response[:, None]))["area_score"][0])


def test_copies_are_chance() -> None:
    """Pictures shown twice, where they are held out whole; without, they score."""
    random = np.random.default_rng(2)
    twice = np.arange(N) % (N // 2)
    about = {"picture": twice.astype(str)}
    statistics = {"permutations": 0, "bootstraps": 0, "seed": 0}
    asked = SETTINGS | {"statistics": statistics, "selection": {"method": "nested"}}
    found: dict[str, list[float]] = {"": [], "picture": []}
    for _ in range(30):
        features = random.normal(size=(N // 2, 10))[twice]
        brain = area(random.normal(size=(N // 2, 1, 8))[twice])
        for group, scores in found.items():
            folds = asked["cross_validation"] | {"group": group}
            of = fit(
                "procrustes", [layer(features)], brain, asked | {"cross_validation": folds}, about
            )
            scores.append(of["area_score"].values[0])
    error = np.std(found["picture"]) / np.sqrt(30)
    assert abs(np.mean(found["picture"])) < 3 * error < np.mean(found[""]) / 2


def test_no_ceiling_is_said_to_bound_it() -> None:
    found = area_ceilings(MAPPINGS["procrustes"], {"halved": "stimuli"}, Group({}, {}))
    assert np.isnan(found).all()


@pytest.mark.parametrize("spoiled", ["layer", "area"])
def test_what_does_not_vary_has_no_score(spoiled: str) -> None:
    features, response = scene()
    if spoiled == "layer":
        features = np.ones_like(features)
    else:
        response = np.ones_like(response)
    found = score(features, area(response[:, None]), 5, 5)
    assert np.isnan(found["area_score"]).all()
    assert np.isnan(found["area_p_value"]).all()


@pytest.mark.filterwarnings("error")
def test_where_any_rotation_is_as_good_there_is_no_score() -> None:
    """Of points that are all as far from each other, every order is a rotation of every other."""
    equal = np.eye(N)
    assert np.isnan(score(equal, area(equal[:, None]))["area_score"])
