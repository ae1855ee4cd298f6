"""Stimuli of any format, brought to the one form that every rule reads."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import xarray as xr

from cortiscope.errors import InputError
from cortiscope.experiment.formats import IMAGE, IMAGE_DIMS, find, opened
from cortiscope.experiment.late_images import Blocks, late
from cortiscope.experiment.netcdf import variables_along
from cortiscope.experiment.sizes import check_images
from cortiscope.experiment.stimulus_ids import read_ids
from cortiscope.files import replacing

# Of white: what resizing adds at edges; and what the brightest pixel of a set of images passes.
OVERSHOOT, DIM = 0.1, 0.1
MISSING = ("_FillValue", "missing_value")


def read_stimuli(
    source: str | Path | None, settings: Mapping[str, Any] = IMAGE, left_out: Sequence[str] = ()
) -> xr.Dataset:
    """Stimuli from a file or a folder, or simulated (None), without those of ids to leave out.

    settings: what the format reads of `stimuli` of the config.
    Returns `image (stimulus, y, x, channel)` uint8, 0..255, with `stimulus_id` and every other
    coordinate of the stimuli that the source has (see the readers of images and of shapes). Images
    of a file or a folder are read when they are asked for: index them before `values`.
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


@contextmanager
def stored(
    stimuli: xr.Dataset, path: str | Path, provenance: Mapping[str, Any]
) -> Iterator[netCDF4.Dataset]:
    """Write stimuli as `read_stimuli` gives them, image by image, compressed, atomically.

    Gives the file, still open to be read and added to; it is in its place when that is done.
    """
    image = stimuli["image"].variable
    with replacing(path) as temporary:
        stimuli.drop_vars("image").assign_attrs(provenance).to_netcdf(temporary)
        with netCDF4.Dataset(temporary, "a") as dataset:
            dataset.set_auto_mask(False)
            for name, size in zip(IMAGE_DIMS, image.shape, strict=True):
                if name not in dataset.dimensions:
                    dataset.createDimension(name, size)
            chunks = (1, *image.shape[1:])  # a stimulus at a time, as they are read
            written = dataset.createVariable(
                "image", "u1", IMAGE_DIMS, compression="zlib", complevel=1, chunksizes=chunks
            )
            for number in range(len(image)):
                written[number] = image[number].values
            yield dataset


def _in_one_form(dataset: xr.Dataset, variable: str, source: str) -> xr.Dataset:
    image = dataset[variable].transpose("stimulus", ...).variable
    missing = [image.encoding[name] for name in MISSING if name in image.encoding]
    images = Blocks(image)
    white = _white(images, f"{source}: {variable}", missing)
    axes = [image.dims.index(name) - 1 for name in IMAGE_DIMS[1:] if name in image.dims]
    shape = len(images), dataset.sizes["y"], dataset.sizes["x"], 3

    def read(some: range) -> np.ndarray:
        found = np.empty((len(some), *shape[1:]), np.uint8)
        for place, number in zip(found, some, strict=True):
            levels = _levels(images[number], white).transpose(axes)
            place[...] = levels if levels.ndim == 3 else levels[..., None]
        return found

    along = variables_along(dataset, "stimulus")
    return xr.Dataset({"image": late(IMAGE_DIMS, shape, np.uint8, read)}, coords=along)


def grey_levels(values: np.ndarray, where: str, missing: Sequence[Any] = ()) -> np.ndarray:
    """Pixels (stimulus, ...) as grey levels, uint8, 0 (black) to 255 (white).

    White is 1 where no pixel is brighter than that, be they true and false, integers or
    floating-point numbers; else 255. Floating-point numbers may pass black and white by a tenth of
    white, as resizing leaves them, which is cut off. missing: what the file has for NaN, to say so.
    Errors: InputError for NaN, and for numbers of another range (such as of images that were
    normalised), or none of which reaches a tenth of white.
    """
    white = _white(values, where, missing)
    return np.stack([_levels(image, white) for image in values])


def _white(images: Any, where: str, missing: Sequence[Any]) -> int:
    """The number that stands for white in images, of which one at a time is looked at."""
    lowest: Any = np.inf
    highest: Any = -np.inf
    for stimulus, image in enumerate(images):
        if image.dtype.kind == "f" and np.isnan(image).any():
            named = "".join(f" ({value}, by its attributes)" for value in missing if value == value)
            problem = f"NaN{named} in stimulus number {stimulus}"
            raise InputError(where, problem, "remove or repair that image")
        whole = image.astype(np.int8) if image.dtype == bool else image
        lowest, highest = min(lowest, whole.min()), max(highest, whole.max())
        if image.dtype == np.uint8 and highest >= DIM * 255:
            return 255  # whatever the others hold
    beyond = OVERSHOOT if image.dtype.kind == "f" else 0.0  # as a share of white
    white = 1 if highest <= 1 + beyond else 255
    if lowest < -beyond * white or not DIM * white <= highest <= (1 + beyond) * white:
        raise InputError(
            where,
            f"runs from {lowest} to {highest}",
            "store grey levels from 0 to 255, or shares of white from 0 to 1",
        )
    return white


def _levels(image: np.ndarray, white: int) -> np.ndarray:
    if image.dtype == np.uint8 and white == 255:
        return image
    return np.rint(255 / white * image.astype(np.float64).clip(0, white)).astype(np.uint8)
