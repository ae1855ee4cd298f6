"""Preprocessing against torchvision's own transforms on PIL images."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import models
from torchvision.transforms import functional

from cortiscope.errors import InputError
from cortiscope.networks import networks, preprocessing


def row(architecture="alexnet", source="torchvision", **changes):
    basis = {"model": "net", "weights": "none", "preprocessing": "auto"}
    return {**basis, "source": source, "architecture": architecture, **changes}


def small(**changes):
    return row("shapenet2", "zoo", **changes)


def photograph(height=300, width=280, channels=3, seed=0):
    noise = np.random.default_rng(seed).integers(0, 256, (20, 20, channels), np.uint8)
    image = Image.fromarray(noise[..., 0] if channels == 1 else noise).resize((width, height))
    return np.asarray(image).reshape(height, width, channels)


@pytest.mark.parametrize("size", [(300, 280), (224, 224), (225, 225), (232, 232), (299, 299)])
@pytest.mark.parametrize(
    "architecture", ["resnet50", "efficientnet_b0", "vit_b_16", "inception_v3"]
)
def test_auto_is_the_weights_own_transform(architecture, size):
    image = photograph(*size)
    preset = models.get_model_weights(architecture).DEFAULT.transforms()
    expected = preset(Image.fromarray(image))
    found = networks.transform(row(architecture))(image[None])[0]
    assert found.shape == expected.shape
    # PIL and tensors may round the resized grey levels differently.
    assert (found - expected).abs().mean() < 0.005


def test_named_weights_bring_their_own():
    assert networks.transform(row("resnet50", weights="IMAGENET1K_V1")).resize == 256
    assert networks.transform(row("resnet50", weights="IMAGENET1K_V2")).resize == 232
    assert networks.transform(row("resnet50", weights="a/file.pth")).resize == 232


def test_preprocessing_may_be_the_name_of_weights():
    named = networks.transform(row("resnet50", preprocessing="IMAGENET1K_V1"))
    assert named == networks.transform(row("resnet50", weights="IMAGENET1K_V1"))
    other = row("resnet50", weights="IMAGENET1K_V1", preprocessing="IMAGENET1K_V2")
    assert networks.transform(other).resize == 232
    large = row("vit_b_16", preprocessing="IMAGENET1K_SWAG_E2E_V1")
    assert networks.input_shape(large) == (3, 384, 384)
    assert networks.architecture(large).image_size == 384


def test_images_that_need_no_resampling_need_no_torchvision():
    """Importing it would double the start-up of the zoo's small networks."""
    code = (
        "import sys, numpy; from cortiscope.networks import networks;"
        "row = dict(model='net', source='zoo', architecture='shapenet2', preprocessing='auto');"
        "networks.transform(row)(numpy.zeros((1, 64, 64, 1), numpy.uint8));"
        "assert 'torchvision' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=True)


@pytest.mark.parametrize(
    ("words", "size", "shape"),
    [
        ("resize=8", (8, 12), (8, 12)),
        ("resize=8 crop=8", (8, 12), (8, 8)),
        ("resize=8 crop=4", (4, 4), (4, 4)),
        ("crop=4", (4, 6), (4, 4)),
        ("resize=8", (4, 4), (8, 8)),
    ],
)
def test_what_is_asked_is_done_whatever_the_size(words, size, shape):
    """Against torchvision's own steps, one after the other."""
    image = photograph(*size)
    pixels = torch.from_numpy(image.copy()).permute(2, 0, 1)
    given = dict(word.split("=") for word in words.split())
    if "resize" in given:
        pixels = functional.resize(pixels, [int(given["resize"])], antialias=True)
    if "crop" in given:
        pixels = functional.center_crop(pixels, [int(given["crop"])])
    found = networks.transform(row(preprocessing=words))(image[None])[0]
    assert found.shape[-2:] == shape
    torch.testing.assert_close(found, pixels.float() / 255)


def test_grey_is_given_to_all_channels():
    found = networks.transform(small(preprocessing="resize=32 crop=32 mean=0.5 std=0.25"))(
        photograph(64, 64, 1)[None]
    )
    assert found.shape == (1, 3, 32, 32)
    assert torch.equal(found[:, 0], found[:, 2])
    assert found.abs().max() <= 2


@pytest.mark.parametrize("size", [(8, 8), (12, 20)])
def test_a_network_of_one_channel_sees_grey_as_pil_makes_it(size):
    """ITU-R 601, to the grey level."""
    images = np.random.default_rng(0).integers(0, 256, (3, *size, 3), np.uint8)
    shown = networks.transform(row(source="file", preprocessing="crop=8 channels=1"))(images)
    for found, image in zip(shown, images, strict=True):
        grey = Image.fromarray(image).convert("L")
        expected = functional.center_crop(functional.pil_to_tensor(grey), [8])
        assert torch.equal(found, expected.float() / 255)
    already = images[..., :1]
    found = networks.transform(row(source="file", preprocessing="crop=8 channels=1"))(already)
    assert found.shape == (3, 1, 8, 8)


def test_grey_is_normalised_by_the_mean_of_grey():
    """Of a grey image of that mean in every channel, nothing is left."""
    grey = preprocessing.parse("imagenet", "").grey()
    mean = np.array(preprocessing.IMAGENET_MEAN)
    assert grey.mean[0] == pytest.approx(mean @ [0.299, 0.587, 0.114], abs=1e-4)
    assert grey.std[0] == pytest.approx(
        np.array(preprocessing.IMAGENET_STD) @ [0.299, 0.587, 0.114], abs=1e-4
    )
    assert (len(grey.mean), len(grey.std), grey.channels) == (1, 1, 1)


@pytest.mark.parametrize(
    "words",
    [
        "imagenet",
        "resize=146 crop=128 mean=0.5,0.25,0.125 std=0.2 interpolation=bicubic",
        "crop=28 channels=1 mean=0.1307 std=0.3081",
    ],
)
def test_what_is_shown_can_be_pasted(words):
    wanted = preprocessing.parse(words, "")
    assert preprocessing.parse(wanted.words, "") == wanted
    if wanted.channels > 1:
        assert preprocessing.parse(wanted.grey().words, "") == wanted.grey()


@pytest.mark.parametrize("architecture", ["resnet50", "vit_b_16", "inception_v3", "mobilenet_v2"])
def test_presets_can_be_pasted(architecture):
    preset = networks.transform(row(architecture))
    assert networks.transform(row(architecture, preprocessing=preset.words)) == preset


@pytest.mark.parametrize(
    ("source", "weights", "image", "found"),
    [
        ("given", "net.pth", (64, 64), []),
        ("assumed", "none", (64, 64), []),
        ("own", "IMAGENET1K_V1", (64, 64), []),
        ("assumed", "nets/net.pth", (64, 64), ["nets/net.pth may have been trained with another"]),
        ("given", "none", (60, 80), ["60 x 80 pixels get a black rim by crop=64"]),
        ("given", "none", (80, 60), ["80 x 60 pixels get a black rim"]),
    ],
)
def test_what_is_shown_and_what_is_odd_in_it_is_said(source, weights, image, found):
    shown = preprocessing.parse("crop=64 mean=0.5", "")
    about = {"model_preprocessing_source": source, "model_warning": "", "model_unrecorded": ""}
    first, *others = preprocessing.remarks(shown, about, weights, image)
    words = "resize=0 crop=64 mean=0.5 std=1 interpolation=bilinear channels=3"
    assert first == f"images are shown with {words} ({source})"
    for line, expected in zip(others, found, strict=True):
        assert line.startswith("warning: ")
        assert expected in line


def test_what_is_resized_gets_no_rim():
    for size in ((10, 10), (100, 300)):
        assert not preprocessing.parse("resize=64 crop=64", "").pads(*size)


def test_explicit_words():
    assert preprocessing.parse("imagenet", "") == preprocessing.Preprocessing(
        256, 224, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    )
    found = preprocessing.parse("crop=8 mean=0.1,0.2,0.3", "")
    image = np.full((1, 10, 10, 3), 51, np.uint8)
    expected = torch.tensor([0.1, 0.0, -0.1]).view(1, 3, 1, 1).expand(1, 3, 8, 8)
    torch.testing.assert_close(found(image), expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("imagnet", "models table: net: preprocessing: unknown word 'imagnet'; near: imagenet"),
        ("IMAGENET1K_V9", "preprocessing: unknown word 'IMAGENET1K_V9'; near: IMAGENET1K_V1"),
        ("size=64", "near: resize="),
        ("resize=big", "invalid literal"),
        ("crop=8 std=0", "out of range"),
        ("crop=8 std=inf", "out of range"),
        ("crop=8 mean=nan", "out of range"),
        ("crop=-8", "out of range"),
        ("resize=-8", "out of range"),
        ("crop=8 mean=1,2", "neither one number nor three"),
        ("crop=8 mean=1,2,3 channels=1", "'1,2,3' is not the one of one channel"),
        ("crop=8 channels=2", "channels=2 is neither 1 nor 3"),
        ("resize=146 crop=160", "crops more than there is, .*; write resize=160 or more"),
    ],
)
def test_bad_words_are_one_line(text, message):
    with pytest.raises(InputError, match=message) as caught:
        networks.transform(row(preprocessing=text))
    assert "\n" not in str(caught.value)


def test_bad_images_are_refused():
    with pytest.raises(InputError, match="images are float64"):
        networks.transform(small())(np.zeros((1, 4, 4, 3)))


def test_preprocessed_is_made_by_slices():
    images = np.stack([photograph(70, 64, 1, seed) for seed in range(5)])
    transform = networks.transform(small())
    lazy = preprocessing.Preprocessed(images, transform)
    assert len(lazy) == 5
    assert torch.equal(lazy[1:3], transform(images)[1:3])


def test_images_of_unlike_sizes_are_preprocessed_as_if_alone():
    images = [photograph(300 + 3 * seed, 280 - seed, seed=seed) for seed in range(4)]
    preset = models.get_model_weights("alexnet").DEFAULT.transforms()
    found = preprocessing.Preprocessed(images, networks.transform(row()))[0:4]
    for image, seen in zip(images, found, strict=True):
        # PIL and tensors may round the resized grey levels differently.
        assert (seen - preset(Image.fromarray(image))).abs().mean() < 0.005


def test_images_that_stay_of_unlike_sizes_are_refused():
    """In one batch, and in two."""
    images = [photograph(70, 64), photograph(70, 64), photograph(64, 70)]
    seen = preprocessing.Preprocessed(images, networks.transform(small(preprocessing="resize=32")))
    assert seen[0:2].shape == (2, 3, 35, 32)
    for part in (slice(2, 3), slice(1, 3)):
        with pytest.raises(InputError, match=r"35 x 32 and 32 x 35 pixels; add crop="):
            seen[part]


@pytest.mark.parametrize("size", [30, 64, 224])
def test_nearest_pixels_are_those_of_pil(size):
    image = np.random.default_rng(0).integers(0, 256, (50, 50, 3), np.uint8)
    found = preprocessing.parse(f"resize={size} interpolation=nearest", "")(image[None])
    expected = np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.NEAREST))
    np.testing.assert_allclose(found[0].permute(1, 2, 0).numpy() * 255, expected, atol=1e-4)
