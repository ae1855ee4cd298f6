"""Brain-Score's assemblies, as xarray writes them without their multi-level indices, are read."""

import netCDF4
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from cortiscope.errors import InputError
from cortiscope.experiment.formats import find
from tests.recording_files import AREAS, DEPTHS, IDS, check, read, responses

NAMES = ["00", "01", "02", "03", "04"]
REGION = {"area": "region"}


def assembly(values, bins=((70, 170),), **levels):
    """Of responses (stimulus, repetition, neuroid[, bin]), presentations shuffled."""
    values = values.reshape(*values.shape[:3], -1)
    trials = values.reshape(-1, *values.shape[2:])
    presentation = pd.MultiIndex.from_arrays(
        [np.repeat(IDS, values.shape[1]), np.tile(range(values.shape[1]), 7)],
        names=["stimulus_id", "repetition"],
    )
    neuroid = pd.MultiIndex.from_arrays(
        [NAMES, AREAS, DEPTHS, ["a", "a", "a", "b", "b"]],
        names=["neuroid_id", "region", "depth", "animal"],
    )
    time = pd.MultiIndex.from_tuples(bins, names=["time_bin_start", "time_bin_end"])
    indices = {"presentation": presentation, "neuroid": neuroid, "time_bin": time}
    whole = xr.Dataset({"data": (tuple(indices), trials)})
    for name, index in indices.items():
        whole = whole.assign_coords(xr.Coordinates.from_pandas_multiindex(index, name))
    return whole.reset_index(list(indices))


def check_assembly(found, values):
    check(found.assign_coords(area=found["region"]), values)
    assert found["area"].values.tolist() == AREAS.tolist()
    assert found["subject"].values.tolist() == ["a", "a", "a", "b", "b"]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_presentations_become_repetitions(tmp_path, order, dtype):
    values = responses(dtype)
    dims = ("presentation", "neuroid", "time_bin")
    whole = assembly(values).transpose(*(dims[axis] for axis in order))
    whole.to_netcdf(tmp_path / "assy.nc")
    assert find("responses", [str(tmp_path / "assy.nc")]).__name__.endswith(".brain_score")
    check_assembly(read(tmp_path / "assy.nc", **REGION), values)


def test_shuffled_and_unequally_many_presentations(tmp_path):
    values = responses()
    whole = assembly(values)
    order = np.random.default_rng(0).permutation(21)[:-4]
    whole.isel(presentation=order, time_bin=0).to_netcdf(tmp_path / "assy.nc")
    found = read(tmp_path / "assy.nc", shown=IDS, **REGION)
    trials = values.reshape(21, 5)
    for stimulus in range(7):
        own = trials[order[order // 3 == stimulus]]
        repetitions = found["response"].sel(stimulus=stimulus).transpose("repetition", "neuroid")
        np.testing.assert_array_equal(repetitions[: len(own)], own)
        assert np.isnan(repetitions[len(own) :]).all()


def test_old_names(tmp_path):
    """`image_id`, levels that end in `_`, names of neuroids in the dimension's own coordinate."""
    values = responses()
    whole = assembly(values).isel(time_bin=0).rename(stimulus_id="image_id", region="region_")
    whole = whole.drop_vars("neuroid_id").assign_coords(neuroid=NAMES)
    whole = whole.rename(data="__xarray_dataarray_variable__")
    whole.to_netcdf(tmp_path / "assy.nc")
    check_assembly(read(tmp_path / "assy.nc", **REGION), values)


def test_numbers_that_stand_for_missing(tmp_path):
    values = responses()
    encoding = {"data": {"_FillValue": np.float32(-9999)}}
    assembly(values).to_netcdf(tmp_path / "assy.nc", encoding=encoding)
    check_assembly(read(tmp_path / "assy.nc", **REGION), values)


def timed(bins):
    return np.random.default_rng(0).normal(size=(7, 3, 5, len(bins)))


BINS = [(start, start + 20) for start in range(0, 200, 20)]


def test_bins_of_time(tmp_path):
    values = timed(BINS)
    assembly(values, BINS).to_netcdf(tmp_path / "assy.nc")
    found = read(tmp_path / "assy.nc", **REGION)
    assert list(dict.fromkeys(found["area"].values.tolist()))[:3] == ["V4.0", "IT.0", "V4.0.02"]
    late = found.isel(neuroid=found["time"].values == 0.18)["response"]
    expected = values[..., 9].astype(np.float32)
    np.testing.assert_array_equal(late.transpose("stimulus", "repetition", "neuroid"), expected)


@pytest.mark.parametrize("statistic", ["mean", "sum", "peak"])
def test_a_window_of_bins(tmp_path, statistic):
    values = timed(BINS)
    assembly(values, BINS).to_netcdf(tmp_path / "assy.nc")
    window = {"window": [0.06, 0.16], "statistic": statistic, "baseline": [0, 0.04]}
    found = read(tmp_path / "assy.nc", **REGION, **window)
    reduce = {"mean": np.mean, "sum": np.sum, "peak": np.max}[statistic]
    less = values[..., 3:8] - values[..., :2].mean(-1, keepdims=True)
    np.testing.assert_array_equal(found["response"], reduce(less, axis=-1).astype(np.float32))


@pytest.mark.parametrize(
    ("bins", "settings", "line"),
    [
        (
            BINS,
            {"window": [70, 170]},
            r"\[70, 170\] s holds no bin of .*; those run from 0 to 0.2 s",
        ),
        ([(0, 20), (10, 30)], {"window": [0, 0.1]}, r"holds bins of .* that overlap; leave it out"),
        (
            BINS,
            {"area": "area"},
            r"area: no such coordinate; set responses.area to some of neuroid",
        ),
        (
            BINS,
            {"stimulus_column": "frame"},
            r"frame: is missing; set responses.stimulus_column to",
        ),
    ],
)
def test_what_cannot_be_is_one_line(tmp_path, bins, settings, line):
    assembly(timed(bins), bins).to_netcdf(tmp_path / "assy.nc")
    with pytest.raises(InputError, match=line):
        read(tmp_path / "assy.nc", **(REGION | settings))


def test_an_assembly_without_stimuli_is_one_line(tmp_path):
    assembly(responses()).drop_vars("stimulus_id").to_netcdf(tmp_path / "assy.nc")
    with pytest.raises(InputError, match=r"stimulus_id: is missing; set responses.stimulus_column"):
        read(tmp_path / "assy.nc", **REGION)


def test_two_arrays_are_one_line(tmp_path):
    whole = assembly(responses())
    whole.assign(other=whole["data"]).to_netcdf(tmp_path / "assy.nc")
    with netCDF4.Dataset(tmp_path / "assy.nc") as dataset:
        assert "presentation" in dataset.dimensions
    with pytest.raises(InputError, match=r"has 2 arrays of presentations \(data \(.*; keep one"):
        read(tmp_path / "assy.nc", **REGION)


def test_presentations_are_left_out(tmp_path):
    values = responses()
    assembly(values).to_netcdf(tmp_path / "assy.nc")
    found = read(tmp_path / "assy.nc", exclude=["repetition == 1"], **REGION)
    check_assembly(found, values[:, [0, 2]])
