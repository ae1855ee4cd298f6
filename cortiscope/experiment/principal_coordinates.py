"""Points in space from the dissimilarities between them.

Apart from `rsa`, so that an edit of that mapping brings no recording anew.
"""

import numpy as np
from numpy.typing import NDArray


def principal_coordinates(dissimilarity: NDArray) -> tuple[NDArray, NDArray]:
    """Points whose squared distances are twice the dissimilarities: classical scaling.

    Torgerson (1952); Gower (1966). 1 - Pearson is half the squared distance of patterns that are
    centred and of norm 1, so the coordinates are those patterns up to a rotation and a shift.
    dissimilarity (stimulus, stimulus). Returns coordinates (stimulus, component), centred, in
    descending order of their eigenvalues (component,), which are the coordinates' sums of squares.
    Only eigenvalues above rounding are kept: dissimilarities that are no squared distances have
    negative ones, and then the distances are reproduced only in part.
    """
    centred = dissimilarity - dissimilarity.mean(axis=0)
    centred -= centred.mean(axis=1, keepdims=True)
    eigenvalues, vectors = np.linalg.eigh(-(centred + centred.T) / 2)
    eigenvalues, vectors = eigenvalues[::-1], vectors[:, ::-1]
    rounding = len(centred) * np.finfo(np.float64).eps * np.abs(eigenvalues).max()
    kept = eigenvalues > rounding
    return vectors[:, kept] * np.sqrt(eigenvalues[kept]), eigenvalues[kept]
