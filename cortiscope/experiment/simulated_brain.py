"""Simulated recordings of three areas whose truth is known: V1 sees pixels, IT sees latents.

V1  energy of quadrature pairs of Gabors (Adelson & Bergen 1985, J Opt Soc Am A 2:284), each
    neuroid a site that pools pairs of one orientation and wavelength over neighbouring positions.
V4  Gabor energies divided by those of the whole image (Heeger 1992, Vis Neurosci 9:181), mixed over
    orientations, wavelengths and neighbours by a random convolution, rectified and pooled.
IT  a random nonlinearity of category and pose. It never sees the image: only a network that has
    worked out what is shown, and where, can predict it.
"""

from dataclasses import dataclass

import numpy as np
import scipy  # not its parts: they load when first used, which reading a config never does

from cortiscope.experiment.shapes import CATEGORIES, Stimuli
from cortiscope.experiment.simulated_areas import AREAS

UNITS = "simulated spikes/s, relative to the neuroid's mean"
# Standard deviation of every neuroid's signal over stimuli, in spikes/s.
SIGNAL_SPREAD = 5.0
# Reliability of the mean over repetitions: the range that recordings of single neurons cover.
RELIABILITY_RANGE = (0.3, 0.95)

# Wavelengths and widths as fractions of the image width.
ENVELOPE = 0.5  # standard deviation of a Gabor's envelope, in wavelengths
V1_WAVELENGTHS = (0.055, 0.1)
V1_POOLING = 0.05
V1_POSITIONS = (-0.33, 0.33)
V4_WAVELENGTHS = (0.08, 0.16)
V4_ORIENTATIONS = 4
V4_GRID = 8
V4_CHANNELS = 32
V4_POOLING = 1.0  # in cells of the grid
# Weight of each latent in IT before the nonlinearity; category counts most, as in Yamins et al.
IT_CATEGORY_GAIN = 1.0
IT_POSE_GAIN = 0.25
IT_SLOPE = 0.6


@dataclass(frozen=True)
class Recording:
    """Responses of all areas and, for every neuroid, the reliability that was planted.

    response     (stimulus, repetition, neuroid) float32, UNITS, never NaN
    stimulus_id  (stimulus)
    neuroid_id   (neuroid), unique over areas; `area` names each one's area
    reliability  (neuroid), 0..1: expected Spearman-Brown reliability of the mean over repetitions
    """

    response: np.ndarray
    stimulus_id: np.ndarray
    neuroid_id: np.ndarray
    area: np.ndarray
    reliability: np.ndarray
    units: str = UNITS


def luminance(image: np.ndarray) -> np.ndarray:
    """Mean over channels, 0..1, without the stimulus's own mean: (stimulus, y, x) float32."""
    grey = image.mean(axis=-1, dtype=np.float32) / 255
    return grey - grey.mean(axis=(1, 2), keepdims=True)


def gabor(wavelength: float, orientation: float, pixels: int) -> np.ndarray:
    """A complex Gabor (y, x) of mean 0 and norm 1 around pixel 0, 0, wrapped at the edges.

    Its real and imaginary parts are in quadrature. The wavelength is a fraction of the image width,
    the orientation in radians.
    """
    axis = scipy.fft.fftfreq(pixels)  # distance from pixel 0, fractions of the width
    right, down = axis[None, :], axis[:, None]
    along = right * np.cos(orientation) + down * np.sin(orientation)
    envelope = np.exp(-(right**2 + down**2) / (2 * (ENVELOPE * wavelength) ** 2))
    carrier = np.exp(2j * np.pi * along / wavelength)
    # Take the mean out under the envelope, so that even luminance does not excite the filter.
    carrier -= (carrier * envelope).sum() / envelope.sum()
    filtered = envelope * carrier
    return (filtered / np.linalg.norm(filtered)).astype(np.complex64)


def energy(spectrum: np.ndarray, wavelength: float, orientation: float) -> np.ndarray:
    """Energy of a quadrature pair at every pixel, from the images' spectrum (stimulus, y, x)."""
    transfer = np.conj(scipy.fft.fft2(gabor(wavelength, orientation, spectrum.shape[-1])))
    return np.abs(scipy.fft.ifft2(spectrum * transfer)) ** 2


def v1_signal(stimuli: Stimuli, neuroids: int, random: np.random.Generator) -> np.ndarray:
    """Root of the Gabor energy around each site: (stimulus, neuroid)."""
    x, y = random.uniform(*V1_POSITIONS, size=(2, neuroids))
    shortest, longest = V1_WAVELENGTHS
    wavelength = np.exp(random.uniform(np.log(shortest), np.log(longest), size=neuroids))
    orientation = random.uniform(0, np.pi, size=neuroids)
    grey = luminance(stimuli.image)
    spectrum = scipy.fft.fft2(grey)
    axis = (np.arange(grey.shape[1]) + 0.5) / grey.shape[1] - 0.5
    signal = np.empty((len(grey), neuroids))
    for i in range(neuroids):
        down = np.exp(-((axis - y[i]) ** 2) / (2 * V1_POOLING**2))
        right = np.exp(-((axis - x[i]) ** 2) / (2 * V1_POOLING**2))
        signal[:, i] = down @ energy(spectrum, wavelength[i], orientation[i]) @ right
    return np.sqrt(signal)


def energy_maps(stimuli: Stimuli) -> np.ndarray:
    """Gabor amplitudes on a coarse grid over their mean: (stimulus, V4_GRID, V4_GRID, map)."""
    grey = luminance(stimuli.image)
    n, pixels = grey.shape[:2]
    spectrum = scipy.fft.fft2(grey)
    cell = pixels // V4_GRID
    maps = []
    for wavelength in V4_WAVELENGTHS:
        for orientation in np.arange(V4_ORIENTATIONS) * np.pi / V4_ORIENTATIONS:
            amplitude = np.sqrt(energy(spectrum, wavelength, orientation))
            cells = amplitude.reshape(n, V4_GRID, cell, V4_GRID, cell)
            maps.append(cells.mean(axis=(2, 4)))
    stacked = np.stack(maps, axis=-1)
    return stacked / stacked.mean(axis=(1, 2, 3), keepdims=True)


def v4_signal(stimuli: Stimuli, neuroids: int, random: np.random.Generator) -> np.ndarray:
    """Random mixtures of normalised energies, rectified and pooled: (stimulus, neuroid)."""
    maps = energy_maps(stimuli)
    maps = (maps - maps.mean(axis=(0, 1, 2))) / maps.std(axis=(0, 1, 2))
    patches = np.lib.stride_tricks.sliding_window_view(maps, (3, 3), axis=(1, 2))
    weight = random.standard_normal((V4_CHANNELS, *patches.shape[3:]))
    drive = np.einsum("nyxmij,cmij->nyxc", patches, weight, optimize=True)
    pooled = scipy.ndimage.gaussian_filter(
        np.maximum(drive, 0), (0, V4_POOLING, V4_POOLING, 0), mode="nearest"
    )
    # The outermost positions look at the margin, where no shape ever is.
    row, column = random.integers(1, pooled.shape[1] - 1, size=(2, neuroids))
    return pooled[:, row, column, random.integers(V4_CHANNELS, size=neuroids)]


def it_latents(stimuli: Stimuli) -> np.ndarray:
    """What IT is tuned to, each of variance 1 before its gain: (stimulus, latent)."""
    angle = np.deg2rad(stimuli.rotation)
    pose = np.stack(
        [stimuli.x, stimuli.y, stimuli.size, np.sin(angle), np.cos(angle), stimuli.contrast], axis=1
    )
    pose = (pose - pose.mean(axis=0)) / pose.std(axis=0)
    one_hot = stimuli.category[:, None] == np.array(CATEGORIES)[None, :]
    category = (one_hot - 1 / len(CATEGORIES)) * np.sqrt(len(CATEGORIES))
    return np.concatenate([IT_CATEGORY_GAIN * category, IT_POSE_GAIN * pose], axis=1)


def it_signal(stimuli: Stimuli, neuroids: int, random: np.random.Generator) -> np.ndarray:
    """A saturating function of random mixtures of the latents: (stimulus, neuroid)."""
    latents = it_latents(stimuli)
    weight = random.standard_normal((latents.shape[1], neuroids))
    threshold = 0.5 * random.standard_normal(neuroids)
    return np.tanh(IT_SLOPE * (latents @ weight) - threshold)


SIGNALS = {"V1": v1_signal, "V4": v4_signal, "IT": it_signal}


def repeated(
    signal: np.ndarray, reliability: np.ndarray, repetitions: int, random: np.random.Generator
) -> np.ndarray:
    """Noisy repetitions of a signal (stimulus, neuroid) -> (stimulus, repetition, neuroid) float32.

    Each neuroid's signal is scaled to SIGNAL_SPREAD; Gaussian noise of variance s² a repetition
    leaves the mean over R repetitions with reliability 1 / (1 + s²/R) in units of signal variance.
    """
    standard = (signal - signal.mean(axis=0)) / signal.std(axis=0)
    noise_spread = np.sqrt(repetitions * (1 - reliability) / reliability)
    noise = random.standard_normal((len(signal), repetitions, signal.shape[1]))
    return (SIGNAL_SPREAD * (standard[:, None] + noise_spread * noise)).astype(np.float32)


def responses(stimuli: Stimuli, seed: int, repetitions: int = 8, neuroids: int = 64) -> Recording:
    """Record `neuroids` simulated neuroids in each of AREAS while the stimuli are shown.

    Deterministic given the seed. Every area draws from its own stream of random numbers, so that
    asking for more neuroids in one does not change another.
    """
    streams = np.random.SeedSequence(seed).spawn(len(AREAS))
    response, reliabilities = [], []
    for area, stream in zip(AREAS, streams, strict=True):
        random = np.random.default_rng(stream)
        signal = SIGNALS[area](stimuli, neuroids, random)
        reliability = random.permutation(np.linspace(*RELIABILITY_RANGE, neuroids))
        response.append(repeated(signal, reliability, repetitions, random))
        reliabilities.append(reliability)
    return Recording(
        response=np.concatenate(response, axis=2),
        stimulus_id=stimuli.stimulus_id,
        neuroid_id=np.array([f"{area}_{i:03d}" for area in AREAS for i in range(neuroids)]),
        area=np.repeat(AREAS, neuroids),
        reliability=np.concatenate(reliabilities),
    )
