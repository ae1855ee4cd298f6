"""Low-level models of images: what any layer must beat before its score says anything of vision.

pixels        luminance, averaged to a coarse grid
gabor_energy  quadrature pairs in four octaves and eight orientations, locally pooled
              (Adelson and Bergen 1985, J Opt Soc Am A 2:284; Jones and Palmer 1987)
hog           histograms of oriented gradients, blocks of cells normalised to unit length and
              clipped (Dalal and Triggs 2005, CVPR)
gist          the spatial envelope: contrast-normalised images, log-Gabor energies in four octaves
              and eight orientations, averaged on a 4 x 4 grid (Oliva and Torralba 2001, IJCV
              42:145; GIST-like: our filters, not their constants)

Every model takes images (stimulus, y, x, channel) uint8, 0..255, of at least 32 pixels a side, and
returns features (stimulus, component) float64, never NaN.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from cortiscope.errors import InputError

N_ORIENTATIONS = 8
PIXEL_GRID, GABOR_GRID, GIST_GRID = 32, 8, 4
# Octaves, as fractions of the shorter side: from a few pixels of a small image to a quarter of it.
WAVELENGTHS = (1 / 4, 1 / 8, 1 / 16, 1 / 32)
BANDWIDTH = 0.65  # ratio of a log-Gabor's width to its frequency: one and a half octaves
PREFILTER_CYCLES = 4.0  # contrast is normalised below this frequency, in cycles an image
HOG_CELL, HOG_BINS, HOG_CLIP = 8, 9, 0.2
IMAGES_AT_ONCE = 32
SMALLEST = 32


def luminance(images: NDArray) -> NDArray:
    """Mean over channels, 0..1: (stimulus, y, x)."""
    if images.ndim != 4 or min(images.shape[1:3]) < SMALLEST:
        raise InputError(
            "stimuli",
            f"images of shape {images.shape}",
            f"give (stimulus, y, x, channel) of at least {SMALLEST} pixels a side",
        )
    return images.mean(axis=-1, dtype=np.float64) / 255


def pixels(images: NDArray) -> NDArray:
    """Mean luminance in each field of a 32 x 32 grid."""
    maps = [_pooled(luminance(part), PIXEL_GRID) for part in _parts(images)]
    return np.concatenate(maps).reshape(len(images), -1)


def gabor_energy(images: NDArray) -> NDArray:
    """Root mean energy of each filter in each field of an 8 x 8 grid."""
    return _energies(images, _unchanged, GABOR_GRID)


def gist(images: NDArray) -> NDArray:
    """Mean amplitude of each filter in each field of a 4 x 4 grid, contrast normalised before."""
    return _energies(images, contrast_normalised, GIST_GRID)


def hog(images: NDArray) -> NDArray:
    """Histograms of gradient orientation (9 bins of 20 degrees) in cells of 8 x 8 pixels.

    A gradient votes with its magnitude for the two nearest bins of its cell; overlapping blocks
    of 2 x 2 cells are scaled to norm 1, clipped at 0.2 and scaled again. A blank block is zero.
    """
    return np.concatenate([_hog(luminance(part)) for part in _parts(images)])


MODELS: dict[str, Callable[[NDArray], NDArray]] = {
    "pixels": pixels,
    "gabor_energy": gabor_energy,
    "hog": hog,
    "gist": gist,
}


def _parts(images: NDArray) -> Iterator[NDArray]:
    for start in range(0, len(images), IMAGES_AT_ONCE):
        yield images[start : start + IMAGES_AT_ONCE]


def _pooled(maps: NDArray, grid: int) -> NDArray:
    """Means over the fields of a grid, whose edges are rounded to pixels: (..., grid, grid)."""
    for axis in (-2, -1):
        edges = np.linspace(0, maps.shape[axis], grid + 1).round().astype(int)
        sums = np.add.reduceat(maps, edges[:-1], axis=axis)
        sizes = np.diff(edges)
        maps = sums / (sizes[:, None] if axis == -2 else sizes)
    return maps


def _energies(images: NDArray, prepare: Callable[[NDArray], NDArray], grid: int) -> NDArray:
    """Pooled amplitudes: (stimulus, filter * field)."""
    filters = log_gabors(images.shape[1:3])
    features = []
    for part in _parts(images):
        grey = luminance(part)
        spectrum = np.fft.fft2(prepare(grey - grey.mean(axis=(1, 2), keepdims=True)))
        energies = [
            _pooled(np.abs(np.fft.ifft2(spectrum * transfer)) ** 2, grid) for transfer in filters
        ]
        features.append(np.sqrt(np.stack(energies, axis=1)).reshape(len(part), -1))
    return np.concatenate(features)


def log_gabors(shape: Sequence[int]) -> NDArray:
    """Transfer functions (filter, y, x): one-sided, so that the response is a quadrature pair.

    Gaussian in log frequency (Field 1987, J Opt Soc Am A 4:2379) and in orientation; no response
    to even luminance. The longest wavelength comes first, its orientations together, from 0 (the
    wave runs along x) in steps of 180 / 8 degrees.
    """
    height, width = shape
    down, right = np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None, :]
    frequency = np.hypot(down, right)
    frequency[0, 0] = 1.0
    direction = np.arctan2(down, right)
    transfer = []
    for wavelength in WAVELENGTHS:
        octave = np.log(frequency * wavelength * min(shape))
        radial = np.exp(-(octave**2) / (2 * np.log(BANDWIDTH) ** 2))
        radial[0, 0] = 0.0
        for number in range(N_ORIENTATIONS):
            turn = direction - np.pi * number / N_ORIENTATIONS
            turn = np.angle(np.exp(1j * turn))
            spread = np.pi / N_ORIENTATIONS / 1.2
            transfer.append(2 * radial * np.exp(-(turn**2) / (2 * spread**2)))
    return np.array(transfer)


def _unchanged(grey: NDArray) -> NDArray:
    return grey


def contrast_normalised(grey: NDArray) -> NDArray:
    """Luminance less its local mean, over its local spread: (stimulus, y, x).

    Local is a Gaussian in frequency, 4 cycles an image wide; the spread has 0.2 added, so that
    the noise of an even region is not blown up.
    """
    height, width = grey.shape[1:]
    cycles = np.hypot(np.fft.fftfreq(height, 1 / height)[:, None], np.fft.fftfreq(width, 1 / width))
    low = np.exp(-(cycles**2) / (2 * PREFILTER_CYCLES**2))

    def local(values: NDArray) -> NDArray:
        return np.fft.ifft2(np.fft.fft2(values) * low).real

    high = grey - local(grey)
    return high / (0.2 + np.sqrt(np.maximum(local(high**2), 0.0)))


def _hog(grey: NDArray) -> NDArray:
    down, right = np.gradient(grey, axis=(1, 2))
    magnitude = np.hypot(down, right)
    place = np.mod(np.arctan2(down, right), np.pi) / np.pi * HOG_BINS - 0.5  # centres at 0, 1, ...
    below = np.floor(place).astype(int)
    share = place - below
    n, rows, columns = (len(grey), grey.shape[1] // HOG_CELL, grey.shape[2] // HOG_CELL)
    inside = np.s_[:, : rows * HOG_CELL, : columns * HOG_CELL]
    cells = np.empty((n, rows, columns, HOG_BINS))
    for number in range(HOG_BINS):
        vote = np.where(below % HOG_BINS == number, 1 - share, 0.0)
        vote += np.where((below + 1) % HOG_BINS == number, share, 0.0)
        votes = (vote * magnitude)[inside].reshape(n, rows, HOG_CELL, columns, HOG_CELL)
        cells[..., number] = votes.sum(axis=(2, 4))
    blocks = np.concatenate(
        [cells[:, y : y + rows - 1, x : x + columns - 1] for y in (0, 1) for x in (0, 1)], axis=-1
    )
    clipped = np.minimum(_unit(blocks), HOG_CLIP)
    return _unit(clipped).reshape(n, -1)


def _unit(blocks: NDArray) -> NDArray:
    """Scaled to norm 1; blocks whose gradients are rounding (1e-6 of white) fade to zero."""
    return blocks / np.sqrt(np.square(blocks).sum(axis=-1, keepdims=True) + 1e-12)
