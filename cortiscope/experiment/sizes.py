"""How large a study is, read from file headers: what the fan-out needs before any job runs.

`section` is `stimuli` or `responses` of the config; `source` its file or folder, none where
simulated.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

from cortiscope.errors import InputError
from cortiscope.experiment.formats import opened
from cortiscope.experiment.images import found_images
from cortiscope.files import labels

# netCDF has no half precision, and shows such numbers as text.
NUMBERS = "store integers, or floating-point numbers of 32 or 64 bits"
LIGHT_BYTES = 10**9  # a file of fewer takes a minute to bring in, and some gigabytes


def is_light(source: list[str]) -> bool:
    """Whether a file, or a folder of images, may be brought in where users log in, and others work.

    So are simulations.
    """
    files = [
        file
        for path in map(Path, source)
        for file in (found_images(path) if path.is_dir() else [path])
    ]
    return sum(file.stat().st_size for file in files) < LIGHT_BYTES


def image_bytes(section: Mapping[str, Any], source: list[str]) -> int:
    """Of a stimulus in memory; in a folder of images of the first that is found."""
    y, x = image_size(section, source)
    return 3 * y * x


def image_size(section: Mapping[str, Any], source: list[str]) -> tuple[int, int]:
    """y and x in pixels; in a folder of images of the first that is found."""
    with opened("stimuli", section, source) as (held, _):
        return len(held.dimensions["y"]), len(held.dimensions["x"])


def count_stimuli(section: Mapping[str, Any], source: list[str]) -> int:
    """The number of stimuli."""
    with opened("stimuli", section, source) as (held, named):
        check_images(held, named["variable"])
        return len(held.dimensions["stimulus"])


def check_images(dataset: netCDF4.Dataset, variable: str) -> None:
    """An InputError where a file has not the images that `stimuli.variable` names."""
    _check_variable(dataset, "stimuli", variable, ("stimulus", "y", "x"), ("channel",))
    images = dataset[variable]
    size = dict(zip(images.dimensions, images.shape, strict=True))
    if size.get("channel", 1) not in (1, 3):
        raise InputError(
            f"{dataset.filepath()}: {variable}", f"has {size['channel']} channels", "keep 1 or 3"
        )


def check_recording(dataset: netCDF4.Dataset, variable: str, area: str | list[str]) -> None:
    """An InputError where a file has not the recording, or the areas, that the config names."""
    of_rdms = variable == "dissimilarity"
    unit, optional = ("rdm", ()) if of_rdms else ("neuroid", ("repetition", "time"))
    needed = (unit, "stimulus", "stimulus_2") if of_rdms else ("stimulus", unit)
    _check_variable(dataset, "responses", variable, needed, optional)
    where = dataset.filepath()
    if not len(dataset.dimensions[unit]):
        raise InputError(f"{where}: {variable}", f"holds no {unit}", "add some")
    for name in [area] if isinstance(area, str) else area:
        if name not in dataset.variables:
            known = ", ".join(key for key in dataset.variables if key != variable)
            raise InputError(
                f"{where}: {name}", "no such coordinate", f"set responses.area to some of {known}"
            )
        if dataset[name].dimensions[:1] != (unit,):
            raise InputError(
                f"{where}: {name}",
                f"has dimensions {dataset[name].dimensions}",
                f"name an area for every {unit}",
            )


def _check_variable(
    dataset: netCDF4.Dataset,
    section: str,
    variable: str,
    needed: tuple[str, ...],
    optional: tuple[str, ...],
) -> None:
    where = f"{dataset.filepath()}: {variable}"
    if variable not in dataset.variables:
        known = ", ".join(dataset.variables)
        if dataset.groups:
            groups = ", ".join(dataset.groups)
            problem = f"no such variable outside of the file's groups, {groups}"
            raise InputError(where, problem, "write variables into no group")
        raise InputError(where, "no such variable", f"set {section}.variable to one of {known}")
    found = dataset[variable].dimensions
    if not set(needed) <= set(found) <= {*needed, *optional}:
        names = ", ".join([*needed, *(f"{name} (optional)" for name in optional)])
        raise InputError(where, f"has dimensions {', '.join(found)}", f"name them {names}")
    if not holds_numbers(dataset[variable]):
        raise InputError(where, "holds no numbers", NUMBERS)


def holds_numbers(variable: netCDF4.Variable) -> bool:
    return np.dtype(variable.dtype).kind in "fiu"


def count_neuroids(section: Mapping[str, Any], source: list[str]) -> dict[str, int]:
    """Area to its number of neuroids, in order of first appearance.

    Where only dissimilarities are known, as many mixtures as stimuli are (see `rdms`).
    """
    with opened("responses", section, source) as (held, named):
        check_recording(held, named["variable"], named["area"])
        areas = area_names(held, named["area"])
        if named["variable"] == "dissimilarity":
            return dict.fromkeys(areas, len(held.dimensions["stimulus"]))
        counts, bins = Counter(areas), time_bins(held, named["variable"])
        return {name: counts[area] for area in counts for name in in_time_bins(area, bins)}


def count_subjects(section: Mapping[str, Any], source: list[str]) -> dict[str, int]:
    """Area to the number of subjects in whom its neuroids were recorded; 1 where not known."""
    counts = dict.fromkeys(count_neuroids(section, source), 1)
    with opened("responses", section, source) as (held, named):
        known = "subject" in held.variables and held["subject"].dimensions == ("neuroid",)
        if not known or named["variable"] == "dissimilarity":
            return counts
        areas, bins = area_names(held, named["area"]), time_bins(held, named["variable"])
        pairs = Counter(area for area, _ in set(zip(areas, labels(held, "subject"), strict=True)))
        return {name: pairs[area] for area in pairs for name in in_time_bins(area, bins)}


def count_repetitions(section: Mapping[str, Any], source: list[str]) -> int:
    """The presentations of each stimulus; 1 where trials were averaged."""
    with opened("responses", section, source) as (held, named):
        dimensions = held[named["variable"]].dimensions
        return len(held.dimensions["repetition"]) if "repetition" in dimensions else 1


def time_bins(dataset: netCDF4.Dataset, variable: str) -> list[str]:
    """The times of a recording with a time axis, as text; none for one without."""
    if "time" not in dataset[variable].dimensions:
        return []
    if "time" not in dataset.variables:
        raise InputError(f"{dataset.filepath()}: time", "has no values", "add it as a coordinate")
    if not holds_numbers(dataset["time"]):
        remedy = "give times as numbers, such as seconds"
        raise InputError(f"{dataset.filepath()}: time", "holds no numbers", remedy)
    times = [f"{float(time):g}" for time in dataset["time"][...]]
    if len(set(times)) < len(times):
        raise InputError(f"{dataset.filepath()}: time", "has a value twice", "make times unique")
    return times


def in_time_bins(area: str, bins: list[str]) -> list[str]:
    """The names of an area at each time, each an area of its own to all that follows."""
    return [f"{area}.{time}" for time in bins] if bins else [area]


def area_names(dataset: netCDF4.Dataset, coordinates: str | list[str]) -> list[str]:
    """The area of every neuroid (or RDM): one coordinate, or several joined by `_`."""
    names = [coordinates] if isinstance(coordinates, str) else coordinates
    columns = [labels(dataset, name) for name in names]
    joined = ["_".join(parts) for parts in zip(*columns, strict=True)]
    if not all(name.strip() for name in joined):
        raise InputError(
            f"{dataset.filepath()}: area", "is empty for some of them", "name an area for each"
        )
    return joined
