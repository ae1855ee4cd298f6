"""What is made of dissimilarities: mixtures with their distances, or one line that says why not."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from cortiscope.errors import InputError
from cortiscope.experiment.rdms import check_dissimilarities, mixtures, recording_of_rdms

NAMES = ["rdm 0 (IT)"]


def dissimilarity(n_stimuli: int = 20, n_neuroids: int = 50, seed: int = 0) -> np.ndarray:
    return 1 - np.corrcoef(np.random.default_rng(seed).normal(size=(n_stimuli, n_neuroids)))


@pytest.mark.parametrize("n_neuroids", [4, 50])
def test_mixtures_keep_all_distances(n_neuroids: int) -> None:
    rdm = dissimilarity(20, n_neuroids)
    found = mixtures(rdm)
    assert found.shape == (20, 20)
    expected = 2 * squareform(rdm, checks=False)
    np.testing.assert_allclose(pdist(found, "sqeuclidean"), expected, atol=1e-12)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-12)


def test_mixtures_are_alike() -> None:
    """None is a principal axis: each has a share of the variance that chance allows."""
    patterns = np.random.default_rng(0).normal(size=(100, 300))
    patterns[:, :150] += 3 * np.random.default_rng(1).normal(size=(100, 1))
    variance = mixtures(1 - np.corrcoef(patterns)).var(axis=0)
    assert np.linalg.eigvalsh(np.cov(patterns))[-1] > 20 * np.median(
        np.linalg.eigvalsh(np.cov(patterns))
    )
    assert variance.max() < 10 * np.median(variance)


def test_negative_squares_are_left_out() -> None:
    """A triangle whose sides break the triangle inequality lies in no space."""
    triangle = np.array([[0.0, 0.1, 2.0], [0.1, 0.0, 0.1], [2.0, 0.1, 0.0]])
    assert np.linalg.matrix_rank(mixtures(triangle), tol=1e-9) == 1


def test_sessions_of_a_subject_count_as_one() -> None:
    rdms = np.stack([dissimilarity(seed=seed) for seed in range(4)])
    areas = np.array(["IT", "IT", "IT", "V1"])
    found = recording_of_rdms(rdms, areas, np.array(["a", "a", "b", "a"]), np.arange(20))
    assert found["rdm_area"].values.tolist() == ["IT", "IT", "V1"]
    assert found["rdm_subject"].values.tolist() == ["a", "b", "a"]
    mean = (rdms[:2].mean(axis=0) + rdms[2]) / 2
    own = found["response"].values[:, found["area"].values == "IT"]
    np.testing.assert_allclose(own, mixtures(mean), rtol=1e-5, atol=1e-6)
    unnamed = recording_of_rdms(rdms, areas, None, np.arange(20))
    assert unnamed["rdm_subject"].values.tolist() == ["", ""]


def spoilt(**changes: float) -> np.ndarray:
    rdm = dissimilarity()
    for place, value in changes.items():
        row, column = map(int, place[1:].split("_"))
        rdm[row, column] = value
    return rdm


@pytest.mark.parametrize(
    ("rdm", "message"),
    [
        (1 - dissimilarity(), "holds similarities"),
        (spoilt(x3_4=0.2), "is not symmetric"),
        (np.tril(dissimilarity()), "is not symmetric"),
        (spoilt(x3_4=np.nan), "holds NaN"),
        (spoilt(x3_3=np.nan), "holds NaN"),
        (spoilt(x3_3=0.3), "has a diagonal of up to 0.3, where 0 belongs"),
        (spoilt(x3_4=-0.1, x4_3=-0.1), "has negative values, down to -0.1"),
        (1 - np.eye(20), "is the same for all pairs"),
    ],
)
def test_what_is_no_dissimilarity_is_refused(rdm: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=rf"study.nc: dissimilarity: rdm 0 \(IT\): {message}"):
        check_dissimilarities(rdm[None], NAMES, "study.nc: dissimilarity")


@pytest.mark.parametrize("scale", [1e-3, 1, 5000])
def test_any_unit_will_do(scale: float) -> None:
    rdm = (scale * dissimilarity()).astype(np.float32)
    np.fill_diagonal(rdm, np.nan)
    found = check_dissimilarities(rdm[None], NAMES, "")
    assert np.all(np.diagonal(found[0]) == 0)
    np.testing.assert_allclose(found[0], scale * dissimilarity(), rtol=1e-5, atol=1e-6 * scale)
