"""Ceilings against simulations whose reliability is known."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr

from cortiscope.errors import InputError
from cortiscope.noise_ceilings import noise, similarity_ceilings
from cortiscope.similarity import rsa


def recording(reliability: float, repetitions: int, n_stimuli: int = 150) -> NDArray:
    """Responses whose mean over all repetitions has the reliability: (stimulus, rep, neuroid)."""
    random = np.random.default_rng(1)
    signal = random.normal(size=(n_stimuli, 1, 300))
    power = repetitions * (1 - reliability) / reliability
    trials = np.sqrt(power) * random.normal(size=(n_stimuli, repetitions, 300))
    return signal + trials + 3


@pytest.mark.parametrize("repetitions", [2, 5, 8])
@pytest.mark.parametrize("reliability", [0.4, 0.8])
def test_reliability_and_ceiling_are_the_planted_ones(reliability: float, repetitions: int) -> None:
    ceiling = noise.split_half_ceiling(recording(reliability, repetitions), 40, seed=0)
    assert np.nanmean(ceiling.reliability) == pytest.approx(reliability, abs=0.02)
    assert np.nanmean(ceiling.ceiling) == pytest.approx(np.sqrt(reliability), abs=0.02)
    share = (repetitions // 2) / repetitions
    half = share * reliability / (1 - (1 - share) * reliability)
    assert np.nanmean(ceiling.ceiling_half) == pytest.approx(np.sqrt(half), abs=0.02)


def test_a_perfect_model_scores_the_ceiling() -> None:
    responses = recording(0.6, 6)
    signal = np.random.default_rng(1).normal(size=(150, 1, 300))[:, 0]
    mean = responses.mean(axis=1)
    score = [np.corrcoef(signal[:, k], mean[:, k])[0, 1] for k in range(300)]
    ceiling = noise.split_half_ceiling(responses, 40, seed=0).ceiling
    assert np.mean(score) == pytest.approx(np.nanmean(ceiling), abs=0.02)


def test_noise_has_no_ceiling_and_constants_no_reliability() -> None:
    responses = np.random.default_rng(0).normal(size=(100, 6, 200))
    responses[:, :, 0] = 4.2
    ceiling = noise.split_half_ceiling(responses, 20, seed=0)
    assert abs(np.nanmedian(ceiling.reliability)) < 0.05
    assert np.isnan(ceiling.reliability[0])
    below = ceiling.reliability[1:] <= 0
    assert 0.3 < below.mean() < 0.7
    assert np.array_equal(np.isnan(ceiling.ceiling[1:]), below)


def test_opposite_halves_do_not_fail() -> None:
    half = np.random.default_rng(0).normal(size=(10, 1, 2))
    ceiling = noise.split_half_ceiling(np.concatenate([half, -half], axis=1), 3, seed=0)
    assert np.isnan(ceiling.ceiling).all()


def test_missing_repetitions() -> None:
    random = np.random.default_rng(3)
    responses = recording(0.8, 8)
    full = noise.split_half_ceiling(responses, 40, seed=0).reliability.mean()
    responses[random.random(responses.shape) < 0.1] = np.nan
    responses[5, :, 0] = np.nan
    some = noise.split_half_ceiling(responses, 40, seed=0).reliability
    assert np.isfinite(some).all()
    assert full - 0.06 < some.mean() < full


def test_halves_do_not_overlap_and_vary() -> None:
    for repetitions in (2, 7, 8):
        chosen = noise.halves(repetitions, 50, seed=0)
        assert chosen.shape == (50, 2, repetitions)
        assert np.array_equal(chosen.sum(axis=2), np.full((50, 2), repetitions // 2))
        assert chosen.sum(axis=1).max() == 1
        assert chosen[:, 0].any(axis=0).all()
    assert np.array_equal(chosen, noise.halves(8, 50, seed=0))
    with pytest.raises(InputError, match="at least 2"):
        noise.halves(1, 5, seed=0)


def test_rdm_ceiling_is_reached_by_new_repetitions() -> None:
    responses = recording(0.8, 16, n_stimuli=40)
    ceiling = similarity_ceilings.rdm_split_half_ceiling(responses[:, :8], 30, seed=0)
    means = responses[:, :8].mean(axis=1), responses[:, 8:].mean(axis=1)
    expected = spearmanr(*[rsa.pearson_rdm(m) for m in means])[0]
    assert ceiling.reliability == pytest.approx(expected, abs=0.05)
    assert ceiling.ceiling == pytest.approx(np.sqrt(ceiling.reliability))
    assert ceiling.ceiling_half < ceiling.ceiling
    responses[0, 0, 0] = np.nan
    assert np.isfinite(similarity_ceilings.rdm_split_half_ceiling(responses, 5, seed=0).ceiling)


def test_subject_ceiling() -> None:
    random = np.random.default_rng(0)
    shared = random.normal(size=2016)
    subjects = shared + random.normal(size=(4, 2016))
    ceiling = similarity_ceilings.subject_rdm_ceiling(subjects, 20, seed=0)
    # Ranks of Gaussian values correlate by 6 / pi asin(r / 2), r = 4 / (4 + 1) for four subjects.
    assert ceiling.reliability == pytest.approx(6 / np.pi * np.arcsin(0.4), abs=0.02)
    with pytest.raises(InputError):
        similarity_ceilings.subject_rdm_ceiling(subjects[:1], 20, seed=0)
