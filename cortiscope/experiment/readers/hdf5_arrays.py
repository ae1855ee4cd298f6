"""Responses, or dissimilarities, as an array of an HDF5 file, of MATLAB (save -v7.3) or another."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cortiscope.experiment import hdf5, plain_arrays
from cortiscope.experiment.formats import Arrays, Late

if TYPE_CHECKING:
    import xarray as xr

FORMAT = "an HDF5 file (.h5, MATLAB's .mat of version 7.3)"
RANK = 0
READS: Mapping[str, tuple[str, ...]] = {"responses": plain_arrays.READS}


def recognises(path: Path | None) -> bool:
    return path is not None and hdf5.kind(path) in ("HDF5", "MATLAB")


@contextmanager
def opened(source: Sequence[str], section: Mapping[str, Any]) -> Iterator[Arrays]:
    """By the paths of its arrays in the file. MATLAB's axes are in MATLAB's order."""
    path, of_matlab = source[0], hdf5.kind(Path(source[0])) == "MATLAB"
    with hdf5.opened(path) as file:
        found: dict[str, Any] = {}
        texts: dict[str, Late] = {}
        others: dict[str, str] = {}
        for name, dataset in hdf5.datasets(file).items():
            kind = hdf5.matlab_class(dataset)
            if dataset.dtype.kind in "fiu" and kind not in ("char", "cell"):
                order = range(dataset.ndim)[::-1] if of_matlab else range(dataset.ndim)
                found[name] = plain_arrays.Turned(dataset, order)
                continue
            others[name] = kind or "text"
            if dataset.ndim and sum(axis > 1 for axis in dataset.shape) <= 1:
                length = (int(np.prod(dataset.shape)),)
                texts[name] = Late(length, np.dtype(str), partial(hdf5.texts, dataset))
        yield plain_arrays.of_file(path, found, texts, others, section)


def read(
    source: Sequence[str], section: Mapping[str, Any], shown: "xr.Dataset | None" = None
) -> "xr.Dataset":
    with opened(source, section) as held:
        return held.dataset()
