"""Responses, or dissimilarities, as a table: CSV, TSV or Parquet, long or wide."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cortiscope.errors import InputError
from cortiscope.experiment import plain_rdms, presentations
from cortiscope.experiment.formats import Array, Arrays
from cortiscope.experiment.plain_arrays import with_area
from cortiscope.experiment.tables import (
    NEUROID,
    ONE_AREA,
    STIMULUS,
    as_ids,
    column_of,
    first_line,
    is_parquet,
    neuroids_of,
    read_table,
    separator_of,
    stimuli_of,
)

if TYPE_CHECKING:
    import xarray as xr

FORMAT = "a table (.csv, .tsv, .parquet)"
RANK = 2  # any text with commas might be one
READS: Mapping[str, tuple[str, ...]] = {
    "responses": (
        *("variable", "area", "array", "neuroids_table", "stimuli_table", "stimulus_column"),
        "exclude",
    )
}
VALUES = ("value", "response")
# Columns of numbers, in wide tables, that are of no neuroid.
OF_PRESENTATIONS = (
    *("repetition", "presentation", "trial", "block", "run", "session"),
    *("onset", "duration", "start_time", "stop_time"),
)
SECOND = "stimulus_id_2"


def recognises(path: Path | None) -> bool:
    if path is None or not path.is_file():
        return False
    if is_parquet(path):
        return True
    line = first_line(path)
    return separator_of(path) in line or _is_number(line)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@contextmanager
def opened(source: Sequence[str], section: Mapping[str, Any]) -> Iterator[Arrays]:
    path = source[0]
    if section["variable"] == "dissimilarity":
        yield _dissimilarities(path, section)
        return
    columns = read_table(path)
    stimulus = section.get("stimulus_column") or column_of(columns, STIMULUS)
    neuroid = column_of(columns, NEUROID)
    if stimulus and stimulus not in columns:
        raise InputError(f"{path}: {stimulus}", "is no column", f"name one of {_some(columns)}")
    if stimulus and neuroid:
        yield _long(path, columns, stimulus, neuroid, section)
    elif stimulus or section.get("stimuli_table"):
        yield _wide(path, columns, stimulus, section)
    elif neuroid:
        yield _wide_by_stimuli(path, columns, neuroid, section)
    else:
        remedy = "name one stimulus_id, or say which is in responses.stimulus_column"
        raise InputError(path, f"has the columns {_some(columns)}, none of stimuli", remedy)


def _some(names: Mapping[str, Any]) -> str:
    shown = ", ".join(list(names)[:8])
    return shown + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _long(
    path: str,
    columns: Mapping[str, np.ndarray],
    stimulus: str,
    neuroid: str,
    section: Mapping[str, Any],
) -> Arrays:
    """A row for each response. Columns that are the same in all rows of a neuroid are its own."""
    named = section.get("array") or column_of(columns, VALUES)
    if named not in columns or columns[named].dtype.kind not in "fiu":
        remedy = f"set responses.array to the column of the responses: {_some(columns)}"
        raise InputError(f"{path}: {named or VALUES[0]}", "is no column of numbers", remedy)
    changed = Path(path).stat().st_mtime_ns
    exclude = tuple(section.get("exclude", ()))
    ids, response, about = _arranged(path, stimulus, neuroid, named, exclude, changed)
    dims = ("stimulus", "neuroid", "repetition")
    held = Array(dims, response) if response.shape[2] > 1 else Array(dims[:2], response[:, :, 0])
    arrays = {"response": held, "stimulus_id": Array(("stimulus",), ids)}
    return _arrays(path, arrays, _merged(path, about, section))


@lru_cache(maxsize=1)  # since a dry run asks for sizes, names and areas one by one
def _arranged(
    path: str, stimulus: str, neuroid: str, named: str, exclude: tuple[str, ...], changed: int
) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """The stimuli, responses (stimulus, neuroid, repetition), and coordinates of the neuroids."""
    columns = read_table(path)
    kept = presentations.kept(len(columns[stimulus]), {"exclude": exclude}, columns)
    columns = {name: column[kept] for name, column in columns.items()}
    shown = as_ids(columns[stimulus])
    ids, of_stimulus = _numbered(shown)
    keys = columns[neuroid]
    if "subject" in columns:
        owners = columns["subject"].tolist()
        keys = np.array(["\0".join(key) for key in zip(owners, keys.tolist(), strict=True)])
    _, of_neuroid = _numbered(keys)
    n_neuroids = of_neuroid.max(initial=-1) + 1
    cell = of_stimulus * n_neuroids + of_neuroid
    if "repetition" in columns:
        of_repetition = np.unique(columns["repetition"], return_inverse=True)[1]
    else:
        of_repetition = _occurrences(cell)
    n_repetitions = of_repetition.max(initial=0) + 1
    place = cell * n_repetitions + of_repetition
    twice = np.flatnonzero(_occurrences(place))
    if len(twice):
        row = twice[0]
        where = f"{path}: {shown[row]}, {neuroid} {columns[neuroid][row]}"
        remedy = "number repetitions apart, or leave that column out"
        raise InputError(where, f"has repetition {columns['repetition'][row]} twice", remedy)
    values = columns[named]
    response = np.full((len(ids), n_neuroids, n_repetitions), np.nan, _held(values.dtype))
    response.ravel()[place] = values
    first = np.unique(of_neuroid, return_index=True)[1]
    about = {
        name: column[first]
        for name, column in columns.items()
        if name not in (stimulus, named, "repetition") and _same(column, column[first][of_neuroid])
    }
    about["neuroid_id"] = about.pop(neuroid, columns[neuroid][first])
    return ids, response, about


def _held(dtype: np.dtype) -> np.dtype:
    return np.result_type(dtype, np.float32)


def _numbered(names: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct names in the order in which each first stands, and which of these each is."""
    distinct, first, which = np.unique(names, return_index=True, return_inverse=True)
    order = np.argsort(first)
    return distinct[order], np.argsort(order)[which]


def _occurrences(values: np.ndarray) -> np.ndarray:
    """How often each value stood before: (value,)."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    lengths = np.diff(np.r_[starts, len(values)])
    found = np.empty(len(values), dtype=np.int64)
    found[order] = np.arange(len(values)) - np.repeat(starts, lengths)
    return found


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.array_equal(one, other, equal_nan=one.dtype.kind == "f"))


def _wide(
    path: str, columns: Mapping[str, np.ndarray], stimulus: str, section: Mapping[str, Any]
) -> Arrays:
    """A row for each presentation, a column for each neuroid."""
    table = section.get("neuroids_table")
    known = set(map(str, neuroids_of(table).get("neuroid_id", ()))) if table else set()
    numbers = {
        name: column
        for name, column in columns.items()
        if column.dtype.kind in "fiu" and name != stimulus
    }
    for name in sorted(known & set(columns) - set(numbers)):
        remedy = "leave empty what was not recorded"
        raise InputError(f"{path}: {name}", "holds texts among its responses", remedy)
    names = [name for name in numbers if name in known] or [
        name for name in numbers if name not in OF_PRESENTATIONS
    ]
    if not names:
        raise InputError(path, f"has no column of numbers, but {_some(columns)}", "add neuroids")
    ids = stimuli_of(section["stimuli_table"]) if section.get("stimuli_table") else None
    shown = as_ids(columns[stimulus]) if ids is None else ids
    trials = np.column_stack([numbers[name] for name in names])
    if len(trials) != len(shown):
        problem = f"has {len(trials)} rows for {len(shown)} of {section['stimuli_table']}"
        raise InputError(path, problem, "give a row for each in both")
    about = _merged(path, {"neuroid_id": np.array(names)}, section)
    found = presentations.recording(trials, shown.tolist(), section, columns)
    return _arrays(path, found, about)


def _wide_by_stimuli(
    path: str, columns: Mapping[str, np.ndarray], neuroid: str, section: Mapping[str, Any]
) -> Arrays:
    """A row for each neuroid, a column for each stimulus; columns of text are the neuroids'."""
    about = {name: column for name, column in columns.items() if column.dtype.kind not in "fiu"}
    names = [name for name in columns if name not in about]
    about["neuroid_id"] = about.pop(neuroid)
    values = np.stack([columns[name] for name in names])
    arrays = {
        "response": Array(("stimulus", "neuroid"), values),
        "stimulus_id": Array(("stimulus",), np.array(names)),
    }
    return _arrays(path, arrays, _merged(path, about, section))


def _merged(
    path: str, about: Mapping[str, np.ndarray], section: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    """Coordinates of neuroids with those in the table of neuroids, found by their names."""
    names = about["neuroid_id"]
    if table := section.get("neuroids_table"):
        other = neuroids_of(table)
        rows = {
            name: row for row, name in enumerate(other.get("neuroid_id", np.array([])).tolist())
        }
        missing = [name for name in names.tolist() if name not in rows]
        if missing:
            problem = f"lacks {len(missing)} neuroids of {path} ({missing[0]!r})"
            remedy = "give it a column neuroid_id that names each"
            raise InputError(f"{table}: neuroid_id", problem, remedy)
        order = [rows[name] for name in names.tolist()]
        about = {**about, **{name: column[order] for name, column in other.items()}}
    return with_area(about, len(names), section)


def _arrays(path: str, arrays: Mapping[str, Array], about: Mapping[str, np.ndarray]) -> Arrays:
    return Arrays(path, {**arrays, **{name: Array(("neuroid",), v) for name, v in about.items()}})


def _dissimilarities(path: str, section: Mapping[str, Any]) -> Arrays:
    """Square, with or without names; or condensed; or a row for each pair of stimuli."""
    first = first_line(path).split(separator_of(path))
    header = is_parquet(path) or not all(map(_is_number, first))
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
            raise InputError(path, f"has the columns {_some(columns)}", remedy)
    first, second = as_ids(columns[one]), as_ids(columns[SECOND])
    ids, which = _numbered(np.concatenate([first, second]))
    row, column = which[: len(first)], which[len(first) :]
    about = {k: v for k, v in columns.items() if k not in (one, SECOND, named)}
    keys = np.array(["\0".join(map(str, key)) for key in zip(*about.values(), strict=True)])
    matrices, of_matrix = _numbered(keys) if about else (np.array([""]), np.zeros(len(row), int))
    rdms = np.full((len(matrices), len(ids), len(ids)), np.nan)
    rdms[of_matrix, row, column] = rdms[of_matrix, column, row] = columns[named]
    np.einsum("rss->rs", rdms)[...] = 0
    start = np.unique(of_matrix, return_index=True)[1]
    coordinates = {name: values[start] for name, values in about.items()}
    coordinates = coordinates or {"area": np.array([ONE_AREA])}
    arrays = {name: Array(("rdm",), values) for name, values in coordinates.items()}
    arrays["dissimilarity"] = Array(plain_rdms.DIMS, rdms)
    return Arrays(path, arrays | {"stimulus_id": Array(("stimulus",), ids)})


def read(
    source: Sequence[str], section: Mapping[str, Any], shown: "xr.Dataset | None" = None
) -> "xr.Dataset":
    with opened(source, section) as held:
        return held.dataset()
