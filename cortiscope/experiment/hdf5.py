"""HDF5 files, in which many formats are written: which of them one is of, and what it holds."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cortiscope.errors import InputError
from cortiscope.files import composed

if TYPE_CHECKING:
    import h5py

BEGINNING = b"\x89HDF\r\n\x1a\n"
OF_MATLAB, USER_BLOCK = b"MATLAB 7.", 512  # bytes of text before what is HDF5
NETCDF = b"_NCProperties"  # an attribute of all that netCDF's library wrote since 2016
LOOKED_AT = 2**16  # bytes of a file in which that stands, almost always


def kind(path: Path) -> str:
    """`netCDF`, `NWB`, `MATLAB` or other `HDF5`; "" for what is not written in HDF5.

    Damaged files of HDF5 are left to the reader of netCDF, which says what is wrong with them.
    """
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        first = file.read(LOOKED_AT)
    if first.startswith(OF_MATLAB) and first[USER_BLOCK:].startswith(BEGINNING):
        return "MATLAB"
    if not first.startswith(BEGINNING):
        return ""
    if NETCDF in first:
        return "netCDF"
    import h5py  # not at the top: netCDF files need none

    try:
        with h5py.File(path, "r") as file:
            if "nwb_version" in file.attrs or "nwb_version" in file:
                return "NWB"
            named = "_NCProperties" in file.attrs or any(
                "CLASS" in item.attrs or "DIMENSION_LIST" in item.attrs for item in file.values()
            )
            return "netCDF" if named else "HDF5"
    except OSError:
        return "netCDF"


@contextmanager
def opened(path: str) -> "Iterator[h5py.File]":
    import h5py

    try:
        file = h5py.File(path, "r")
    except OSError as error:
        remedy = "it may be cut short: copy it anew"
        raise InputError(path, f"not a readable HDF5 file ({error})", remedy) from error
    with file:
        yield file


def datasets(group: "h5py.Group") -> "dict[str, h5py.Dataset]":
    """Every dataset below a group, by its path, but for what MATLAB keeps for itself."""
    import h5py

    found: dict[str, h5py.Dataset] = {}

    def collect(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and not name.startswith("#"):
            found[name] = item

    group.visititems(collect)
    return found


def matlab_class(dataset: "h5py.Dataset") -> str:
    """`double`, `cell`, `char`, ... of what MATLAB wrote; "" of others."""
    found = dataset.attrs.get("MATLAB_class", b"")
    return found.decode() if isinstance(found, bytes) else str(found)


def texts(dataset: "h5py.Dataset") -> np.ndarray:
    """Texts (text,), of one dimension or of MATLAB's two, be they cells; none of other cells."""
    import h5py

    if h5py.check_ref_dtype(dataset.dtype) is not None:
        file = dataset.file
        cells = [file[reference] for reference in np.asarray(dataset[...]).ravel()]
        if not all(matlab_class(cell) == "char" for cell in cells):
            return np.array([])
        return np.array([_characters(np.asarray(cell[...])) for cell in cells])
    if matlab_class(dataset) == "char":
        return np.array([_characters(np.asarray(dataset[...]))])
    values = np.asarray(dataset.asstr()[...] if h5py.check_string_dtype(dataset.dtype) else dataset)
    return np.array([composed(str(value)) for value in values.ravel()])


def _characters(codes: np.ndarray) -> str:
    """MATLAB's UTF-16 numbers; of an empty text it stores its shape, of two zeros."""
    if not codes.any():
        return ""
    return composed(codes.astype("<u2").ravel().tobytes().decode("utf-16-le"))
