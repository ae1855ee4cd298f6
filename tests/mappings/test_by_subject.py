"""Areas of several subjects: each is scored by itself, on the stimuli that it saw."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from cortiscope.experiment.responses import Area
from cortiscope.mappings.by_subject import repeated
from cortiscope.mappings.fitting import fit
from cortiscope.mappings.kinds import MAPPINGS
from cortiscope.mappings.similarity import resampled
from cortiscope.regression.cross_validation import CrossValidation
from cortiscope.statistics.resampling import permutations
from tests.mappings.test_fitting import SETTINGS
from tests.regression_scene import HALVES
from tests.synthetic_areas import area, layer

N_STIMULI, N_NEUROIDS = 60, 8
SCORED = ("ridge", "pls", "rsa", "cka")


def settings(subjects: str = "mean", permutations: int = 0, bootstraps: int = 0) -> dict[str, Any]:
    statistics = {"permutations": permutations, "bootstraps": bootstraps, "seed": 0}
    asked = {"statistics": statistics | {"subjects": subjects}, "selection": HALVES}
    return SETTINGS | asked


def recorded(response: NDArray, who: NDArray) -> Area:
    """response (stimulus, repetition, neuroid), who (neuroid,)."""
    return replace(area(response), metadata={"subject": who})


def scene(
    signals: list[float], repetitions: int = 2, seed: int = 0, n_stimuli: int = N_STIMULI
) -> tuple[NDArray, Area]:
    """Features, and an area of as many subjects, each with so much signal of them."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(n_stimuli, 12))
    who = np.repeat([f"s{number}" for number in range(len(signals))], N_NEUROIDS)
    signal = features @ random.normal(size=(12, len(who))) / np.sqrt(12)
    signal *= np.repeat(signals, N_NEUROIDS)
    noise = random.normal(size=(n_stimuli, repetitions, len(who)))
    return features, recorded(signal[:, None] + noise, who)


def values(mapping: str, features: NDArray, of: Area, asked: dict[str, Any]) -> dict[str, NDArray]:
    found = fit(mapping, [layer(features)], of, asked)
    return {name: variable.values for name, variable in found.items()}


def alone(of: Area, subject: str) -> Area:
    """What a subject's own recording would be, with the stimuli that it saw."""
    own = of.response[:, :, of.metadata["subject"] == subject]
    return area(own[np.isfinite(own).any(axis=(1, 2))])


@pytest.mark.parametrize("n_subjects", [2, 5])
@pytest.mark.parametrize("mapping", SCORED)
def test_the_score_is_the_mean_of_what_subjects_score_alone(mapping: str, n_subjects: int) -> None:
    features, of = scene([1.0, 0.3, 0.0, 2.0, 0.7][:n_subjects])
    asked = settings(permutations=19, bootstraps=30)
    found = values(mapping, features, of, asked)
    names = found["subject"].tolist()
    each = [values(mapping, features, alone(of, name), asked) for name in names]
    own = np.array([single["area_score"][0] for single in each])
    np.testing.assert_allclose(found["subject_score"][0], own, rtol=1e-9)
    assert found["area_score"][0] == pytest.approx(own.mean())
    # All saw the same stimuli, which are permuted, and halved, alike in all.
    nulls = np.stack([single["area_null"][0] for single in each])
    np.testing.assert_allclose(found["area_null"][0], nulls.mean(axis=0), atol=1e-6)
    halves = np.stack([single["selection_score"][0] for single in each])
    np.testing.assert_allclose(found["selection_score"][0], halves.mean(axis=0), atol=1e-6)
    assert found["subject_n_stimuli"][0].tolist() == [N_STIMULI] * n_subjects
    if MAPPINGS[mapping].of_neuroids:
        scores = np.concatenate([single["score"][0] for single in each])
        np.testing.assert_allclose(found["score"][0], scores, rtol=1e-5)


@pytest.mark.parametrize("mapping", SCORED)
def test_a_subject_is_scored_on_the_stimuli_that_it_saw(mapping: str) -> None:
    """A third of the images is shared; the third subject, of noise, saw all of them."""
    features, of = scene([1.0, 1.0, 0.0])
    who = of.metadata["subject"]
    of.response[40:, :, who == "s0"] = np.nan
    of.response[:20, :, who == "s1"] = np.nan
    of = recorded(of.response, who)
    found = values(mapping, features, of, settings(permutations=9, bootstraps=20))
    assert found["subject_n_stimuli"][0].tolist() == [40, 40, 60]
    assert found["subject_n_scored"][0].tolist() == [N_NEUROIDS] * 3
    of_neuroids = MAPPINGS[mapping].of_neuroids  # who predict take what there is of each
    assert found["complete"].tolist() == [int(not of_neuroids)] * 2 * N_NEUROIDS + [1] * N_NEUROIDS
    score = found["subject_score"][0]
    assert (score[:2] > 0.3).all()
    assert abs(score[2]) < 0.2
    assert np.isfinite(found["area_null"]).all()
    assert np.isfinite(found["area_bootstrap"]).all()
    assert np.isfinite(found["selection_score"]).all()
    if mapping in ("rsa", "cka"):
        own = values(mapping, features[:40], alone(of, "s0"), settings())["area_score"]
        assert score[0] == pytest.approx(own[0], rel=1e-6)


def test_dissimilarities_of_one_subject_are_of_the_stimuli_it_saw() -> None:
    features, of = scene([1.0])
    of.response[40:] = np.nan
    found = values("rsa", features, area(of.response), settings())
    expected = values("rsa", features[:40], area(of.response[:40]), settings())
    assert found["area_score"][0] == pytest.approx(expected["area_score"][0], rel=1e-6)
    assert found["complete"].all()
    assert "subject_score" not in found


def test_pooled_is_of_all_neuroids() -> None:
    features, of = scene([1.0, 0.2])
    found = values("ridge", features, of, settings("pooled"))
    assert "subject_score" not in found
    everything = values("ridge", features, area(of.response), settings())
    for name, expected in everything.items():
        np.testing.assert_array_equal(found[name], expected)


def test_permutations_of_shared_stimuli_are_the_same_for_all() -> None:
    """A subject seen twice, on half of the images: the nulls on these agree."""
    features, of = scene([1.0, 1.0])
    response = of.response.copy()
    response[:, :, N_NEUROIDS:] = response[:, :, :N_NEUROIDS]
    twin = recorded(response, of.metadata["subject"])
    found = values("rsa", features, twin, settings(permutations=30, bootstraps=30))
    once = values("rsa", features, alone(twin, "s0"), settings(permutations=30, bootstraps=30))
    np.testing.assert_allclose(found["area_null"], once["area_null"])
    np.testing.assert_allclose(found["area_bootstrap"], once["area_bootstrap"])


def test_repetitions_that_a_subject_lacks_choose_nothing() -> None:
    features, of = scene([1.0, 1.0], repetitions=6)
    of.response[:, 2:, :N_NEUROIDS] = np.nan
    of = recorded(of.response, of.metadata["subject"])
    assert repeated(of, MAPPINGS["rsa"], settings())
    found = values("rsa", features, of, settings())
    assert np.isfinite(found["selection_score"]).all()
    once = values("rsa", features, area(of.response[:, :2, :N_NEUROIDS]), settings())
    assert found["subject_score"][0, 0] == pytest.approx(once["area_score"][0])


def test_subjects_too_short_for_a_mapping_are_not_scored() -> None:
    features, of = scene([1.0, 1.0, 1.0])
    of.response[5:, :, :N_NEUROIDS] = np.nan
    of = recorded(of.response, of.metadata["subject"])
    found = values("rsa", features, of, settings(bootstraps=10))
    assert np.isnan(found["subject_score"][0]).tolist() == [True, False, False]
    assert found["area_score"][0] == pytest.approx(found["subject_score"][0, 1:].mean())
    assert found["subject_n_scored"][0].tolist() == [0, N_NEUROIDS, N_NEUROIDS]


@pytest.mark.parametrize("mapping", ["ridge", "rsa"])
@pytest.mark.parametrize("n_subjects", [2, 5, 12])
def test_an_effect_in_one_subject_is_no_effect_of_subjects(mapping: str, n_subjects: int) -> None:
    """Signal in one subject only: the interval over subjects reaches 0; in all, it does not."""
    asked = settings(bootstraps=300)
    one = values(mapping, *scene([1.0] + [0.0] * (n_subjects - 1)), asked)
    low, high = np.percentile(one["area_bootstrap"][0], [2.5, 97.5])
    assert low < 0 < one["area_score"][0] < high
    every = values(mapping, *scene([1.0] * n_subjects), asked)
    narrow = np.percentile(every["area_bootstrap"][0], [2.5, 97.5])
    assert narrow[1] - narrow[0] < high - low
    if n_subjects > 2:
        assert narrow[0] > 0


def test_p_over_stimuli_is_uniform_where_nothing_is_told() -> None:
    """Subjects share their stimuli, of which a third is seen by both."""
    found = []
    for seed in range(80):
        features, of = scene([0.0, 0.0], repetitions=1, seed=seed, n_stimuli=30)
        of.response[20:, :, :N_NEUROIDS] = np.nan
        of.response[:10, :, N_NEUROIDS:] = np.nan
        of = recorded(of.response, of.metadata["subject"])
        found.append(values("rsa", features, of, settings(permutations=99))["area_p_value"][0])
    assert stats.kstest(found, "uniform").pvalue > 0.01


def test_restricted_orders_are_those_of_all() -> None:
    _, of = scene([1.0])
    some = np.arange(N_STIMULI) % 3 > 0
    orders, draws, halves = resampled(
        of.among(some), settings(permutations=5, bootstraps=7), CrossValidation(10, 0, None, None)
    )
    everything = permutations(N_STIMULI, 5, 0)
    for order, whole in zip(orders, everything, strict=True):
        np.testing.assert_array_equal(np.flatnonzero(some)[order], whole[some[whole]])
    assert draws.shape == (7, some.sum())
    assert halves.shape[-1] == 2
