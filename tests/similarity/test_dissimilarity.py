"""Dissimilarities against scipy and rsatoolbox, crossnobis on noise and with missing trials."""

from itertools import product

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from rsatoolbox.data import Dataset
from rsatoolbox.rdm import calc_rdm
from scipy.spatial.distance import pdist

from cortiscope.errors import InputError
from cortiscope.networks.features import Layer
from cortiscope.networks.gram import chunk_products, principal_coordinates
from cortiscope.similarity import dissimilarity


def trials(
    n_stimuli: int, n_repetitions: int, n_neuroids: int, signal: float, seed: int = 0
) -> NDArray:
    random = np.random.default_rng(seed)
    mean = signal * random.normal(size=(n_stimuli, 1, n_neuroids)) + 5
    noise = random.normal(size=(n_stimuli, n_repetitions, n_neuroids))
    return mean + noise * random.uniform(0.5, 3, size=n_neuroids)


def rsatoolbox_crossnobis(response: NDArray, variance: NDArray) -> NDArray:
    n_stimuli, n_repetitions, n_neuroids = response.shape
    data = Dataset(
        response.reshape(-1, n_neuroids),
        obs_descriptors={
            "stimulus": np.repeat(np.arange(n_stimuli), n_repetitions),
            "repetition": np.tile(np.arange(n_repetitions), n_stimuli),
        },
    )
    theirs = calc_rdm(
        data,
        method="crossnobis",
        descriptor="stimulus",
        cv_descriptor="repetition",
        noise=np.diag(1 / variance),
    )
    return theirs.dissimilarities[0]


def others_variance(response: NDArray, i: int, j: int) -> NDArray:
    """Over repetitions, of the stimuli that are in neither of the two tenths that hold i and j."""
    parts = np.array_split(np.arange(len(response)), min(len(response), 10))
    own = {number for number, part in enumerate(parts) if i in part or j in part}
    others = np.concatenate([p for number, p in enumerate(parts) if number not in own])
    degrees = np.isfinite(response[others]).sum(axis=1) - 1
    squares = np.nanvar(response[others], axis=1) * (degrees + 1)
    total: NDArray = squares.sum(axis=0) / degrees.sum(axis=0)
    return total


@pytest.mark.parametrize("n_repetitions", [2, 5])
@pytest.mark.parametrize("shrinkage", [0.0, 0.4])
def test_crossnobis_is_that_of_rsatoolbox(n_repetitions: int, shrinkage: float) -> None:
    """Cell by cell, each with the noise of other stimuli than its own."""
    response = trials(12, n_repetitions, 30, signal=1.0)
    pooled = response.var(axis=1, ddof=1).mean(axis=0)
    variance = (1 - shrinkage) * pooled + shrinkage * pooled.mean()
    np.testing.assert_allclose(dissimilarity.noise_variance(response, shrinkage), variance)
    ours = dissimilarity.crossnobis(response, shrinkage)
    parts = np.array_split(np.arange(12), 10)
    for cell, (i, j) in enumerate(zip(*np.triu_indices(12, 1), strict=True)):
        if any({i, j} <= set(part) for part in parts):
            continue  # within a tenth, with which any other may be left out
        variance = others_variance(response, i, j)
        variance = (1 - shrinkage) * variance + shrinkage * variance.mean()
        assert ours[cell] == pytest.approx(rsatoolbox_crossnobis(response, variance)[cell], 1e-10)


def noise_of(kind: str, seed: int, n_repetitions: int = 4) -> NDArray:
    """12 stimuli and 1,000 neuroids: nothing but noise, and far more neuroids than stimuli."""
    random = np.random.default_rng([KINDS.index(kind), seed])
    shape = 12, n_repetitions, 1000
    normal = random.normal(size=shape)
    if kind == "heavy tails":
        return random.standard_t(3, size=shape)
    if kind == "skewed":
        return random.exponential(size=shape)
    if kind == "counts":
        return random.poisson(0.5, size=shape).astype(float)
    if kind == "correlated neuroids":
        return normal + random.normal(size=(*shape[:2], 20)) @ random.normal(size=(20, 1000))
    if kind == "shared by a repetition":
        return normal + 2 * random.normal(size=(1, *shape[1:]))
    if kind == "unlike stimuli":
        return normal * np.exp(0.7 * random.normal(size=(12, 1, 1)))
    if kind == "uneven counts":
        for stimulus in range(12):
            normal[stimulus, random.permutation(n_repetitions)[random.integers(2, 5) :]] = np.nan
    return normal


KINDS = (
    "normal",
    "heavy tails",
    "skewed",
    "counts",
    "correlated neuroids",
    "shared by a repetition",
    "unlike stimuli",
    "uneven counts",
)


@pytest.mark.parametrize("kind", KINDS)
def test_the_cosine_of_noise_with_an_unrelated_system_is_zero(kind: str) -> None:
    """By the variance of all stimuli it was 0.68, less the bias of Gaussian noise 0.35 and -0.91
    where stimuli differ in noise, or share some.
    """
    scores = []
    for seed in range(50):
        model = pdist(np.random.default_rng(seed).normal(size=(12, 30)), "sqeuclidean")
        cells = dissimilarity.crossnobis(noise_of(kind, seed))
        scores.append(cells @ model / np.sqrt((cells @ cells) * (model @ model)))
    assert abs(np.mean(scores)) < 3 * np.std(scores, ddof=1) / np.sqrt(50)
    assert abs(np.mean(scores)) < 0.15


def test_crossnobis_of_noise_is_zero_and_of_signal_its_distance() -> None:
    noise = np.array([dissimilarity.crossnobis(trials(20, 4, 40, 0.0, seed)) for seed in range(60)])
    error = noise.mean(axis=1).std() / np.sqrt(60)
    assert abs(noise.mean()) < 3 * error
    assert error < 0.005  # uncrossed, noise would be 2 / repetitions = 0.5 from itself
    signal = trials(20, 4, 4000, 2.0)
    random = np.random.default_rng(0)
    mean = 2.0 * random.normal(size=(20, 1, 4000))[:, 0]
    random.normal(size=signal.shape)
    truth = pdist(mean / random.uniform(0.5, 3, size=4000), "sqeuclidean") / 4000
    np.testing.assert_allclose(dissimilarity.crossnobis(signal), truth, rtol=0.1)


def test_crossnobis_with_missing_trials() -> None:
    """Cell by cell: every pair of different repetitions in which both stimuli were recorded."""
    response = trials(6, 4, 9, 1.0)
    response[2, 1, :4] = np.nan
    response[5, :2, 4:] = np.nan
    centred = response - np.nanmean(response, axis=(0, 1))
    expected = []
    for i, j in zip(*np.triu_indices(6, 1), strict=True):
        scaled = centred / np.sqrt(others_variance(response, i, j))
        gram = np.zeros((6, 6))
        for (a, b), neuroid in product(product((i, j), repeat=2), range(9)):
            outer = np.outer(scaled[a, :, neuroid], scaled[b, :, neuroid])
            gram[a, b] += np.nanmean(outer[~np.eye(4, dtype=bool)])
        expected.append((gram[i, i] + gram[j, j] - 2 * gram[i, j]) / 9)
    np.testing.assert_allclose(dissimilarity.crossnobis(response), expected, rtol=1e-10)
    # A neuroid with one repetition of a stimulus cannot be crossed.
    response[0, 1:, 3] = np.nan
    fewer = dissimilarity.crossnobis(np.delete(response, 3, axis=2))
    np.testing.assert_allclose(dissimilarity.crossnobis(response), fewer, rtol=1e-12)


def test_crossnobis_without_noise_or_repetitions_is_nan() -> None:
    response = trials(5, 3, 4, 1.0)
    response[:, :, 1] = 7.0
    np.testing.assert_allclose(
        dissimilarity.crossnobis(response), dissimilarity.crossnobis(response[:, :, [0, 2, 3]])
    )
    assert np.isnan(dissimilarity.crossnobis(response[:, :1])).all()
    assert np.isnan(dissimilarity.crossnobis(np.full((5, 3, 2), 7.0))).all()
    with pytest.raises(InputError, match="not a share"):
        dissimilarity.crossnobis(response, 1.5)


@pytest.mark.parametrize(
    ("method", "metric"),
    [
        ("pearson", "correlation"),
        ("euclidean", "euclidean"),
        ("squared_euclidean", "sqeuclidean"),
        ("cosine", "cosine"),
    ],
)
def test_layers_and_patterns_are_those_of_scipy(method: str, metric: str) -> None:
    """From principal coordinates of activations far from the origin."""
    random = np.random.default_rng(0)
    activations = random.normal(size=(15, 400)) + 3 * random.normal(size=400) + 2
    products, pivot = chunk_products([torch.from_numpy(activations)], 15, 400)
    arrays, mean_square = principal_coordinates(products, pivot)
    attributes = {"projection": "exact", "n_features": 400, "mean_square": mean_square}
    layer = Layer("conv", arrays.pop("features"), arrays.pop("feature_mean"), attributes, **arrays)
    assert layer.features.shape[1] <= 14
    expected = pdist(activations, metric)
    np.testing.assert_allclose(dissimilarity.layer_rdm(layer, method), expected, rtol=1e-9)

    patterns = activations.copy()
    patterns[4, 7] = np.nan
    expected = pdist(np.delete(activations, 7, axis=1), metric)
    scale = {"euclidean": np.sqrt(399), "squared_euclidean": 399}.get(method, 1.0)
    np.testing.assert_allclose(
        dissimilarity.pattern_rdm(patterns, method), expected / scale, rtol=1e-10
    )
    assert np.isnan(dissimilarity.pattern_rdm(np.full((4, 3), np.nan), method)).all()


def test_linear_projections_are_compared_as_they_are() -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(8, 20)) + 1
    layer = Layer("fc", features, np.zeros(8), {"projection": "fold"}, ones=np.ones(20))
    np.testing.assert_allclose(
        dissimilarity.layer_rdm(layer, "cosine"), pdist(features, "cosine"), rtol=1e-10
    )
    with pytest.raises(InputError, match="manhattan"):
        dissimilarity.layer_rdm(layer, "manhattan")


def test_twins_and_zeros() -> None:
    patterns = np.random.default_rng(0).normal(size=(6, 50)) + 1e4
    patterns[1] = patterns[0]
    cells = dissimilarity.pattern_rdm(patterns, "euclidean")
    assert cells[0] < 1e-5 * cells[1:].min()
    patterns[2] = 0.0
    unknown = np.isnan(dissimilarity.pattern_rdm(patterns, "cosine"))
    first, second = np.triu_indices(6, 1)
    np.testing.assert_array_equal(unknown, (first == 2) | (second == 2))
