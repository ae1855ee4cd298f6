"""The formats in which stimuli and responses come: a module of `readers` each, and nothing else.

Which format a file or folder is of is seen in what it holds. A reader is found among the modules of
that folder, by name, so that another format reruns no study.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np

from cortiscope.errors import InputError
from cortiscope.experiment import readers

if TYPE_CHECKING:
    import xarray as xr  # half a second that who only looks into a file need not wait for

SIMULATED = "shapes"  # the source that is no file
# What arrays are called where a format leaves no choice: `variable`, and `area`, of a section.
IMAGE, RESPONSE = {"variable": "image"}, {"variable": "response", "area": "area"}
NAMES: Mapping[str, Mapping[str, str]] = {"stimuli": IMAGE, "responses": RESPONSE}
IMAGE_DIMS = ("stimulus", "y", "x", "channel")
FIRST_BYTES = 8  # of a file in no known format, to say what was seen
# Entries of a section that name files beside its source; and all that only some formats read.
FILES = ("neuroids_table", "stimuli_table", "atlas", "images")
OF_SOME_FORMATS = (
    *(*FILES, "array", "dims"),
    *("presentations", "stimulus_column", "exclude", "window", "baseline"),
)


@dataclass(frozen=True)
class Array:
    """An array with named dimensions, as netCDF4's variables have them.

    values: what has a shape and a dtype, and is read where it is indexed (a NumPy array, or one
        that stays in its file until then). attributes: such as `units`.
    """

    dimensions: tuple[str, ...]
    values: Any
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.values.shape)

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(self.values.dtype)

    @property
    def ndim(self) -> int:
        return len(self.dimensions)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    def __getitem__(self, place: Any) -> np.ndarray:
        return np.asarray(self.values[place])

    def ncattrs(self) -> list[str]:
        return []


@dataclass(frozen=True)
class Late:
    """The values of an array whose shape is known before it is read, once, by `load`."""

    shape: tuple[int, ...]
    dtype: np.dtype
    load: Callable[[], np.ndarray]

    @cached_property
    def values(self) -> np.ndarray:
        return self.load()

    def __getitem__(self, place: Any) -> np.ndarray:
        return np.asarray(self.values[place])


@dataclass(frozen=True)
class Arrays:
    """What a file of any format holds, as netCDF4's `Dataset` says it: named arrays, read late."""

    path: str
    variables: Mapping[str, Array]
    groups: tuple[str, ...] = ()

    @property
    def dimensions(self) -> dict[str, range]:
        return {
            name: range(length)
            for array in self.variables.values()
            for name, length in zip(array.dimensions, array.shape, strict=True)
        }

    def __getitem__(self, name: str) -> Array:
        return self.variables[name]

    def filepath(self) -> str:
        return self.path

    def dataset(self) -> "xr.Dataset":
        """The same in memory."""
        import xarray as xr  # not at the top: see above

        return xr.Dataset(
            {
                name: (array.dimensions, array[...], dict(array.attributes))
                for name, array in self.variables.items()
            }
        )


class Reader(Protocol):
    """A module of `readers`.

    FORMAT: its name in messages. RANK: readers are asked from the lowest; 0, but for a format on
    which others build. READS: what it brings in, `stimuli` or `responses` or both, to the entries
    of that section of the config that it reads.
    """

    FORMAT: str
    RANK: int
    READS: Mapping[str, tuple[str, ...]]

    def recognises(self, path: Path | None) -> bool:
        """Whether a file or folder that is there is of this format; None where simulated."""

    def opened(
        self, source: Sequence[str], section: Mapping[str, Any]
    ) -> AbstractContextManager[Any]:
        """What it holds, to look at: `Arrays`, or netCDF4's `Dataset`.

        With dimensions and coordinates as in the files that config/README.md describes; what is
        not in READS has the name that NAMES gives it.
        """

    def read(
        self, source: Sequence[str], section: Mapping[str, Any], shown: "xr.Dataset | None"
    ) -> "xr.Dataset":
        """The same in memory; shown: of responses, the stimuli in the one form.

        Where `variable` is in READS, common steps bring it to the one form, else it is in that.
        """


def find(kind: str, source: Sequence[str]) -> Reader:
    """The reader of `stimuli` or `responses`; source: their file or folder, none where simulated.

    Errors: InputError where there is no such file, or where no reader recognises it.
    """
    path = Path(source[0]) if source else None
    if path is not None and not path.exists():
        raise InputError(str(path), "no such file", "check the path in the config")
    able = [reader for reader in _readers() if kind in reader.READS]
    try:
        found = next((reader for reader in able if reader.recognises(path)), None)
    except OSError as error:
        problem = f"cannot be opened ({error.strerror})"
        raise InputError(str(path), problem, "see to its permissions and its disk") from error
    if found is None:
        *known, last = (reader.FORMAT for reader in able if not reader.recognises(None))
        remedy = f"give {', '.join(known)} or {last}" if known else f"give {last}"
        raise InputError(str(path), f"{_seen(path)}, no format known of {kind}", remedy)
    return found


def _seen(path: Path | None) -> str:
    if path is None or path.is_dir():
        return "is a folder"
    with path.open("rb") as file:
        first = file.read(FIRST_BYTES)
    return f"begins with {first!r}" if first else "is empty"


@cache
def _readers() -> tuple[Reader, ...]:
    names = sorted(found.name for found in pkgutil.iter_modules(readers.__path__))
    modules = [importlib.import_module(f"{readers.__name__}.{name}") for name in names]
    return tuple(sorted((cast(Reader, module) for module in modules), key=lambda one: one.RANK))


def module(kind: str, source: Sequence[str]) -> str:
    """The name of the reader within the library, as `code_digest` takes it."""
    return cast(Any, find(kind, source)).__name__.removeprefix("cortiscope.")


@contextmanager
def opened(
    kind: str, section: Mapping[str, Any], source: Sequence[str]
) -> Iterator[tuple[Any, Mapping[str, Any]]]:
    """What a source holds, and what its arrays are called: by `section`, or else by NAMES."""
    reader = find(kind, source)
    read = {name: section[name] for name in reader.READS[kind] if name in NAMES[kind]}
    with reader.opened(source, section) as held:
        yield held, {**NAMES[kind], **read}
