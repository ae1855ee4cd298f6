"""Images that are read as they are asked for, so that no memory holds all of them."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing

from cortiscope.experiment.formats import IMAGE_DIMS
from cortiscope.experiment.stored_images import SIZES, SIZES_DIMS
from cortiscope.files import opened

# Bytes of a file that are read at once: of one that keeps each stimulus apart, and at most of one
# that compresses many together.
LEAST, MOST = 1 << 26, 1 << 28

Read = Callable[[range], np.ndarray]  # some stimuli, the first dimension


def late(dims: Sequence[Hashable], shape: Sequence[int], dtype: Any, read: Read) -> xr.Variable:
    """An array whose first dimension is that of the stimuli, some of which `read` gives."""
    return xr.Variable(
        dims, indexing.LazilyIndexedArray(_Late(tuple(shape), np.dtype(dtype), read))
    )


def late_in_file(path: str, variable: str) -> xr.Variable:
    """A variable of a netCDF file as xarray decodes it, stimuli first. The file is not kept open:
    it may be replaced, and its library bears no reader that is forgotten.
    """

    def read(numbers: range) -> np.ndarray:
        with opened(path), xr.open_dataset(path, cache=False) as dataset:
            some = dataset[variable].isel(stimulus=slice(numbers.start, numbers.stop))
            return some.transpose("stimulus", ...).values

    with xr.open_dataset(path, cache=False) as dataset:
        there = dataset[variable].transpose("stimulus", ...).variable
        found = late(there.dims, there.shape, there.dtype, read)
        together = dataset[variable].encoding.get("chunksizes") or ()
        place = dataset[variable].dims.index("stimulus")
        found.encoding = {**there.encoding, "together": together[place] if together else 1}
    return found


def late_images(sizes: np.ndarray, image: Callable[[int], np.ndarray]) -> dict[str, Any]:
    """`image`, each read when it is asked for; where sizes differ, `image_size (stimulus, side)`.

    sizes: (stimulus, side), height and width in pixels. image: of a number, uint8 (y, x, channel).
    Below and to the right of smaller ones are zeros, which take no room once they are compressed.
    """
    shape = len(sizes), *(int(side) for side in sizes.max(axis=0)), 3

    def padded(some: range) -> np.ndarray:
        together = np.zeros((len(some), *shape[1:]), np.uint8)
        for place, number in zip(together, some, strict=True):
            own = image(number)
            place[: own.shape[0], : own.shape[1]] = own
        return together

    found: dict[str, Any] = {"image": late(IMAGE_DIMS, shape, np.uint8, padded)}
    return found if (sizes == sizes[0]).all() else found | {SIZES: (SIZES_DIMS, sizes)}


class _Late(BackendArray):
    def __init__(self, shape: tuple[int, ...], dtype: np.dtype, read: Read) -> None:
        self.shape = shape
        self.dtype = dtype
        self.read = read

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        basic = indexing.IndexingSupport.BASIC
        return indexing.explicit_indexing_adapter(key, self.shape, basic, self._part)

    def _part(self, key: tuple[Any, ...]) -> np.ndarray:
        stimuli, rest = key[0], key[1:]
        if not isinstance(stimuli, slice):
            return self.read(range(int(stimuli), int(stimuli) + 1))[0][rest]
        numbers = range(self.shape[0])[stimuli]
        if numbers.step == 1:
            return self.read(numbers)[(slice(None), *rest)]
        found = [self.read(range(number, number + 1)) for number in numbers]
        return np.concatenate(found)[(slice(None), *rest)]


class Blocks:
    """The stimuli of a late array one by one, some of which are in memory at a time."""

    def __init__(self, images: xr.Variable) -> None:
        self.images = images
        self.start, self.held = 0, np.empty(0)
        each = max(1, images.dtype.itemsize * int(np.prod(images.shape[1:])))
        together = max(images.encoding.get("together", 1), LEAST // each)
        self.length = max(1, min(together, MOST // each))

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, number: int) -> np.ndarray:
        if number >= len(self):
            raise IndexError(number)
        if not self.start <= number < self.start + len(self.held):
            self.start = number - number % self.length
            self.held = np.empty(0)  # before the next block is in memory
            self.held = self.images[self.start : self.start + self.length].values
        return self.held[number - self.start]
