"""Stimuli and recordings as xarray has them: written whole to netCDF files.

Apart from both, so that an edit of how recordings are read brings in no stimuli anew.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xarray as xr

from cortiscope.files import replacing

CHUNK = 2**18  # numbers that are compressed together: a megabyte


def save(dataset: xr.Dataset, path: str | Path, provenance: Mapping[str, Any]) -> None:
    """Write a dataset as compressed netCDF-4, atomically, with its provenance."""
    compressed: dict[Any, dict[str, Any]] = {
        name: {"zlib": True, "complevel": 1}
        for name, variable in dataset.data_vars.items()
        if variable.dtype.kind in "fiu"
    }
    if "image" in compressed:  # a stimulus at a time, as they are read
        compressed["image"]["chunksizes"] = (1, *dataset["image"].shape[1:])
    if "response" in compressed:  # some stimuli at a time, of all neuroids
        length, *rest = dataset["response"].shape
        at_once = max(1, CHUNK // max(1, math.prod(rest)))
        compressed["response"]["chunksizes"] = (min(length, at_once), *rest)
    with replacing(path) as temporary:
        dataset.assign_attrs(provenance).to_netcdf(temporary, encoding=compressed)


def variables_along(dataset: xr.Dataset, dimension: str) -> dict[str, Any]:
    """Every one-dimensional variable along a dimension."""
    return {
        str(name): (dimension, variable.values)
        for name, variable in dataset.variables.items()
        if variable.dims == (dimension,)
    }
