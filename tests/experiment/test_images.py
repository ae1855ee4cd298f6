"""Which images a folder holds, and what of them is seen."""

import numpy as np
import pytest
from PIL import Image

from cortiscope.errors import InputError
from cortiscope.experiment.images import found_images, list_categories, list_images, read_image
from cortiscope.experiment.stimuli import read_stimuli


def draw(path, values=128):
    """A picture of one value, of the kind of pixels that it comes as."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((8, 8), values)).save(path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("a.png", np.uint16(3000)),
        ("a.tif", np.uint16(3000)),
        ("a.tif", np.int32(3000)),
        ("a.tif", np.float32(0.3)),
    ],
)
def test_grey_levels_beyond_8_bits_are_refused(tmp_path, name, value):
    draw(tmp_path / name, value)
    with pytest.raises(InputError, match=rf"{name}: has grey levels of more .*; store 8 bits"):
        read_image(tmp_path / name)


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_grey_levels_of_8_bits_are_kept(tmp_path, name):
    draw(tmp_path / name, np.uint8(30))
    assert np.unique(read_image(tmp_path / name)).tolist() == [30]
    Image.new("1", (8, 8), 1).save(tmp_path / name)
    assert np.unique(read_image(tmp_path / name)).tolist() == [255]


def test_transparency_is_ignored(tmp_path):
    Image.new("RGBA", (8, 8), (10, 20, 30, 0)).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png")[0, 0].tolist() == [10, 20, 30]


def test_links_to_folders_are_followed(tmp_path):
    for name in ("cat", "dog"):
        draw(tmp_path / "elsewhere" / name / "one.png", np.uint8(1))
    (tmp_path / "pictures").mkdir()
    for name in ("cat", "dog"):
        (tmp_path / "pictures" / name).symlink_to(tmp_path / "elsewhere" / name)
    stimuli = read_stimuli(tmp_path / "pictures")
    assert stimuli["stimulus_id"].values.tolist() == ["cat/one", "dog/one"]
    assert stimuli["category"].values.tolist() == ["cat", "dog"]


def test_links_that_lead_back_end(tmp_path):
    """Also those of two folders to each other, neither of which lies in the other."""
    for name, other in (("cat", "dog"), ("dog", "cat")):
        draw(tmp_path / name / "one.png", np.uint8(1))
        (tmp_path / name / "up").symlink_to(tmp_path)
        (tmp_path / name / "beside").symlink_to(tmp_path / other)
    found = [str(path.relative_to(tmp_path).parent) for path in list_images(tmp_path)]
    assert found == ["cat/beside", "cat", "dog/beside", "dog"]


def test_what_is_hidden_is_no_image(tmp_path):
    for name in ("cat/.ipynb_checkpoints/one.png", "cat/._one.png", ".trash/one.png"):
        draw(tmp_path / ".hidden" / name, np.uint8(1))
    assert list(found_images(tmp_path / ".hidden")) == []  # but may stand in a hidden folder
    draw(tmp_path / ".hidden" / "cat" / "one.png", np.uint8(1))
    assert list_images(tmp_path / ".hidden") == [tmp_path / ".hidden" / "cat" / "one.png"]


def test_a_folder_that_cannot_be_read_is_named(tmp_path):
    draw(tmp_path / "one.png", np.uint8(1))
    with pytest.raises(InputError, match=r"one.png: cannot be read; check its permissions"):
        list_images(tmp_path / "one.png")


def test_categories_are_the_folders_that_are_not_hidden(tmp_path):
    for name in ("n02", "n01", ".ipynb_checkpoints"):
        (tmp_path / name).mkdir()
    (tmp_path / "linked").symlink_to(tmp_path / "n01")
    (tmp_path / "README.md").touch()
    assert [path.name for path in list_categories(tmp_path)] == ["linked", "n01", "n02"]
