"""Simulated recordings of three areas whose truth is known: V1 sees pixels, IT sees latents.

V1  energy of quadrature pairs of Gabors (Adelson & Bergen 1985, J Opt Soc Am A 2:284).
V4  Gabor energies pooled over positions, mixed by a random convolution, rectified and divided by
    the activity around them (Heeger 1992, Vis Neurosci 9:181).
IT  a random nonlinearity of category and pose. It never sees the image: only a network that has
    worked out what is shown, and where, can predict it.
"""

from dataclasses import dataclass

import numpy as np
from scipy import fft

from cortiscope.shapes import CATEGORIES, Stimuli

AREAS = ("V1", "V4", "IT")
UNITS = "simulated spikes/s, relative to the neuroid's mean"
# Standard deviation of every neuroid's signal over stimuli, in spikes/s.
SIGNAL_SPREAD = 5.0
# Reliability of the mean over repetitions: the range that recordings of single neurons cover.
RELIABILITY_RANGE = (0.3, 0.95)

# Gabors: wavelength and standard deviation of the envelope as fractions of the image width.
V1_WAVELENGTHS = (0.12, 0.3)
V1_ENVELOPE = 0.5  # standard deviation of the envelope, in wavelengths
V1_POSITIONS = (-0.25, 0.25)
V4_WAVELENGTHS = (0.1, 0.2)
V4_ORIENTATIONS = 4
V4_GRID = 8
V4_CHANNELS = 32
V4_SEMISATURATION = 0.5
# Weight of each latent in IT before the nonlinearity; category counts most, as in Yamins et al.
IT_CATEGORY_GAIN = 1.0
IT_POSE_GAIN = 0.35
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


def gabors(
    x: np.ndarray, y: np.ndarray, wavelength: np.ndarray, orientation: np.ndarray, pixels: int
) -> np.ndarray:
    """Complex Gabors (filter, y, x) of mean 0 and norm 1; real and imaginary part in quadrature.

    x, y and wavelength are fractions of the image width, orientation in radians.
    """
    axis = (np.arange(pixels) + 0.5) / pixels - 0.5
    right = axis[None, None, :] - x[:, None, None]
    down = axis[None, :, None] - y[:, None, None]
    along = right * np.cos(orientation)[:, None, None] + down * np.sin(orientation)[:, None, None]
    spread = (V1_ENVELOPE * wavelength)[:, None, None]
    envelope = np.exp(-(right**2 + down**2) / (2 * spread**2))
    carrier = np.exp(2j * np.pi * along / wavelength[:, None, None])
    # Take the mean out under the envelope, so that even luminance does not excite the filter.
    carrier -= (carrier * envelope).sum((1, 2), keepdims=True) / envelope.sum(
        (1, 2), keepdims=True
    )
    filters = envelope * carrier
    filters /= np.sqrt((np.abs(filters) ** 2).sum((1, 2), keepdims=True))
    return filters.astype(np.complex64)


def v1_signal(stimuli: Stimuli, neuroids: int, random: np.random.Generator) -> np.ndarray:
    """Amplitude of random Gabor pairs: (stimulus, neuroid)."""
    x, y = random.uniform(*V1_POSITIONS, size=(2, neuroids))
    wavelength = np.exp(random.uniform(*np.log(V1_WAVELENGTHS), size=neuroids))
    orientation = random.uniform(0, np.pi, size=neuroids)
    grey = luminance(stimuli.image)
    filters = gabors(x, y, wavelength, orientation, grey.shape[1])
    return np.abs(grey.reshape(len(grey), -1) @ filters.reshape(neuroids, -1).T)


def energy_maps(stimuli: Stimuli) -> np.ndarray:
    """Gabor amplitudes pooled to a coarse grid: (stimulus, V4_GRID, V4_GRID, map)."""
    grey = luminance(stimuli.image)
    n, pixels = grey.shape[:2]
    orientation = np.tile(np.arange(V4_ORIENTATIONS) * np.pi / V4_ORIENTATIONS, 2)
    wavelength = np.repeat(V4_WAVELENGTHS, V4_ORIENTATIONS)
    centre = np.full(len(wavelength), 0.5 / pixels)
    filters = gabors(centre, centre, wavelength, orientation, pixels)
    spectrum = fft.fft2(grey)
    pooled = []
    for one in filters:
        amplitude = np.abs(fft.ifft2(spectrum * fft.fft2(fft.ifftshift(one))))
        blocks = amplitude.reshape(n, V4_GRID, pixels // V4_GRID, V4_GRID, pixels // V4_GRID)
        pooled.append(blocks.mean(axis=(2, 4)))
    return np.stack(pooled, axis=-1)


def v4_signal(stimuli: Stimuli, neuroids: int, random: np.random.Generator) -> np.ndarray:
    """Random mixtures of neighbouring energies, rectified and normalised: (stimulus, neuroid)."""
    maps = energy_maps(stimuli)
    maps = (maps - maps.mean(axis=(0, 1, 2))) / maps.std(axis=(0, 1, 2))
    patches = np.lib.stride_tricks.sliding_window_view(maps, (3, 3), axis=(1, 2))
    weight = random.standard_normal((V4_CHANNELS, *patches.shape[3:]))
    drive = np.einsum("nyxmij,cmij->nyxc", patches, weight, optimize=True)
    rectified = np.maximum(drive / drive.std(), 0)
    pool = rectified.mean(axis=-1, keepdims=True)
    normalised = rectified / (V4_SEMISATURATION + pool)  # (stimulus, y, x, channel)
    side = normalised.shape[1]
    # The outermost positions look at the margin, where no shape ever is.
    row, column = random.integers(1, side - 1, size=(2, neuroids))
    return normalised[:, row, column, random.integers(V4_CHANNELS, size=neuroids)]


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
