"""Recordings in which stimuli, or areas, were not repeated as often as others."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cortiscope.experiment.responses import Area
from cortiscope.mappings.fitting import fit
from cortiscope.statistics.layer_choice import Choice, by_halves
from tests.regression_scene import settings
from tests.synthetic_areas import area, layer

N_STIMULI = 60
RANDOM = np.random.default_rng(0)
FEATURES = [RANDOM.normal(size=(N_STIMULI, 30)) for _ in range(3)]
SIGNAL = FEATURES[2] @ RANDOM.normal(size=(30, 20)) / 5  # of the last layer
TRIALS = SIGNAL[:, None] + 0.5 * RANDOM.normal(size=(N_STIMULI, 4, 20))


def best(mapping: str, response: NDArray) -> tuple[Choice, float, int]:
    """The headline of an area, what its layer scores on all the data, and which it is."""
    layers: list[Any] = [layer(one, str(number)) for number, one in enumerate(FEATURES)]
    found = fit(mapping, layers, area(response), settings(mapping, n_draws=20))
    chosen = by_halves(found["selection_score"].values, found["area_bootstrap"].values)
    score = found["area_score"].values
    return chosen, float(score[-1]), chosen.layer(score)


@pytest.mark.parametrize("mapping", ["ridge", "rsa", "cka"])
def test_halves_without_a_score_choose_no_layer(mapping: str) -> None:
    """A stimulus shown twice is missing in some halves; RDMs of these have no score."""
    complete, _, layer = best(mapping, TRIALS)
    assert layer == 2
    response = TRIALS.copy()
    response[0, 2:] = np.nan
    found, _, layer = best(mapping, response)
    assert layer == 2
    assert found.score == pytest.approx(complete.score, abs=0.04)
    assert np.isfinite(found.draws).all()


@pytest.mark.parametrize("mapping", ["rsa", "cka", "unit_weighted", "rsa_reweighted"])
def test_a_stimulus_shown_once_halves_stimuli_where_pairs_are_compared(mapping: str) -> None:
    """In a half of the repetitions it is missing, and so is the score."""
    response = TRIALS.copy()
    response[0, 1:] = np.nan
    assert area(response).repeated
    assert not area(response).repeated_throughout
    found, _, layer = best(mapping, response)
    assert layer == (0 if mapping == "rsa_reweighted" else 2)
    assert found.score > 0.3


@pytest.mark.parametrize(("counts", "throughout"), [((4, 4), 1), ((3, 4), 1), ((2, 4), 0)])
def test_which_halves_lack_no_stimulus(counts: tuple[int, int], throughout: int) -> None:
    response = np.full((2, 4, 3), np.nan)
    for stimulus, count in enumerate(counts):
        response[stimulus, :count, :2] = 1.0
    assert area(response).complete.tolist() == [True, True, False]
    assert area(response).repeated_throughout == bool(throughout)


def test_neuroids_that_pairs_have_no_use_for_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    response = TRIALS.copy()
    response[3, :, :7] = np.nan
    found = fit("rsa", [layer(FEATURES[2])], area(response), settings("rsa"))
    assert found["complete"].values.tolist() == [0] * 7 + [1] * 13
    alone = fit("rsa", [layer(FEATURES[2])], area(TRIALS[:, :, 7:]), settings("rsa"))
    assert found["area_score"].values == alone["area_score"].values
    assert (
        "IT: 7 of 20 neuroids miss a stimulus; rsa has no use for them" in capsys.readouterr().err
    )


@pytest.mark.parametrize("mapping", ["ridge", "rsa"])
def test_areas_recorded_once_are_halved_by_stimuli(mapping: str) -> None:
    """In a file with as many repetitions as other areas have."""
    response = TRIALS.copy()
    response[:, 1:] = np.nan
    found, whole, layer = best(mapping, response)
    alone, _, _ = best(mapping, TRIALS[:, :1])
    assert layer == 2
    assert found.score == alone.score > 0.6 * whole


def test_what_was_mostly_recorded_twice_is_repeated() -> None:
    def repeated(*counts: int) -> bool:
        response = np.full((len(counts), 3, 2), np.nan)
        for stimulus, count in enumerate(counts):
            response[stimulus, :count] = stimulus
        return area(response).repeated

    assert repeated(2, 3, 1)
    assert repeated(0, 0, 2)
    assert not repeated(3, 1, 1)
    assert not repeated(1, 1, 1)
    nothing: Area = area(np.full((2, 3, 2), np.nan))
    assert not nothing.repeated
