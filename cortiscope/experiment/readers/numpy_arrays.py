"""Responses, or dissimilarities, as an array of NumPy, alone or in an archive with others."""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from zipfile import BadZipFile, ZipFile, is_zipfile

import numpy as np

from cortiscope.errors import InputError
from cortiscope.experiment import plain_arrays, plain_rdms
from cortiscope.experiment.formats import Arrays, Late

if TYPE_CHECKING:
    import xarray as xr

FORMAT = "an array of NumPy (.npy, .npz)"
RANK = 0
READS: Mapping[str, tuple[str, ...]] = {"responses": plain_arrays.READS}
BEGINNING = b"\x93NUMPY"
HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
RENEW = "copy it anew, or save it by numpy.save as numbers or text"


def recognises(path: Path | None) -> bool:
    if path is None or not path.is_file():
        return False
    with path.open("rb") as file:
        if file.read(len(BEGINNING)) == BEGINNING:
            return True
    if not is_zipfile(path):
        return False
    with ZipFile(path) as archive:
        names = archive.namelist()
        return bool(names) and all(name.endswith(".npy") for name in names)


@contextmanager
def opened(source: Sequence[str], section: Mapping[str, Any]) -> Iterator[Arrays]:
    yield _held(source[0], section)


@contextmanager
def _readable(path: str) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except (ValueError, BadZipFile, EOFError, zlib.error) as error:
        raise InputError(path, f"is no readable array of NumPy ({error})", RENEW) from error


def _held(path: str, section: Mapping[str, Any]) -> Arrays:
    if is_zipfile(path):
        found = _archive(path)
        texts = {name: array for name, array in found.items() if array.dtype.kind in "US"}
        numbers = {name: array for name, array in found.items() if array.dtype.kind in "fiu"}
        others = {name: str(found[name].dtype) for name in set(found) - set(numbers)}
        return plain_arrays.of_file(path, numbers, texts, others, section)
    with _readable(path):
        values = np.load(path, mmap_mode="r")
    if section["variable"] == "dissimilarity":
        return plain_rdms.recording(path, {"": values}, section)
    return plain_arrays.recording(path, "", values, section, {})


def _archive(path: str) -> dict[str, Late]:
    """The arrays of an archive, of which only shapes are read."""
    arrays = {}
    with _readable(path), ZipFile(path) as archive:
        for member in archive.namelist():
            with archive.open(member) as file:
                shape, _, dtype = HEADERS[np.lib.format.read_magic(cast(Any, file))](file)
            name = member.removesuffix(".npy")
            arrays[name] = Late(shape, dtype, partial(_load, path, name))
    return arrays


def _load(path: str, name: str) -> np.ndarray:
    with _readable(path), np.load(path) as archive:
        return np.asarray(archive[name])


def read(
    source: Sequence[str], section: Mapping[str, Any], shown: "xr.Dataset | None" = None
) -> "xr.Dataset":
    with opened(source, section) as held:
        return held.dataset()
