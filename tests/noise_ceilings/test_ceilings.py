"""What a ceilings file holds, by either method."""

import numpy as np
import pytest

from cortiscope.noise_ceilings import ceilings, oracle
from tests.synthetic_areas import area


def test_ceilings_are_those_of_the_method_asked_for() -> None:
    random = np.random.default_rng(0)
    signal = np.sqrt(0.4) * random.normal(size=(150, 1, 40))
    brain = area(signal + np.sqrt(0.6) * random.normal(size=(150, 6, 40)))
    brain.response[:, :, 0] = random.normal(size=(150, 6))
    halves, _ = ceilings.area_ceilings(brain, 20, 0)
    found, n_unreliable = ceilings.area_ceilings(brain, 20, 0, method="oracle")
    theirs = oracle.leave_one_repetition_out(brain.response)
    for name in ("reliability", "ceiling", "ceiling_half"):
        np.testing.assert_array_equal(found[name].values, getattr(theirs.ceiling, name))
    assert n_unreliable == (theirs.score <= 0).sum()
    known = np.nan_to_num(theirs.ceiling.ceiling)  # noise counts as 0
    assert found["median_ceiling"].values == pytest.approx(np.median(known))
    assert found["area_ceiling"].values != halves["area_ceiling"].values
    truth = np.sqrt(6 * 0.4 / (1 + 5 * 0.4))
    for estimate in (halves, found):
        assert estimate["area_ceiling"].values == pytest.approx(truth * 39 / 40, abs=0.02)
        assert estimate["ceiling"].values[1:].mean() == pytest.approx(truth, abs=0.02)
    # There are no oracles of similarities.
    for name in ("rdm_ceiling", "cka_ceiling_half"):
        assert found[name].values == halves[name].values


def test_noise_is_counted_by_either_method() -> None:
    brain = area(np.random.default_rng(1).normal(size=(60, 4, 200)))
    for method in ("split_half", "oracle"):
        found, n_unreliable = ceilings.area_ceilings(brain, 10, 0, method=method)
        reliability = found["reliability"].values
        assert n_unreliable == (reliability <= 0).sum() == np.isnan(found["ceiling"].values).sum()
        assert n_unreliable > 50


def test_a_perfect_model_reaches_the_ceiling_of_an_area_with_noise_in_it() -> None:
    random = np.random.default_rng(2)
    signal = random.normal(size=(200, 100)) * (np.arange(100) < 60)
    trials = signal[:, None] + random.normal(size=(200, 4, 100))
    mean = trials.mean(axis=1)
    score = [np.corrcoef(signal[:, k], mean[:, k])[0, 1] for k in range(60)] + [0.0] * 40
    for method in ("split_half", "oracle"):
        found, _ = ceilings.area_ceilings(area(trials), 10, 0, method=method)
        # A third above before, when only neuroids with a ceiling counted.
        assert np.mean(score) / found["area_ceiling"].values == pytest.approx(0.95, abs=0.05)
        assert found["median_ceiling"].values == pytest.approx(np.median(score), abs=0.02)


N_STIMULI = 150
THIRD = np.arange(N_STIMULI)[:, None] % 3 == 0
RECORDED = {
    "five of ten": np.arange(10) < np.full((N_STIMULI, 1), 5),
    "two of ten": np.arange(10) < np.full((N_STIMULI, 1), 2),
    "a third ten times, others twice": np.random.default_rng(0).permuted(
        np.arange(10) < np.where(THIRD, 10, 2), axis=1
    ),
    "a third ten times, others once": np.arange(10) < np.where(THIRD, 10, 1),
}


@pytest.mark.parametrize("recorded", RECORDED.values(), ids=RECORDED)
def test_the_repetitions_that_were_recorded_count(recorded: np.ndarray) -> None:
    """Not those of the file; of the stimuli shown more than once."""
    random = np.random.default_rng(3)
    signal = random.normal(size=(N_STIMULI, 1, 200))
    trials = signal + 1.5 * random.normal(size=(N_STIMULI, 10, 200))
    brain = area(np.where(recorded[:, :, None], trials, np.nan))
    repeated = recorded.sum(axis=1) > 1
    mean = brain.mean_response[repeated]
    truth = [np.corrcoef(signal[repeated, 0, k], mean[:, k])[0, 1] for k in range(200)]
    for method in ("split_half", "oracle"):
        found, _ = ceilings.area_ceilings(brain, 10, 0, method=method)
        assert found["area_ceiling"].values == pytest.approx(np.mean(truth), abs=0.01)
