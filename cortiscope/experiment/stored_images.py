"""The images of the stimuli, which may differ in size, in one array of a netCDF file."""

import netCDF4
import numpy as np
from PIL import Image

# Beside images of unlike sizes: (stimulus, side), height and width in pixels. No coordinate of a
# user's stimuli, which have one dimension, is taken for it.
SIZES = "image_size"
SIZES_DIMS = ("stimulus", "side")


class StoredImages:
    """The images of an open file of stimuli, each read when it is asked for, in its own size."""

    def __init__(self, dataset: netCDF4.Dataset) -> None:
        self.images = dataset["image"]
        stored = dataset.variables.get(SIZES)
        if stored is not None and stored.dimensions == SIZES_DIMS:
            self.sizes = np.asarray(stored[...])  # (stimulus, 2)
        else:
            self.sizes = np.tile(self.images.shape[1:3], (len(self), 1))

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> np.ndarray:
        """uint8 (y, x, channel)."""
        height, width = self.sizes[index]
        return np.asarray(self.images[index, :height, :width])

    @property
    def smallest(self) -> tuple[int, int]:
        """The least height and the least width, in pixels."""
        height, width = self.sizes.min(axis=0)
        return int(height), int(width)

    def of_one_size(self) -> np.ndarray:
        """All images as one array (stimulus, y, x, channel) uint8, for models that need it.

        Where sizes differ, the shorter side of each is brought to the smallest among them, and the
        centre that all then have is kept.
        """
        sizes = self.sizes
        if (sizes == sizes[0]).all():
            return np.asarray(self.images[...])
        shorter = sizes.min(axis=1, keepdims=True)
        scaled = np.rint(sizes * shorter.min() / shorter).astype(int)  # (stimulus, 2)
        height, width = scaled.min(axis=0)
        images = np.empty((len(self), height, width, self.images.shape[3]), np.uint8)
        for index, (rows, columns) in enumerate(scaled):
            whole = Image.fromarray(self[index]).resize((columns, rows), Image.Resampling.BILINEAR)
            top, left = (rows - height) // 2, (columns - width) // 2
            images[index] = np.asarray(whole)[top : top + height, left : left + width]
        return images
