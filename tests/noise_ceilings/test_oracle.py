"""Oracle ceilings against planted reliabilities, RDM bounds against rsatoolbox."""

import numpy as np
import pytest
from numpy.typing import NDArray
from rsatoolbox.inference import boot_noise_ceiling
from rsatoolbox.rdm import RDMs

from cortiscope.errors import InputError
from cortiscope.noise_ceilings import oracle
from cortiscope.noise_ceilings.noise import split_half_ceiling


def recording(
    single: float, repetitions: int, seed: int = 0, shape: tuple[int, int] = (150, 300)
) -> NDArray:
    """(stimulus, repetition, neuroid) whose single repetitions have this reliability."""
    random = np.random.default_rng(seed)
    signal = random.normal(size=shape) * np.sqrt(single)
    noise = random.normal(size=(shape[0], repetitions, shape[1])) * np.sqrt(1 - single)
    return signal[:, None] + noise + 3


@pytest.mark.parametrize("repetitions", [2, 3, 8, 20])
@pytest.mark.parametrize("single", [0.2, 0.6])
def test_planted_reliability_is_recovered(single: float, repetitions: int) -> None:
    responses = recording(single, repetitions)
    ours = oracle.leave_one_repetition_out(responses)
    others = repetitions - 1
    expected = single * np.sqrt(others / (1 + (others - 1) * single))
    assert ours.score.mean() == pytest.approx(expected, abs=0.02)
    # The correction is nonlinear: what is recovered is that of the mean score.
    found = oracle.corrected(np.array(ours.score.mean()), others, repetitions, repetitions // 2)
    truth = [k * single / (1 + (k - 1) * single) for k in (repetitions, repetitions // 2)]
    assert found.reliability == pytest.approx(truth[0], abs=0.02)
    assert found.ceiling == pytest.approx(np.sqrt(truth[0]), abs=0.02)
    assert found.ceiling_half == pytest.approx(np.sqrt(truth[1]), abs=0.02)
    if repetitions == 8:
        halves = split_half_ceiling(responses, 20, seed=0)
        np.testing.assert_allclose(
            np.nanmean(ours.ceiling.reliability), np.nanmean(halves.reliability), atol=0.02
        )


def test_score_is_the_mean_correlation_with_the_others() -> None:
    responses = recording(0.3, 4, shape=(30, 3))
    responses[5, 2, 0] = np.nan
    responses[:, 1, 1] = np.nan
    expected = np.full((4, 3), np.nan)
    for repetition, neuroid in np.ndindex(4, 3):
        own = responses[:, repetition, neuroid]
        if np.isfinite(own).any():
            others = np.nanmean(np.delete(responses[:, :, neuroid], repetition, axis=1), axis=1)
            both = np.isfinite(own)
            expected[repetition, neuroid] = np.corrcoef(own[both], others[both])[0, 1]
    ours = oracle.leave_one_repetition_out(responses)
    np.testing.assert_allclose(ours.score, np.nanmean(expected, axis=0), rtol=1e-12)


def test_noise_has_no_ceiling() -> None:
    responses = np.random.default_rng(0).normal(size=(100, 5, 400))
    responses[:, :, 0] = 2.0
    ours = oracle.leave_one_repetition_out(responses)
    assert np.isnan(ours.score[0])
    assert abs(ours.score[1:].mean()) < 0.02
    assert np.array_equal(np.isnan(ours.ceiling.ceiling[1:]), ours.score[1:] <= 0)
    with pytest.raises(InputError, match="1 repetition"):
        oracle.leave_one_repetition_out(responses[:, :1])


def test_bounds_are_those_of_rsatoolbox() -> None:
    random = np.random.default_rng(0)
    subjects = random.normal(size=190) + 1.5 * random.normal(size=(5, 190))
    names = {"spearman": "spearman", "pearson": "corr", "cosine": "cosine", "kendall": "tau-a"}
    for method, theirs in names.items():
        shifted = subjects + (method == "cosine")
        lower, upper = boot_noise_ceiling(RDMs(shifted), method=theirs)
        ours = oracle.rdm_bounds(shifted, method)
        np.testing.assert_allclose([ours.lower, ours.upper], [lower, upper], rtol=1e-10)


def test_the_true_rdm_lies_between_the_bounds() -> None:
    random = np.random.default_rng(1)
    truth = random.normal(size=3000)
    subjects = truth + random.normal(size=(6, 3000))
    bounds = oracle.rdm_bounds(subjects, "pearson")
    assert bounds.lower < np.mean([np.corrcoef(truth, s)[0, 1] for s in subjects]) < bounds.upper
    # Signal and noise of variance 1: the mean of k subjects has 1 / k of the noise.
    assert bounds.lower == pytest.approx(1 / np.sqrt(2 * (1 + 1 / 5)), abs=0.02)
    assert bounds.upper == pytest.approx((1 + 1 / 6) / np.sqrt(2 * (1 + 1 / 6)), abs=0.02)
    subjects[0, 0] = np.nan
    assert np.isnan(oracle.rdm_bounds(subjects).lower)
    for bad, method in ((subjects[:1], "spearman"), (subjects, "euclidean")):
        with pytest.raises(InputError):
            oracle.rdm_bounds(bad, method)


def test_scores_are_normalised_where_there_is_a_ceiling() -> None:
    score = np.array([0.4, 0.9, 0.3, np.nan, 0.1])
    ceiling = np.array([0.8, 0.6, 0.0, 0.5, np.nan])
    ours = oracle.normalised(score, ceiling)
    np.testing.assert_allclose(ours.score, [0.5, 1.5, np.nan, np.nan, np.nan])
    assert ours.unknown == 2
