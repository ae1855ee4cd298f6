"""Stimuli of the embedded study: eight shapes in random poses on pink-noise backgrounds.

After the idea of Yamins et al. (2014, PNAS 111:8619): objects of a few categories, each shown with
random position, size, rotation and contrast on an uncorrelated background, so that category cannot
be read from pixels and a network has to earn it. The latents are kept beside the image.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import scipy

IMAGE_SIZE = 64
STREAMS = ("study", "training", "validation")

# Ranges of the latents: uniform, in the units named in Stimuli.
POSITION_RANGE = (-0.18, 0.18)
SIZE_RANGE = (0.2, 0.34)
# Within 30 degrees no shape of fivefold symmetry or less repeats itself: rotation stays decodable.
ROTATION_RANGE = (-30.0, 30.0)
CONTRAST_RANGE = (0.15, 0.45)
BACKGROUND_LUMINANCE = 0.35
# Log-uniform; this latent drives early vision and means nothing to categorisation.
BACKGROUND_RANGE = (0.04, 0.18)

Outline = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Stimuli:
    """A set of shape stimuli and their latents; every array has `stimulus` as first dimension.

    image     (stimulus, y, x, channel) uint8, 0..255, three equal channels
    category  name of the shape; `label` its position in CATEGORIES, 0..7
    x, y      centroid from the image centre, fractions of the image width, right and down positive
    size      side of the square of equal area, fraction of the image width
    rotation  degrees, clockwise on the screen
    contrast  luminance of the shape above its background, fraction of white
    background  standard deviation of the background's luminance, fraction of white
    No value is ever NaN.
    """

    image: np.ndarray
    stimulus_id: np.ndarray
    category: np.ndarray
    label: np.ndarray
    x: np.ndarray
    y: np.ndarray
    size: np.ndarray
    rotation: np.ndarray
    contrast: np.ndarray
    background: np.ndarray


# Outlines: negative inside, positive outside, about the distance to the edge near the edge, which
# is all that antialiasing needs. u points right and v down; each shape is rescaled to unit area.
def _square(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.maximum(np.abs(u), np.abs(v)) - 1


def _triangle(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    half_root = np.float32(np.sqrt(3) / 2)
    return np.maximum(np.abs(u) * half_root - v / 2, v) - 1


def _ellipse(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.hypot(u, v * 2) * np.float32(0.7) - np.float32(0.7)


def _cross(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    longer = np.maximum(np.abs(u), np.abs(v))
    shorter = np.minimum(np.abs(u), np.abs(v))
    return np.maximum(longer - 1, shorter - np.float32(0.33))


def _star(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    # Fold the plane into one tenth of the star, whose edge there is a single line.
    fifth = np.float32(2 * np.pi / 5)
    angle = np.arctan2(u, -v)
    angle = np.abs(angle - fifth * np.round(angle / fifth))
    radius = np.hypot(u, v)
    along, across = radius * np.cos(angle), radius * np.sin(angle)
    inner = 0.42 * np.exp(1j * np.pi / 5)
    normal = (inner - 1) * -1j
    normal /= abs(normal)
    return (along - 1) * np.float32(normal.real) + across * np.float32(normal.imag)


def _heart(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    # A square on its corner and a disc on each of its upper edges.
    half_diagonal = np.float32(np.sqrt(2))
    square = (np.abs(u) + np.abs(v)) / half_diagonal - 1
    discs = np.hypot(np.abs(u) - half_diagonal / 2, v + half_diagonal / 2) - 1
    return np.minimum(square, discs)


def _crescent(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.maximum(np.hypot(u, v) - 1, np.float32(0.8) - np.hypot(u - np.float32(0.5), v))


def _arc(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    ring = np.abs(np.hypot(u, v) - np.float32(0.8)) - np.float32(0.22)
    gap = np.maximum(-u, np.abs(v) - np.float32(0.4))
    return np.maximum(ring, -gap)


OUTLINES: dict[str, Outline] = {
    "square": _square,
    "triangle": _triangle,
    "ellipse": _ellipse,
    "cross": _cross,
    "star": _star,
    "heart": _heart,
    "crescent": _crescent,
    "arc": _arc,
}
CATEGORIES = tuple(OUTLINES)


@cache
def _moments(category: str) -> tuple[float, float, float]:
    """Centroid u, v and square root of the area of an outline in its own coordinates."""
    axis = np.linspace(-3, 3, 601, dtype=np.float32)
    inside = OUTLINES[category](axis[None, :], axis[:, None]) < 0  # (v, u)
    area = inside.sum() * float(axis[1] - axis[0]) ** 2
    u = float(inside.sum(0) @ axis / inside.sum())
    v = float(inside.sum(1) @ axis / inside.sum())
    return u, v, float(np.sqrt(area))


def silhouettes(
    category: str, x: np.ndarray, y: np.ndarray, size: np.ndarray, rotation: np.ndarray, pixels: int
) -> np.ndarray:
    """Share of each pixel covered by a shape, 0..1, as (stimulus, y, x) float32.

    The latents are one-dimensional over stimuli, in the units of `Stimuli`.
    """
    centre_u, centre_v, root_area = _moments(category)
    axis = ((np.arange(pixels) + 0.5) / pixels - 0.5).astype(np.float32)
    angle = np.deg2rad(rotation)
    scale = root_area / size
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)

    def over_pixels(values: np.ndarray) -> np.ndarray:
        return values.astype(np.float32)[:, None, None]

    right = axis[None, None, :] - over_pixels(x)  # (stimulus, 1, x)
    down = axis[None, :, None] - over_pixels(y)  # (stimulus, y, 1)
    u = over_pixels(cosine) * right + over_pixels(sine) * down + np.float32(centre_u)
    v = over_pixels(cosine) * down - over_pixels(sine) * right + np.float32(centre_v)
    distance = OUTLINES[category](u, v) * over_pixels(pixels / scale)  # in pixels
    return np.clip(0.5 - distance, 0, 1)


def pink_noise(n: int, pixels: int, random: np.random.Generator) -> np.ndarray:
    """Images (n, y, x) float32 of amplitude 1/frequency, each of mean 0 and variance 1."""
    frequency = np.hypot(scipy.fft.fftfreq(pixels)[:, None], scipy.fft.rfftfreq(pixels)[None, :])
    frequency[0, 0] = np.inf
    amplitude = (1 / frequency).astype(np.float32)
    white = random.standard_normal((n, pixels, pixels), dtype=np.float32)
    noise = scipy.fft.irfft2(scipy.fft.rfft2(white) * amplitude, s=(pixels, pixels))
    return noise / noise.std(axis=(1, 2), keepdims=True)


def parts(n: int) -> np.ndarray:
    """A split of n stimuli to try: every fourth is `test`, the others are `train`."""
    return np.where(np.arange(n) % 4 == 3, "test", "train")


def generator(seed: int | Sequence[int], stream: str) -> np.random.Generator:
    """Random numbers of one stream: the same seed gives unrelated numbers in another stream."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(STREAMS.index(stream),)))


def labels(n: int, random: np.random.Generator) -> np.ndarray:
    """The first that is drawn of n stimuli: their places in CATEGORIES, balanced, shuffled."""
    return random.permutation(np.arange(n) % len(CATEGORIES))


def names(stream: str, label: np.ndarray) -> np.ndarray:
    """The ids of stimuli of these labels: (stimulus,)."""
    return np.array([f"{stream}{i:04d}_{CATEGORIES[place]}" for i, place in enumerate(label)])


def render(
    n: int, seed: int | Sequence[int], size: int = IMAGE_SIZE, stream: str = "study"
) -> Stimuli:
    """Draw n stimuli of `size` pixels a side, the categories as balanced as n allows, shuffled.

    `seed` is an integer or a sequence of them; `stream` (one of STREAMS) keeps the stimuli of the
    study, of training and of validation apart under the same seed. A ValueError names any other.
    """
    random = generator(seed, stream)
    label = labels(n, random)
    x, y = random.uniform(*POSITION_RANGE, size=(2, n))
    side = random.uniform(*SIZE_RANGE, size=n)
    rotation = random.uniform(*ROTATION_RANGE, size=n)
    contrast = random.uniform(*CONTRAST_RANGE, size=n)
    low, high = BACKGROUND_RANGE
    background = np.exp(random.uniform(np.log(low), np.log(high), size=n))
    luminance = background.astype(np.float32)[:, None, None] * pink_noise(n, size, random)
    luminance += BACKGROUND_LUMINANCE
    for index, category in enumerate(CATEGORIES):
        chosen = np.flatnonzero(label == index)
        covered = silhouettes(category, x[chosen], y[chosen], side[chosen], rotation[chosen], size)
        luminance[chosen] += covered * contrast[chosen].astype(np.float32)[:, None, None]
    grey = np.rint(np.clip(luminance, 0, 1) * 255).astype(np.uint8)  # (stimulus, y, x)
    return Stimuli(
        image=np.repeat(grey[..., None], 3, axis=3),
        stimulus_id=names(stream, label),
        category=np.array(CATEGORIES)[label],
        label=label,
        x=x,
        y=y,
        size=side,
        rotation=rotation,
        contrast=contrast,
        background=background,
    )
