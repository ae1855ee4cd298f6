"""Stimuli of any format, brought to the one form that every rule reads."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from cortiscope.errors import InputError
from cortiscope.experiment.formats import IMAGE, IMAGE_DIMS, find, opened
from cortiscope.experiment.netcdf import variables_along
from cortiscope.experiment.sizes import check_images
from cortiscope.experiment.stimulus_ids import read_ids

# Of white: what resizing adds at edges; and what the brightest pixel of a set of images passes.
OVERSHOOT, DIM = 0.1, 0.1
MISSING = ("_FillValue", "missing_value")


def read_stimuli(
    source: str | Path | None, settings: Mapping[str, Any] = IMAGE, left_out: Sequence[str] = ()
) -> xr.Dataset:
    """Stimuli from a file or a folder, or simulated (None), without those of ids to leave out.

    settings: what the format reads of `stimuli` of the config.
    Returns `image (stimulus, y, x, channel)` uint8, 0..255, with `stimulus_id` and every other
    coordinate of the stimuli that the source has (see the readers of images and of shapes).
    Errors: InputError for a missing variable, repeated ids, and as `grey_levels`.
    """
    sources = [] if source is None else [str(source)]
    reader, ids = find("stimuli", sources), read_ids("stimuli", settings, sources)
    variable = settings["variable"] if "variable" in reader.READS["stimuli"] else ""
    if variable:
        with opened("stimuli", settings, sources) as (held, _):
            check_images(held, variable)
    found = reader.read(sources, settings, None)
    if variable:
        found = _in_one_form(found, variable, str(source))
    # As text, whatever the file has: 7 in one file and "7" in another are the same stimulus.
    found = found.assign_coords(stimulus_id=("stimulus", np.array(ids)))
    return found.isel(stimulus=~np.isin(ids, left_out)) if left_out else found


def _in_one_form(dataset: xr.Dataset, variable: str, source: str) -> xr.Dataset:
    image = dataset[variable]
    missing = [image.encoding[name] for name in MISSING if name in image.encoding]
    if "channel" not in image.dims:
        image = image.expand_dims(channel=3, axis=-1)
    image = image.transpose(*IMAGE_DIMS)
    grey = grey_levels(image.values, f"{source}: {variable}", missing)
    return xr.Dataset({"image": (IMAGE_DIMS, grey)}, coords=variables_along(dataset, "stimulus"))


def grey_levels(values: np.ndarray, where: str, missing: Sequence[Any] = ()) -> np.ndarray:
    """Pixels (stimulus, ...) as grey levels, uint8, 0 (black) to 255 (white).

    White is 1 where no pixel is brighter than that, be they true and false, integers or
    floating-point numbers; else 255. Floating-point numbers may pass black and white by a tenth of
    white, as resizing leaves them, which is cut off. missing: what the file has for NaN, to say so.
    Errors: InputError for NaN, and for numbers of another range (such as of images that were
    normalised), or none of which reaches a tenth of white.
    """
    values = values.astype(np.int8) if values.dtype == bool else values
    if values.dtype.kind == "f" and np.isnan(values).any():
        stimulus = int(np.argwhere(np.isnan(values))[0][0])
        named = "".join(f" ({value}, by its attributes)" for value in missing if value == value)
        problem = f"NaN{named} in stimulus number {stimulus}"
        raise InputError(where, problem, "remove or repair that image")
    beyond = OVERSHOOT if values.dtype.kind == "f" else 0.0  # as a share of white
    lowest, highest = values.min(), values.max()
    white = 1 if highest <= 1 + beyond else 255
    if lowest < -beyond * white or not DIM * white <= highest <= (1 + beyond) * white:
        raise InputError(
            where,
            f"runs from {lowest} to {highest}",
            "store grey levels from 0 to 255, or shares of white from 0 to 1",
        )
    if values.dtype == np.uint8 and white == 255:
        return values
    levels = np.empty(values.shape, np.uint8)
    for place, image in zip(levels, values, strict=True):  # one by one, to need little memory
        place[...] = np.rint(255 / white * image.astype(np.float64).clip(0, white))
    return levels
