"""Areas of which only the dissimilarities between stimuli are known."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cortiscope.errors import InputError

ROUNDING = 1e-5  # of the largest dissimilarity: matrices are often stored in single precision


def check_dissimilarities(rdms: NDArray, names: list[str], where: str) -> NDArray:
    """Matrices (rdm, stimulus, stimulus) of dissimilarities, with a diagonal of 0.

    names: of each matrix, for messages; where: the file and its variable. A diagonal of nothing
    but NaN counts as 0. Errors: InputError for what is no dissimilarity: not whole, not symmetric,
    above 0 between a stimulus and itself, negative, or the same for all pairs.
    """
    rdms = np.array(rdms, dtype=np.float64)
    diagonals = np.einsum("rss->rs", rdms)
    diagonals[np.isnan(diagonals).all(axis=1)] = 0
    for name, rdm in zip(names, rdms, strict=True):
        problem = _problem(rdm)
        if problem is not None:
            raise InputError(f"{where}: {name}", *problem)
    diagonals[:] = 0  # of what rounding left
    return rdms


def _problem(rdm: NDArray) -> tuple[str, str] | None:
    """What is wrong with a matrix, and the remedy."""
    if not np.isfinite(rdm).all():
        return "holds NaN or infinities", "leave out stimuli without dissimilarities"
    size = np.abs(rdm).max()
    tolerance, diagonal = ROUNDING * size, np.diagonal(rdm)
    if (np.abs(rdm - rdm.T) > tolerance).any():
        return "is not symmetric", "give whole matrices, each pair of stimuli the same both ways"
    if size > 0 and np.allclose(diagonal, size):
        remedy = "store dissimilarities, such as 1 - r"
        return f"holds similarities ({diagonal[0]:.3g} of a stimulus with itself)", remedy
    if (np.abs(diagonal) > tolerance).any():
        problem = f"has a diagonal of up to {np.abs(diagonal).max():.3g}, where 0 belongs"
        return problem, "set it to 0, or store 1 - r where these are similarities"
    if rdm.min() < -tolerance:
        problem = f"has negative values, down to {rdm.min():.3g}"
        return problem, "store 1 - r where these are similarities; set unbiased distances to 0"
    if np.ptp(rdm[np.triu_indices(len(rdm), 1)]) <= tolerance:
        return "is the same for all pairs of stimuli", "leave it out"
    return None


def mixtures(dissimilarity: NDArray) -> NDArray:
    """Random mixtures of the responses of which only the dissimilarities are known.

    Patterns whose squared distances are twice the dissimilarities are known up to a rotation
    (Torgerson 1952; Gower 1966): 1 - Pearson is half the squared distance of patterns that are
    centred over neuroids and of norm 1. Their square root G^(1/2) of inner products G, times a
    random rotation that no stimulus had a part in, is as many sums of all neuroids with random
    weights as there are stimuli. Each is predicted as a neuroid is, and as well as neuroids are:
    a mixture has the share of signal that the area has. (The principal axes of all stimuli are
    none: uncorrelated over all stimuli, they are correlated the other way on those held out as on
    those trained on, so that a model loses on all others by what it gains on the leading ones.)

    dissimilarity (stimulus, stimulus), symmetric, 0 on the diagonal. Returns (stimulus, mixture),
    as many as stimuli, centred; their inner products are G. Of dissimilarities that are no squared
    distances, the directions of negative square are left out.
    """
    centred = dissimilarity - dissimilarity.mean(axis=0)
    centred -= centred.mean(axis=1, keepdims=True)
    squares, axes = np.linalg.eigh(-(centred + centred.T) / 2)
    rounding = len(squares) * np.finfo(np.float64).eps * np.abs(squares).max()
    lengths = np.sqrt(np.where(squares > rounding, squares, 0.0))
    root = (axes * lengths) @ axes.T  # (stimulus, axis) x (axis, stimulus)
    random = np.random.default_rng(0).standard_normal(root.shape)
    rotation, triangle = np.linalg.qr(random)
    rotation *= np.sign(np.diagonal(triangle))  # uniform over rotations (Mezzadri 2007)
    return np.asarray(root @ rotation)  # (stimulus, stimulus) x (stimulus, mixture)


def recording_of_rdms(
    rdms: NDArray, areas: NDArray, subjects: NDArray | None, stimulus_id: NDArray
) -> xr.Dataset:
    """Areas known by dissimilarities in the form of a recording.

    rdms (rdm, stimulus, stimulus); areas (rdm,); subjects (rdm,), None where the file names none.
    Returns `response (stimulus, neuroid)`, the `mixtures` of all subjects' neuroids together, and
    `dissimilarity (rdm, stimulus, stimulus_2)` of each area and subject, whose sessions are
    averaged so that every subject counts the same, with `rdm_area` and `rdm_subject` ("" = not
    named).
    """
    owners = np.full(len(areas), "") if subjects is None else subjects
    of_subjects = {
        (area, owner): rdms[(areas == area) & (owners == owner)].mean(axis=0)
        for area in dict.fromkeys(areas.tolist())
        for owner in dict.fromkeys(owners[areas == area].tolist())
    }
    names, found = dict.fromkeys(areas.tolist()), []
    for name in names:
        own = [rdm for (area, _), rdm in of_subjects.items() if area == name]
        found.append(mixtures(np.mean(own, axis=0)))
    members = [(name, f"{name}-{number:03d}") for name in names for number in range(len(rdms[0]))]
    return xr.Dataset(
        {
            "response": (("stimulus", "neuroid"), np.hstack(found).astype(np.float32)),
            "dissimilarity": (
                ("rdm", "stimulus", "stimulus_2"),
                np.stack(list(of_subjects.values())),
            ),
        },
        coords={
            "stimulus_id": ("stimulus", stimulus_id),
            "area": ("neuroid", [name for name, _ in members]),
            "neuroid_id": ("neuroid", [member for _, member in members]),
            "rdm_area": ("rdm", [area for area, _ in of_subjects]),
            "rdm_subject": ("rdm", [owner for _, owner in of_subjects]),
        },
        attrs={"known_by": "dissimilarities"},
    )
