"""Features that were made elsewhere: `architecture` is a file of them.

.npz         an array (stimulus, ...) for each layer; if there are, `stimulus_id` and `depth`
.npy         one layer, of the file's name
.nc          a variable for each layer, along the dimension of `stimulus_id`, or a group for each,
             with a variable `features` or a single one; an attribute `depth` where it has one
.csv .parquet  a column `stimulus_id`, and a number in all others: one layer, of the file's name

Without `stimulus_id`, rows are in the order of the study's stimuli. Without depths, that of the
layer at place i of n, from 0, is (i + 1)/n.
"""

import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from cortiscope.errors import InputError
from cortiscope.experiment.stimulus_ids import check_unique, without
from cortiscope.file_names import decoded
from cortiscope.files import labels, opened, read_coordinate
from cortiscope.networks.sources import given

ID, DEPTH, FEATURES = "stimulus_id", "depth", "features"
NAMED = 5  # stimuli, in a message
UNREAD = -1  # for a number of rows that no header says


@dataclass(frozen=True)
class Held:
    """What an open file holds.

    shapes: of each layer, in order, stimulus first; read: a layer by name; ids: reads those of the
    stimuli, None where there are none; depths: of those layers of which the file says it.
    """

    shapes: Mapping[str, tuple[int, ...]]
    read: Callable[[str], np.ndarray]
    ids: Callable[[], list[str]] | None = None
    depths: Mapping[str, float] = field(default_factory=dict)


class Source(given.Source):
    """The layers of a file."""

    def given(self, stimuli: given.Stimuli) -> list[given.Given]:
        with held(self.row["architecture"]) as file:
            n = len(file.shapes)
            return [
                given.Given(name, file.depths.get(name, (i + 1) / n), shape[1:] or (1,))
                for i, (name, shape) in enumerate(file.shapes.items())
            ]

    def values(self, stimuli: str, names: Sequence[str]) -> Iterator[tuple[str, np.ndarray]]:
        path = self.row["architecture"]
        shown = read_coordinate(stimuli, ID).astype(str).tolist()
        with held(path) as file:
            with _readable(path):
                rows = _rows(file, shown, path)
            for name in names:
                with _readable(path):
                    read = file.read(name)[rows].reshape(len(rows), -1)
                # As it is in the file, where single precision is not enough.
                yield name, read.astype(np.float64 if read.dtype == np.float64 else np.float32)


def _rows(file: Held, shown: Sequence[str], path: str) -> list[int]:
    """Where each stimulus of the study stands in a file."""
    n_rows = next(iter(file.shapes.values()))[0]
    if file.ids is None:
        if n_rows != len(shown):
            raise InputError(
                path,
                f"has {n_rows} rows and no {ID}, where the study has {len(shown)} stimuli",
                f"add {ID}, or give a row for each stimulus in their order",
            )
        _say(f"{path} has no {ID}: its rows are taken to be in the order of the study's stimuli")
        return [*range(n_rows)]
    ids = file.ids()
    if n_rows not in (UNREAD, len(ids)):
        problem = f"has {len(ids)} values for {n_rows} rows"
        raise InputError(f"{path}: {ID}", problem, "give one for each row")
    check_unique(ids, f"{path}: {ID}")
    if missing := without(shown, ids):
        some = ", ".join(map(repr, missing[:NAMED])) + (", ..." if missing[NAMED:] else "")
        raise InputError(
            f"{path}: {ID}",
            f"lacks {len(missing)} of the {len(shown)} stimuli: {some}",
            "add them, or give both the same names",
        )
    if extra := len(ids) - len(shown):
        _say(f"{path}: {extra} rows are of no stimulus of the study, and left out")
    position = {name: row for row, name in enumerate(ids)}
    return [position[name] for name in shown]


def _say(line: str) -> None:
    print(f"note: {line}", file=sys.stderr, flush=True)


@contextmanager
def held(path: str) -> Iterator[Held]:
    """An open file of features; an InputError for one that is none."""
    reader = READERS.get(Path(path).suffix.lower())
    if reader is None:
        raise InputError(path, "is of no format of features", f"use {', '.join(READERS)}")
    with ExitStack() as opening:
        with _readable(path):
            file = opening.enter_context(reader(path))
        _check(file, path)
        yield file


@contextmanager
def _readable(path: str) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except (OSError, ValueError, zipfile.BadZipFile) as error:  # pyarrow's are ValueErrors
        line = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(path, f"cannot be read ({line})", "save it again") from error


def _check(file: Held, path: str) -> None:
    if not file.shapes:
        raise InputError(path, "holds no layers", "give an array (stimulus, feature) for each")
    counts = {name: shape[0] if shape else 0 for name, shape in file.shapes.items()}
    (first, n), *others = counts.items()
    for name, count in others:
        if count != n:
            problem = f"{name} has {count} stimuli, and {first} {n}"
            raise InputError(path, problem, "give each a row for every stimulus")
    for name, depth in file.depths.items():
        if not 0 <= depth <= 1:
            raise InputError(f"{path}: {name}", f"depth {depth} is out of range", "give 0 to 1")


@contextmanager
def _npz(path: str) -> Iterator[Held]:
    with np.load(path, allow_pickle=False) as archive, zipfile.ZipFile(path) as members:
        names = [name for name in archive.files if name not in (ID, DEPTH)]
        ids = (lambda: _texts(archive[ID])) if ID in archive.files else None
        depths: dict[str, float] = {}
        if DEPTH in archive.files:
            given_depths = np.atleast_1d(archive[DEPTH]).tolist()
            if len(given_depths) != len(names):
                problem = f"has {len(given_depths)} values for {len(names)} layers"
                raise InputError(f"{path}: {DEPTH}", problem, "give one for each, in their order")
            depths = dict(zip(names, given_depths, strict=True))
        yield Held({name: _shape(members, name, path) for name in names}, archive.get, ids, depths)


def _shape(members: zipfile.ZipFile, name: str, path: str) -> tuple[int, ...]:
    """Of an array in an archive, without reading its values, which may be gigabytes."""
    with members.open(f"{name}.npy") as member:
        version = np.lib.format.read_magic(member)
        old = version == (1, 0)
        header = np.lib.format.read_array_header_1_0 if old else np.lib.format.read_array_header_2_0
        shape, _, dtype = header(member)
    _check_numbers(dtype, f"{path}: {name}")
    return shape


def _check_numbers(dtype: Any, where: str) -> None:
    if dtype.kind not in "fiub":
        raise InputError(where, f"holds {dtype}, and not numbers", "leave it out, or convert it")


@contextmanager
def _npy(path: str) -> Iterator[Held]:
    values = np.load(path, mmap_mode="r", allow_pickle=False)
    _check_numbers(values.dtype, path)
    yield Held({Path(path).stem: values.shape}, lambda _: np.asarray(values))


@contextmanager
def _netcdf(path: str) -> Iterator[Held]:
    with opened(path) as dataset:
        has_ids = ID in dataset.variables
        along = dataset[ID].dimensions[0] if has_ids else "stimulus"
        layers = {
            name: variable
            for name, variable in dataset.variables.items()
            if name != ID and variable.ndim > 1 and variable.dimensions[0] == along
        }
        for name, group in dataset.groups.items():
            only = next(iter(group.variables)) if len(group.variables) == 1 else FEATURES
            if only not in group.variables:
                problem = f"has several variables, and none is {FEATURES!r}"
                raise InputError(f"{path}: {name}", problem, "name one so")
            layers[decoded(name)] = group[only]
        for name, variable in layers.items():
            _check_numbers(np.dtype(variable.dtype), f"{path}: {name}")
        depths = {}
        for name, variable in layers.items():
            for said in (variable, variable.group()):
                if said is not dataset and DEPTH in said.ncattrs():
                    depths[name] = float(said.getncattr(DEPTH))
        shapes = {name: variable.shape for name, variable in layers.items()}
        ids = (lambda: labels(dataset, ID)) if has_ids else None
        yield Held(shapes, lambda name: np.asarray(layers[name][...]), ids, depths)


@contextmanager
def _table(path: str) -> Iterator[Held]:
    # Here, as planning asks for the headers of other formats too.
    import pyarrow
    from pyarrow import csv, parquet

    as_text = csv.ConvertOptions(column_types={ID: pyarrow.string()})  # 007 is not 7
    if path.lower().endswith(".csv"):
        schema = csv.open_csv(path, convert_options=as_text).schema  # of its first lines
        whole = cache(lambda: csv.read_csv(path, convert_options=as_text))
    else:
        schema = parquet.read_schema(path)
        whole = cache(lambda: parquet.read_table(path))
    if ID not in schema.names:
        raise InputError(path, f"has no column {ID!r}", f"it has {_some(schema.names)}")
    columns = [name for name in schema.names if name != ID]
    for name in columns:
        _check_numbers(np.dtype(schema.field(name).type.to_pandas_dtype()), f"{path}: {name}")

    def read(_: str) -> np.ndarray:
        return np.column_stack([whole()[name].to_numpy() for name in columns])

    shapes = {Path(path).stem: (UNREAD, len(columns))} if columns else {}
    yield Held(shapes, read, lambda: _texts(np.array(whole()[ID].to_pylist())))


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (", ..." if names[NAMED:] else "")


def _texts(values: np.ndarray) -> list[str]:
    return [str(value) for value in values.astype(str).tolist()]


READERS = {
    ".npz": _npz,
    ".npy": _npy,
    ".nc": _netcdf,
    ".csv": _table,
    ".parquet": _table,
}
