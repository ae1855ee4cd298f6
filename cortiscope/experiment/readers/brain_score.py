"""Responses as Brain-Score's assemblies: netCDF of presentations, neuroids and bins of time.

Their multi-level indices are stored as coordinates of one dimension each, the names of which some
files end in `_`; the dimensions stand in any order.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cortiscope import files
from cortiscope.errors import InputError
from cortiscope.experiment import presentations, windows
from cortiscope.experiment.formats import Array, Arrays, Late
from cortiscope.experiment.plain_arrays import Turned
from cortiscope.experiment.readers import netcdf
from cortiscope.experiment.tables import STIMULUS, as_ids, column_of
from cortiscope.experiment.windows import FIELD, Binned

if TYPE_CHECKING:
    import netCDF4
    import xarray as xr

FORMAT = "a Brain-Score assembly (netCDF of presentations)"
RANK = 0
READS: Mapping[str, tuple[str, ...]] = {
    "responses": ("variable", "area", "stimulus_column", "exclude", *windows.READS)
}
PRESENTATION, TIME = "presentation", "time_bin"
BINS = ("time_bin_start", "time_bin_end")  # in ms
SUBJECT = ("subject", "animal")
MISSING = ("_FillValue", "missing_value")


def recognises(path: Path | None) -> bool:
    if not netcdf.recognises(path):
        return False
    try:
        with files.opened(str(path)) as dataset:
            return {PRESENTATION, "neuroid"} <= set(dataset.dimensions)
    except InputError:  # damaged: that of netCDF says how
        return False


@contextmanager
def opened(source: Sequence[str], section: Mapping[str, Any]) -> Iterator[Arrays]:
    path = source[0]
    with files.opened(path) as dataset:
        data = _data(dataset, path)
        shown = _coordinates(dataset, PRESENTATION, "stimulus_id")
        stimulus = section.get("stimulus_column") or column_of(shown, STIMULUS)
        if stimulus not in shown:
            remedy = f"set responses.stimulus_column to one of {', '.join(shown)}"
            raise InputError(f"{path}: {stimulus or STIMULUS[0]}", "is missing", remedy)
        dims = [name for name in (PRESENTATION, "neuroid", TIME) if name in data.dimensions]
        trials = Turned(_filled(data), [data.dimensions.index(name) for name in dims])
        trials, further = _in_time(dataset, trials, section)
        names = ("neuroid", *further)
        ids = as_ids(shown[stimulus]).tolist()
        found = presentations.recording(trials, ids, section, shown, names)
        neuroids = _coordinates(dataset, "neuroid", "neuroid_id")
        if animal := column_of(neuroids, SUBJECT):
            neuroids["subject"] = neuroids.pop(animal)
        arrays = {name: Array(("neuroid",), values) for name, values in neuroids.items()}
        yield Arrays(path, arrays | further | found)


def _data(dataset: "netCDF4.Dataset", path: str) -> "netCDF4.Variable":
    needed = {PRESENTATION, "neuroid"}
    found = [one for one in dataset.variables.values() if needed <= set(one.dimensions)]
    if len(found) != 1 or not set(found[0].dimensions) <= {*needed, TIME}:
        seen = "; ".join(f"{one.name} ({', '.join(one.dimensions)})" for one in found) or "none"
        remedy = f"keep one array of {PRESENTATION}, neuroid and perhaps {TIME}"
        raise InputError(path, f"has {len(found)} arrays of presentations ({seen})", remedy)
    return found[0]


def _filled(data: "netCDF4.Variable") -> Any:
    """Its values late, NaN where the file has another number for what is missing."""
    missing = [data.getncattr(name) for name in MISSING if name in data.ncattrs()]
    if not any(np.isfinite(value) for value in missing):
        return data

    def load() -> np.ndarray:
        data.set_auto_mask(True)
        return np.ma.filled(np.ma.asarray(data[...]).astype(dtype), np.nan)

    dtype = np.result_type(data.dtype, np.float32)
    return Late(data.shape, dtype, load)


def _coordinates(
    dataset: "netCDF4.Dataset", dimension: str, of_itself: str
) -> dict[str, np.ndarray]:
    """What stands along a dimension. of_itself: what is stored by the dimension's own name."""
    found: dict[str, np.ndarray] = {}
    for stored in files.along(dataset, dimension):
        name = of_itself if stored == dimension else stored.rstrip("_")
        is_text = np.dtype(dataset[stored].dtype).kind not in "fiu"
        values = files.labels(dataset, stored) if is_text else dataset[stored][...]
        if stored != dimension or is_text or of_itself == "neuroid_id":
            found.setdefault(name, np.asarray(values))
    return found


def _in_time(
    dataset: "netCDF4.Dataset", trials: Any, section: Mapping[str, Any]
) -> tuple[Any, dict[str, Array]]:
    """Trials of a window, or of all bins of time, which are then a dimension more."""
    path = dataset.filepath()
    if len(trials.shape) == 2:
        if section.get("window"):
            problem = f"{path} has no bins of time"
            raise InputError(FIELD, problem, "leave it out: responses are of a window already")
        return trials, {}
    about = _coordinates(dataset, TIME, TIME)
    for name in BINS:
        if name not in about:
            raise InputError(f"{path}: {name}", "is missing", "say when bins start and end, in ms")
    bins = np.column_stack([about[name] for name in BINS]) / 1000.0  # (bin, side), in seconds
    if section.get("window"):
        return Binned(trials, bins, section, path), {}
    if len(bins) > 1:
        return trials, {"time": Array(("time",), bins[:, 0])}
    return Late(trials.shape[:2], trials.dtype, lambda: np.asarray(trials[...])[:, :, 0]), {}


def read(
    source: Sequence[str], section: Mapping[str, Any], shown: "xr.Dataset | None" = None
) -> "xr.Dataset":
    with opened(source, section) as held:
        return held.dataset()
