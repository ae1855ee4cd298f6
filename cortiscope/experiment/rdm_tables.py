"""Dissimilarities in tables: square with names or without, condensed, or a row for each pair."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cortiscope.errors import InputError
from cortiscope.experiment import plain_rdms
from cortiscope.experiment.formats import Array, Arrays
from cortiscope.experiment.tables import (
    ONE_AREA,
    STIMULUS,
    as_ids,
    column_of,
    first_line,
    is_number,
    is_parquet,
    listed,
    numbered,
    read_table,
    separator_of,
)

SECOND = "stimulus_id_2"


def recording(path: str, section: Mapping[str, Any]) -> Arrays:
    """Square, with or without names; or condensed; or a row for each pair of stimuli."""
    first = first_line(path).split(separator_of(path))
    header = is_parquet(path) or not all(map(is_number, first))
    columns = read_table(path, header)
    if not header and len(next(iter(columns.values()))) == len(columns) + 1:
        header, columns = True, read_table(path)  # whose names are numbers
    if SECOND in columns:
        return _of_pairs(path, columns, section)
    texts = [column for column in columns.values() if column.dtype.kind == "U"]
    numbers = {name: column for name, column in columns.items() if column.dtype.kind in "fiu"}
    found: dict[str, Any] = {"": np.column_stack(list(numbers.values()))}
    if header and len(numbers) == len(found[""]):
        found["stimulus_id"] = np.array(list(numbers))
    held = plain_rdms.recording(path, found, section)
    if header and texts and not section.get("stimuli_table"):  # its rows may have another order
        rows = Array(("stimulus",), texts[0]), Array(("stimulus_2",), found["stimulus_id"])
        named = {"stimulus_id": rows[0], "stimulus_id_2": rows[1]}
        return Arrays(path, {**held.variables, **named})
    return held


def _of_pairs(path: str, columns: Mapping[str, np.ndarray], section: Mapping[str, Any]) -> Arrays:
    """A row for each pair of stimuli, in either order, of each area and subject."""
    one = section.get("stimulus_column") or column_of(columns, STIMULUS)
    named = section.get("array") or column_of(columns, ("value", "dissimilarity"))
    for name in (one, named):
        if name not in columns:
            remedy = "name columns stimulus_id, stimulus_id_2 and value"
            raise InputError(path, f"has the columns {listed(columns)}", remedy)
    first, second = as_ids(columns[one]), as_ids(columns[SECOND])
    ids, which = numbered(np.concatenate([first, second]))
    row, column = which[: len(first)], which[len(first) :]
    about = {k: v for k, v in columns.items() if k not in (one, SECOND, named)}
    keys = np.array(["\0".join(map(str, key)) for key in zip(*about.values(), strict=True)])
    matrices, of_matrix = numbered(keys) if about else (np.array([""]), np.zeros(len(row), int))
    rdms = np.full((len(matrices), len(ids), len(ids)), np.nan)
    rdms[of_matrix, row, column] = rdms[of_matrix, column, row] = columns[named]
    np.einsum("rss->rs", rdms)[...] = 0
    start = np.unique(of_matrix, return_index=True)[1]
    coordinates = {name: values[start] for name, values in about.items()}
    coordinates = coordinates or {"area": np.array([ONE_AREA])}
    arrays = {name: Array(("rdm",), values) for name, values in coordinates.items()}
    arrays["dissimilarity"] = Array(plain_rdms.DIMS, rdms)
    return Arrays(path, arrays | {"stimulus_id": Array(("stimulus",), ids)})
