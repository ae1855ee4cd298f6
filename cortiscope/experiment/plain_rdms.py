"""Dissimilarities as plain arrays: square or condensed matrices, of one area or several."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from cortiscope.errors import InputError
from cortiscope.experiment.formats import Array, Arrays, Late
from cortiscope.experiment.tables import (
    ONE_AREA,
    STIMULUS,
    as_ids,
    column_of,
    neuroids_of,
    no_stimuli,
    stimuli_of,
)

DIMS = ("rdm", "stimulus", "stimulus_2")


def recording(path: str, found: Mapping[str, Any], section: Mapping[str, Any]) -> Arrays:
    """`dissimilarity (rdm, stimulus, stimulus_2)` of the arrays of a file that are matrices.

    found: name to array, square (..., stimulus, stimulus) or condensed (..., pair), the pairs above
    the diagonal row by row, as SciPy has them. Of several arrays, or one that is named, the area
    is the array's name; matrices of one array are of a `subject` each. `neuroids_table` may say
    otherwise, with a row for each matrix. `responses.array` takes one array alone.
    """
    for entry in ("dims", "exclude"):
        if section.get(entry):
            where, problem = f"config: responses.{entry}", "is not read of dissimilarities"
            raise InputError(where, problem, "leave it out")
    stimuli = _stimuli(path, found, section)
    asked = section.get("array") or ("dissimilarity" if "dissimilarity" in found else "")
    if asked and asked not in found:
        remedy = f"set responses.array to one of {', '.join(found)}"
        raise InputError(f"{path}: {asked}", "no such array", remedy)
    other = {*STIMULUS, section.get("stimulus_column") or STIMULUS[0]}
    numbers = [n for n, a in found.items() if a.dtype.kind in "fiu" and n not in other]
    names = [asked] if asked else [name for name in numbers if n_stimuli(found[name].shape)]
    if not names:
        seen = ", ".join(f"{name} {tuple(map(int, array.shape))}" for name, array in found.items())
        remedy = "give square matrices, or the pairs above the diagonal (condensed)"
        raise InputError(path, f"holds no dissimilarities, but {seen}", remedy)
    sizes = {name: n_stimuli(found[name].shape) for name in names}
    size = len(stimuli) if stimuli is not None else sizes[names[0]]
    for name, own in sizes.items():
        if own != size:
            problem = f"is of {own} stimuli, not {size}" if own else "holds no matrices"
            raise InputError(f"{path}: {name}", problem, "give matrices of the same stimuli")
    if stimuli is None:
        raise no_stimuli(path)
    counts = [_n_matrices(found[name].shape) for name in names]
    about = _about(path, names, counts, section)
    values = Late(
        (sum(counts), size, size),
        np.dtype(np.float64),
        lambda: np.concatenate([_square(np.asarray(found[name][...]), size) for name in names]),
    )
    arrays = {"dissimilarity": Array(DIMS, values), "stimulus_id": Array(("stimulus",), stimuli)}
    return Arrays(path, arrays | {key: Array(("rdm",), v) for key, v in about.items()})


def _stimuli(path: str, found: Mapping[str, Any], section: Mapping[str, Any]) -> np.ndarray | None:
    column = section.get("stimulus_column", "")
    if table := section.get("stimuli_table"):
        return stimuli_of(table, column)
    named = column or column_of(found, STIMULUS)
    return as_ids(np.asarray(found[named][...]).ravel()) if named in found else None


def _about(
    path: str, names: list[str], counts: list[int], section: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    """The coordinates of the matrices: their areas, and subjects."""
    if table := section.get("neuroids_table"):
        about = neuroids_of(table)
        rows = max(map(len, about.values()), default=0)
        if rows != sum(counts):
            problem = f"has {rows} rows, where {path} holds {sum(counts)} matrices"
            raise InputError(table, problem, "give a row for each")
        return about
    areas = np.repeat([name or ONE_AREA for name in names], counts)
    numbers = np.concatenate([np.arange(count) for count in counts])
    several = max(counts) > 1
    return {"area": areas} | ({"subject": numbers.astype(str)} if several else {})


def n_stimuli(shape: tuple[int, ...]) -> int:
    """How many stimuli matrices of this shape are of, square or condensed; 0 where of neither."""
    if len(shape) >= 2 and shape[-1] == shape[-2] > 1:
        return int(shape[-1])
    if len(shape) == 2 and 1 in shape and max(shape) > 1:  # as MATLAB has vectors
        shape = (max(shape),)
    pairs = int(shape[-1]) if 1 <= len(shape) <= 2 else 0
    size = (1 + math.isqrt(1 + 8 * pairs)) // 2
    return size if pairs and size * (size - 1) // 2 == pairs else 0


def _n_matrices(shape: tuple[int, ...]) -> int:
    if len(shape) >= 2 and shape[-1] == shape[-2]:
        return math.prod(shape[:-2])
    return 1 if len(shape) == 1 or 1 in shape else int(shape[0])


def _square(values: np.ndarray, size: int) -> np.ndarray:
    """Matrices of any form as (rdm, stimulus, stimulus)."""
    if values.ndim >= 2 and values.shape[-1] == values.shape[-2] == size:
        return values.reshape(-1, size, size).astype(np.float64)
    pairs = values.reshape(-1, size * (size - 1) // 2)
    whole = np.zeros((len(pairs), size, size))
    row, column = np.triu_indices(size, 1)
    whole[:, row, column] = whole[:, column, row] = pairs
    return whole
