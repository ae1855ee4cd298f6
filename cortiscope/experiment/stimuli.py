"""Stimuli of real studies, brought to the one form that every rule reads."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from cortiscope.errors import InputError
from cortiscope.experiment.images import list_images, read_image
from cortiscope.experiment.netcdf import loaded, variables_along
from cortiscope.experiment.sizes import check_images
from cortiscope.experiment.stimulus_ids import image_category, image_id, read_ids
from cortiscope.experiment.stored_images import SIZES, SIZES_DIMS, padded
from cortiscope.files import opened

# Of white: what resizing adds at edges; and what the brightest pixel of a set of images passes.
OVERSHOOT, DIM = 0.1, 0.1
MISSING = ("_FillValue", "missing_value")
IMAGE_DIMS = ("stimulus", "y", "x", "channel")


def read_stimuli(
    source: str | Path, variable: str = "image", left_out: Sequence[str] = ()
) -> xr.Dataset:
    """Read stimuli from a netCDF file or a folder of images, without those of ids to leave out.

    Returns `image (stimulus, y, x, channel)` uint8, 0..255, with `stimulus_id` and every other
    coordinate of the stimuli that the file has (for a folder: `category`, the subfolder; where its
    images differ in size, `image_size (stimulus, side)`, height and width in pixels).
    Errors: InputError for a missing variable, repeated ids, and as `grey_levels`.
    """
    ids = read_ids(source)
    found = _from_folder(Path(source)) if Path(source).is_dir() else _from_file(source, variable)
    # As text, whatever the file has: 7 in one file and "7" in another are the same stimulus.
    found = found.assign_coords(stimulus_id=("stimulus", np.array(ids)))
    return found.isel(stimulus=~np.isin(ids, left_out)) if left_out else found


def _from_folder(folder: Path) -> xr.Dataset:
    files = list_images(folder)
    images, sizes = padded([read_image(file) for file in files])
    found = xr.Dataset(
        {"image": (IMAGE_DIMS, images)},
        coords={
            "stimulus_id": ("stimulus", [image_id(file, folder) for file in files]),
            "category": ("stimulus", [image_category(file, folder) for file in files]),
        },
    )
    return found if (sizes == sizes[0]).all() else found.assign({SIZES: (SIZES_DIMS, sizes)})


def _from_file(source: str | Path, variable: str) -> xr.Dataset:
    with opened(source) as header, xr.open_dataset(source) as opened_dataset:
        check_images(header, variable)
        attributes = header[variable].__dict__
        missing = [attributes[name] for name in MISSING if name in attributes]
        dataset = loaded(opened_dataset, header)
    image = dataset[variable]
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
