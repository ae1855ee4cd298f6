"""netCDF files, of stimuli and of responses, as config/README.md describes them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cortiscope import files

if TYPE_CHECKING:
    import xarray as xr

FORMAT = "a netCDF file"
RANK = 1  # HDF5, in which it is written, holds other formats too
READS = {"stimuli": ("variable",), "responses": ("variable", "area")}
BEGINNINGS = (b"\x89HDF\r\n\x1a\n", b"CDF\x01", b"CDF\x02", b"CDF\x05")


def recognises(path: Path | None) -> bool:
    if path is None or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(BEGINNINGS[0])).startswith(BEGINNINGS)


@contextmanager
def opened(source: Sequence[str], section: Mapping[str, Any]) -> Iterator[Any]:
    with files.opened(source[0]) as dataset:
        yield dataset


def read(
    source: Sequence[str], section: Mapping[str, Any], shown: "xr.Dataset | None" = None
) -> "xr.Dataset":
    """All of a file in memory, but for images, which are read when they are asked for.

    All its text, be it stored as bytes, as `files.labels` reads it.
    """
    import xarray as xr  # not at the top: see `formats`

    late = "" if "area" in section else section["variable"]  # of stimuli, which have no areas
    with files.opened(source[0]) as header, xr.open_dataset(source[0]) as opened_dataset:
        dataset = (opened_dataset.drop_vars(late) if late else opened_dataset).load()
        for name, variable in dataset.variables.items():
            if np.dtype(header[str(name)].dtype).kind in "US" and variable.ndim == 1:
                text = files.labels(header, str(name))
                dataset = dataset.assign({name: (variable.dims, text)})
    if late:
        from cortiscope.experiment.late_images import late_in_file

        dataset = dataset.assign({late: late_in_file(source[0], late)})
    return dataset
