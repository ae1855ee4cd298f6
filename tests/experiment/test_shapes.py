"""Stimuli: the latents are what the pixels show, and seeds and streams keep sets apart."""

from dataclasses import fields

import numpy as np
import pytest

from cortiscope.experiment import shapes


@pytest.fixture(scope="module")
def stimuli() -> shapes.Stimuli:
    return shapes.render(240, 0)


def covered(stimuli: shapes.Stimuli, category: str) -> tuple[np.ndarray, np.ndarray]:
    """Which stimuli show a category, and their silhouettes drawn from the latents alone."""
    chosen = np.flatnonzero(stimuli.category == category)
    latents = (getattr(stimuli, name)[chosen] for name in ("x", "y", "size", "rotation"))
    return chosen, shapes.silhouettes(category, *latents, shapes.IMAGE_SIZE)


def test_same_seed_same_stimuli(stimuli: shapes.Stimuli) -> None:
    again = shapes.render(240, 0)
    for field in fields(shapes.Stimuli):
        np.testing.assert_array_equal(getattr(stimuli, field.name), getattr(again, field.name))


def test_seeds_and_streams_are_independent(stimuli: shapes.Stimuli) -> None:
    others = [shapes.render(240, 1), shapes.render(240, 0, stream="training")]
    others += [shapes.render(240, 0, stream="validation"), shapes.render(240, (0, 1))]
    for other in others:
        assert not np.array_equal(stimuli.label, other.label)
        for name in ("x", "y", "size", "rotation", "contrast", "background"):
            r = np.corrcoef(getattr(stimuli, name), getattr(other, name))[0, 1]
            assert abs(r) < 0.25  # 3.9 standard errors at n = 240
    with pytest.raises(ValueError, match="index"):
        shapes.render(8, 0, stream="test")


def test_every_fourth_stimulus_is_for_testing() -> None:
    assert shapes.parts(9).tolist() == ["train", "train", "train", "test"] * 2 + ["train"]


def test_format(stimuli: shapes.Stimuli) -> None:
    assert stimuli.image.shape == (240, 64, 64, 3)
    assert stimuli.image.dtype == np.uint8
    assert np.ptp(stimuli.image, axis=3).max() == 0
    assert len(set(stimuli.stimulus_id)) == 240
    np.testing.assert_array_equal(np.array(shapes.CATEGORIES)[stimuli.label], stimuli.category)
    assert shapes.render(3, 0, size=96).image.shape == (3, 96, 96, 3)


def test_categories_are_balanced_and_shuffled(stimuli: shapes.Stimuli) -> None:
    assert np.bincount(stimuli.label).tolist() == [30] * 8
    assert np.ptp(np.bincount(shapes.render(100, 3).label)) == 1
    assert np.abs(np.corrcoef(stimuli.label, np.arange(240))[0, 1]) < 0.25


@pytest.mark.parametrize("category", shapes.CATEGORIES)
def test_silhouette_has_the_centroid_and_area_of_its_latents(
    stimuli: shapes.Stimuli, category: str
) -> None:
    chosen, silhouette = covered(stimuli, category)
    axis = (np.arange(shapes.IMAGE_SIZE) + 0.5) / shapes.IMAGE_SIZE - 0.5
    mass = silhouette.sum((1, 2))
    x, y = (silhouette.sum(1) @ axis) / mass, (silhouette.sum(2) @ axis) / mass
    np.testing.assert_allclose(x, stimuli.x[chosen], atol=0.003)
    np.testing.assert_allclose(y, stimuli.y[chosen], atol=0.003)
    side = np.sqrt(mass) / shapes.IMAGE_SIZE
    np.testing.assert_allclose(side, stimuli.size[chosen], rtol=0.02)


def test_rotation_turns_the_shape_clockwise() -> None:
    zero, size = np.zeros(1), np.full(1, 0.3)
    for category in shapes.CATEGORIES:
        upright = shapes.silhouettes(category, zero, zero, size, zero, 64)
        turned = shapes.silhouettes(category, zero, zero, size, np.full(1, 90.0), 64)
        # A quarter turn, clockwise where y points down.
        np.testing.assert_allclose(turned[0], np.rot90(upright[0], -1), atol=2e-3)
        tilted = shapes.silhouettes(category, zero, zero, size, np.full(1, 25.0), 64)
        assert np.abs(tilted - upright).mean() > 0.003


def test_pixels_are_brighter_inside_by_the_contrast(stimuli: shapes.Stimuli) -> None:
    image = stimuli.image[..., 0] / 255
    expected, measured = [], []
    for category in shapes.CATEGORIES:
        chosen, silhouette = covered(stimuli, category)
        for index, inside in zip(chosen, silhouette, strict=True):
            measured.append(image[index][inside == 1].mean() - image[index][inside == 0].mean())
            expected.append(stimuli.contrast[index])
    assert np.corrcoef(expected, measured)[0, 1] > 0.7
    assert np.mean(measured) == pytest.approx(np.mean(expected), abs=0.03)


def test_background_is_pink() -> None:
    noise = shapes.pink_noise(200, 64, np.random.default_rng(0))
    power = (np.abs(np.fft.rfft2(noise)) ** 2).mean(0)
    frequency = np.hypot(np.fft.fftfreq(64)[:, None], np.fft.rfftfreq(64)[None, :])
    band = (frequency > 0.03) & (frequency < 0.5)
    slope = np.polyfit(np.log(frequency[band]), np.log(power[band]), 1)[0]
    assert slope == pytest.approx(-2, abs=0.05)
    np.testing.assert_allclose(noise.std(axis=(1, 2)), 1, rtol=1e-4)


def test_category_cannot_be_read_from_mean_luminance(stimuli: shapes.Stimuli) -> None:
    mean = stimuli.image.mean((1, 2, 3))
    between = np.array([mean[stimuli.label == i].mean() for i in range(8)])
    assert between.var() / mean.var() < 0.12  # 7/239 = 0.03 expected by chance
