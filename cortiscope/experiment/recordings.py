"""Recordings of any format, brought to the one form that every rule reads."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from cortiscope.errors import InputError
from cortiscope.experiment.formats import find, opened
from cortiscope.experiment.netcdf import variables_along
from cortiscope.experiment.rdms import check_dissimilarities, recording_of_rdms
from cortiscope.experiment.sizes import (
    area_names,
    check_recording,
    in_time_bins,
    time_bins,
)
from cortiscope.experiment.stimulus_ids import positions


def bring_in(source: Sequence[str], settings: Mapping[str, Any], shown: xr.Dataset) -> xr.Dataset:
    """Responses, read or simulated, to stimuli in their one form; see `read_responses`.

    settings: what the format reads of `responses` of the config; where stimuli that were not shown
    are left out, their number as `left_out`.
    """
    reader = find("responses", source)
    if "variable" not in reader.READS["responses"]:
        return reader.read(source, settings, shown)
    ids, of_some = shown["stimulus_id"].values, bool(settings.get("left_out"))
    variable, area = settings["variable"], settings["area"]
    return read_responses(source[0], variable, area, ids, of_some, settings)


def read_responses(
    source: str,
    variable: str,
    area: str | list[str],
    stimulus_id: np.ndarray,
    of_some: bool = False,
    settings: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Read recordings, or dissimilarities, in the order of the stimuli.

    variable: `response` (stimulus[, repetition], neuroid[, time]) or `dissimilarity`
        (rdm, stimulus, stimulus_2). area: the coordinate(s) that name the area.
    stimulus_id: (stimulus,), the stimuli that the networks see; with `of_some` others may have been
        recorded, which are left out. settings: what else the format reads of `responses`.

    Returns `response` with `area`, `neuroid_id` and the file's other neuroid coordinates. With a
    time axis every time bin is an area of its own, such as `MEG.0.1`, to all rules. From
    dissimilarities see `recording_of_rdms`.
    Errors: InputError where the file disagrees with the stimuli or has not what is asked for.
    """
    section = {**(settings or {}), "variable": variable, "area": area}
    with opened("responses", section, [source]) as (held, _):
        check_recording(held, variable, area)
        areas, bins = np.array(area_names(held, area)), time_bins(held, variable)
    dataset = find("responses", [source]).read([source], section, None)
    order = _order(dataset, stimulus_id, source, of_some)
    if variable == "dissimilarity":  # before the names of its rows, perhaps its columns', move
        columns = _order(dataset, stimulus_id, source, of_some, "stimulus_2")
        dataset = dataset.isel(stimulus_2=columns)
    if order != list(range(dataset.sizes["stimulus"])):
        dataset = dataset.isel(stimulus=order)
    if variable == "dissimilarity":
        return _from_rdms(dataset, areas, stimulus_id, source)
    response = dataset[variable]
    _check_recorded(response, areas, f"{source}: {variable}")
    dims = [d for d in ("stimulus", "repetition", "neuroid") if d in response.dims]
    about = variables_along(dataset, "neuroid") | {
        "area": ("neuroid", areas),
        "stimulus_id": ("stimulus", stimulus_id),
    }
    if "response" in about:
        remedy = "give it another name, since responses are stored by this one"
        raise InputError(f"{source}: response", "is a coordinate of the neuroids", remedy)
    about.setdefault("neuroid_id", ("neuroid", [f"{a}-{i}" for i, a in enumerate(areas)]))
    values = response.transpose(*dims, ...).astype(np.float32, copy=False).reset_coords(drop=True)
    found = xr.Dataset({"response": values}, coords=about)
    return _by_time_bin(found, bins) if bins else found


def _by_time_bin(dataset: xr.Dataset, bins: list[str]) -> xr.Dataset:
    """Put the neuroids of every time bin side by side, their area named for it."""
    areas = [in_time_bins(area, bins) for area in dataset["area"].values.tolist()]
    parts = [
        dataset.isel(time=number, drop=True).assign_coords(
            area=("neuroid", [names[number] for names in areas]),
            time=("neuroid", [float(bins[number])] * len(areas)),
        )
        for number in range(len(bins))
    ]
    return xr.concat(parts, "neuroid", coords="minimal", compat="equals", join="exact")


def _order(
    dataset: xr.Dataset,
    stimulus_id: np.ndarray,
    source: str,
    of_some: bool,
    dimension: str = "stimulus",
) -> list[int]:
    """Where each of the study's stimuli stands in the recording."""
    own = "stimulus_id" if dimension == "stimulus" else "stimulus_id_2"
    name = own if own in dataset.variables else "stimulus_id"
    if name not in dataset.variables:
        raise InputError(f"{source}: stimulus_id", "is missing", "add it as a coordinate")
    known = dataset[name].values.astype(str).tolist()
    return positions(known, stimulus_id.astype(str).tolist(), f"{source}: {name}", of_some)


def _check_recorded(response: xr.DataArray, areas: np.ndarray, where: str) -> None:
    """An InputError for infinities, and for an area in which nothing was recorded."""
    recorded = np.zeros(len(areas), dtype=bool)  # (neuroid,)
    for values in response.transpose("stimulus", ..., "neuroid").values:  # as many at a time
        if np.isinf(values).any():
            raise InputError(where, "holds infinities", "use NaN for not recorded")
        recorded |= np.isfinite(values).reshape(-1, len(areas)).any(axis=0)
    for name in dict.fromkeys(areas.tolist()):
        if not recorded[areas == name].any():
            raise InputError(
                where, f"all NaN in area {name!r}", "take its neuroids out of the file"
            )


def _from_rdms(
    dataset: xr.Dataset, areas: np.ndarray, stimulus_id: np.ndarray, source: str
) -> xr.Dataset:
    found = dataset["dissimilarity"].transpose("rdm", "stimulus", "stimulus_2").values
    subjects = dataset["subject"].values.astype(str) if "subject" in dataset else None
    owners = (
        areas if subjects is None else [f"{a}, {s}" for a, s in zip(areas, subjects, strict=True)]
    )
    names = [f"rdm {number} ({owner})" for number, owner in enumerate(owners)]
    rdms = check_dissimilarities(found, names, f"{source}: dissimilarity")
    return recording_of_rdms(rdms, areas, subjects, stimulus_id)
