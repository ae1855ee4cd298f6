"""Responses in Neurodata Without Borders files: traces of cells or spikes of units, in a window.

Of version 2, and of version 1 as the Allen Institute's two-photon recordings have it.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cortiscope.errors import InputError
from cortiscope.experiment import hdf5, presentations, windows
from cortiscope.experiment.formats import Array, Arrays, Late
from cortiscope.experiment.tables import STIMULUS, as_ids, column_of

if TYPE_CHECKING:
    import h5py
    import xarray as xr

FORMAT = "an NWB file"
RANK = 0
READS: Mapping[str, tuple[str, ...]] = {
    "responses": (
        *("variable", "area", "array", "presentations", "stimulus_column", "exclude"),
        *windows.READS,
    )
}
STIMULI = (*STIMULUS, "frame")
INTERVALS, OLD_STIMULI = "intervals", "stimulus/presentation"
ELECTRODES = "general/extracellular_ephys/electrodes"
UNITS, RUNNING = "units", "running_speed"


def recognises(path: Path | None) -> bool:
    return path is not None and hdf5.kind(path) == "NWB"


@contextmanager
def opened(source: Sequence[str], section: Mapping[str, Any]) -> Iterator[Arrays]:
    path = source[0]
    with hdf5.opened(path) as file:
        name = _recorded(file, path, section)
        series = None if name == UNITS else file[name]
        shown, onsets, of_each = _presentations(file, path, section, series)
        windows.Window.of(section, onsets)
        of_each |= _running(file, onsets, section)
        about = _units(file) if series is None else _cells(file, series)
        load = partial(_response, file, path, series, onsets, section)
        size = len(onsets), len(about["neuroid_id"])
        trials = Late(size, np.dtype(np.float64), load)
        if "subject_id" in file.get("general/subject", ()):
            subject = hdf5.texts(file["general/subject/subject_id"])
            about["subject"] = np.repeat(subject, size[1])
        arrays = {key: Array(("neuroid",), values) for key, values in about.items()}
        found = presentations.recording(trials, shown.tolist(), section, of_each)
        yield Arrays(path, arrays | found)


def _recorded(file: "h5py.File", path: str, section: Mapping[str, Any]) -> str:
    """Where the traces or spikes are: as `responses.array` says, or the only ones."""
    known = [UNITS] if "spike_times" in file.get(UNITS, ()) else []
    known += sorted(set(_series(file)))
    asked = str(section.get("array", "")).strip("/")
    likely = [name for name in known if "DfOverF" in name] or known
    if asked in known:
        return asked
    if asked or len(likely) != 1:
        seen = ", ".join(known) or "none"
        problem = "is no series of traces, nor units" if asked else "does not say which of several"
        where = f"{path}: {asked}" if asked else path
        raise InputError(where, problem, f"set responses.array to one of {seen}")
    return likely[0]


def _series(file: "h5py.File") -> list[str]:
    """The groups below /processing with traces of cells, two dimensions of which one is time."""
    found = []
    held = hdf5.datasets(file["processing"]) if "processing" in file else {}
    for name, dataset in held.items():
        group = dataset.parent
        timed = "timestamps" in group or "starting_time" in group
        if name.endswith("/data") and dataset.ndim == 2 and min(dataset.shape) > 1 and timed:
            found.append(group.name.strip("/"))
    return found


def _presentations(
    file: "h5py.File", path: str, section: Mapping[str, Any], series: "h5py.Group | None"
) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """What was shown (presentation,), as text; when, in seconds; and what else is known of each.

    In the order of the onsets.
    """
    column = section.get("stimulus_column", "")
    tables: dict[str, Any] = {}
    for folder in (INTERVALS, OLD_STIMULI):
        for name, group in file.get(folder, {}).items():
            named = column or column_of(group, STIMULI)
            old = folder == OLD_STIMULI and "frame_duration" in group and "data" in group
            if old or ("start_time" in group and named in group):
                tables[name] = (group, named, old)
    asked = str(section.get("presentations", "")).rpartition("/")[2]
    if (asked and asked not in tables) or (not asked and len(tables) != 1):
        problem = f"has {len(tables)} tables of presentations with stimuli"
        seen = ", ".join(tables) or f"one of those in /{INTERVALS}, and stimulus_column to a column"
        where = f"{path}: {asked}" if asked else path
        raise InputError(where, problem, f"set responses.presentations to {seen}")
    group, named, old = tables[asked or next(iter(tables))]
    if not old:
        onsets = np.asarray(group["start_time"][...], dtype=np.float64)
        order = np.argsort(onsets, kind="stable")
        return _values(group[named])[order], onsets[order], _columns(group, order)
    if series is None or "timestamps" not in series:
        problem = "tells its presentations in frames, but has no times of these"
        raise InputError(path, problem, "set responses.array to traces with timestamps")
    frames = np.asarray(group["frame_duration"][...])[:, 0].astype(int)
    order = np.argsort(frames, kind="stable")
    onsets = np.asarray(series["timestamps"][...])[frames[order]]
    return _values(group["data"])[order], onsets, {"frame": np.asarray(group["data"][...])[order]}


def _running(
    file: "h5py.File", onsets: np.ndarray, section: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    """`running_speed` (presentation,), its mean in the window, where that was recorded."""
    if not any(RUNNING in text for text in section.get("exclude", ())):
        return {}
    held = hdf5.datasets(file["processing"]) if "processing" in file else {}
    place = next((name for name in held if name.endswith(f"{RUNNING}/data")), "")
    if not place:
        return {}
    series = held[place].parent
    speed = np.asarray(series["data"][...]).reshape(-1, 1)  # of old files (time, 1)
    times = np.asarray(series["timestamps"][...], dtype=np.float64)
    mean = {"window": section["window"], "statistic": "mean"}
    return {RUNNING: windows.of_traces(speed, times, onsets, mean)[:, 0]}


def _values(dataset: "h5py.Dataset") -> np.ndarray:
    """A column as text: of numbers that are whole, without a point."""
    if dataset.dtype.kind in "fiu":
        return as_ids(np.asarray(dataset[...]))
    return hdf5.texts(dataset)


def _columns(table: "h5py.Group", rows: "np.ndarray | None" = None) -> dict[str, np.ndarray]:
    """The columns of one value a row, numbers or texts; of some rows. `id` is called so."""
    import h5py

    size, found = len(table["id"]), {}
    for name, dataset in table.items():
        ragged = f"{name}_index" in table or name.endswith("_index")
        if not isinstance(dataset, h5py.Dataset) or dataset.shape != (size,) or ragged:
            continue
        if dataset.dtype.kind in "fiu":
            found[name] = np.asarray(dataset[...])
        elif dataset.dtype == bool:
            found[name] = np.asarray(dataset[...]).astype(np.int8)
        elif h5py.check_string_dtype(dataset.dtype):
            found[name] = hdf5.texts(dataset)
    return found if rows is None else {name: values[rows] for name, values in found.items()}


def _units(file: "h5py.File") -> dict[str, np.ndarray]:
    """The coordinates of units, and of the electrode that each was seen on (most)."""
    table = file[UNITS]
    about = _columns(table)
    about["neuroid_id"] = as_ids(about.pop("id"))
    if ELECTRODES not in file:
        return about
    electrodes = file[ELECTRODES]
    places = {int(name): row for row, name in enumerate(electrodes["id"][...])}
    if "peak_channel_id" in about:
        rows = [places[int(name)] for name in about["peak_channel_id"]]
    elif "electrodes" in table and "electrodes_index" in table:
        starts = np.r_[0, table["electrodes_index"][:-1]].astype(int)
        rows = np.asarray(table["electrodes"][...])[starts].tolist()
    else:
        return about
    seen_on = _columns(electrodes, np.array(rows, dtype=int))
    seen_on.pop("id")
    return seen_on | about


def _cells(file: "h5py.File", series: "h5py.Group") -> dict[str, np.ndarray]:
    """The coordinates of cells: of the table of their outlines, and where they were imaged."""

    rois = series.get("rois")
    if rois is not None and "table" in rois.attrs:
        table = file[rois.attrs["table"]]
        about = _columns(table, np.asarray(rois[...]).astype(int))
        about["neuroid_id"] = as_ids(about.pop("id"))
        plane = table.get("imaging_plane")
        return about | _place(plane, len(about["neuroid_id"]))
    n_cells = series["data"].shape[1 - _time_axis(series)]
    ids = series.parent.parent.get("ImageSegmentation/cell_specimen_ids")  # of version 1
    names = np.arange(n_cells) if ids is None else np.asarray(ids[...])
    plane = file.get(f"general/optophysiology/{series.name.rpartition('/')[2]}")
    return {"neuroid_id": as_ids(names)} | _place(plane, n_cells)


def _place(plane: "h5py.Group | None", n_cells: int) -> dict[str, np.ndarray]:
    if plane is None or "location" not in plane:
        return {}
    return {"location": np.repeat(hdf5.texts(plane["location"]), n_cells)}


def _time_axis(series: "h5py.Group") -> int:
    """Which axis of its traces is time: in version 2 the first, in version 1 the second."""
    shape = series["data"].shape
    if "timestamps" not in series:
        return 0
    n_times = len(series["timestamps"])
    return 1 if shape[1] == n_times != shape[0] else 0


def _traces(series: "h5py.Group") -> tuple[np.ndarray, np.ndarray]:
    """(time, cell), and the times (time,) in seconds."""
    values = np.asarray(series["data"][...])
    traces = values.T if _time_axis(series) else values
    if "timestamps" in series:
        return traces, np.asarray(series["timestamps"][...], dtype=np.float64)
    start = series["starting_time"]
    return traces, float(start[()]) + np.arange(len(traces)) / float(start.attrs["rate"])


def _response(
    file: "h5py.File",
    path: str,
    series: "h5py.Group | None",
    onsets: np.ndarray,
    section: Mapping[str, Any],
) -> np.ndarray:
    """(presentation, neuroid), of traces or spikes in the window after each onset."""
    if series is None:
        spikes, ends = file[UNITS]["spike_times"], file[UNITS]["spike_times_index"][...]
        starts = np.r_[0, ends[:-1]].astype(int)
        own = (spikes[start:end] for start, end in zip(starts, ends.astype(int), strict=True))
        response = windows.of_spikes(own, len(ends), onsets, section)
        empty = not response.any()
    else:
        traces, times = _traces(series)
        response = windows.of_traces(traces, times, onsets, section)
        empty = not np.isfinite(response).any()
    if empty:
        problem = f"nothing was recorded in it after any onset ({onsets[0]:g} to {onsets[-1]:g} s)"
        raise InputError(
            windows.FIELD, problem, f"see to the times in {path}, of one unit and clock"
        )
    return response


def read(
    source: Sequence[str], section: Mapping[str, Any], shown: "xr.Dataset | None" = None
) -> "xr.Dataset":
    with opened(source, section) as held:
        return held.dataset()
