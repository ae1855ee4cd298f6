"""Stimuli of real studies, brought to the one form that every rule reads."""

from pathlib import Path

import numpy as np
import xarray as xr

from cortiscope.errors import InputError
from cortiscope.experiment.images import list_images, read_image
from cortiscope.experiment.recordings import _along, _loaded
from cortiscope.experiment.sizes import check_images
from cortiscope.experiment.stimulus_ids import image_id, read_ids
from cortiscope.experiment.stored_images import SIZES, SIZES_DIMS, padded
from cortiscope.files import opened

IMAGE_DIMS = ("stimulus", "y", "x", "channel")


def read_stimuli(source: str | Path, variable: str = "image") -> xr.Dataset:
    """Read stimuli from a netCDF file or a folder of images.

    Returns `image (stimulus, y, x, channel)` uint8, 0..255, with `stimulus_id` and every other
    coordinate of the stimuli that the file has (for a folder: `category`, the subfolder; where its
    images differ in size, `image_size (stimulus, side)`, height and width in pixels).
    Errors: InputError for a missing variable, values that are not grey levels, repeated ids.
    """
    ids = read_ids(source)
    found = _from_folder(Path(source)) if Path(source).is_dir() else _from_file(source, variable)
    # As text, whatever the file has: 7 in one file and "7" in another are the same stimulus.
    return found.assign_coords(stimulus_id=("stimulus", np.array(ids)))


def _from_folder(folder: Path) -> xr.Dataset:
    files = list_images(folder)
    images, sizes = padded([read_image(file) for file in files])
    found = xr.Dataset(
        {"image": (IMAGE_DIMS, images)},
        coords={
            "stimulus_id": ("stimulus", [image_id(file, folder) for file in files]),
            "category": ("stimulus", [file.relative_to(folder).parent.name for file in files]),
        },
    )
    return found if (sizes == sizes[0]).all() else found.assign({SIZES: (SIZES_DIMS, sizes)})


def _from_file(source: str | Path, variable: str) -> xr.Dataset:
    with opened(source) as header, xr.open_dataset(source) as opened_dataset:
        check_images(header, variable)
        dataset = _loaded(opened_dataset, header)
    image = dataset[variable]
    _check_grey_levels(image.values, f"{source}: {variable}")
    if "channel" not in image.dims:
        image = image.expand_dims(channel=3, axis=-1)
    image = image.transpose(*IMAGE_DIMS).drop_vars("channel", errors="ignore")
    image = image.astype(np.uint8).reset_coords(drop=True)
    return xr.Dataset({"image": image}, coords=_along(dataset, "stimulus"))


def _check_grey_levels(values: np.ndarray, where: str) -> None:
    if values.dtype.kind == "f" and np.isnan(values).any():
        stimulus = int(np.argwhere(np.isnan(values))[0][0])
        raise InputError(where, f"NaN in stimulus number {stimulus}", "remove or repair that image")
    if values.min() < 0 or values.max() > 255 or (values.dtype.kind == "f" and values.max() <= 1):
        raise InputError(
            where, f"runs from {values.min()} to {values.max()}", "store grey levels from 0 to 255"
        )
