"""Stimuli as a table of images in a folder or a zip archive, as Brain-Score's sets are."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from zipfile import ZipFile, is_zipfile

import numpy as np

from cortiscope.errors import InputError
from cortiscope.experiment.formats import IMAGE_DIMS, Array, Arrays
from cortiscope.experiment.images import IMAGE_ENDINGS, image_size, read_image
from cortiscope.experiment.readers import tables
from cortiscope.experiment.tables import FILE, STIMULUS, column_of, first_line, read_table
from cortiscope.files import composed

if TYPE_CHECKING:
    import xarray as xr

FORMAT = "a table of images (.csv, .tsv, .parquet)"
RANK = tables.RANK
READS: Mapping[str, tuple[str, ...]] = {"stimuli": ("images",)}


def recognises(path: Path | None) -> bool:
    if tables.recognises(path):
        return True
    return path is not None and path.is_file() and first_line(path) in (*STIMULUS, *FILE)


class _Member(io.BytesIO):
    """A file of an archive, which messages name."""

    def __init__(self, archive: str, name: str, content: bytes) -> None:
        super().__init__(content)
        self.place = f"{archive}: {name}"

    def __str__(self) -> str:
        return self.place


class _Images:
    """The files of the images of a table; the shape is that of the first."""

    dtype = np.uint8

    def __init__(self, place: str, names: Sequence[str]) -> None:
        self.place = place
        self.archive = None if Path(place).is_dir() else ZipFile(place)
        held = self.archive.namelist() if self.archive else ()
        self.members = {composed(name): name for name in held}
        self.names = [self._found(name) for name in names]

    def _found(self, name: str) -> str:
        """The file of a name, which may lack the ending."""
        for known in (name, *(f"{name}{ending}" for ending in IMAGE_ENDINGS)):
            if known in self.members or (not self.archive and Path(self.place, known).is_file()):
                return known
        remedy = f"name files as in that place in one of the columns {', '.join(FILE)}"
        raise InputError(self.place, f"has no image {name!r}", remedy)

    def file(self, number: int) -> Path | IO[bytes]:
        name = self.names[number]
        if self.archive:
            return _Member(self.place, name, self.archive.read(self.members[name]))
        return Path(self.place, name)

    @cached_property
    def shape(self) -> tuple[int, ...]:
        return (len(self.names), *image_size(self.file(0)), 3)


@contextmanager
def opened(source: Sequence[str], section: Mapping[str, Any]) -> Iterator[Arrays]:
    columns, images = _stimuli(source[0], section)
    arrays = {name: Array(("stimulus",), values) for name, values in columns.items()}
    yield Arrays(source[0], arrays | {"image": Array(IMAGE_DIMS, images)})


def _stimuli(path: str, section: Mapping[str, Any]) -> tuple[dict[str, np.ndarray], _Images]:
    """The coordinates of the stimuli, and their images."""
    columns = dict(read_table(path))
    stimulus, file = column_of(columns, STIMULUS), column_of(columns, FILE)
    if not stimulus and not file:
        remedy = f"name stimuli in a column {STIMULUS[0]}, and their files in {FILE[0]}"
        raise InputError(path, f"has the columns {', '.join(columns)}", remedy)
    names = columns[file or stimulus].astype(str).tolist()
    place = section.get("images", "")
    if not place:
        remedy = "name the folder, or zip archive, that holds them"
        raise InputError("config: stimuli.images", f"no images were found beside {path}", remedy)
    if not Path(place).is_dir() and not is_zipfile(place):
        raise InputError(place, "is neither a folder nor a zip archive", "name one that is")
    if not names:
        raise InputError(path, "holds no stimuli", "add a row for each")
    ids = columns.pop(stimulus) if stimulus else np.array([_stem(name) for name in names])
    return {"stimulus_id": ids, **columns}, _Images(place, names)


def _stem(name: str) -> str:
    return str(Path(name).with_suffix(""))


def read(
    source: Sequence[str], section: Mapping[str, Any], shown: "xr.Dataset | None" = None
) -> "xr.Dataset":
    """`image`, with the columns of the table as coordinates.

    Each is read when it is asked for. Where images differ in size, `image_size (stimulus, side)`,
    height and width in pixels.
    """
    import xarray as xr  # not at the top: see `formats`

    from cortiscope.experiment.late_images import late_images

    columns, images = _stimuli(source[0], section)
    sizes = [image_size(images.file(number)) for number in range(len(images.names))]
    about = {name: ("stimulus", values) for name, values in columns.items()}
    return xr.Dataset(
        late_images(
            np.array(sizes, dtype=np.int32), lambda number: read_image(images.file(number))
        ),
        coords=about,
    )
