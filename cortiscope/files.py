"""netCDF-4 files with named dimensions: written whole or not at all, read lazily, with provenance.

Only numpy and netCDF4 are imported here: a fit job starts thousands of times, and xarray (which
brings pandas) would double its start-up. Every file opens in xarray as it is.
"""

import fcntl
import glob
import hashlib
import json
import os
import shutil
import tempfile
import time
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import netCDF4
import numpy as np

from cortiscope.errors import InputError
from cortiscope.file_names import decoded, encoded
from cortiscope.versions import git_commit, versions

REMADE = "delete it, and the next run makes it again"
RENEW = "copy it anew, or delete it if the workflow made it"
ABANDONED = 86_400  # seconds: a temporary file that is older has no writer
FULL = 2**20  # bytes: a disk with less is taken for full
PROVENANCE_PACKAGES = ("numpy", "netCDF4", "snakemake", "timm", "torch", "torchvision", "xarray")


class Variable(NamedTuple):
    """An array with the names of its dimensions and its attributes (units, long_name)."""

    dims: tuple[str, ...]
    values: np.ndarray
    attributes: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Group:
    """What one netCDF group (or a whole flat file) holds."""

    variables: dict[str, Variable]
    attributes: dict[str, Any]

    def __getitem__(self, name: str) -> np.ndarray:
        return self.variables[name].values


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary name in the folder of `path`; if all went well, sync it and move it there.

    A reader therefore sees the old file, the new file, or none, and two jobs that write the same
    path (an orphan of a killed run and its successor) cannot mix their bytes.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    _sweep(target)
    handle, name = tempfile.mkstemp(f"{target.suffix}", f".{target.stem}.", target.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(target)
    except (OSError, RuntimeError) as error:  # netCDF says RuntimeError
        if shutil.disk_usage(target.parent).free < FULL:
            raise InputError(str(path), "the disk is full", "free space, and run again") from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def _sweep(target: Path) -> None:
    """Remove what killed writers of the same file left, once nothing can be writing it any more."""
    for left in target.parent.glob(f".{glob.escape(target.stem)}.*{target.suffix}"):
        with suppress(FileNotFoundError):  # another job sweeps too
            if time.time() - left.stat().st_mtime > ABANDONED:
                left.unlink()


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def write(
    path: str | os.PathLike[str],
    variables: Mapping[str, Variable],
    attributes: Mapping[str, Any],
    groups: Mapping[str, Group] | None = None,
) -> None:
    """Write variables (and groups of them) as compressed netCDF-4, atomically.

    Attributes that netCDF cannot hold (dicts, lists, None, bool) are stored as JSON text.
    """
    with replacing(path) as temporary, netCDF4.Dataset(temporary, "w", format="NETCDF4") as dataset:
        fill(dataset, variables, attributes)
        for name, group in (groups or {}).items():
            fill(dataset.createGroup(encoded(name)), group.variables, group.attributes)


def fill(
    dataset: netCDF4.Dataset, variables: Mapping[str, Variable], attributes: Mapping[str, Any]
) -> None:
    """Write variables and attributes into an open file, or a group of it (see `write`)."""
    for name, variable in variables.items():
        values = np.asarray(variable.values)
        for dimension, size in zip(variable.dims, values.shape, strict=True):
            if dimension not in dataset.dimensions:
                dataset.createDimension(dimension, size)
        if values.dtype.kind in "UO":
            created = dataset.createVariable(name, str, variable.dims)
            values = values.astype(object)
        else:
            values = values.astype(np.int8) if values.dtype == bool else values
            # Level 1 with byte shuffling: three times faster than the default, files 2 % larger.
            created = dataset.createVariable(
                name, values.dtype, variable.dims, compression="zlib", complevel=1, shuffle=True
            )
        created[...] = values
        created.setncatts({key: _attribute(value) for key, value in variable.attributes.items()})
    dataset.setncatts({key: _attribute(value) for key, value in attributes.items()})


def _attribute(value: Any) -> Any:
    plain = isinstance(value, str | int | float | np.number) and not isinstance(value, bool)
    return value if plain else json.dumps(value, sort_keys=True)


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[netCDF4.Dataset]:
    """Open a netCDF file for reading; InputError where it is missing, damaged or being written."""
    if not Path(path).is_file():
        raise InputError(str(path), "no such file", "check the path in the config")
    with _held(path):
        try:
            dataset = netCDF4.Dataset(path, "r")
        except OSError as error:
            raise InputError(
                str(path),
                f"not a readable netCDF-4 file ({error.strerror or error})",
                f"it may be cut short: {RENEW}",
            ) from error
        with dataset:
            dataset.set_auto_mask(False)
            try:
                yield dataset
            except RuntimeError as error:
                # A sound header over damaged values: found only when they are read.
                if not str(error).startswith("NetCDF:"):
                    raise
                raise InputError(str(path), f"holds damaged values ({error})", RENEW) from error


@contextmanager
def _held(path: str | os.PathLike[str]) -> Iterator[None]:
    """Keep writers off a file while it is read, where its file system has locks.

    HDF5 would do so itself, but says the same of a lock as of damage, and fails without locks.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError as error:
        problem = f"cannot be opened ({error.strerror})"
        raise InputError(str(path), problem, "see to its permissions and its disk") from error
    try:
        _share_lock(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _share_lock(descriptor: int, path: str | os.PathLike[str]) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InputError(
            str(path), "another program has it open to write", "close it there, and run again"
        ) from error
    except OSError:
        return  # the file system has none


def read(path: str | os.PathLike[str], group: str | None = None) -> Group:
    """Read all variables and attributes of a file, or of one of its groups, into memory."""
    with opened(path) as dataset:
        return read_group(dataset, group)


def read_group(
    dataset: netCDF4.Dataset, group: str | None = None, without: Collection[str] = ()
) -> Group:
    """Read the group of this name (see `file_names`), or the root, without some variables."""
    if group is not None and encoded(group) not in dataset.groups:
        held = ", ".join(map(decoded, dataset.groups))
        raise InputError(dataset.filepath(), f"has no layer {group!r}", f"it holds {held}")
    node = dataset if group is None else dataset.groups[encoded(group)]
    variables = {
        name: Variable(
            variable.dimensions,
            np.asarray(variable[...]),
            {key: variable.getncattr(key) for key in variable.ncattrs()},
        )
        for name, variable in node.variables.items()
        if name not in without
    }
    return Group(variables, {key: node.getncattr(key) for key in node.ncattrs()})


def provenance(study: str, rule: str, settings: Mapping[str, Any], code: str) -> dict[str, Any]:
    """What every output says of its making: study, rule, settings, code digest, versions, commit.

    `settings` are the rule's params; `code` is the digest of the modules that made the file.
    """
    return {
        "study": study,
        "rule": rule,
        "settings": _as_text(settings),
        "code": code,
        "packages": json.dumps(versions(PROVENANCE_PACKAGES)),
        "git_commit": git_commit(Path(__file__).parent.parent),
        "Conventions": "CF-1.8",
    }


def making(settings: Mapping[str, Any], code: str) -> str:
    """16 hexadecimal digits of a rule's params and code: of what its outputs are made by."""
    return made_by({"settings": _as_text(settings), "code": code})


def made_by(provenance: Mapping[str, Any]) -> str:
    """The same of what a file says of its making."""
    words = f"{provenance.get('settings', '')} {provenance.get('code', '')}"
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def check_made_by(path: str | os.PathLike[str], asked: str) -> None:
    """InputError where a netCDF file was not made by what the study asks for (see `making`)."""
    with opened(path) as dataset:
        found = made_by({name: str(dataset.getncattr(name)) for name in dataset.ncattrs()})
    refuse_other_making(path, found, asked)


def refuse_other_making(path: str | os.PathLike[str], found: str, asked: str) -> None:
    """InputError where the digests differ of what made a file and of what is to make it."""
    if found != asked:
        raise InputError(
            str(path), "was made by other settings or code than this study's now", REMADE
        )


def _as_text(settings: Mapping[str, Any]) -> str:
    return json.dumps(settings, sort_keys=True, default=str)


def labels(dataset: netCDF4.Dataset, name: str) -> list[str]:
    """A one-dimensional coordinate as text, also where a file stores it as rows of characters."""
    try:
        values = np.asarray(dataset[name][...])
        if values.dtype == "S1" and values.ndim == 2:
            values = np.asarray(netCDF4.chartostring(values, encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise InputError(
            f"{dataset.filepath()}: {name}", "is no text in UTF-8", "write it in UTF-8"
        ) from error
    return [composed(label) for label in values.astype(str).tolist()]


def composed(text: str) -> str:
    """Text in Unicode's normal form C: an accent that a Mac writes apart is part of its letter."""
    return unicodedata.normalize("NFC", text)


def along(dataset: netCDF4.Dataset, dimension: str) -> list[str]:
    """The names of what a file has one value of for each place of a dimension.

    A text stored as a row of characters (as xarray writes bytes) is one value.
    """
    return [
        name
        for name, variable in dataset.variables.items()
        if variable.dimensions[:1] == (dimension,)
        and variable.ndim == (2 if variable.dtype == "S1" else 1)
    ]


def read_coordinate(path: str | os.PathLike[str], name: str) -> np.ndarray:
    """Read one variable of a file; an unknown name is an InputError that lists those there are."""
    with opened(path) as dataset:
        if name not in dataset.variables:
            known = ", ".join(dataset.variables)
            raise InputError(f"{path}: {name}", "no such coordinate", f"use one of {known}")
        return np.asarray(dataset[name][...])
