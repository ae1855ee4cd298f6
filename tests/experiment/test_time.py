"""Recordings with a time axis, such as MEG: each time bin is scored as an area."""

import numpy as np
import pytest
import xarray as xr
import yaml

from cortiscope.errors import InputError
from cortiscope.experiment import netcdf, recordings, responses, sizes
from cortiscope.mappings.fitting import fit
from cortiscope.networks.features import Layer
from tests.running import REPOSITORY

N_STIMULI, N_SENSORS = 80, 15
LATENCY = {"early": 0.05, "middle": 0.1, "late": 0.2}  # of the layer that drives the sensors then
TIMES = [-0.1, *LATENCY.values()]
IDS = np.array([f"image{number}" for number in range(N_STIMULI)])
SETTINGS = yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text()) | {
    "statistics": {"permutations": 0, "bootstraps": 0, "seed": 0}
}


@pytest.fixture(scope="module")
def layers():
    random = np.random.default_rng(1)
    features = {name: random.normal(size=(N_STIMULI, 12)) for name in LATENCY}
    about = {"projection": "none", "n_features": 12}
    return [
        Layer(name, x, x.mean(axis=1), about | {"index": i, "depth": i / 2.0}, ones=np.ones(12))
        for i, (name, x) in enumerate(features.items())
    ]


@pytest.fixture(scope="module")
def recording(layers, tmp_path_factory):
    """Sensors that follow one layer after another, and before the first nothing."""
    random = np.random.default_rng(2)
    signal = [np.zeros((N_STIMULI, N_SENSORS))]
    signal += [layer.features @ random.normal(size=(12, N_SENSORS)) for layer in layers]
    response = np.stack(signal, axis=-1)[:, None]  # (stimulus, 1, neuroid, time)
    response = response + 3 * random.normal(size=(N_STIMULI, 4, N_SENSORS, len(TIMES)))
    path = tmp_path_factory.mktemp("meg") / "meg.nc"
    xr.Dataset(
        {"response": (("stimulus", "repetition", "neuroid", "time"), response)},
        coords={
            "stimulus_id": ("stimulus", IDS),
            "area": ("neuroid", ["MEG"] * N_SENSORS),
            "time": ("time", TIMES, {"units": "s"}),
        },
    ).to_netcdf(path)
    return path


@pytest.mark.parametrize("mapping", ["ridge", "rsa"])
def test_the_latency_of_every_layer_is_found(layers, recording, tmp_path, mapping):
    section = {"variable": "response", "area": "area"}
    areas = sizes.count_neuroids(section, [str(recording)])
    assert areas == {f"MEG.{time:g}": N_SENSORS for time in TIMES}
    found = recordings.read_responses(str(recording), "response", "area", IDS)
    netcdf.save(found, tmp_path / "responses.nc", {})
    read = responses.read_areas(tmp_path / "responses.nc", list(areas))
    scores = {area.name: fit(mapping, layers, area, SETTINGS) for area in read}
    course = np.array([scored["area_score"].values for scored in scores.values()])
    assert np.array(TIMES)[course.argmax(axis=0)].tolist() == list(LATENCY.values())
    assert (course.max(axis=0) > 0.5).all()
    assert (np.abs(course[0]) < 0.12).all()  # before anything was seen


def test_a_file_is_read_once_for_all_its_areas(recording, tmp_path, monkeypatch):
    path = tmp_path / "responses.nc"
    netcdf.save(recordings.read_responses(str(recording), "response", "area", IDS), path, {})
    names = [f"MEG.{time:g}" for time in TIMES]
    alone = [responses.read_area(path, name) for name in names]
    read, reads = responses.read_group, []

    def counted(file, **options):
        reads.append(1)
        return read(file, **options)

    monkeypatch.setattr(responses, "read_group", counted)
    for area, expected in zip(responses.read_areas(path, names), alone, strict=True):
        assert area.name == expected.name
        np.testing.assert_array_equal(area.response, expected.response)
        assert area.neuroid_id.tolist() == expected.neuroid_id.tolist()
    assert len(reads) == 1


def test_a_time_axis_without_times_is_one_line(recording, tmp_path):
    with xr.open_dataset(recording) as dataset:
        dataset.drop_vars("time").to_netcdf(tmp_path / "bare.nc")
        dataset.assign_coords(time=[0.0] * len(TIMES)).to_netcdf(tmp_path / "twice.nc")
    for name, problem in (("bare", "has no values"), ("twice", "has a value twice")):
        with pytest.raises(InputError, match=f"{name}.nc: time: {problem}"):
            sizes.count_neuroids(
                {"variable": "response", "area": "area"}, [str(tmp_path / f"{name}.nc")]
            )
