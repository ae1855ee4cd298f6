"""Mappings that learn from pairs, of subjects who saw few stimuli, or single ones of stretches."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from cortiscope.experiment.responses import Area
from cortiscope.mappings.fitting import fit
from cortiscope.mappings.kinds import MAPPINGS
from cortiscope.mappings.rsa_reweighted import Scorer
from tests.mappings.test_dependent_stimuli import settings
from tests.regression_scene import HALVES
from tests.synthetic_areas import area, layer

N, EACH = 60, 6
LEARN = [name for name, kind in MAPPINGS.items() if kind.paired_folds]


def scene(saw: NDArray) -> tuple[NDArray, Area]:
    """Features, and an area of two subjects of which one saw some of the stimuli."""
    random = np.random.default_rng(0)
    features = random.normal(size=(N, 8))
    response = features @ random.normal(size=(8, 2 * EACH)) + random.normal(size=(N, 2 * EACH))
    response[np.setdiff1d(np.arange(N), saw), :EACH] = np.nan
    subject = np.repeat(["s0", "s1"], EACH)
    return features, replace(area(response[:, None]), metadata={"subject": subject})


@pytest.mark.parametrize("n_seen", [8, 9, 10, 12])
@pytest.mark.parametrize("mapping", LEARN)
@pytest.mark.parametrize("method", ["nested", "halves"])
def test_a_subject_that_saw_few_stimuli_ends_no_job(mapping: str, n_seen: int, method: str) -> None:
    features, of = scene(np.arange(n_seen))
    asked = settings(3, 5) | {"selection": HALVES | {"method": method}}
    remixed = asked["rsa_remixed"] | {"property": "half"}
    half = {"half": np.where(features[:, 0] > 0, "up", "down")}
    found = fit(mapping, [layer(features)], of, asked | {"rsa_remixed": remixed}, half)
    score = found["subject_score"].values[0]
    folds = min(5, n_seen // 2)
    assert np.isfinite(score).tolist() == [folds >= MAPPINGS[mapping].paired_folds, True]
    assert np.isfinite(found["area_null"].values).all()
    if method == "halves":
        assert np.isfinite(found["selection_score"].values).all()


def test_stretches_are_those_of_the_study_whoever_saw_what_of_them() -> None:
    """Of every second stimulus: pairs count as they do for rsa, and no stretch is in two folds."""
    saw = np.arange(0, N, 2)
    _, of = scene(saw)
    some = of.of_neuroids(np.arange(EACH), "s0").among(np.isin(np.arange(N), saw))
    scorer = Scorer(some, settings(3, 5, block=6), {})
    np.testing.assert_array_equal(scorer.held_out.counted, scorer.counted)
    folds = scorer._folds(scorer.stimuli)
    for stretch in np.unique(saw // 6):
        assert len(np.unique(folds[saw // 6 == stretch])) == 1


@pytest.mark.parametrize("mapping", ["ridge", "pls", "stacked"])
def test_a_subject_of_five_stimuli_counts_for_nothing(mapping: str) -> None:
    """It would count as much as one of sixty, and has no draws, so that the area had none."""
    features, of = scene(np.arange(5))
    found = fit(mapping, [layer(features)], of, settings(3, 20))
    score = found["subject_score"].values[0]
    assert np.isnan(score).tolist() == [True, False]
    assert found["area_score"].values[0] == pytest.approx(score[1])
    assert np.isfinite(found["area_bootstrap"].values).all()


def test_without_permutations_stretches_have_no_null() -> None:
    features, of = scene(np.arange(N))
    found = fit("rsa", [layer(features)], of, settings(0, 5, block=6))
    assert found["area_null"].values.shape == (1, 0)
