"""NWB files, written by h5py in the layouts of the Allen Institute, give responses in a window."""

import h5py
import numpy as np
import pytest

from cortiscope.errors import InputError
from cortiscope.experiment.formats import find
from tests.recording_files import read

STIMULI = [str(number) for number in range(6)]
RATE, N_CELLS = 30.0, 4
LOCATED = {"area": "location"}


def shown():
    """Frames 0 to 5, each three times, shuffled; onsets by 0.25 s from 1 s on."""
    frames = np.random.default_rng(0).permutation(np.repeat(np.arange(6), 3))
    return frames, 1 + 0.25 * np.arange(len(frames))


def presentations(file, name="natural_scenes_presentations"):
    frames, onsets = shown()
    table = file.create_group(f"intervals/{name}")
    table["id"] = np.arange(len(frames))
    table["frame"] = frames.astype(float)  # as Allen's are
    table["start_time"], table["stop_time"] = onsets, onsets + 0.25


def ecephys(path):
    """Spikes of four units on two probes, all channels named."""
    random = np.random.default_rng(1)
    trains = [np.sort(random.uniform(0, 6, number)) for number in (90, 0, 300, 41)]
    with h5py.File(path, "w") as file:
        file.attrs["nwb_version"] = "2.2.2"
        presentations(file)
        units = file.create_group("units")
        units["id"] = np.array([950, 951, 960, 975])
        units["spike_times"] = np.concatenate(trains)
        units["spike_times_index"] = np.cumsum([len(train) for train in trains])
        units["peak_channel_id"] = np.array([12, 11, 10, 12])
        units["snr"] = np.array([1.5, 2.5, np.nan, 4.0])
        units.create_dataset("quality", data=["good", "good", "noise", "good"])
        electrodes = file.create_group("general/extracellular_ephys/electrodes")
        electrodes["id"] = np.array([10, 11, 12])
        electrodes.create_dataset("location", data=["LGd", "VISl", "VISp"])
        electrodes["x"] = np.array([1.0, 2.0, 3.0])
        file.create_dataset("general/subject/subject_id", data="mouse7")
    return trains


def ophys(path, version=2, timestamps=True):
    """dF/F at 30 Hz: (time, roi), in version 1 (cell, time) and presentations by their frames."""
    traces = np.random.default_rng(2).normal(size=(200, N_CELLS)).astype(np.float32)
    times = 0.5 + np.arange(200) / RATE
    frames, onsets = shown()
    with h5py.File(path, "w") as file:
        if version == 2:
            file.attrs["nwb_version"] = "2.2.2"
            presentations(file)
            plane = file.create_group("general/optophysiology/plane")
            plane.create_dataset("location", data="VISp")
            table = file.create_group("processing/ophys/ImageSegmentation/PlaneSegmentation")
            table["id"], table["cell_specimen_id"] = np.arange(6), np.arange(6) + 517000000
            table["imaging_plane"] = h5py.SoftLink("/general/optophysiology/plane")
            series = file.create_group("processing/ophys/DfOverF/RoiResponseSeries")
            series["data"], series["rois"] = traces, np.array([0, 1, 3, 5])
            series["rois"].attrs["table"] = table.ref
            other = file.create_group("processing/ophys/Fluorescence/RoiResponseSeries")
            other["data"], other["timestamps"] = traces * 9, times
        else:
            file["nwb_version"] = "NWB-1.0.6"
            place = "general/optophysiology/imaging_plane_1"
            file.create_group(place).create_dataset("location", data="VISp")
            module = file.create_group("processing/brain_observatory_pipeline")
            module["ImageSegmentation/cell_specimen_ids"] = np.arange(N_CELLS) + 517000000
            series = module.create_group("DfOverF/imaging_plane_1")
            series["data"] = traces.T
            stimulus = file.create_group("stimulus/presentation/natural_scenes_stimulus")
            stimulus["data"] = frames
            starts = np.searchsorted(times, onsets - 1e-9)
            stimulus["frame_duration"] = np.column_stack([starts, starts + 7])
        if timestamps:
            series["timestamps"] = times
        else:
            series.create_dataset("starting_time", data=0.5).attrs["rate"] = RATE
    return traces, times


def expected(of_onset):
    """(stimulus, repetition, neuroid), the repetitions in the order of the onsets."""
    frames, onsets = shown()
    rows = [[of_onset(onset) for onset in onsets[frames == frame]] for frame in range(6)]
    return np.array(rows, dtype=np.float32)


def read_window(path, window, **settings):
    names = np.array(STIMULI)
    found = read(path, shown=names, window=window, **(LOCATED | settings))
    return found, found["response"].transpose("stimulus", "repetition", "neuroid").values


@pytest.mark.parametrize("statistic", ["mean", "sum"])
@pytest.mark.parametrize("baseline", [[], [-0.2, 0]])
def test_spikes_are_counted_in_the_window(tmp_path, statistic, baseline):
    trains = ecephys(tmp_path / "session.nwb")
    assert find("responses", [str(tmp_path / "session.nwb")]).__name__.endswith(".nwb")
    window = [0.066, 0.316]

    def count(onset, start, end):
        return np.array([((t >= onset + start) & (t < onset + end)).sum() for t in trains])

    def response(onset):
        found = count(onset, *window).astype(float)
        if baseline:
            found -= count(onset, *baseline) * ((window[1] - window[0]) / 0.2)
        return found if statistic == "sum" else found / (window[1] - window[0])

    settings = {"statistic": statistic, "baseline": baseline}
    found, values = read_window(tmp_path / "session.nwb", window, **settings)
    np.testing.assert_array_equal(values, expected(response))
    assert found["neuroid_id"].values.tolist() == ["950", "951", "960", "975"]
    assert found["area"].values.tolist() == ["VISp", "VISl", "LGd", "VISp"]
    assert found["subject"].values.tolist() == ["mouse7"] * 4
    np.testing.assert_array_equal(found["snr"], [1.5, 2.5, np.nan, 4.0])
    assert found["quality"].values.tolist() == ["good", "good", "noise", "good"]


@pytest.mark.parametrize("statistic", ["mean", "sum", "peak"])
@pytest.mark.parametrize(("version", "timestamps"), [(2, True), (2, False), (1, True)])
def test_traces_are_taken_in_the_window(tmp_path, version, timestamps, statistic):
    traces, times = ophys(tmp_path / "session.nwb", version, timestamps)
    reduce = {"mean": np.mean, "sum": np.sum, "peak": np.max}[statistic]

    def response(onset):
        place = np.searchsorted(times, onset - 1e-9)
        own = traces[place : place + 15].astype(float)  # half a second
        return reduce(own - traces[place - 6 : place].mean(axis=0, dtype=float), axis=0)

    settings = {"statistic": statistic, "baseline": [-0.2, 0]}
    found, values = read_window(tmp_path / "session.nwb", [0, 0.5], **settings)
    np.testing.assert_allclose(values, expected(response), rtol=1e-6, atol=1e-6)
    assert set(found["area"].values) == {"VISp"}
    if version == 2:
        names = ["517000000", "517000001", "517000003", "517000005"]
        assert found["cell_specimen_id"].values.astype(str).tolist() == names
        assert found["neuroid_id"].values.tolist() == ["0", "1", "3", "5"]
    else:
        assert found["neuroid_id"].values[0] == "517000000"


def test_a_window_past_the_end_is_not_recorded(tmp_path):
    ophys(tmp_path / "session.nwb")
    _, values = read_window(tmp_path / "session.nwb", [0, 2.0])
    last = 0.5 + 200 / RATE
    onsets = shown()[1]
    n_lost = int((onsets + 2.0 > last + 1e-9).sum())
    assert n_lost > 0
    assert np.isnan(values).sum() == n_lost * N_CELLS


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"window": []}, r"responses.window: is missing, and the recording is of events in time"),
        (
            {"window": [66, 316]},
            r"window: \[66, 316\] s, where presentations follow each other by 0.2",
        ),
        ({"window": [0.3, 0.1]}, r"window: \[0.3, 0.1\] ends before it begins; give \[from, to\]"),
        (
            {"window": [8, 9]},
            r"window: nothing was recorded in it after any onset \(1 to 5.25 s\); s",
        ),
        ({"statistic": "peak"}, r"config: responses.statistic: spikes have no peak; use mean"),
        ({"stimulus_column": "image"}, r"has 0 tables of presentations with stimuli; set"),
        (
            {"presentations": "gratings"},
            r"gratings: has 1 tables of .*; set .* natural_scenes_pres",
        ),
        (
            {"array": "dff"},
            r"dff: is no series of traces, nor units; set responses.array to .* units",
        ),
        ({"area": "area"}, r"area: no such coordinate; set responses.area to some of .*location"),
    ],
)
def test_what_cannot_be_is_one_line(tmp_path, settings, line):
    ecephys(tmp_path / "session.nwb")
    with pytest.raises(InputError, match=line):
        read(tmp_path / "session.nwb", **({"window": [0, 0.25]} | LOCATED | settings))


def test_two_tables_of_presentations_are_one_line(tmp_path):
    ecephys(tmp_path / "session.nwb")
    with h5py.File(tmp_path / "session.nwb", "r+") as file:
        presentations(file, "natural_movie_presentations")
    with pytest.raises(InputError, match="has 2 tables of presentations with stimuli; set"):
        read(tmp_path / "session.nwb", window=[0, 0.25], **LOCATED)
    name = "natural_scenes_presentations"
    found, _ = read_window(tmp_path / "session.nwb", [0, 0.25], presentations=name)
    assert found.sizes["repetition"] == 3


def test_onsets_in_milliseconds_are_one_line(tmp_path):
    ecephys(tmp_path / "session.nwb")
    with h5py.File(tmp_path / "session.nwb", "r+") as file:
        times = file["intervals/natural_scenes_presentations/start_time"]
        times[...] = times[...] * 1000
    with pytest.raises(InputError, match=r"nothing was recorded in it after any onset \(1000 to"):
        read(tmp_path / "session.nwb", window=[0, 0.25], **LOCATED)


def test_running_and_blanks_are_left_out(tmp_path):
    """By the mean speed in the window; where it was not recorded, presentations stay."""
    trains = ecephys(tmp_path / "session.nwb")
    frames, onsets = shown()
    times = np.arange(0, 4.5, 1 / 60)  # cut off before the last presentations
    speed = np.where(np.floor(times * 2) % 3 == 0, 9.0, 0.1)
    with h5py.File(tmp_path / "session.nwb", "r+") as file:
        running = file.create_group("processing/running/running_speed")
        running["data"], running["timestamps"] = speed, times
        shown_as = file["intervals/natural_scenes_presentations/frame"]
        shown_as[...] = np.where(frames == 0, -1, frames)  # blanks
    exclude = ["frame == -1", "running_speed > 1"]
    settings = {"window": [0, 0.25], "statistic": "sum", "exclude": exclude}
    found = read(tmp_path / "session.nwb", **settings, **LOCATED)
    response = found["response"].transpose("stimulus", "repetition", "neuroid").values
    for row, name in enumerate(found["stimulus_id"].values.tolist()):
        rows = []
        for onset in onsets[frames == int(name)]:
            own = speed[(times >= onset - 1e-9) & (times < onset + 0.25 - 1e-9)]
            known = onset + 0.25 <= times[-1] + 1 / 60
            if not (known and own.mean() > 1):
                rows.append([((t >= onset) & (t < onset + 0.25)).sum() for t in trains])
        np.testing.assert_array_equal(response[row, : len(rows)], rows)
        assert np.isnan(response[row, len(rows) :]).all()
    assert "0" not in found["stimulus_id"].values
    assert "-1" not in found["stimulus_id"].values
