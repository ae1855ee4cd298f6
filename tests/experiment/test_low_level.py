"""Low-level models know gratings by orientation and wavelength, and nothing else of them."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from cortiscope.errors import InputError
from cortiscope.experiment import low_level


def grating(cycles: float, degrees: float, phase: float = 0.0, size: int = 64) -> NDArray:
    """One image (y, x, channel) of a wave that runs at this angle from x towards y."""
    axis = np.arange(size) / size
    turn = np.deg2rad(degrees)
    along = axis[None, :] * np.cos(turn) + axis[:, None] * np.sin(turn)
    wave = 127.5 + 100 * np.cos(2 * np.pi * cycles * along + phase)
    return np.repeat(wave.round().astype(np.uint8)[:, :, None], 3, axis=2)


@pytest.mark.parametrize("name", list(low_level.MODELS))
def test_features_are_finite_and_independent_of_the_other_images(name: str) -> None:
    images = np.random.default_rng(0).integers(0, 256, size=(35, 48, 64, 3)).astype(np.uint8)
    images[3] = 128
    features = low_level.MODELS[name](images)
    assert features.shape[0] == 35
    assert features.dtype == np.float64
    assert np.isfinite(features).all()
    np.testing.assert_allclose(low_level.MODELS[name](images[33:]), features[33:], atol=1e-12)
    if name != "pixels":
        assert np.abs(features[3]).max() < 1e-12
    with pytest.raises(InputError, match="32 pixels"):
        low_level.MODELS[name](images[:, :20])


def test_pixels_average_luminance() -> None:
    images = np.zeros((2, 64, 96, 3), dtype=np.uint8)
    images[1, :2, :3] = [255, 0, 0]
    features = low_level.pixels(images)
    assert features.shape == (2, 1024)
    assert features[1, 0] == pytest.approx(1 / 3)
    assert features[1, 1:].max() == 0


@pytest.mark.parametrize("model", [low_level.gabor_energy, low_level.gist])
def test_energies_are_tuned_and_ignore_phase(model: Callable[[NDArray], NDArray]) -> None:
    for octave, cycles in enumerate((4, 8, 16)):
        for number in range(8):
            images = [grating(cycles, 22.5 * number, phase) for phase in (0.0, 1.0, 2.5)]
            features = model(np.array(images)).reshape(3, 4, 8, -1)
            tuning = features.mean(axis=3)[0]
            assert np.unravel_index(tuning.argmax(), tuning.shape) == (octave, number)
            if number % 4 == 0:  # the others do not repeat at the edges
                np.testing.assert_allclose(features[1:], features[:-1], rtol=0.15, atol=0.02)


def test_gist_ignores_contrast_where_gabor_energy_does_not() -> None:
    strong = np.random.default_rng(0).integers(0, 256, size=(1, 64, 64, 1)).astype(float)
    both = np.concatenate([strong, 127.5 + 0.8 * (strong - 127.5)]).round().astype(np.uint8)
    ratio = [
        np.divide(*model(both).mean(axis=1)) for model in (low_level.gabor_energy, low_level.gist)
    ]
    assert ratio[0] == pytest.approx(1.25, rel=0.01)
    assert ratio[1] < 1.15


def test_hog_votes_for_the_orientation_of_the_gradient() -> None:
    for number in range(9):
        features = low_level.hog(grating(6, 10 + 20 * number)[None])
        cells = features.reshape(7, 7, 4, 9)
        assert (cells.sum(axis=(0, 1, 2)).argmax()) == number
        np.testing.assert_allclose(np.square(features.reshape(49, 36)).sum(axis=1), 1, rtol=1e-6)
    between = low_level.hog(grating(6, 20)[None]).reshape(-1, 9).mean(axis=0)
    assert set(np.argsort(between)[-2:]) == {0, 1}


def test_hog_is_its_definition() -> None:
    """Pixel by pixel, cell by cell, block by block."""
    images = np.random.default_rng(0).integers(0, 256, size=(1, 32, 40, 1)).astype(np.uint8)
    grey = images[0, :, :, 0] / 255
    down, right = np.gradient(grey)
    cells = np.zeros((4, 5, 9))
    for y, x in np.ndindex(32, 40):
        angle = np.rad2deg(np.arctan2(down[y, x], right[y, x])) % 180
        for number in range(9):
            distance = abs((angle - (20 * number + 10) + 90) % 180 - 90)
            share = max(0.0, 1 - distance / 20)
            cells[y // 8, x // 8, number] += share * np.hypot(down[y, x], right[y, x])
    expected = []
    for y, x in np.ndindex(3, 4):
        block = np.concatenate([cells[y + i, x + j] for i in (0, 1) for j in (0, 1)])
        block = np.minimum(block / np.linalg.norm(block), 0.2)
        expected.append(block / np.linalg.norm(block))
    np.testing.assert_allclose(low_level.hog(images)[0], np.concatenate(expected), rtol=1e-9)
