"""Tables that stand beside recordings, or hold them: CSV, TSV and Parquet, as named columns.

A dry run looks into them, so that they are read by pyarrow, which pandas would take twice as long
to be imported beside.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from cortiscope.errors import InputError
from cortiscope.files import composed

ENDINGS = (".csv", ".tsv", ".parquet")
PARQUET = b"PAR1"
# What a column of stimuli, or of neuroids, may be called.
STIMULUS, NEUROID = ("stimulus_id", "image_id"), ("neuroid_id", "cell_specimen_id", "unit_id")
FILE = ("path", "filename", "image_file_name", "file")  # of a stimulus
ONE_AREA = "all"  # of neuroids of which nothing is known but their names
# Columns that name something, though all names may be numbers: 007 is not 7. "" is an index.
NAMING = (*STIMULUS, *NEUROID, *FILE, "stimulus_id_2", "subject", "")
HEADER = 2**16  # bytes, in which the first line of a table ends


def file_beside(source: str, entry: str) -> str:
    """The file that is called as a source is: of betas.npy, betas.neuroids.csv; "" where none is.

    entry: `neuroids_table` or `stimuli_table` of the config; of `images`, of stimuli.csv the
    archive stimuli.zip, or the folder stimuli. Of another none is looked for.
    """
    of, _, table = entry.partition("_")
    path = Path(source)
    stem = path.with_suffix("").stem if path.suffix == ".gz" else path.stem
    names = [f"{stem}.{of}{ending}" for ending in ENDINGS if table]
    names += [f"{stem}.zip", stem] if entry == "images" else []
    beside = (path.with_name(name) for name in names)
    return next((str(file) for file in beside if file.exists()), "")


def read_table(path: str, header: bool = True) -> dict[str, np.ndarray]:
    """Every column of a table, by its name: numbers, or text where any value is none.

    Of numbers, NaN is what is empty. Columns of NAMING are text as it is written. header: whether
    the first line names columns; else they are numbered from 0.
    Errors: InputError where the file is no table, or has a column twice.
    """
    about = Path(path).stat()
    return _read(path, header, about.st_size, about.st_mtime_ns)


@lru_cache(maxsize=8)  # since a dry run asks for sizes, names and areas one by one
def _read(path: str, header: bool, size: int, changed: int) -> dict[str, np.ndarray]:
    import pyarrow as pa  # not at the top: few studies have tables

    try:
        table = _parquet(path) if is_parquet(path) else _text(path, header)
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        problem = f"is no table ({str(error).splitlines()[0]})"
        raise InputError(
            path, problem, "write a line for each row, all of as many cells"
        ) from error
    names = [composed(name) for name in table.column_names]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{path}: {name}", "is a column twice", "name columns apart")
    return {name: _column(table, place) for place, name in enumerate(names)}


def is_parquet(path: str | Path) -> bool:
    with Path(path).open("rb") as file:
        return file.read(len(PARQUET)) == PARQUET


def _parquet(path: str) -> Any:
    from pyarrow import parquet

    return parquet.read_table(path)


def _text(path: str, header: bool) -> Any:
    import pyarrow as pa
    from pyarrow import csv

    separator = separator_of(path)
    parse = csv.ParseOptions(delimiter=separator, newlines_in_values=True)
    read = csv.ReadOptions(autogenerate_column_names=not header)
    texts = dict.fromkeys(NAMING, pa.string())
    convert = csv.ConvertOptions(column_types=texts)
    return csv.read_csv(path, read_options=read, parse_options=parse, convert_options=convert)


def first_line(path: str | Path) -> str:
    """Of a text file; "" where it is none. Errors: OSError where it cannot be read."""
    with Path(path).open("rb") as file:
        first = file.read(HEADER).partition(b"\n")[0]
    try:
        line = first.decode("utf-8-sig").rstrip("\r")
    except UnicodeDecodeError:
        return ""
    return line if line.isprintable() or "\t" in line else ""


def separator_of(path: str | Path) -> str:
    """What stands between the cells of a table: a tab, a semicolon or a comma."""
    line = first_line(path)
    return max("\t;,", key=line.count)


def _column(table: Any, place: int) -> np.ndarray:
    import pyarrow as pa

    name, column = composed(table.column_names[place]), table.column(place)
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_boolean(kind):
        column, kind = column.cast(pa.int8()), pa.int8()
    empty = pa.types.is_null(kind)
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or empty
    if number and name not in NAMING:
        return np.asarray(column.cast(pa.float64()) if column.null_count or empty else column)
    words = column.cast(pa.string()).fill_null("")
    return np.array([composed(word) for word in words.to_pylist()], dtype=str)


def column_of(columns: Mapping[str, np.ndarray], names: tuple[str, ...]) -> str:
    """The first of some names that a table has; "" where it has none."""
    return next((name for name in names if name in columns), "")


def stimuli_of(path: str, column: str = "") -> np.ndarray:
    """The stimuli of a table that has a row for each of them, or for each presentation: (row,).

    column: that names them; "" = one of STIMULUS.
    """
    columns = read_table(path)
    name = column or column_of(columns, STIMULUS)
    if name not in columns:
        remedy = f"name it {' or '.join(STIMULUS)}, or say which is in responses.stimulus_column"
        raise InputError(f"{path}: {column or STIMULUS[0]}", "is no column", remedy)
    return as_ids(columns[name])


def no_stimuli(path: str) -> InputError:
    """The complaint that nothing says which stimuli a recording is of."""
    remedy = "give responses.stimuli_table, a table with a column stimulus_id and a row for each"
    return InputError(f"{path}: stimulus_id", "is missing", remedy)


def as_ids(values: np.ndarray) -> np.ndarray:
    """Names as text; of numbers that are whole, without a point: 7.0 is stimulus 7."""
    whole = values.dtype.kind == "f" and np.isfinite(values).all() and (values % 1 == 0).all()
    return np.asarray((values.astype(np.int64) if whole else values).astype(str))


def neuroids_of(path: str) -> dict[str, np.ndarray]:
    """The coordinates of the neuroids in a table that has a row for each."""
    columns = dict(read_table(path))
    named = column_of(columns, NEUROID)
    if named and named != "neuroid_id":
        columns["neuroid_id"] = columns.pop(named)
    return columns
