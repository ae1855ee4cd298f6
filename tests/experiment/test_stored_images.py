"""Images of unlike sizes are stored in one array, and read as they were."""

import numpy as np
import xarray as xr
from PIL import Image

from cortiscope.experiment.netcdf import save
from cortiscope.experiment.stimuli import read_stimuli
from cortiscope.experiment.stored_images import SIZES, StoredImages
from cortiscope.files import opened

HEIGHTS, WIDTHS = (40, 41, 60), (50, 48, 42)


def pictures(folder, heights=HEIGHTS, widths=WIDTHS):
    random = np.random.default_rng(0)
    drawn = [
        random.integers(1, 256, (height, width, 3), np.uint8)
        for height, width in zip(heights, widths, strict=True)
    ]
    for number, picture in enumerate(drawn):
        Image.fromarray(picture).save(folder / f"{number}.png")
    return drawn


def stored(folder):
    """The file that the workflow makes of a folder."""
    save(read_stimuli(folder), folder / "stimuli.nc", {})
    return folder / "stimuli.nc"


def test_images_of_unlike_sizes_are_read_as_they_were(tmp_path):
    drawn = pictures(tmp_path)
    with opened(stored(tmp_path)) as dataset:
        images = StoredImages(dataset)
        assert len(images) == 3
        for number, picture in enumerate(drawn):
            np.testing.assert_array_equal(images[number], picture)
        assert dataset["image"].shape == (3, 60, 50, 3)
        assert dataset["image"].chunking() == [1, 60, 50, 3]  # to read one, one is unpacked


def test_images_of_one_size_are_stored_as_ever(tmp_path):
    drawn = pictures(tmp_path, (40, 40), (50, 50))
    stimuli = read_stimuli(tmp_path)
    assert set(stimuli.variables) == {"image", "stimulus_id", "category"}
    with opened(stored(tmp_path)) as dataset:
        np.testing.assert_array_equal(StoredImages(dataset).of_one_size(), np.stack(drawn))


def test_a_coordinate_of_the_users_is_no_size(tmp_path):
    image = np.arange(2 * 32 * 33, dtype=np.int64).reshape(2, 32, 33) % 256
    coords = {"stimulus_id": ("stimulus", ["a", "b"]), SIZES: ("stimulus", [3, 4])}
    shown = xr.Dataset({"image": (("stimulus", "y", "x"), image)}, coords=coords)
    shown.to_netcdf(tmp_path / "given.nc")
    save(read_stimuli(tmp_path / "given.nc"), tmp_path / "stimuli.nc", {})
    with opened(tmp_path / "stimuli.nc") as dataset:
        assert dataset[SIZES][...].tolist() == [3, 4]
        assert StoredImages(dataset)[1].shape == (32, 33, 3)


def test_one_size_is_the_centre_of_images_scaled_alike(tmp_path):
    """A disc in the middle of each: the shorter side makes it as large as in the others."""
    for name, (height, width) in {"a": (64, 64), "b": (128, 256), "c": (192, 128)}.items():
        down, right = np.mgrid[:height, :width]
        radius = np.hypot(down - (height - 1) / 2, right - (width - 1) / 2) / min(height, width)
        grey = np.where(radius < 0.3, 200, 50).astype(np.uint8)
        Image.fromarray(grey).save(tmp_path / f"{name}.png")
    with opened(stored(tmp_path)) as dataset:
        images = StoredImages(dataset).of_one_size()
    assert images.shape == (3, 64, 64, 3)
    share = (images > 125).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(share, np.pi * 0.3**2, atol=0.005)
    for image in images[1:]:
        assert (np.abs(image.astype(int) - images[0]) > 75).mean() < 0.01


def test_one_size_is_no_smaller_than_all_have(tmp_path):
    pictures(tmp_path, (40, 41, 42), (60, 80, 63))
    with opened(stored(tmp_path)) as dataset:
        assert StoredImages(dataset).of_one_size().shape == (3, 40, 60, 3)
