"""Voxel-encoding RSA against scikit-learn's ridge, on noise, and with a split, subjects and gaps.

What all mappings that compare stimuli have in common is in test_mappings_similarity.
"""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import pdist
from scipy.stats import kstest, spearmanr
from sklearn.linear_model import Ridge, RidgeCV

from cortiscope.mappings.fitting import fit
from cortiscope.mappings.versa import Scorer
from cortiscope.networks.features import Layer
from cortiscope.similarity.comparison import permuted
from cortiscope.statistics.resampling import permutations
from tests.mappings.test_fitting import SETTINGS
from tests.ridge_scene import ALPHAS, scaled, scene
from tests.synthetic_areas import area, layer

N = 36
NESTED = {"selection": {"method": "nested"}}


def settings(permutations: int = 0, bootstraps: int = 0, **sections: Any) -> dict[str, Any]:
    statistics = {"permutations": permutations, "bootstraps": bootstraps, "seed": 0}
    folds = {"cross_validation": SETTINGS["cross_validation"] | {"folds": 5}}
    return SETTINGS | {"statistics": statistics} | NESTED | folds | sections


def by_scikit_learn(
    features: NDArray, responses: NDArray, held_out: list[NDArray], alphas: NDArray
) -> float:
    """The mean over held-out sets, by their pairs, of Spearman's rho of two RDMs."""
    inputs, total, count = scaled(features), 0.0, 0
    for stimuli in held_out:
        trained = np.setdiff1d(np.arange(len(features)), stimuli)
        one = len(alphas) == 1
        model = Ridge(alphas[0]) if one else RidgeCV(alphas, alpha_per_target=True)
        predicted = model.fit(inputs[trained], responses[trained]).predict(inputs[stimuli])
        known = pdist(responses[stimuli], "correlation")
        total += len(known) * spearmanr(pdist(predicted, "correlation"), known)[0]
        count += len(known)
    return total / count


@pytest.mark.parametrize("folds", [3, 4, 5])
@pytest.mark.parametrize("alphas", [np.array([1.0]), ALPHAS])
def test_scores_are_those_of_refitting(folds: int, alphas: NDArray) -> None:
    features, responses = scene(N, 20, 12)
    validation = SETTINGS["cross_validation"] | {"folds": folds}
    ridge = SETTINGS["ridge"] | {"alphas": alphas.tolist()}
    asked = settings(cross_validation=validation, ridge=ridge)
    scorer = Scorer(area(responses[:, None]), asked, {})
    assert len(scorer.held_out.stimuli) == folds * (folds - 1) / 2
    found = scorer.score(layer(features)).area_score
    expected = by_scikit_learn(features, responses, scorer.held_out.stimuli, alphas)
    assert found == pytest.approx(expected, abs=1e-8)
    assert found > 0.1


def test_the_null_learns_from_permuted_responses() -> None:
    features, responses = scene(N, 20, 12)
    scorer = Scorer(area(responses[:, None]), settings(4), {})
    null = scorer.score(layer(features)).area_null
    orders = permutations(N, 4, seed=0)
    np.testing.assert_array_equal(orders, scorer.orders)
    moved = permuted(pdist(responses, "correlation"), orders)
    for order, cells, found in zip(orders, moved, null, strict=True):
        np.testing.assert_allclose(pdist(responses[order], "correlation"), cells, atol=1e-12)
        alone = Scorer(area(responses[order][:, None]), settings(), {})
        assert found == pytest.approx(alone.score(layer(features)).area_score, abs=1e-4)


def noise(random: np.random.Generator) -> tuple[Layer, Any]:
    """Unrelated, both of a few clusters of stimuli."""
    cluster = random.integers(0, 3, size=N)
    response = random.normal(size=(3, 8))[cluster] + random.normal(size=(N, 8))
    return layer(random.normal(size=(N, 10))), area(response[:, None])


def test_noise_has_uniform_p_values() -> None:
    random = np.random.default_rng(0)
    asked = settings(19, cross_validation=SETTINGS["cross_validation"] | {"folds": 4})
    found = []
    for _ in range(80):
        one, brain = noise(random)
        found.append(fit("versa", [one], brain, asked))
    scores, p = (
        np.array([each[name].values[0] for each in found])
        for name in ("area_score", "area_p_value")
    )
    assert abs(scores.mean()) < 3 * scores.std() / np.sqrt(len(scores))
    assert kstest(p, "uniform").pvalue > 0.01


def test_a_given_split_is_ridge_fitted_once() -> None:
    features, responses = scene(N, 20, 12)
    test = np.arange(N) % 3 == 0
    part = {"part": np.where(test, "test", "train")}
    validation = SETTINGS["cross_validation"] | {"split": "part"}
    ridge = SETTINGS["ridge"] | {"alphas": [1.0]}
    asked = settings(19, 20, cross_validation=validation, ridge=ridge)
    found = fit("versa", [layer(features)], area(responses[:, None]), asked, part)
    expected = by_scikit_learn(features, responses, [np.flatnonzero(test)], np.array([1.0]))
    assert found["area_score"].values[0] == pytest.approx(expected, abs=1e-8)
    assert np.isfinite(found["area_p_value"].values[0])
    assert np.isfinite(found["area_bootstrap"].values).all()


def test_a_feature_that_outweighs_all_others_is_weighted_anew() -> None:
    """By which `rsa` knows nothing of the area."""
    random = np.random.default_rng(0)
    code = random.normal(size=(60, 6))
    features = np.hstack([code, 30 * random.normal(size=(60, 1))])
    brain = area((code @ random.normal(size=(6, 30)))[:, None])
    rsa, versa = (
        fit(mapping, [layer(features)], brain, settings())["area_score"].values[0]
        for mapping in ("rsa", "versa")
    )
    assert rsa < 0.3
    assert versa > 0.8


def test_the_strengths_at_an_end_are_told() -> None:
    features, responses = scene(N, 20, 12)
    found = fit("versa", [layer(features)], area(responses[:, None]), settings())
    at_edge = found["at_edge"].values[0]
    assert ((at_edge >= 0) & (at_edge <= 1)).all()
