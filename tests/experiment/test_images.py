"""Which images a folder holds, and what of them is seen."""

import struct
from zlib import compress, crc32

import numpy as np
import pytest
from PIL import Image

from cortiscope.errors import InputError
from cortiscope.experiment.images import (
    found_images,
    list_categories,
    list_images,
    passed_over,
    read_image,
)
from cortiscope.experiment.stimuli import read_stimuli


def draw(path, values=128):
    """A picture of one value, of the kind of pixels that it comes as."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((8, 8), values)).save(path)


SCENE = np.random.default_rng(0).integers(0, 256, (6, 9, 3), np.uint8)
# How a camera stores the scene, and by which number it says so (EXIF 2.32, tag 274).
STORED = {
    1: SCENE,
    2: SCENE[:, ::-1],
    3: SCENE[::-1, ::-1],
    4: SCENE[::-1],
    5: SCENE.swapaxes(0, 1),
    6: np.rot90(SCENE),
    7: np.rot90(SCENE.swapaxes(0, 1), 2),
    8: np.rot90(SCENE, -1),
}


def turned(path, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    stored = np.ascontiguousarray(STORED[orientation])
    Image.fromarray(stored).save(path, exif=exif)
    return stored


@pytest.mark.parametrize("orientation", STORED)
def test_an_image_is_turned_as_a_viewer_turns_it(tmp_path, orientation):
    stored = turned(tmp_path / "a.png", orientation)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), SCENE)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png", viewed=False), stored)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("a.png", np.uint16(3000)),  # of 12 bits, where 65535 would be white
        ("a.tif", np.uint16(3000)),
        ("a.tif", np.int32(3000)),
        ("a.tif", np.float32(1.1)),
        ("a.tif", np.float32(-0.1)),
        ("a.tif", np.float32(np.nan)),
    ],
)
def test_grey_levels_without_a_known_white_are_refused(tmp_path, name, value):
    draw(tmp_path / name, value)
    with pytest.raises(InputError, match=rf"{name}: has grey levels of more .*; store 8 bits"):
        read_image(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "value", "grey"),
    [
        ("a.png", np.uint16(257 * 200), 200),
        ("a.png", np.uint16(65535), 255),
        ("a.png", np.uint16(0), 0),
        ("a.tif", np.uint16(257 * 200), 200),
        ("a.tif", np.float32(200 / 255), 200),
        ("a.tif", np.float32(1), 255),
    ],
)
def test_grey_levels_of_more_than_8_bits_are_brought_to_8(tmp_path, name, value, grey):
    draw(tmp_path / name, value)
    assert np.unique(read_image(tmp_path / name)).tolist() == [grey]


def test_of_colours_of_16_bits_the_upper_8_are_kept(tmp_path):
    """As of grey levels; PIL writes no such file."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc32(kind + data))

    lines = b"".join(b"\0" + line.astype(">u2").tobytes() for line in SCENE * np.uint16(256) + 99)
    header = struct.pack(">IIBBBBB", 9, 6, 16, 2, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", compress(lines)), chunk(b"IEND", b"")]
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), SCENE)


def test_grey_levels_of_16_bits_in_the_other_order_of_bytes(tmp_path):
    levels = (SCENE[..., 0] * np.uint16(257)).astype(">u2")
    Image.frombytes("I;16B", (9, 6), levels.tobytes()).save(tmp_path / "a.tif")
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif")[..., 1], SCENE[..., 0])


def test_inks_become_colours(tmp_path):
    Image.new("CMYK", (8, 8), (255, 0, 0, 0)).save(tmp_path / "a.tif")
    assert read_image(tmp_path / "a.tif")[0, 0].tolist() == [0, 255, 255]


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_grey_levels_of_8_bits_are_kept(tmp_path, name):
    draw(tmp_path / name, np.uint8(30))
    assert np.unique(read_image(tmp_path / name)).tolist() == [30]
    Image.new("1", (8, 8), 1).save(tmp_path / name)
    assert np.unique(read_image(tmp_path / name)).tolist() == [255]


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "RGB"])
def test_what_is_transparent_is_white(tmp_path, mode):
    """Stored in a channel, or as the colour that is; the colour beneath is often black."""
    image = Image.new("RGB", (8, 8))
    image.paste((90, 90, 90), (0, 0, 8, 4))
    if mode in ("P", "L", "RGB"):
        image = image.quantize(2) if mode == "P" else image.convert(mode)
        image.save(tmp_path / "a.png", transparency=image.getpixel((0, 7)))
    else:
        opaque = Image.new("L", (8, 8))
        opaque.paste(255, (0, 0, 8, 4))
        image.putalpha(opaque)
        image.convert(mode).save(tmp_path / "a.png")
    seen = read_image(tmp_path / "a.png")
    assert np.unique(seen[:4]).tolist() == [90]
    assert np.unique(seen[4:]).tolist() == [255]
    assert np.unique(read_image(tmp_path / "a.png", viewed=False)[4:]).tolist() == [0]


def test_what_is_half_transparent_is_mixed_with_white(tmp_path):
    Image.new("RGBA", (8, 8), (10, 20, 30, 51)).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png")[0, 0].tolist() == [206, 208, 210]


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


def test_what_other_programs_leave_behind_is_passed_over(tmp_path):
    """And said in one line: what it is, not what it holds."""
    assert passed_over(tmp_path) == ""
    draw(tmp_path / "cat" / "one.png", np.uint8(1))
    draw(tmp_path / "__MACOSX.png", np.uint8(1))  # is a picture
    assert passed_over(tmp_path) == ""
    for name in ("cat/@eaDir/one.png/THUMB_S.png", "__MACOSX/cat/._one.png", "cat/._one.png"):
        draw(tmp_path / name, np.uint8(1))
    for name in ("Thumbs.db", "desktop.ini", ".DS_Store"):
        (tmp_path / "cat" / name).touch()
    assert list_images(tmp_path) == [tmp_path / "__MACOSX.png", tmp_path / "cat" / "one.png"]
    assert [path.name for path in list_categories(tmp_path)] == ["cat"]
    assert passed_over(tmp_path) == (
        f"{tmp_path}: passed over, as hidden or left behind by other programs:"
        " __MACOSX, cat/.DS_Store, cat/._one.png and 3 more"
    )


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
