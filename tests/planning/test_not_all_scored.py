"""What is said before a job runs of areas that have nothing, or not all, for a mapping."""

import numpy as np
import pytest
import xarray as xr
import yaml

from cortiscope.planning.checks import notes as said
from cortiscope.planning.study import Study
from tests.running import REPOSITORY

N_STIMULI, N_REPETITIONS, N_NEUROIDS = 24, 4, 6


@pytest.fixture
def notes(tmp_path, monkeypatch):
    """The lines for a recording of which some is missing."""
    monkeypatch.chdir(tmp_path)

    def of(missing, subject=None, **changes):
        response = np.zeros((N_STIMULI, N_REPETITIONS, N_NEUROIDS), np.float32)
        for part in missing:
            response[part] = np.nan
        about = {"area": ("neuroid", ["IT"] * 4 + ["V4"] * 2)}
        about["stimulus_id"] = "stimulus", [f"im{k:02d}" for k in range(N_STIMULI)]
        if subject:
            about["subject"] = "neuroid", list(subject)
        dims = "stimulus", "repetition", "neuroid"
        xr.Dataset({"response": (dims, response)}, about).to_netcdf("responses.nc")
        config = yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text())
        config["responses"] = {"source": "responses.nc"}
        config["mappings"] = ["ridge", "rsa", "cka"]
        for name, value in changes.items():
            config[name] = value
        return said.not_all_scored(Study.load(config, REPOSITORY))

    return of


def test_nothing_is_said_of_whole_recordings(notes):
    assert notes([]) == []
    # One trial less: there are others of the stimulus.
    assert notes([np.s_[3, 0]], rsa={"dissimilarity": "crossnobis"}) == []


def test_areas_of_which_no_neuroid_has_all_stimuli(notes):
    halves = [np.s_[:10, :, :2], np.s_[10:, :, 2:4]]
    [line] = notes(halves)
    assert line.startswith("responses: rsa, cka in IT: nothing to score, as no neuroid has a resp")
    assert "give neuroids their subject" in line
    # By subject each has stimuli of its own.
    assert notes(halves, "aabbaa") == []
    [line] = notes(halves, "aabbaa", statistics={"subjects": "pooled"})
    assert "nothing to score" in line


def test_neuroids_that_do_not_count(notes):
    [line] = notes([np.s_[3, :, 0]])
    assert line == (
        "responses: rsa, cka in IT: of 3 of 4 neuroids, as the others have not a response to all"
    )


def test_stimuli_without_a_second_repetition(notes):
    crossed = {"dissimilarity": "crossnobis"}
    [line] = notes([np.s_[5, 1:]], rsa=crossed)
    assert line == (
        "responses: rsa in IT, V4: without 1 of 24 stimuli, as most neuroids have not two"
        " repetitions of them: im05"
    )
    [line] = notes([np.s_[5, 1:, 1:4]], rsa=crossed)
    assert line.startswith("responses: rsa in IT: of 1 of 4 neuroids, as the others have not two")


def test_subjects_that_have_nothing(notes):
    [line] = notes([np.s_[4:, :, 0]], "abbbaa")
    assert line.startswith("responses: rsa, cka in IT: subjects without a score")
    assert line.endswith(": a")


def test_large_recordings_are_not_read(notes, monkeypatch):
    monkeypatch.setattr(said, "LARGEST", N_STIMULI)
    assert notes([np.s_[3, :, 0]]) == []


def test_pictures_that_only_a_job_sees_are_taken_as_different(notes):
    config = yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text())
    grouped = config["cross_validation"] | {"group": "picture"}
    missing = [np.s_[3, :, 0]]
    images = np.zeros((N_STIMULI, 4, 4), np.uint8)
    ids = [f"im{k:02d}" for k in range(N_STIMULI)]
    shown = xr.Dataset(
        {"image": (("stimulus", "y", "x"), images)}, {"stimulus_id": ("stimulus", ids)}
    )
    shown.to_netcdf("stimuli.nc")
    stimuli = config["stimuli"] | {"source": "stimuli.nc"}
    assert notes(missing, stimuli=stimuli, cross_validation=grouped) == notes(missing)
