"""The components of partial least squares, for many sets of responses at once.

Wold (1966); Wold, Martens and Wold (1983); the NIPALS algorithm as set out by Wegelin (2000), A
survey of partial least squares methods, section 4. From X_1 = X and Y_1 = Y, the training part's
features and responses, centred, each component k takes

    w_k = leading left singular vector of X_k' Y_k,   t_k = X_k w_k / |X_k w_k|,
    X_k+1 = X_k - t_k t_k' X_k,   Y_k+1 = Y_k - t_k t_k' Y_k.

Here X = U S V' is given by the principal axes of the training part, so that a component costs the
same for any number of features, and the singular vector is found where it is smallest: among the
neuroids, or as many combinations of them as there are stimuli, by powers of C_k = Y_k' X_k X_k' Y_k
(Lindgren, Geladi and Wold 1993, The kernel algorithm for PLS), which follows from C_k-1 by an
update of rank 2. Powers start at the first neuroid and stop when w moves by less than TOLERANCE
squared, both as in scikit-learn's PLSRegression: what it stops at is what published scores are
made of, even where that is short of the singular vector. Where there are many sets and none is
published, a few steps of Lanczos (1950) from the same start come as close in a third of the time.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cortiscope.regression.principal_axes import Axes

TOLERANCE = 1e-6
ITERATIONS = 500
LANCZOS_ROUNDING = 1e-6  # length of what is left of C v, relative to the first v'Cv
DOUBLINGS = 8  # the power of two of the tridiagonal matrix
# Share of the squared covariance below which nothing but rounding is left.
EXHAUSTED = {np.dtype(np.float64): 1e-13, np.dtype(np.float32): 1e-10}
REFRESH = 1e-4  # share at which C is computed anew, since updates keep the rounding of the first
# Norm of a neuroid's responses relative to that of all, below which nothing but rounding is left.
CONSTANT = {np.dtype(np.float64): 1e-14, np.dtype(np.float32): 1e-6}


def fit(
    parts: Sequence[Axes],
    responses: Sequence[NDArray],
    rotation: NDArray,
    n_components: int,
    steps: int = 0,
) -> list[tuple[NDArray, NDArray]]:
    """Of each part the scores t of the stimuli held out (set, held out, component), where those in
    training have norm 1, and the loadings Y't of the responses (set, component, axis).

    responses: (set, training, axis) of each part, of mean 0; each set is regressed on its own.
    rotation (set or 1, neuroid, axis): responses @ rotation' are the neuroids', in the order in
    which the powers look for a neuroid to start at. steps: of Lanczos in place of powers, 0 for
    powers. Components that are not there, are 0. The arithmetic is in the precision of the
    responses.
    """
    (n_sets, _, n_axes), dtype = responses[0].shape, responses[0].dtype
    rank = max(len(axes.values) for axes in parts)
    values = np.zeros((len(parts), n_sets, rank), dtype)
    rotated = np.zeros((len(parts), n_sets, rank, n_axes), dtype)
    start = np.empty((len(parts), n_sets, n_axes), dtype)
    for number, (axes, known) in enumerate(zip(parts, responses, strict=True)):
        own = slice(len(axes.values))
        values[number, :, own] = axes.values
        # (axis, training) x (set, training, neuroid axis)
        rotated[number, :, own] = axes.vectors.T.astype(dtype) @ known
        start[number] = _first(known, rotation)
    components = Components(
        values.reshape(-1, rank), rotated.reshape(-1, rank, n_axes), min(n_components, rank)
    )
    for _ in range(components.count):
        components.add(start.reshape(-1, n_axes), steps)
    shape = len(parts), n_sets, components.count
    rotations = components.rotations.reshape(*shape, rank)
    loadings = components.response_loadings.reshape(*shape, n_axes)
    held_out = []
    for axes, own in zip(parts, rotations, strict=True):
        scores = axes.scores[~axes.training].astype(dtype)
        # (set, component, axis) x (axis, held out)
        held_out.append(np.swapaxes(own[:, :, : len(axes.values)] @ scores.T, 1, 2))
    return list(zip(held_out, loadings, strict=True))


class Components:
    """Components found so far, of `count` in all.

    With r axes of X: scores t (set, component, r) in the basis U; loadings Y't of responses (set,
    component, axis); rotations (set, component, r), which take X V to t.
    """

    def __init__(self, values: NDArray, responses: NDArray, count: int) -> None:
        """values (set, r) = S, 0 where a set has fewer axes; responses (set, r, axis) = U'Y."""
        self.values, self.responses = values, responses
        n_sets, rank, n_axes = self.responses.shape
        self.count, self.found = count, 0
        self.scores, self.rotations = np.zeros((2, n_sets, count, rank), responses.dtype)
        self.response_loadings = np.zeros((n_sets, count, n_axes), responses.dtype)
        self.squared = self._squared(np.arange(n_sets))
        self.refreshed = np.trace(self.squared, axis1=1, axis2=2)
        self.floor = EXHAUSTED[responses.dtype] * self.refreshed

    def add(self, start: NDArray, steps: int) -> None:
        """Find one more component of every set; start (set, axis)."""
        old = slice(self.found)
        scores, loadings = self.scores[:, old], self.response_loadings[:, old]
        left = np.trace(self.squared, axis1=1, axis2=2)
        alive = left > self.floor
        leading = dominant(self.squared, start, steps)[:, :, None]
        residual = self.responses @ leading - _sum(scores, loadings @ leading)
        weight = self.values * residual[:, :, 0]
        weight *= _inverse(np.linalg.norm(weight, axis=1), alive)
        # (set, component, r) x (set, r, 1): T'(X w), which are also the loadings of X along w
        image = self.values * weight
        along = scores @ image[:, :, None]
        score = self._deflated(image - _sum(scores, along)[:, :, 0])  # twice is enough (Kahan)
        scale = _inverse(np.linalg.norm(score, axis=1), alive)
        score *= scale
        rotation = (weight - _sum(self.rotations[:, old], along)[:, :, 0]) * scale
        self._update(score)
        self.scores[:, self.found], self.rotations[:, self.found] = score, rotation
        self.found += 1
        self._refresh()

    def _update(self, score: NDArray) -> None:
        """C without a component t: Y'(K - tt'K - Ktt' + tt'Ktt')Y with K = X_k X_k'; and Y't."""
        feature = self.values * score
        product = self._deflated(self.values * feature)  # K t
        # (set, 2, r) x (set, r, axis)
        both = np.stack([score, product], axis=1) @ self.responses
        response, half = both[:, 0], both[:, 1]
        half -= 0.5 * np.sum(feature * feature, axis=1, keepdims=True) * response
        # (set, axis, 2) x (set, 2, axis)
        self.squared -= np.swapaxes(both, 1, 2) @ both[:, ::-1]
        self.response_loadings[:, self.found] = response

    def _refresh(self) -> None:
        left = np.trace(self.squared, axis1=1, axis2=2)
        stale = np.flatnonzero((left < REFRESH * self.refreshed) & (left > self.floor))
        if len(stale):
            self.squared[stale] = self._squared(stale)
            self.refreshed[stale] = left[stale]

    def _squared(self, sets: NDArray) -> NDArray:
        """C of some sets (set, axis, axis), from the components found."""
        scores, loadings = self.scores[sets, : self.found], self.response_loadings[sets]
        residual = self.responses[sets] - _sum(scores, loadings[:, : self.found])
        residual *= self.values[sets][:, :, None]
        return np.swapaxes(residual, 1, 2) @ residual

    def _deflated(self, vector: NDArray) -> NDArray:
        """(set, r) without what lies along the scores found."""
        scores = self.scores[:, : self.found]
        return vector - _sum(scores, scores @ vector[:, :, None])[:, :, 0]


def dominant(squared: NDArray, start: NDArray, steps: int = 0) -> NDArray:
    """The leading eigenvector of C (set, axis, axis) from start (set, axis): of any length, 0 for
    C of 0. By powers, or by steps of Lanczos.
    """
    image = _image(squared, start)
    lost = np.flatnonzero(np.einsum("sa,sa->s", start, image) <= 0)
    if len(lost):  # the start is explained already: the axis that is least so
        axis = np.diagonal(squared[lost], axis1=1, axis2=2).argmax(axis=1)
        start = start.copy()
        start[lost] = np.eye(squared.shape[1], dtype=start.dtype)[axis]
        image[lost] = _image(squared[lost], start[lost])
    if squared.shape[1] == 1:
        return start
    if steps:
        return _lanczos(squared, image, min(steps, squared.shape[1]))
    length = np.einsum("sa,sa->s", start, image)
    image *= _inverse(np.sqrt(np.maximum(length, 0.0)), length > 0)
    return _powers(squared, image)


def _lanczos(squared: NDArray, start: NDArray, steps: int) -> NDArray:
    """The combination of C^k start, k < steps, that C lengthens most; of length 1.

    Lanczos (1950), An iteration method for the solution of the eigenvalue problem: C in the
    orthonormal basis of these vectors is tridiagonal, and its own leading vector is a row of a
    high power of it.
    """
    (n_sets, n_axes), every = start.shape, np.arange(steps)
    basis = np.zeros((n_sets, steps, n_axes), start.dtype)
    small = np.zeros((n_sets, steps, steps), start.dtype)
    length = np.linalg.norm(start, axis=1)
    vector = start * _inverse(length, length > 0)
    for step in every:
        basis[:, step] = vector
        image = _image(squared, vector)
        small[:, step, step] = own = np.einsum("sa,sa->s", vector, image)
        image -= own[:, None] * vector
        if step:
            image -= length[:, None] * basis[:, step - 1]
        if step == steps - 1:
            break
        length = np.linalg.norm(image, axis=1)
        length[length <= LANCZOS_ROUNDING * small[:, 0, 0]] = 0.0  # the space ends here
        small[:, step, step + 1] = small[:, step + 1, step] = length
        vector = image * _inverse(length, length > 0)
    for _ in range(DOUBLINGS):
        size = np.trace(small, axis1=1, axis2=2)
        small *= _inverse(size, size > 0)[:, :, None]
        small = small @ small
    row = np.einsum("skk->sk", small).argmax(axis=1)
    leading: NDArray = (small[np.arange(n_sets), row][:, None] @ basis)[:, 0]
    length = np.linalg.norm(leading, axis=1)
    return leading * _inverse(length, length > 0)


def _powers(squared: NDArray, image: NDArray) -> NDArray:
    """With g = Cv, v'Cv = 1 and c^2 = g'Cg, the next v is g / c, and w moves by 2 - 2 g'g / c."""
    found, pending = np.zeros_like(image), np.arange(len(image))
    rest, going = squared, np.ones(len(image), dtype=bool)
    for left in reversed(range(ITERATIONS - 1)):
        following = _image(rest, image)
        length = np.sqrt(np.maximum(np.einsum("sa,sa->s", image, following), 0.0))
        length[~(length > 0)] = 1.0
        moved = 2.0 - 2.0 * np.einsum("sa,sa->s", image, image) / length
        previous, image = image, following / length[:, None]
        stopped = going & ((moved < TOLERANCE) | (left == 0))
        found[pending[stopped]] = previous[stopped]
        going &= ~stopped
        count = np.count_nonzero(going)
        if count == 0:
            break
        if 4 * count <= 3 * len(going):  # a copy costs as much as a step
            image, pending, rest, going = image[going], pending[going], rest[going], going[going]
    return found


def _image(squared: NDArray, vector: NDArray) -> NDArray:
    return (squared @ vector[:, :, None])[:, :, 0]


def _sum(rows: NDArray, weights: NDArray) -> NDArray:
    """(set, r, column): rows (set, component, r) summed with weights (set, component, column)."""
    return np.swapaxes(rows, 1, 2) @ weights


def _inverse(length: NDArray, valid: NDArray) -> NDArray:
    """(set, 1): 1 / length where valid, else 0."""
    valid = valid & (length > 0)
    scale: NDArray = (valid / np.where(valid, length, 1.0)).astype(length.dtype)
    return scale[:, None]


def _first(responses: NDArray, rotation: NDArray) -> NDArray:
    """(set, axis): the row of the rotation that belongs to the first neuroid that varies."""
    rows = np.broadcast_to(rotation, (len(responses), *rotation.shape[1:]))
    start = rows[:, 0].copy()
    squared = np.square(responses).sum(axis=(1, 2))
    size = np.square((responses @ start[:, :, None])[:, :, 0]).sum(axis=1)
    least = CONSTANT[responses.dtype] ** 2 * squared
    for number in np.flatnonzero(size <= least):
        sizes = np.square(responses[number] @ rows[number].T).sum(axis=0)
        start[number] = rows[number][np.argmax(sizes > least[number])]
    return start
