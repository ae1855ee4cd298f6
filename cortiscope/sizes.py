"""How large a study is, read from file headers: what the fan-out needs before any job runs."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

from cortiscope.errors import InputError
from cortiscope.files import opened
from cortiscope.simulated_brain import AREAS

IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")


def count_stimuli(section: Mapping[str, Any], source: list[str]) -> int:
    """The number of stimuli; section: `stimuli` of the config; source: its file or folder."""
    if not source:
        return int(section["count"])
    if Path(source[0]).is_dir():
        return len(list_images(source[0]))
    with opened(source[0]) as dataset:
        if "stimulus" not in dataset.dimensions:
            raise InputError(source[0], "has no dimension `stimulus`", "rename its image dimension")
        return len(dataset.dimensions["stimulus"])


def list_images(folder: str | Path) -> list[Path]:
    """The images below a folder, sorted by path."""
    images = sorted(p for p in Path(folder).rglob("*") if p.suffix.lower() in IMAGE_ENDINGS)
    if not images:
        raise InputError(str(folder), "holds no images", f"use {', '.join(IMAGE_ENDINGS)}")
    return images


def count_neuroids(section: Mapping[str, Any], source: list[str]) -> dict[str, int]:
    """Area to its number of neuroids, in order of first appearance.

    Where only dissimilarities are known, the n − 1 principal coordinates are the neuroids.
    """
    if not source:
        return dict.fromkeys(AREAS, int(section["neuroids"]))
    with opened(source[0]) as dataset:
        variable, where = section["variable"], f"{source[0]}: {section['variable']}"
        if variable not in dataset.variables:
            known = ", ".join(dataset.variables)
            raise InputError(where, "no such variable", f"set responses.variable to one of {known}")
        areas = area_names(dataset, section["area"])
        if variable == "dissimilarity":
            n_coordinates = len(dataset.dimensions["stimulus"]) - 1
            return dict.fromkeys(areas, n_coordinates)
        return dict(Counter(areas))


def area_names(dataset: netCDF4.Dataset, coordinates: str | list[str]) -> list[str]:
    """The area of every neuroid (or RDM): one coordinate, or several joined by `_`."""
    names = [coordinates] if isinstance(coordinates, str) else coordinates
    for name in names:
        if name not in dataset.variables:
            raise InputError(
                f"{dataset.filepath()}: {name}", "no such coordinate", "correct responses.area"
            )
    columns = [np.asarray(dataset[name][...]).astype(str) for name in names]
    joined = ["_".join(parts) for parts in zip(*columns, strict=True)]
    for name in joined:
        if not name.replace("_", "").replace("-", "").replace(".", "").isalnum():
            raise InputError(
                f"{dataset.filepath()}: area",
                f"{name!r} cannot name a file",
                "use letters, digits, . _ and -",
            )
    return joined
