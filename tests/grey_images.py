"""Stimuli as a file of grey images has them."""

import numpy as np
import xarray as xr

IDS = np.array(["a", "b", "c", "d"])


def grey_images(**changes):
    image = np.arange(4 * 5 * 6, dtype=np.uint8).reshape(4, 5, 6)
    dataset = xr.Dataset(
        {"image": (("stimulus", "y", "x"), image)},
        coords={"stimulus_id": ("stimulus", IDS), "category": ("stimulus", list("xxyy"))},
    )
    return dataset.assign(changes)
