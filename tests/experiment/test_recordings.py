"""Recordings of any study come to one form, or to one line that says why not."""

import numpy as np
import pytest
import xarray as xr

from cortiscope.errors import InputError
from cortiscope.experiment.netcdf import save
from cortiscope.experiment.recordings import read_responses
from cortiscope.experiment.responses import read_area
from cortiscope.experiment.sizes import is_light
from cortiscope.experiment.stimuli import read_stimuli
from tests.grey_images import IDS, grey_images


def recording():
    random = np.random.default_rng(0)
    return xr.Dataset(
        {"response": (("neuroid", "stimulus"), random.normal(size=(3, 4)))},
        coords={
            "stimulus_id": ("stimulus", IDS[::-1]),
            "area": ("neuroid", ["V1", "IT", "IT"]),
            "depth": ("neuroid", [1.0, 2.0, 3.0]),
        },
    )


def dissimilarities():
    """Three subjects' RDMs of the same patterns, as 1 - Pearson r."""
    patterns = np.random.default_rng(0).normal(size=(4, 50))
    rdm = 1 - np.corrcoef(patterns)
    return xr.Dataset(
        {"dissimilarity": (("rdm", "stimulus", "stimulus_2"), np.stack([rdm] * 3))},
        coords={
            "stimulus_id": ("stimulus", IDS),
            "species": ("rdm", ["human", "human", "monkey"]),
            "roi": ("rdm", ["IT", "IT", "IT"]),
            "subject": ("rdm", ["s1", "s2", "m"]),
        },
    ), rdm


def test_responses_come_in_the_order_of_the_stimuli(tmp_path):
    recording().to_netcdf(tmp_path / "r.nc")
    found = read_responses(str(tmp_path / "r.nc"), "response", "area", IDS)
    expected = recording()["response"].values[:, ::-1].T.astype(np.float32)
    np.testing.assert_array_equal(found["response"].values, expected)
    assert found["depth"].values.tolist() == [1.0, 2.0, 3.0]


def test_ids_are_text_in_stimuli_and_responses(tmp_path):
    """Numbers in one file and their digits in the other name the same stimuli."""
    numbers = np.arange(4)
    grey_images().assign_coords(stimulus_id=("stimulus", numbers)).to_netcdf(tmp_path / "s.nc")
    names = ("stimulus", [str(number) for number in numbers[::-1]])
    recording().assign_coords(stimulus_id=names).to_netcdf(tmp_path / "r.nc")
    shown = read_stimuli(tmp_path / "s.nc")["stimulus_id"].values
    found = read_responses(str(tmp_path / "r.nc"), "response", "area", shown)
    expected = recording()["response"].values[:, ::-1].T.astype(np.float32)
    np.testing.assert_array_equal(found["response"].values, expected)


def test_responses_to_other_stimuli_are_refused(tmp_path):
    recording().to_netcdf(tmp_path / "r.nc")
    with pytest.raises(InputError, match="1 stimuli have no responses"):
        read_responses(str(tmp_path / "r.nc"), "response", "area", np.array(list("abcx")))


def test_mixtures_of_rdms_have_their_distances(tmp_path):
    dataset, rdm = dissimilarities()
    dataset.to_netcdf(tmp_path / "r.nc")
    found = read_responses(str(tmp_path / "r.nc"), "dissimilarity", ["species", "roi"], IDS)
    assert set(found["area"].values) == {"human_IT", "monkey_IT"}
    human = found["response"].values[:, found["area"].values == "human_IT"]
    squared = ((human[:, None] - human[None]) ** 2).sum(axis=2)
    # 1 - r is a squared distance up to a factor
    ratio = squared[np.triu_indices(4, 1)] / rdm[np.triu_indices(4, 1)]
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-5)
    assert found["rdm_area"].values.tolist() == ["human_IT", "human_IT", "monkey_IT"]


def test_a_large_recording_is_not_brought_in_where_users_log_in(tmp_path):
    for name, size in (("small.nc", 10**6), ("large.nc", 10**9)):
        with (tmp_path / name).open("wb") as file:
            file.truncate(size)
    assert is_light([])
    assert is_light([str(tmp_path / "small.nc")])
    assert not is_light([str(tmp_path / "large.nc")])
    (tmp_path / "images" / "faces").mkdir(parents=True)
    (tmp_path / "large.nc").rename(tmp_path / "images" / "faces" / "one.png")
    assert not is_light([str(tmp_path / "images")])


def test_names_of_the_users_coordinates_are_theirs(tmp_path):
    """None is taken for what the workflow itself says of a neuroid."""
    names = ("weight", "selected", "complete", "dissimilarity", "rdm_area", "known_by", "ceiling")
    plain, named = recording(), recording()
    for name in names:
        named[name] = ("neuroid", [0.0, 1.0, 0.0])
    found = []
    for recorded in (plain, named):
        recorded.to_netcdf(tmp_path / "r.nc")
        brought = read_responses(str(tmp_path / "r.nc"), "response", "area", IDS)
        save(brought, tmp_path / "responses.nc", {})
        found.append(read_area(tmp_path / "responses.nc", "IT"))
    np.testing.assert_array_equal(found[0].response, found[1].response)
    assert found[1].dissimilarity is None
    assert set(names) <= set(found[1].metadata)
    taken = recording().rename(response="dff")
    taken["response"] = ("neuroid", ["up", "down", "up"])
    taken.to_netcdf(tmp_path / "r.nc")
    with pytest.raises(InputError, match="response: is a coordinate of the neuroids; give it ano"):
        read_responses(str(tmp_path / "r.nc"), "dff", "area", IDS)
