"""Responses, or dissimilarities, as an array of a MATLAB file before version 7.3 (save -v7)."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cortiscope.errors import InputError
from cortiscope.experiment import plain_arrays
from cortiscope.experiment.formats import Arrays, Late

if TYPE_CHECKING:
    import xarray as xr

FORMAT = "a MATLAB file (.mat)"
RANK = 0
READS: Mapping[str, tuple[str, ...]] = {"responses": plain_arrays.READS}
BEGINNING = b"MATLAB 5.0 MAT-file"
# What classes of MATLAB are to NumPy; others (cell, struct, char, ...) are no numbers.
NUMBERS = {
    **{"double": "f8", "single": "f4", "logical": "u1"},
    **{f"{sign}int{bits}": f"{sign or 'i'}{bits // 8}" for sign in ("", "u") for bits in (8, 16)},
    **{f"{sign}int{bits}": f"{sign or 'i'}{bits // 8}" for sign in ("", "u") for bits in (32, 64)},
}
TEXTS = ("cell", "char")


def recognises(path: Path | None) -> bool:
    if path is None or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(BEGINNING)) == BEGINNING


@contextmanager
def opened(source: Sequence[str], section: Mapping[str, Any]) -> Iterator[Arrays]:
    from scipy.io import whosmat  # not at the top: a dry run of other formats need not wait for it

    path = source[0]
    with _readable(path):
        held = whosmat(path)
    found = {
        name: Late(shape, np.dtype(NUMBERS[kind]), partial(_numbers, path, name, NUMBERS[kind]))
        for name, shape, kind in held
        if kind in NUMBERS
    }
    texts = {
        name: Late(shape, np.dtype(str), partial(_texts, path, name))
        for name, shape, kind in held
        if kind in TEXTS and sum(axis > 1 for axis in shape) <= 1
    }
    others = {name: kind for name, _, kind in held if kind not in NUMBERS}
    yield plain_arrays.of_file(path, found, texts, others, section)


@contextmanager
def _readable(path: str) -> Iterator[None]:
    from scipy.io.matlab import MatReadError

    try:
        yield
    except (MatReadError, ValueError, TypeError, EOFError, OSError, IndexError) as error:
        problem = f"is no readable MATLAB file ({error})"
        raise InputError(path, problem, "copy it anew, or save it again from MATLAB") from error


def _load(path: str, name: str) -> np.ndarray:
    from scipy.io import loadmat

    with _readable(path):
        values = np.asarray(loadmat(path, variable_names=[name])[name])
    if np.iscomplexobj(values):
        remedy = "store their real part, or their size"
        raise InputError(f"{path}: {name}", "holds complex numbers", remedy)
    return values


def _numbers(path: str, name: str, dtype: str) -> np.ndarray:
    """In MATLAB's own class, which files often store in fewer bytes."""
    return _load(path, name).astype(dtype)


def _texts(path: str, name: str) -> np.ndarray:
    """A cell array of texts, or rows of characters, as (text,); of no texts, none."""
    cells = _load(path, name)
    if cells.dtype != object:
        return np.array([str(row).rstrip() for row in cells.ravel()])
    words = [cell.ravel() for cell in cells.ravel()]
    whole = all(len(word) <= 1 and word.dtype.kind in "Uiu" for word in words)
    return (
        np.array([str(word[0]) if len(word) else "" for word in words]) if whole else np.array([])
    )


def read(
    source: Sequence[str], section: Mapping[str, Any], shown: "xr.Dataset | None" = None
) -> "xr.Dataset":
    with opened(source, section) as held:
        return held.dataset()
