"""Low-level models of images as rows of the models table."""

import numpy as np
import pytest
import xarray as xr

from cortiscope.errors import InputError
from cortiscope.experiment.low_level import MODELS
from cortiscope.networks import networks


class Shown:
    def __init__(self, *size):
        self.size = size

    def image_size(self):
        return self.size


def row(architecture):
    basis = {"model": "net", "source": "low_level", "architecture": architecture}
    return basis | {"weights": "none", "layers": "blocks"}


def stimuli(folder, y, x):
    images = np.random.default_rng(0).integers(0, 256, (3, y, x, 3), np.uint8)
    xr.Dataset({"image": (("stimulus", "y", "x", "channel"), images)}).to_netcdf(folder / "s.nc")
    return str(folder / "s.nc"), images


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("size", [(64, 64), (45, 70)])
def test_a_row_is_what_the_model_gives(tmp_path, name, size):
    path, images = stimuli(tmp_path, *size)
    source = networks.given(row(name))
    (layer,) = source.layers(Shown(*size))
    ((found, values),) = source.values(path, [name])
    assert layer["layer"] == found == name
    assert int(layer["n_features"]) == values.shape[1]
    np.testing.assert_array_equal(values, MODELS[name](images).astype(np.float32))


def test_unknown_models_name_the_nearest():
    with pytest.raises(InputError) as caught:
        networks.given(row("gst")).layers(Shown(64, 64))
    assert str(caught.value) == (
        "models table: net: architecture: there is no low-level model 'gst'; near: gist"
    )
