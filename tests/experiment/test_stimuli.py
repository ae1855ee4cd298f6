"""Stimuli of any study come to one form, or to one line that says why not."""

import numpy as np
import pytest
import xarray as xr
from PIL import Image

from cortiscope.errors import InputError
from cortiscope.experiment.stimuli import read_stimuli

IDS = np.array(["a", "b", "c", "d"])


def grey_images(**changes):
    image = np.arange(4 * 5 * 6, dtype=np.uint8).reshape(4, 5, 6)
    dataset = xr.Dataset(
        {"image": (("stimulus", "y", "x"), image)},
        coords={"stimulus_id": ("stimulus", IDS), "category": ("stimulus", list("xxyy"))},
    )
    return dataset.assign(changes)


def test_grey_images_get_three_channels(tmp_path):
    grey_images().to_netcdf(tmp_path / "s.nc")
    stimuli = read_stimuli(tmp_path / "s.nc")
    assert stimuli["image"].dims == ("stimulus", "y", "x", "channel")
    assert stimuli["image"].shape == (4, 5, 6, 3)
    assert stimuli["category"].values.tolist() == list("xxyy")


def test_a_folder_of_images_is_sorted_and_named(tmp_path):
    for name in ("cat/two", "cat/one", "dog/three"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((4, 4, 3), len(name), np.uint8)).save(tmp_path / f"{name}.png")
    stimuli = read_stimuli(tmp_path)
    assert stimuli["stimulus_id"].values.tolist() == ["cat/one", "cat/two", "dog/three"]
    assert stimuli["category"].values.tolist() == ["cat", "cat", "dog"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.drop_vars("stimulus_id"), "stimulus_id: is missing"),
        (lambda d: d.assign(image=d["image"].astype(float).where(d["image"] != 7)), "NaN"),
        (lambda d: d.assign(image=d["image"] / 255), "grey levels from 0 to 255"),
        (lambda d: d.rename(y="rows"), "name them stimulus, y, x"),
        (lambda d: d.rename(image="photos"), "set stimuli.variable to one of photos"),
        (lambda d: d.assign_coords(stimulus_id=("stimulus", list("aabc"))), "stands twice"),
    ],
)
def test_bad_stimuli(tmp_path, change, message):
    change(grey_images()).to_netcdf(tmp_path / "s.nc")
    with pytest.raises(InputError, match=message):
        read_stimuli(tmp_path / "s.nc")
