"""Stimuli and recordings of real studies, brought to the one form that every rule reads."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from PIL import Image, UnidentifiedImageError

from cortiscope.errors import InputError
from cortiscope.files import opened, replacing
from cortiscope.rsa import principal_coordinates
from cortiscope.sizes import area_names, list_images


def save(dataset: xr.Dataset, path: str | Path, provenance: Mapping[str, Any]) -> None:
    """Write a dataset as compressed netCDF-4, atomically, with its provenance."""
    compressed = {
        name: {"zlib": True, "complevel": 1}
        for name, variable in dataset.data_vars.items()
        if variable.dtype.kind in "fiu"
    }
    with replacing(path) as temporary:
        dataset.assign_attrs(provenance).to_netcdf(temporary, encoding=compressed)


def read_stimuli(source: str | Path, variable: str = "image") -> xr.Dataset:
    """Read stimuli from a netCDF file or a folder of images.

    Returns `image (stimulus, y, x, channel)` uint8, 0..255, with `stimulus_id` and every other
    coordinate of the stimuli that the file has (for a folder: `category`, the subfolder).
    Errors: InputError for a missing variable, values that are not grey levels, repeated ids.
    """
    found = _from_folder(Path(source)) if Path(source).is_dir() else _from_file(source, variable)
    ids, counts = np.unique(found["stimulus_id"].values, return_counts=True)
    if (counts > 1).any():
        raise InputError(
            f"{source}: stimulus_id", f"{ids[counts > 1][0]!r} stands twice", "make ids unique"
        )
    return found


def _from_folder(folder: Path) -> xr.Dataset:
    images, files = [], list_images(folder)
    for file in files:
        try:
            images.append(np.asarray(Image.open(file).convert("RGB")))
        except (UnidentifiedImageError, OSError) as error:
            raise InputError(
                str(file), "is not a readable image", "replace or remove it"
            ) from error
        if images[-1].shape != images[0].shape:
            raise InputError(
                str(file),
                f"is {images[-1].shape[:2]} pixels where {files[0].name} is {images[0].shape[:2]}",
                "bring all images to one size",
            )
    relative = [file.relative_to(folder) for file in files]
    return xr.Dataset(
        {"image": (("stimulus", "y", "x", "channel"), np.stack(images))},
        coords={
            "stimulus_id": ("stimulus", [str(path.with_suffix("")) for path in relative]),
            "category": ("stimulus", [path.parent.name for path in relative]),
        },
    )


def _from_file(source: str | Path, variable: str) -> xr.Dataset:
    with opened(source), xr.open_dataset(source) as opened_dataset:
        dataset = opened_dataset.load()
    where = f"{source}: {variable}"
    if variable not in dataset:
        known = ", ".join(map(str, dataset.data_vars))
        raise InputError(where, "no such variable", f"set stimuli.variable to one of {known}")
    image = dataset[variable]
    if not {"stimulus", "y", "x"} <= set(image.dims):
        raise InputError(where, f"has dimensions {image.dims}", "name them stimulus, y, x, channel")
    _check_grey_levels(image.values, where)
    if "channel" not in image.dims:
        image = image.expand_dims(channel=3, axis=-1)
    image = image.transpose("stimulus", "y", "x", "channel").drop_vars("channel", errors="ignore")
    about = _along(dataset, "stimulus")
    if "stimulus_id" not in about:
        raise InputError(f"{source}: stimulus_id", "is missing", "add it as a coordinate")
    return xr.Dataset({"image": image.astype(np.uint8).reset_coords(drop=True)}, coords=about)


def _check_grey_levels(values: np.ndarray, where: str) -> None:
    if values.dtype.kind == "f" and np.isnan(values).any():
        stimulus = int(np.argwhere(np.isnan(values))[0][0])
        raise InputError(where, f"NaN in stimulus number {stimulus}", "remove or repair that image")
    if values.min() < 0 or values.max() > 255 or (values.dtype.kind == "f" and values.max() <= 1):
        raise InputError(
            where, f"runs from {values.min()} to {values.max()}", "store grey levels from 0 to 255"
        )


def _along(dataset: xr.Dataset, dimension: str) -> dict[str, Any]:
    """Every one-dimensional variable along a dimension."""
    return {
        str(name): (dimension, variable.values)
        for name, variable in dataset.variables.items()
        if variable.dims == (dimension,)
    }


def read_responses(
    source: str, variable: str, area: str | list[str], stimulus_id: np.ndarray
) -> xr.Dataset:
    """Read recordings, or dissimilarities, in the order of the stimuli.

    variable: `response` (stimulus[, repetition], neuroid) or `dissimilarity`
        (rdm, stimulus, stimulus_2). area: the coordinate(s) that name the area.
    stimulus_id: (stimulus,), the stimuli that the networks see.

    Returns `response` with `area`, `neuroid_id` and the file's other neuroid coordinates; from
    dissimilarities, their principal coordinates with `weight`, and the dissimilarities themselves.
    Errors: InputError where the file disagrees with the stimuli or has not what is asked for.
    """
    with opened(source) as header:
        areas = np.array(area_names(header, area))
    with xr.open_dataset(source) as opened_dataset:
        dataset = opened_dataset.load()
    dataset = dataset.isel(stimulus=_order(dataset, stimulus_id, source))
    if variable == "dissimilarity":
        dataset = dataset.isel(stimulus_2=_order(dataset, stimulus_id, source, "stimulus_2"))
        return _coordinates_of_rdms(dataset, areas, stimulus_id, source)
    response = dataset[variable]
    if not {"stimulus", "neuroid"} <= set(response.dims) <= {"stimulus", "repetition", "neuroid"}:
        raise InputError(
            f"{source}: {variable}",
            f"has dimensions {response.dims}",
            "name them stimulus, repetition, neuroid",
        )
    if np.isinf(response.values).any():
        raise InputError(f"{source}: {variable}", "holds infinities", "use NaN for not recorded")
    order = [d for d in ("stimulus", "repetition", "neuroid") if d in response.dims]
    about = _along(dataset, "neuroid") | {
        "area": ("neuroid", areas),
        "stimulus_id": ("stimulus", stimulus_id),
    }
    about.setdefault("neuroid_id", ("neuroid", [f"{a}-{i}" for i, a in enumerate(areas)]))
    values = response.transpose(*order).astype(np.float32).reset_coords(drop=True)
    return xr.Dataset({"response": values}, coords=about)


def _order(
    dataset: xr.Dataset, stimulus_id: np.ndarray, source: str, dimension: str = "stimulus"
) -> list[int]:
    """Where each of the study's stimuli stands in the recording."""
    name = "stimulus_id" if dimension == "stimulus" else "stimulus_id_2"
    known = dataset[name if name in dataset else "stimulus_id"].values.astype(str).tolist()
    position = {key: index for index, key in enumerate(known)}
    missing = [key for key in stimulus_id if key not in position]
    extra = len(position) - (len(stimulus_id) - len(missing))
    if missing or extra:
        raise InputError(
            f"{source}: {name}",
            f"{len(missing)} stimuli have no responses{f' ({missing[0]!r})' if missing else ''} and"
            f" {extra} responses have no stimulus",
            "give both files the same stimulus_id values",
        )
    return [position[key] for key in stimulus_id]


def _coordinates_of_rdms(
    dataset: xr.Dataset, areas: np.ndarray, stimulus_id: np.ndarray, source: str
) -> xr.Dataset:
    """Neuroids of areas that are known by dissimilarities only: see `rsa.principal_coordinates`."""
    rdms = dataset["dissimilarity"].transpose("rdm", "stimulus", "stimulus_2").values
    if not np.isfinite(rdms).all() or not np.allclose(rdms, rdms.swapaxes(1, 2), atol=1e-5):
        raise InputError(
            f"{source}: dissimilarity", "not symmetric, or not finite", "give whole matrices"
        )
    subjects = dataset["subject"].values.astype(str) if "subject" in dataset else areas
    matrices, owners, parts, weights, members = [], [], [], [], []
    for name in dict.fromkeys(areas.tolist()):
        # Sessions of one subject are averaged first, so that every subject counts the same.
        own = [
            rdms[(areas == name) & (subjects == subject)].mean(axis=0, dtype=np.float64)
            for subject in dict.fromkeys(subjects[areas == name].tolist())
        ]
        coordinates, eigenvalues = principal_coordinates(np.mean(own, axis=0))
        matrices += own
        owners += [name] * len(own)
        parts.append(coordinates)
        weights.append(eigenvalues)
        members += [f"{name}-{number:03d}" for number in range(len(eigenvalues))]
    return xr.Dataset(
        {
            "response": (("stimulus", "neuroid"), np.hstack(parts).astype(np.float32)),
            "weight": ("neuroid", np.concatenate(weights)),
            "dissimilarity": (("rdm", "stimulus", "stimulus_2"), np.stack(matrices)),
        },
        coords={
            "stimulus_id": ("stimulus", stimulus_id),
            "neuroid_id": ("neuroid", members),
            "area": ("neuroid", [member.rsplit("-", 1)[0] for member in members]),
            "rdm_area": ("rdm", owners),
        },
    )
