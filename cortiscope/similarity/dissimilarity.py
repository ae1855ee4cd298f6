"""Dissimilarities between stimuli other than 1 - Pearson, which is in `rsa`.

With x_i the pattern of stimulus i over p features or neuroids, and G = X X' (stimulus, stimulus):

    squared Euclidean   d_ij = G_ii + G_jj - 2 G_ij
    Euclidean           sqrt(d_ij)
    cosine              1 - G_ij / sqrt(G_ii G_jj)
    crossnobis          d_ij with G_ij = mean over pairs of repetitions r != s of
                        sum_k x_irk x_jsk / variance_k, divided by the number of neuroids; the
                        variance over repetitions is that of other stimuli than i and j

Sources: Kriegeskorte, Mur and Bandettini (2008), Representational similarity analysis; Walther,
Nili, Ejaz, Alink, Kriegeskorte and Diedrichsen (2016), Reliability of dissimilarity measures for
multi-voxel pattern analysis (crossnobis). A cell is a pair of stimuli, in the order of
`numpy.triu_indices(n, 1)`.
"""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from cortiscope.errors import InputError
from cortiscope.networks.features import Layer, row_centred_gram
from cortiscope.similarity.rsa import dissimilarities, pearson_rdm, square, upper
from cortiscope.statistics.rounding import centred, without_rounding

METHODS = ("pearson", "euclidean", "squared_euclidean", "cosine")
# Of crossnobis: two in each half of the repetitions, on which the best layer is chosen.
MIN_REPETITIONS = 4
# Of the stimuli, two of which are left out of the noise variance that their cells are divided by.
PARTS = 10
TOGETHER = 16  # neuroids recorded alike, from which on a matrix product is faster
CELLS_AT_ONCE = 2**21  # of neuroids one by one: 16 MB
CONSTANT = 1e-12  # variance relative to the squared mean


def check_repetitions(method: str, n_repetitions: int) -> None:
    """Raise an InputError where crossnobis is asked of a recording with too few repetitions."""
    if method == "crossnobis" and n_repetitions < MIN_REPETITIONS:
        raise InputError(
            "config: rsa.dissimilarity",
            f"crossnobis needs {MIN_REPETITIONS} repetitions, the responses have {n_repetitions}",
            f"use one of {', '.join(METHODS)}",
        )


def raw_gram(layer: Layer) -> NDArray:
    """Inner products of a layer's activations about their own origin: (stimulus, stimulus).

    Of the exact projection, whose components are centred over stimuli, they are restored from
    (x_i - m_i).(x_j - m_j) = x_i.x_j - p m_i m_j, m the mean of a stimulus over its p features.
    """
    if layer.mean_product is None:
        features = layer.features.astype(np.float64)
        return features @ features.T  # (stimulus, component) x (component, stimulus)
    n_features = float(layer.attributes["n_features"])
    return row_centred_gram(layer) + n_features * np.outer(layer.feature_mean, layer.feature_mean)


def layer_rdm(layer: Layer, method: str) -> NDArray:
    """Dissimilarities between stimuli in a layer: (cell,), lossless from the exact projection.

    method: one of METHODS; Euclidean distances are over all features, not their mean. NaN where a
    pattern does not vary (pearson) or is zero (cosine). Raises InputError for another method.
    """
    _known(method)
    if method == "pearson":
        return dissimilarities(row_centred_gram(layer), _least(layer))
    if method == "cosine":
        return dissimilarities(raw_gram(layer), _least(layer))
    rows = centred(layer.features, axis=0)
    return distances(rows @ rows.T, squared=method == "squared_euclidean")


def _least(layer: Layer) -> float:
    """Of `dissimilarities`: the exact projection leaves out axes of 1e-8 of the largest's share."""
    return 1e-12 if layer.mean_product is None else 1e-8


def pattern_rdm(patterns: NDArray, method: str) -> NDArray:
    """Dissimilarities between the rows of (stimulus, neuroid): (cell,).

    method: one of METHODS; squared Euclidean is the mean over neuroids of squared differences, in
    the squared unit of the responses, and Euclidean its root. Neuroids with a missing response
    are left out; NaN throughout where none is left, and where a pattern does not vary (pearson)
    or is zero (cosine). Raises InputError for another method.
    """
    _known(method)
    if method == "pearson":
        return pearson_rdm(patterns)
    known = np.asarray(patterns, dtype=np.float64)[:, np.isfinite(patterns).all(axis=0)]
    if known.shape[1] < 1:
        return np.full(len(known) * (len(known) - 1) // 2, np.nan)
    if method == "cosine":
        return dissimilarities(known @ known.T)  # (stimulus, neuroid) x (neuroid, stimulus)
    rows = centred(known, axis=0)  # distances stay, digits are kept
    return distances(rows @ rows.T / rows.shape[1], squared=method == "squared_euclidean")


def distances(gram: NDArray, squared: bool) -> NDArray:
    """(Squared) Euclidean distances from inner products (stimulus, stimulus): (cell,), 0 or more.

    The origin of the inner products does not matter, but digits are lost where it is far away.
    Squared distances that are equal but for rounding are equal.
    """
    size = float(np.diagonal(gram).max())
    cells = np.maximum(without_rounding(gram_distances(gram), size), 0.0)
    return cells if squared else np.sqrt(cells)


def gram_distances(gram: NDArray) -> NDArray:
    """G_ii + G_jj - 2 G_ij of any (stimulus, stimulus): (cell,); negative where G is no product."""
    power = np.diagonal(gram)
    rows = enumerate(gram, 1)
    return np.concatenate([power[i - 1] + power[i:] - 2.0 * row[i:] for i, row in rows])


def crossnobis(response: NDArray, shrinkage: float = 0.0) -> NDArray:
    """Cross-validated, noise-normalised squared distance: (cell,), 0 on average for pure noise.

    response (stimulus, repetition, neuroid); NaN = not recorded. shrinkage: 0..1, how far the
    noise variance of each neuroid is drawn to the mean over neuroids; see `noise_variance`. Only
    products of different repetitions count, so that noise, independent between these, adds
    nothing, and a cell may be negative. In squared standard deviations of the noise, the mean
    over neuroids.

    The noise variance that a cell is divided by is estimated from other stimuli than its two: PARTS
    parts of the stimuli, of which the cells between two, and within them, leave out both. A cell
    divided by the variance of its own repetitions would lie too high: of Gaussian noise by
    4 / (repetitions x (stimuli x (repetitions - 1) - 2)), alike, which no correlation sees, but of
    4,000 neuroids the cosine sees nothing else; where stimuli differ in noise, or all share some
    within a repetition, by other amounts. So a cell is 0 on average whatever the noise, as long as
    that of one stimulus does not depend on that of others, but for what all share alike.

    Neuroids with fewer than two repetitions of a stimulus, or no variance over repetitions without
    two of the parts, are left out; NaN throughout where none is left.
    """
    _check_share(shrinkage)
    values = np.asarray(response, dtype=np.float64)
    recorded = np.isfinite(values)
    usable = (recorded.sum(axis=1) >= 2).all(axis=0)
    values, recorded = values[:, :, usable], recorded[:, :, usable]
    n_stimuli = len(values)
    parts = np.array_split(np.arange(n_stimuli), min(n_stimuli, PARTS))
    pairs = list(combinations(range(len(parts)), 2))
    of_parts = np.stack([_noise_sums(values[part]) for part in parts])
    variances = [_variance(np.delete(of_parts, pair, axis=0), shrinkage) for pair in pairs]
    noisy = np.isfinite(variances).all(axis=0)
    if not pairs or not noisy.any():
        return np.full(n_stimuli * (n_stimuli - 1) // 2, np.nan)
    values, recorded = values[:, :, noisy], recorded[:, :, noisy]
    # Distances stay, and less is lost to rounding.
    values = np.where(recorded, values - np.nanmean(values, axis=(0, 1)), 0.0)
    together, singly = _alike(recorded)
    distance = np.zeros((n_stimuli, n_stimuli))
    for (one, other), variance in zip(pairs, variances, strict=True):
        rows = np.concatenate([parts[one], parts[other]])
        own, known = values[rows] / np.sqrt(variance[noisy]), recorded[rows]
        gram = _singly_crossed_gram(own[:, :, singly], known[:, :, singly])
        for group in together:
            gram += _crossed_gram(own[:, :, group], known[:, :, group[0]])
        distance[np.ix_(rows, rows)] = square(gram_distances(gram))
    return upper(distance) / values.shape[2]


def noise_variance(response: NDArray, shrinkage: float = 0.0) -> NDArray:
    """Variance of each neuroid over repetitions of a stimulus, pooled over stimuli: (neuroid,).

    response (stimulus, repetition, neuroid); NaN = not recorded. Unbiased; a share `shrinkage`
    of it is replaced by the mean over neuroids. NaN for a neuroid that does not vary over
    repetitions. Raises InputError for a share outside 0..1.
    """
    _check_share(shrinkage)
    return _variance(_noise_sums(response)[None], shrinkage)


def _noise_sums(response: NDArray) -> NDArray:
    """Of (stimulus, repetition, neuroid), summed over both: (4, neuroid).

    Squared deviations from the mean over repetitions, their degrees of freedom, squares, and how
    many were recorded.
    """
    recorded = np.isfinite(response)
    count = recorded.sum(axis=1, keepdims=True)
    known = np.where(recorded, response, 0.0)
    mean = known.sum(axis=1, keepdims=True) / np.maximum(count, 1)
    deviation = np.where(recorded, response - mean, 0.0)
    return np.stack(
        [
            np.einsum("srn,srn->n", deviation, deviation),
            np.maximum(count - 1, 0).sum(axis=(0, 1)),
            np.einsum("srn,srn->n", known, known),
            count.sum(axis=(0, 1)),
        ]
    )


def _variance(sums: NDArray, shrinkage: float) -> NDArray:
    """(neuroid,): see `noise_variance`; from `_noise_sums` of some parts (part, 4, neuroid)."""
    deviation, freedom, power, count = sums.sum(axis=0)
    variance: NDArray = deviation / np.maximum(freedom, 1)
    constant = CONSTANT * power / np.maximum(count, 1)
    variance = np.where((freedom > 0) & (variance > constant), variance, np.nan)
    if shrinkage == 0.0 or not np.isfinite(variance).any():
        return variance
    return (1.0 - shrinkage) * variance + shrinkage * np.nanmean(variance)


def _alike(recorded: NDArray) -> tuple[list[NDArray], NDArray]:
    """Groups of neuroids of (stimulus, repetition, neuroid) recorded in the same presentations.

    Then those that are in no group of TOGETHER or more. As numbers of neuroids.
    """
    n_neuroids = recorded.shape[2]
    if recorded.all():
        return [np.arange(n_neuroids)], np.arange(0)
    packed = np.packbits(recorded.reshape(-1, n_neuroids), axis=0)
    group, size = np.unique(packed, axis=1, return_inverse=True, return_counts=True)[1:]
    many = np.flatnonzero(size >= TOGETHER)
    together = [np.flatnonzero(group.ravel() == number) for number in many]
    return together, np.flatnonzero((size < TOGETHER)[group.ravel()])


def _crossed_gram(values: NDArray, recorded: NDArray) -> NDArray:
    """Mean over pairs of different repetitions of the inner products of two stimuli.

    values (stimulus, repetition, neuroid), 0 where not recorded (stimulus, repetition), the same
    for all of these. Returns (stimulus, stimulus).
    """
    mask = recorded.astype(np.float64)
    total = values.sum(axis=1)
    same = np.zeros((len(values), len(values)))
    for repetition in values.transpose(1, 0, 2):
        same += repetition @ repetition.T  # (stimulus, neuroid) x (neuroid, stimulus)
    count = np.outer(mask.sum(axis=1), mask.sum(axis=1)) - mask @ mask.T
    crossed: NDArray = (total @ total.T - same) / count
    return crossed


def _singly_crossed_gram(values: NDArray, recorded: NDArray) -> NDArray:
    """The same of neuroids each recorded (stimulus, repetition, neuroid) in other presentations."""
    n_stimuli, _, n_neuroids = values.shape
    crossed = np.zeros((n_stimuli, n_stimuli))
    step = max(1, CELLS_AT_ONCE // n_stimuli**2)
    for start in range(0, n_neuroids, step):
        sums = []
        for each in (values, recorded):
            own = np.moveaxis(each[:, :, start : start + step], 2, 0).astype(np.float64)
            total = own.sum(axis=2)
            # (neuroid, stimulus, repetition) x (neuroid, repetition, stimulus)
            sums.append(total[:, :, None] * total[:, None, :] - own @ own.swapaxes(1, 2))
        crossed += (sums[0] / sums[1]).sum(axis=0)
    return crossed


def _check_share(shrinkage: float) -> None:
    if not 0.0 <= shrinkage <= 1.0:
        raise InputError("shrinkage", f"{shrinkage} is not a share", "give a number from 0 to 1")


def _known(method: str) -> None:
    if method not in METHODS:
        raise InputError(
            "dissimilarity", f"{method!r} is not known", f"use one of {', '.join(METHODS)}"
        )
