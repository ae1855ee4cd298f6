"""Images are read as they are asked for, and no memory holds all of them."""

import netCDF4
import numpy as np
import pytest
import xarray as xr
from PIL import Image

from cortiscope.errors import InputError
from cortiscope.experiment import late_images
from cortiscope.experiment.images import image_size, read_image
from cortiscope.experiment.stimuli import read_stimuli, stored
from cortiscope.experiment.stored_images import SIZES, StoredImages

N_STIMULI = 23


@pytest.fixture
def source(tmp_path):
    """Pixels in a file with stimuli in the midst, some compressed together, and what they are."""
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (3, 6, N_STIMULI, 5)).astype(np.uint8)
    held = xr.Dataset(
        {"image": (("channel", "y", "stimulus", "x"), pixels)},
        coords={"stimulus_id": ("stimulus", [f"s{number}" for number in range(N_STIMULI)])},
    )
    together = {"zlib": True, "chunksizes": (3, 6, 4, 5)}
    held.to_netcdf(tmp_path / "source.nc", encoding={"image": together})
    return tmp_path / "source.nc", pixels.transpose(2, 1, 3, 0)


@pytest.mark.parametrize(("least", "most"), [(0, 1), (0, 200), (1 << 20, 1 << 20)])
def test_any_part_is_what_the_file_holds(source, monkeypatch, least, most):
    monkeypatch.setattr(late_images, "LEAST", least)
    monkeypatch.setattr(late_images, "MOST", most)
    path, pixels = source
    image = read_stimuli(path)["image"]
    for part in (slice(None), slice(3, 20), slice(1, 22, 5), slice(20, 2, -3), [7, 2, 2], 4):
        np.testing.assert_array_equal(image[part].values, pixels[part])
    np.testing.assert_array_equal(image[5, 1:4, ::2].values, pixels[5, 1:4, ::2])


def test_few_images_are_read_at_a_time(source, monkeypatch):
    monkeypatch.setattr(late_images, "LEAST", 0)
    path, pixels = source
    read = []
    of_file = late_images._Late._part
    monkeypatch.setattr(
        late_images._Late,
        "_part",
        lambda self, key: read.append(of_file(self, key)) or read[-1],
    )
    with stored(read_stimuli(path), path.with_name("kept.nc"), {"study": "s"}) as kept:
        np.testing.assert_array_equal(kept["image"][...], pixels)
    assert read
    assert max(values.size for values in read) == 4 * pixels[0].size  # those of a chunk
    with xr.open_dataset(path.with_name("kept.nc")) as found:
        assert found["image"].encoding["chunksizes"] == (1, 6, 5, 3)
        assert found.attrs["study"] == "s"
        assert found["stimulus_id"].values.tolist() == [f"s{n}" for n in range(N_STIMULI)]


def test_nothing_is_left_where_an_image_proves_damaged(tmp_path):
    random = np.random.default_rng(0)
    for number in range(3):
        pixels = random.integers(0, 256, (64, 64, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.jpg")
    whole = (tmp_path / "2.jpg").read_bytes()
    (tmp_path / "2.jpg").write_bytes(whole[: len(whole) // 2])
    shown, kept = read_stimuli(tmp_path), tmp_path / "out" / "stimuli.nc"
    with (
        pytest.raises(InputError, match=r"2\.jpg: is not a readable image"),
        stored(shown, kept, {}),
    ):
        pass
    assert not list(kept.parent.iterdir())


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_head_of_a_file_tells_its_size(tmp_path, orientation):
    image = Image.fromarray(np.zeros((8, 16, 3), np.uint8))
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(tmp_path / "turned.jpg", exif=exif)
    assert image_size(tmp_path / "turned.jpg") == read_image(tmp_path / "turned.jpg").shape[:2]


def test_images_of_unlike_sizes_keep_theirs(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    random = np.random.default_rng(0)
    drawn = [random.integers(0, 256, (4 + n, 9 - n, 3)).astype(np.uint8) for n in range(5)]
    for number, pixels in enumerate(drawn):
        Image.fromarray(pixels).save(folder / f"{number}.png")
    with stored(read_stimuli(folder), tmp_path / "stimuli.nc", {}) as kept:
        images = StoredImages(kept)
        for number, pixels in enumerate(drawn):
            np.testing.assert_array_equal(images[number], pixels)
    with netCDF4.Dataset(tmp_path / "stimuli.nc") as kept:
        assert kept[SIZES].dimensions == ("stimulus", "side")
