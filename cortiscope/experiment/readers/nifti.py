"""Responses of voxels in a NIfTI image: a volume for each presentation, an atlas beside it."""

import gzip
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import numpy as np

from cortiscope.errors import InputError
from cortiscope.experiment import presentations
from cortiscope.experiment.formats import Array, Arrays, Late
from cortiscope.experiment.tables import ONE_AREA, no_stimuli, read_table, stimuli_of

if TYPE_CHECKING:
    import xarray as xr

FORMAT = "a NIfTI image (.nii, .nii.gz)"
RANK = 0
READS: Mapping[str, tuple[str, ...]] = {
    "responses": (
        *("variable", "area", "atlas", "neuroids_table", "stimuli_table", "stimulus_column"),
        "exclude",
    )
}
GZIP = b"\x1f\x8b"
# Where NIfTI-1 and -2 say what they are: the size of their header, and a word at a place.
MAGIC = {348: (344, (b"n+1\0",)), 540: (4, (b"n+2\0",))}
ATLAS = "config: responses.atlas"
NEAR = 1e-3  # mm: affines that differ less are of one grid


@contextmanager
def _stream(path: str) -> Iterator[IO[bytes]]:
    with Path(path).open("rb") as file:
        packed = file.read(len(GZIP)) == GZIP
    with gzip.open(path) if packed else Path(path).open("rb") as stream:
        yield cast(IO[bytes], stream)


def _version(first: bytes) -> int:
    """The size of the header, 348 or 540; 0 where the first bytes are of no NIfTI image."""
    for size in (int.from_bytes(first[:4], "little"), int.from_bytes(first[:4], "big")):
        place, words = MAGIC.get(size, (0, ()))
        if any(first[place:].startswith(word) for word in words):
            return size
    return 0


def recognises(path: Path | None) -> bool:
    if path is None or not path.is_file():
        return False
    try:
        with _stream(str(path)) as stream:
            return _version(stream.read(max(MAGIC))) > 0
    except (EOFError, gzip.BadGzipFile):
        return False


def _read(stream: IO[bytes], size: int, path: str) -> bytes:
    try:
        stored = stream.read(size)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(path, f"is damaged ({error})", "copy it anew") from error
    if len(stored) < size:
        raise InputError(path, "is cut short", "copy it anew")
    return stored


@dataclass(frozen=True)
class Image:
    """The header of an image, and its values one volume at a time.

    scale: slope and intercept of the numbers that are stored, such as the integers of betas.
    affine: (4, 4), from voxels to mm.
    """

    path: str
    shape: tuple[int, ...]
    dtype: np.dtype
    offset: int
    scale: tuple[float, float]
    affine: np.ndarray

    @classmethod
    def of(cls, path: str) -> "Image":
        from nibabel import Nifti1Header, Nifti2Header  # not at the top: few studies have voxels

        with _stream(path) as stream:
            size = _version(stream.read(max(MAGIC)))
            if not size:
                raise InputError(path, "is no NIfTI image", "give a file .nii or .nii.gz")
            stream.seek(0)
            header = (Nifti1Header if size == min(MAGIC) else Nifti2Header).from_fileobj(stream)
        slope, intercept = header.get_slope_inter()
        scale = (1.0, 0.0) if slope is None else (float(slope), float(intercept or 0.0))
        shape = tuple(map(int, header.get_data_shape()))
        while len(shape) > 3 and 1 in shape[3:]:  # as (x, y, z, 1, presentation)
            place = shape.index(1, 3)
            shape = shape[:place] + shape[place + 1 :]
        offset = int(header.get_data_offset())
        return cls(path, shape, header.get_data_dtype(), offset, scale, header.get_best_affine())

    @property
    def values_dtype(self) -> np.dtype:
        """As stored, or, where that is scaled, in double precision."""
        return self.dtype.newbyteorder("=") if self.scale == (1.0, 0.0) else np.dtype(np.float64)

    def volumes(self, inside: np.ndarray) -> np.ndarray:
        """(volume, voxel), the values of some voxels (x, y, z) bool."""
        n_volumes = int(np.prod(self.shape[3:]))
        size = int(np.prod(self.shape[:3])) * self.dtype.itemsize
        found = np.empty((n_volumes, int(inside.sum())), self.values_dtype)
        with _stream(self.path) as stream:
            _read(stream, self.offset, self.path)
            for place in found:
                stored = _read(stream, size, self.path)
                volume = np.frombuffer(stored, self.dtype).reshape(self.shape[:3], order="F")
                place[...] = volume[inside]
        slope, intercept = self.scale
        return found if self.scale == (1.0, 0.0) else found * slope + intercept


@contextmanager
def opened(source: Sequence[str], section: Mapping[str, Any]) -> Iterator[Arrays]:
    path = source[0]
    betas = Image.of(path)
    if len(betas.shape) != 4:
        remedy = "give an image of 4 dimensions, a volume for each presentation"
        raise InputError(path, f"has the shape {betas.shape}", remedy)
    if not section.get("stimuli_table"):
        raise no_stimuli(path)
    shown = stimuli_of(section["stimuli_table"], section.get("stimulus_column", ""))
    if len(shown) != betas.shape[3]:
        problem = f"has {len(shown)} rows, where {path} has {betas.shape[3]} volumes"
        raise InputError(section["stimuli_table"], problem, "give a row for each volume")
    inside, about = _voxels(betas, section)
    load = partial(betas.volumes, inside)
    trials = Late((len(shown), int(inside.sum())), betas.values_dtype, load)
    arrays = {name: Array(("neuroid",), values) for name, values in about.items()}
    of_each = read_table(section["stimuli_table"])
    yield Arrays(path, arrays | presentations.recording(trials, shown.tolist(), section, of_each))


def _voxels(betas: Image, section: Mapping[str, Any]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Which voxels are of an area (x, y, z) bool, and their coordinates, in mm."""
    if not section.get("atlas"):
        remedy = "name an image of the same grid that is above 0 in them, a number for each area"
        raise InputError(ATLAS, "is missing, which says of which voxels responses are", remedy)
    path = section["atlas"]
    atlas = Image.of(path)
    if atlas.shape != betas.shape[:3]:
        problem = f"has the shape {atlas.shape}, where {betas.path} has {betas.shape[:3]}"
        raise InputError(f"{ATLAS}: {path}", problem, "resample it to the grid of the responses")
    if not np.allclose(atlas.affine, betas.affine, atol=NEAR):
        problem = f"lies elsewhere than {betas.path}, by their affines"
        raise InputError(f"{ATLAS}: {path}", problem, "resample it to the grid of the responses")
    values = atlas.volumes(np.ones(atlas.shape, bool)).reshape(atlas.shape)
    inside = np.nan_to_num(values) > 0
    labels = values[inside]
    if not len(labels):
        raise InputError(f"{ATLAS}: {path}", "is nowhere above 0", "mark the voxels to take")
    if (labels % 1 != 0).any():
        problem = f"holds {labels[labels % 1 != 0][0]:g}, no whole number"
        raise InputError(f"{ATLAS}: {path}", problem, "give a number for each area")
    places = np.argwhere(inside)  # (voxel, axis)
    mm = places @ betas.affine[:3, :3].T + betas.affine[:3, 3]
    about = {axis: mm[:, number] for number, axis in enumerate("xyz")}
    about["neuroid_id"] = np.array(["-".join(map(str, place)) for place in places.tolist()])
    return inside, about | _areas(labels.astype(int), path, section)


def _areas(labels: np.ndarray, path: str, section: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The area of each voxel, and what else a table with a row for each label says of it."""
    table = section.get("neuroids_table")
    if not table:
        one = (labels == labels[0]).all()
        return {"area": np.full(len(labels), ONE_AREA) if one else labels.astype(str)}
    columns = dict(read_table(table))
    for name in ("index", "name"):
        if name not in columns:
            remedy = "give each number of the atlas its row: its index, and the area's name"
            raise InputError(f"{table}: {name}", "is no column", remedy)
    rows = {int(index): row for row, index in enumerate(columns.pop("index"))}
    missing = sorted(set(labels.tolist()) - set(rows))
    if missing:
        problem = f"does not name {missing[0]}, which {path} holds"
        raise InputError(f"{table}: index", problem, "add its row")
    order = [rows[label] for label in labels.tolist()]
    named = {"area": columns.pop("name"), **columns}
    return {name: values[order] for name, values in named.items()}


def read(
    source: Sequence[str], section: Mapping[str, Any], shown: "xr.Dataset | None" = None
) -> "xr.Dataset":
    with opened(source, section) as held:
        return held.dataset()
