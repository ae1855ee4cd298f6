"""Simulated areas: the planted reliability and the planted codes are there to be found."""

import numpy as np
import pytest

from cortiscope.experiment import shapes, simulated_brain


@pytest.fixture(scope="module")
def stimuli() -> shapes.Stimuli:
    return shapes.render(240, 0)


@pytest.fixture(scope="module")
def recording(stimuli: shapes.Stimuli) -> simulated_brain.Recording:
    return simulated_brain.responses(stimuli, 0)


def test_same_seed_same_responses(
    stimuli: shapes.Stimuli, recording: simulated_brain.Recording
) -> None:
    again = simulated_brain.responses(stimuli, 0)
    np.testing.assert_array_equal(recording.response, again.response)
    other = simulated_brain.responses(stimuli, 1)
    means = recording.response.mean(1), other.response.mean(1)
    assert not np.allclose(*means, atol=1)


def test_format(stimuli: shapes.Stimuli, recording: simulated_brain.Recording) -> None:
    assert recording.response.shape == (240, 8, 192)
    assert recording.response.dtype == np.float32
    assert np.isfinite(recording.response).all()
    np.testing.assert_array_equal(recording.stimulus_id, stimuli.stimulus_id)
    assert len(set(recording.neuroid_id)) == 192
    assert [(recording.area == area).sum() for area in ("V1", "V4", "IT")] == [64] * 3
    assert "simulated" in recording.units


def test_planted_reliability_is_recovered(recording: simulated_brain.Recording) -> None:
    halves = np.random.default_rng(0)
    estimates = []
    for _ in range(20):
        order = halves.permutation(8)
        first = recording.response[:, order[:4]].mean(1)
        second = recording.response[:, order[4:]].mean(1)
        first, second = (half - half.mean(0) for half in (first, second))
        r = (first * second).sum(0) / np.sqrt((first**2).sum(0) * (second**2).sum(0))
        estimates.append(2 * r / (1 + r))
    error = np.mean(estimates, 0) - recording.reliability
    assert abs(error.mean()) < 0.01
    assert np.sqrt((error**2).mean()) < 0.06
    for area in simulated_brain.AREAS:
        planted = recording.reliability[recording.area == area]
        assert (planted.min(), planted.max()) == pytest.approx((0.3, 0.95))


@pytest.mark.parametrize("area", simulated_brain.AREAS)
def test_best_linear_reading_of_the_planted_code_reaches_the_ceiling(
    stimuli: shapes.Stimuli, recording: simulated_brain.Recording, area: str
) -> None:
    stream = np.random.SeedSequence(0).spawn(3)[simulated_brain.AREAS.index(area)]
    signal = simulated_brain.SIGNALS[area](stimuli, 64, np.random.default_rng(stream))
    chosen = recording.area == area
    mean = recording.response[:, :, chosen].mean(1)
    r = [np.corrcoef(signal[:, i], mean[:, i])[0, 1] for i in range(64)]
    # The ceiling of a correlation with the mean over repetitions is the root of its reliability.
    np.testing.assert_allclose(np.mean(r), np.sqrt(recording.reliability[chosen]).mean(), atol=0.01)


def test_more_neuroids_or_repetitions_keep_the_areas_apart(stimuli: shapes.Stimuli) -> None:
    small = simulated_brain.responses(stimuli, 0, repetitions=2, neuroids=5)
    assert small.response.shape == (240, 2, 15)
    assert np.unique(small.area).tolist() == ["IT", "V1", "V4"]


def test_gabor_pair_is_in_quadrature_and_blind_to_even_luminance() -> None:
    pair = simulated_brain.gabor(0.1, 0.7, 64)
    assert abs(pair.sum()) < 1e-5
    assert np.linalg.norm(pair) == pytest.approx(1, abs=1e-5)
    even, odd = pair.real.ravel(), pair.imag.ravel()
    assert abs(even @ odd) < 1e-5
    assert even @ even == pytest.approx(odd @ odd, rel=0.05)


def test_energy_ignores_phase_and_prefers_its_orientation_and_wavelength() -> None:
    axis = np.arange(64) / 64
    phases = np.linspace(0, np.pi, 7)[:, None, None]
    # Vertical bars: luminance varies along x, which is orientation 0. 10 cycles, wavelength 0.1.
    gratings = np.cos(2 * np.pi * 10 * axis[None, None, :] + phases) * np.ones((1, 64, 1))
    spectrum = np.fft.fft2(gratings)
    preferred = simulated_brain.energy(spectrum, 0.1, 0.0)[:, 32, 32]
    assert np.ptp(preferred) < 0.1 * preferred.mean()
    for wavelength, orientation in ((0.1, np.pi / 2), (0.1, np.pi / 3), (0.3, 0.0)):
        other = simulated_brain.energy(spectrum, wavelength, orientation)[:, 32, 32]
        assert other.mean() < 0.5 * preferred.mean()


def test_energy_is_that_of_the_filter_laid_on_each_pixel() -> None:
    image = np.random.default_rng(0).standard_normal((64, 64))
    energies = simulated_brain.energy(np.fft.fft2(image)[None], 0.08, 1.0)[0]
    pair = simulated_brain.gabor(0.08, 1.0, 64)
    for row, column in ((5, 40), (31, 2)):
        laid = np.roll(pair, (row, column), axis=(0, 1))
        expected = abs((image * laid).sum()) ** 2
        assert energies[row, column] == pytest.approx(expected, rel=1e-4)


def test_it_never_sees_the_image_and_v1_never_sees_the_latents(stimuli: shapes.Stimuli) -> None:
    blank = shapes.Stimuli(**{**vars(stimuli), "image": np.zeros_like(stimuli.image)})
    seen, unseen = (
        simulated_brain.it_signal(one, 8, np.random.default_rng(0)) for one in (stimuli, blank)
    )
    np.testing.assert_array_equal(seen, unseen)
    other = vars(shapes.render(240, 9))
    swapped = shapes.Stimuli(**{**other, "image": stimuli.image})
    for signal in (simulated_brain.v1_signal, simulated_brain.v4_signal):
        mine, theirs = (signal(one, 8, np.random.default_rng(0)) for one in (stimuli, swapped))
        np.testing.assert_array_equal(mine, theirs)


def test_v4_is_normalised_by_contrast_and_v1_is_not(stimuli: shapes.Stimuli) -> None:
    dimmed = shapes.Stimuli(**{**vars(stimuli), "image": stimuli.image.astype(np.float32) / 2})
    v4, dimmed_v4 = (
        simulated_brain.v4_signal(one, 8, np.random.default_rng(0)) for one in (stimuli, dimmed)
    )
    np.testing.assert_allclose(dimmed_v4, v4, rtol=1e-3, atol=1e-4)
    v1, dimmed_v1 = (
        simulated_brain.v1_signal(one, 8, np.random.default_rng(0)) for one in (stimuli, dimmed)
    )
    np.testing.assert_allclose(dimmed_v1, v1 / 2, rtol=1e-3)
