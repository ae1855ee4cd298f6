"""The eigenvectors of a centred kernel, from itself or from a thin factor of it.

A kernel (stimulus, stimulus) may be given as a factor X (stimulus, component) with fewer components
than stimuli, of which it is X X'. What is computed then grows with the components: with
X'X = A diag(values) A', X centred, the eigenvectors of the kernel are X A / sqrt(values).
"""

import numpy as np
from numpy.typing import NDArray


def is_factor(kernel: NDArray) -> bool:
    """Whether it is a thin factor of the kernel."""
    return kernel.shape[1] < len(kernel)


def of_some(kernel: NDArray, stimuli: NDArray) -> NDArray:
    """The kernel, or factor, of some stimuli, by numbers or a mask (stimulus,)."""
    return kernel[stimuli] if is_factor(kernel) else kernel[np.ix_(stimuli, stimuli)]


def squares(kernel: NDArray) -> NDArray:
    """The diagonal of the kernel (stimulus,)."""
    found: NDArray = np.diagonal(kernel)
    if is_factor(kernel):
        found = np.einsum("sc,sc->s", kernel, kernel)
    return found


def decompose(kernel: NDArray) -> tuple[NDArray, NDArray]:
    """Eigenvalues and eigenvectors of the centred kernel, without the constant vector.

    Returns (component,) and (stimulus, component): of a kernel all but one, of a factor those whose
    values are more than rounding.
    """
    if is_factor(kernel):
        centred = kernel - kernel.mean(axis=0)
        values, axes = _axes(centred)
        return values, centred @ (axes / np.sqrt(values))
    n_stimuli = len(kernel)
    centred = kernel - kernel.mean(axis=0)
    centred -= centred.mean(axis=1, keepdims=True)
    # The constant vector has eigenvalue 0; lifted above all others it comes last.
    lift = 2.0 * np.trace(centred) + np.finfo(np.float64).tiny
    values, vectors = np.linalg.eigh(centred + lift / n_stimuli)
    return np.maximum(values[:-1], 0.0), vectors[:, :-1]


def decompose_part(kernel: NDArray, training: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """The same of a training part, (stimulus,) bool, and the kernel of the stimuli held out with
    it, centred on its mean, times the eigenvectors: (held out, component).
    """
    if is_factor(kernel):
        known = kernel[training]
        mean = known.mean(axis=0)
        known -= mean
        values, axes = _axes(known)
        scores = (kernel[~training] - mean) @ (axes * np.sqrt(values))
        return values, known @ (axes / np.sqrt(values)), scores
    known = of_some(kernel, training)
    values, vectors = decompose(known)
    # The vectors have mean 0, so that the mean of each row need not be taken out.
    return values, vectors, (kernel[np.ix_(~training, training)] - known.mean(axis=0)) @ vectors


def _axes(centred: NDArray) -> tuple[NDArray, NDArray]:
    """Values, ascending, and axes (component, axis) of a centred factor: those above rounding."""
    values, axes = np.linalg.eigh(centred.T @ centred)
    kept = values > len(centred) * np.finfo(np.float64).eps * values.max(initial=0.0)
    return values[kept], axes[:, kept]
