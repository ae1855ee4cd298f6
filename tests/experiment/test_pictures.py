"""Stimuli that show the same picture are found, and those that only resemble each other are not."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cortiscope.experiment.pictures import same_pictures
from cortiscope.experiment.shapes import render

N = 30


def scenes(size: int = 96) -> NDArray:
    return render(N, seed=3, size=size).image


def jpeg(image: NDArray, quality: int) -> NDArray:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def test_copies_are_found_by_their_pixels() -> None:
    images = scenes()
    order = np.random.default_rng(0).permutation(2 * N)
    exact, nearly = same_pictures(np.concatenate([images, images])[order])
    shown = order % N
    for found in (exact, nearly):
        assert np.array_equal(shown[found], shown)
        assert len(np.unique(found)) == N
        assert (found <= np.arange(2 * N)).all()


CHANGES = {
    "jpeg": lambda image: jpeg(image, 50),
    "darker": lambda image: (0.8 * image).astype(np.uint8),
    "flatter": lambda image: (0.6 * image + 40).astype(np.uint8),
    "a grey level": lambda image: image ^ np.uint8(1),
    "smaller": lambda image: np.asarray(Image.fromarray(image).resize((64, 64))),
}


@pytest.mark.parametrize("change", list(CHANGES))
def test_near_copies_are_no_copies_but_nearly_the_same(change: str) -> None:
    images = list(scenes())
    exact, nearly = same_pictures([*images, *(CHANGES[change](image) for image in images)])
    assert np.array_equal(exact, np.arange(2 * N))
    assert np.array_equal(nearly, np.tile(np.arange(N), 2))


def apertures(mean: float) -> NDArray:
    """Noise in one window on one background: alike where it is seen from afar."""
    y, x = np.mgrid[-1:1:96j, -1:1:96j]
    noise = mean + 40 * np.random.default_rng(0).normal(size=(N, 96, 96))
    grey = np.where(np.hypot(x, y) < 0.8, noise, 90).clip(0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=-1)


@pytest.mark.parametrize(
    "images",
    [
        scenes(),
        apertures(90),
        apertures(170),
        np.stack([*np.eye(3, dtype=np.uint8)])[:, None, None].repeat(8, 1).repeat(8, 2)
        * np.uint8(200),
    ],
    ids=["scenes", "textures", "textures in a disc", "three colours"],
)
def test_other_pictures_are_not(images: NDArray) -> None:
    exact, nearly = same_pictures(images)
    assert np.array_equal(exact, np.arange(len(images)))
    assert np.array_equal(nearly, np.arange(len(images)))


def test_images_without_contrast_are_the_same_by_pixels_alone() -> None:
    grey = np.full((3, 16, 16, 3), 128, np.uint8)
    grey[2] = 129
    exact, nearly = same_pictures(grey)
    assert exact.tolist() == nearly.tolist() == [0, 0, 2]
