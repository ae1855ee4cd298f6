"""Stimuli of any study come to one form, or to one line that says why not."""

import netCDF4
import numpy as np
import pytest
from PIL import Image

from cortiscope.errors import InputError
from cortiscope.experiment.stimuli import grey_levels, read_stimuli
from tests.grey_images import grey_images


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
        (lambda d: d.rename(y="rows"), "name them stimulus, y, x"),
        (lambda d: d.rename(image="photos"), "set stimuli.variable to one of photos"),
        (lambda d: d.assign_coords(stimulus_id=("stimulus", list("aabc"))), "stands twice"),
    ],
)
def test_bad_stimuli(tmp_path, change, message):
    change(grey_images()).to_netcdf(tmp_path / "s.nc")
    with pytest.raises(InputError, match=message):
        read_stimuli(tmp_path / "s.nc")


def pixels(kind, *values):
    """Images whose first pixels have these values, all others the first of them."""
    image = np.full((4, 5, 6), values[0], kind)
    image[1, 0, : len(values)] = values
    return grey_images().drop_vars("image").assign(image=(("stimulus", "y", "x"), image))


@pytest.mark.parametrize(
    ("kind", "values", "levels"),
    [
        ("u1", (0, 30, 255), (0, 30, 255)),
        ("i2", (0, 30, 255), (0, 30, 255)),
        ("f4", (0, 30.4, 255), (0, 30, 255)),
        ("f8", (-20, 30.6, 275), (0, 31, 255)),  # resized
        ("u1", (0, 1), (0, 255)),
        ("i8", (0, 1), (0, 255)),
        ("?", (False, True), (0, 255)),
        ("f4", (0, 0.2, 1), (0, 51, 255)),
        ("f4", (-0.07, 0.2, 1.02), (0, 51, 255)),  # resized
        ("f4", (0, 0.2, 0.5), (0, 51, 128)),  # nothing white in it
    ],
)
def test_pixels_become_grey_levels(tmp_path, kind, values, levels):
    pixels(kind, *values).to_netcdf(tmp_path / "s.nc")
    image = read_stimuli(tmp_path / "s.nc")["image"]
    assert image.dtype == np.uint8
    assert image[1, 0, : len(values), 0].values.tolist() == list(levels)
    assert (image[0] == levels[0]).all()


def test_half_precision_becomes_grey_levels():
    """Which no netCDF file has, but whoever calls."""
    assert grey_levels(np.float16([[0, 0.2], [1, 1.02]]), "").tolist() == [[0, 51], [255, 255]]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("f4", (-2.1, 2.6)),  # less their mean, by their spread
        ("f4", (-1, 1)),
        ("f4", (-123, 151)),  # less their mean
        ("f4", (0, 1.3)),
        ("f4", (0, np.inf)),
        ("f4", (0, 0.09)),
        ("u1", (0, 20)),  # numbers of objects, say
        ("i1", (-128, 127)),
        ("u2", (0, 4095)),
        ("u1", (0, 0)),
    ],
)
def test_pixels_of_no_known_white_are_refused(tmp_path, kind, values):
    pixels(kind, *values).to_netcdf(tmp_path / "s.nc")
    with pytest.raises(
        InputError, match=r"runs from .* to .*; store grey levels from 0 to 255, or"
    ):
        read_stimuli(tmp_path / "s.nc")


def test_packed_pixels_are_what_they_stand_for(tmp_path):
    shares = pixels("f8", 0, 51 / 255, 1)
    packing = {"dtype": "u1", "scale_factor": 1 / 254, "add_offset": 0.0, "_FillValue": 255}
    shares.to_netcdf(tmp_path / "s.nc", encoding={"image": packing})
    with netCDF4.Dataset(tmp_path / "s.nc") as dataset:
        dataset.set_auto_maskandscale(False)
        assert dataset["image"][1, 0, :3].tolist() == [0, 51, 254]
    assert read_stimuli(tmp_path / "s.nc")["image"][1, 0, :3, 0].values.tolist() == [0, 51, 255]


def test_missing_pixels_are_named(tmp_path):
    pixels("u1", 3, 30, 255).to_netcdf(tmp_path / "s.nc", encoding={"image": {"_FillValue": 255}})
    with pytest.raises(InputError, match=r"NaN \(255, by its attributes\) in stimulus number 1;"):
        read_stimuli(tmp_path / "s.nc")
