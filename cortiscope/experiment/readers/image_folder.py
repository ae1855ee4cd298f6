"""Stimuli as a folder of images, in folders of their categories or not."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cortiscope.experiment.formats import IMAGE_DIMS, Array, Arrays
from cortiscope.experiment.images import (
    found_images,
    image_size,
    list_images,
    passed_over,
    read_image,
)
from cortiscope.files import composed

if TYPE_CHECKING:
    import xarray as xr

FORMAT = "a folder of images"
RANK = 0
READS: Mapping[str, tuple[str, ...]] = {"stimuli": ()}


def recognises(path: Path | None) -> bool:
    return path is not None and path.is_dir()


class _Images:
    """The images as one array, all of the size of the first that is found, which alone is read."""

    dtype = np.uint8

    def __init__(self, folder: str, number: int) -> None:
        self.folder, self.number = folder, number

    @cached_property
    def shape(self) -> tuple[int, ...]:
        return (self.number, *read_image(next(found_images(self.folder))).shape)


@contextmanager
def opened(source: Sequence[str], section: Mapping[str, Any]) -> Iterator[Arrays]:
    folder, files = source[0], list_images(source[0])
    ids, categories = _labels(folder, files)
    about = {"stimulus_id": ids, "category": categories}
    arrays = {name: Array(("stimulus",), np.array(texts)) for name, texts in about.items()}
    yield Arrays(folder, arrays | {"image": Array(IMAGE_DIMS, _Images(folder, len(files)))})


def _labels(folder: str, files: Sequence[Path]) -> tuple[list[str], list[str]]:
    """Of every image its path below the folder, without the ending, and the folder it lies in.

    The latter is empty in that of the stimuli itself.
    """
    places = [file.relative_to(folder) for file in files]
    ids = [composed(str(place.with_suffix(""))) for place in places]
    return ids, [composed(place.parent.name) for place in places]


def read(
    source: Sequence[str], section: Mapping[str, Any], shown: "xr.Dataset | None" = None
) -> "xr.Dataset":
    """`image` with `stimulus_id` and `category`, the subfolder.

    Each is read when it is asked for. Where images differ in size, `image_size (stimulus, side)`,
    height and width in pixels. What is passed over is said on standard error.
    """
    import xarray as xr  # not at the top: see `formats`

    from cortiscope.experiment.late_images import late_images

    if left_behind := passed_over(source[0]):
        print(left_behind, file=sys.stderr)
    files = list_images(source[0])
    sizes = np.array([image_size(file) for file in files], dtype=np.int32)
    ids, categories = _labels(source[0], files)
    return xr.Dataset(
        late_images(sizes, lambda number: read_image(files[number])),
        coords={"stimulus_id": ("stimulus", ids), "category": ("stimulus", categories)},
    )
