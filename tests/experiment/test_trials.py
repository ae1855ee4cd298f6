"""Large recordings where most was shown once are held by what was recorded, and score the same."""

import numpy as np
import pytest
import xarray as xr
import yaml

from cortiscope.experiment import trials
from cortiscope.experiment.responses import read_areas
from cortiscope.files import opened
from cortiscope.mappings.fitting import fit
from cortiscope.noise_ceilings.ceilings import area_ceilings
from cortiscope.planning.costs import held_trials
from cortiscope.planning.costs import jobs as costs
from cortiscope.planning.study import Study
from tests.regression_scene import settings
from tests.running import REPOSITORY
from tests.synthetic_areas import layer

N_STIMULI, N_REPETITIONS, N_NEUROIDS, N_TESTED = 60, 8, 9, 12
RANDOM = np.random.default_rng(0)
FEATURES = RANDOM.normal(size=(N_STIMULI, 20))


def response():
    """(stimulus, repetition, neuroid): every fifth stimulus shown eight times, the others once.

    One of the neuroids misses some of these trials, another some stimuli.
    """
    signal = FEATURES @ RANDOM.normal(size=(20, N_NEUROIDS)) / 4
    found = signal[:, None] + RANDOM.normal(size=(N_STIMULI, N_REPETITIONS, N_NEUROIDS))
    once = np.arange(N_STIMULI) % 5 > 0
    found[once, :2] = np.nan
    found[once, 3:] = np.nan
    found[5, 3:6, 0], found[:7, :, 5] = np.nan, np.nan
    return found


@pytest.fixture
def recording(tmp_path, monkeypatch):
    """A file of two areas, as large as those that are held so, and read in parts."""
    monkeypatch.setattr(trials, "LARGE", 0)
    monkeypatch.setattr(trials, "AT_ONCE", 7 * N_REPETITIONS * N_NEUROIDS)

    def write(values):
        names = [f"image{number:02d}" for number in range(N_STIMULI)]
        areas = np.where(np.arange(N_NEUROIDS) % 3, "IT", "V1")
        xr.Dataset(
            {"response": (("stimulus", "repetition", "neuroid"), values.astype("f4"))},
            coords={
                "stimulus_id": ("stimulus", names),
                "area": ("neuroid", areas),
                "neuroid_id": ("neuroid", [f"n{number}" for number in range(N_NEUROIDS)]),
            },
        ).to_netcdf(tmp_path / "responses.nc", encoding={"response": {"zlib": True}})
        return tmp_path / "responses.nc"

    return write


def test_what_is_held_is_what_was_recorded(recording):
    path = recording(response())
    for held, every in zip(
        read_areas(path, ["IT", "V1"]), read_areas(path, ["IT", "V1"], "every trial"), strict=True
    ):
        assert held.response.shape[1] == 1
        assert held.trials.shape == (N_TESTED, N_REPETITIONS, every.response.shape[2])
        np.testing.assert_array_equal(held.counts, every.counts)
        np.testing.assert_allclose(held.mean_response, every.mean_response, rtol=1e-12)
        np.testing.assert_array_equal(held.trials, every.response[::5])
        assert held.complete.tolist() == every.complete.tolist()
        assert held.repeated == every.repeated is False
        assert held.repeated_throughout == every.repeated_throughout is False


@pytest.mark.parametrize("method", ["split_half", "oracle"])
def test_ceilings_are_those_of_every_trial(recording, method):
    path = recording(response())
    held, every = (read_areas(path, ["IT"], hold)[0] for hold in ("trials", "every trial"))
    found, expected = (area_ceilings(area, 20, 0, method=method)[0] for area in (held, every))
    assert np.isfinite(found["area_ceiling"].values)
    assert found["area_ceiling_p"].values <= 0.05  # by other permutations
    for name in set(found) - {"neuroid_id", "area_ceiling_p", "median_ceiling_p"}:
        np.testing.assert_allclose(found[name].values, expected[name].values, rtol=1e-10)


@pytest.mark.parametrize("mapping", ["ridge", "rsa", "cka"])
def test_scores_are_those_of_every_trial(recording, mapping):
    path = recording(response())
    asked = settings(mapping, n_draws=10)
    found, expected = (
        fit(mapping, [layer(FEATURES)], read_areas(path, ["V1"], hold)[0], asked)
        for hold in ("trials", "every trial")
    )
    for name in ("area_score", "area_null", "selection_score"):
        np.testing.assert_allclose(found[name].values, expected[name].values, rtol=1e-9)


def test_a_recording_that_was_repeated_keeps_its_trials(recording):
    """Where most was: half of the stimuli are enough, in most neuroids."""
    values = RANDOM.normal(size=(N_STIMULI, N_REPETITIONS, N_NEUROIDS))
    values[:30, 1:] = np.nan
    path = recording(values)
    assert all(area.response.shape[1] == 1 for area in read_areas(path, ["IT", "V1"]))
    values[30:, 1:, 3] = np.nan  # of V1
    values[:10, :, 3] = np.nan
    values[0, 1] = 1.0
    path = recording(values)
    assert [area.response.shape[1] for area in read_areas(path, ["IT", "V1"])] == [8, 8]


def test_jobs_ask_for_what_is_held(recording, monkeypatch, tmp_path):
    """Known by one look at the file."""
    path = recording(response())
    with opened(path) as dataset:
        found = trials.repetitions_held(dataset["response"], dataset["area"][...])
    assert found == {"V1": 1 + 8 / 5, "IT": 1 + 8 / 5}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(held_trials, "LARGE", 0)
    monkeypatch.setattr(held_trials, "BYTES_A_NUMBER", 100)  # so small a file is mostly header
    config = yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text())
    config["stimuli"]["count"] = N_STIMULI
    config["responses"] = {"source": str(path)}
    study = Study.load(config, REPOSITORY)
    assert held_trials.mean_held(study, ["V1"]) == 2.6
    assert held_trials.mean_held(study, ["V1"], "every trial") == 8
    monkeypatch.setattr(held_trials, "repetitions_held", None)
    again = Study.load(config, REPOSITORY)
    assert held_trials.held_trials(again) == found
    assert held_trials.stimuli_compared(again, ["V1", "IT"]) == N_TESTED
    assert costs.ceilings_memory(again, "") == 1000
