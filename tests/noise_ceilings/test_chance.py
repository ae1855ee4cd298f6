"""Ceilings of noise: none on average, and not above chance."""

from dataclasses import asdict

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from cortiscope.noise_ceilings import ceilings, chance, similarity_ceilings
from cortiscope.noise_ceilings.mean_ceiling import mean_ceilings
from cortiscope.noise_ceilings.noise import Ceiling, split_half_ceiling
from cortiscope.noise_ceilings.oracle import leave_one_repetition_out
from cortiscope.statistics.halves import halves
from tests.synthetic_areas import area

P_VALUES = ("area_ceiling_p", "rdm_ceiling_p", "cka_ceiling_p")
TRUTHS = {
    "noise": (np.zeros(100), 0.08),
    "a fifth has signal": (np.where(np.arange(100) < 20, 0.5, 0.0), 0.08),
    "most have signal": (np.where(np.arange(100) < 60, 0.8, 0.0), 0.04),
    "weak": (np.full(100, 0.1), 0.06),
    "strong": (np.full(100, 0.5), 0.02),
    "from none to strong": (stats.beta(0.5, 2).ppf((np.arange(100) + 0.5) / 100), 0.04),
}


def recording(reliability: NDArray, seed: int, n_stimuli: int = 119, count: int = 6) -> NDArray:
    """Of neuroids whose means over all repetitions have this reliability (neuroid,)."""
    random = np.random.default_rng(seed)
    signal = np.sqrt(reliability) * random.normal(size=(n_stimuli, 1, len(reliability)))
    noise = random.normal(size=(n_stimuli, count, len(reliability)))
    return signal + np.sqrt(count * (1 - reliability)) * noise


@pytest.mark.parametrize("method", ["split_half", "oracle"])
@pytest.mark.parametrize("kind", TRUTHS)
def test_mean_ceilings_are_the_scores_of_a_perfect_model(kind: str, method: str) -> None:
    """Roots of what is above 0 would be 0.15 of noise, and signed roots 0.2 where 0.32 is right."""
    reliability, tolerance = TRUTHS[kind]
    found = []
    for seed in range(5):
        response = recording(reliability, seed)
        one = (
            split_half_ceiling(response, 30, 0)
            if method == "split_half"
            else leave_one_repetition_out(response).ceiling
        )
        found.append(mean_ceilings(one, np.full(100, 119), 6))
    half = reliability / (2 - reliability)
    truth = np.sqrt(reliability).mean(), np.sqrt(half).mean()
    np.testing.assert_allclose(np.mean(found, axis=0), truth, atol=tolerance)


def test_neuroids_count_if_known() -> None:
    response = recording(np.where(np.arange(40) < 20, 0.8, 0.1), 0)
    response[:, :, 39] = 3.0
    found = split_half_ceiling(response, 30, 0)
    own = Ceiling(**{n: v[:39] if np.ndim(v) else v for n, v in asdict(found).items()})
    size = np.full(40, 119)
    expected = mean_ceilings(own, size[:39], 6)
    np.testing.assert_allclose(mean_ceilings(found, size, 6), expected)
    nothing = split_half_ceiling(np.ones((20, 2, 3)), 2, 0)
    assert np.isnan(mean_ceilings(nothing, np.full(3, 20), 2)).all()


@pytest.mark.parametrize("method", ["split_half", "oracle"])
def test_neuroids_shown_once_take_nothing_from_a_mean(method: str) -> None:
    response = recording(np.full(40, 0.6), 0, n_stimuli=60, count=4)
    response[:, 1:, :5] = np.nan
    both = (area(response), area(response[:, :, 5:]))
    found, own = (ceilings.area_ceilings(each, 20, 0, method=method)[0] for each in both)
    for name in ("area_ceiling", "area_ceiling_half"):
        np.testing.assert_allclose(found[name].values, own[name].values)


def test_ceilings_of_noise_are_rarely_above_chance() -> None:
    """Whether noise is each neuroid's own or shared by all, and with responses missing."""
    p = []
    for seed in range(60):
        response = recording(np.zeros(12), seed, n_stimuli=24, count=4)
        if seed % 3 == 1:
            response += 2 * np.random.default_rng(seed).normal(size=(24, 4, 1))
        elif seed % 3 == 2:
            response[np.random.default_rng(seed).random(response.shape) < 0.02] = np.nan
        found, _ = ceilings.area_ceilings(area(response), 20, 0)
        p.append([float(found[name].values) for name in P_VALUES])
    known = np.isfinite(p)
    assert known[:, 0].all()
    share = (np.array(p) <= 0.05).sum(axis=0) / known.sum(axis=0)
    assert (share <= 0.1).all()
    assert (np.nanmedian(p, axis=0) > 0.3).all()


def test_ceilings_of_signals_are_above_chance() -> None:
    response = recording(np.full(60, 0.7), 0, n_stimuli=60)
    found, _ = ceilings.area_ceilings(area(response), 20, 0)
    for name in (*P_VALUES, "median_ceiling_p"):
        assert found[name].values <= 0.02
    single, _ = ceilings.area_ceilings(area(response[:, :1]), 20, 0)
    assert all(np.isnan(single[name].values) for name in P_VALUES)


@pytest.mark.parametrize("signal", [0.0, 1.0])
def test_of_subjects_too(signal: float) -> None:
    random = np.random.default_rng(0)
    cells = signal * random.normal(size=190) + random.normal(size=(200, 6, 190))
    p = [similarity_ceilings.subject_rdm_ceiling(each, 10, 0).p for each in cells[:40]]
    p += [similarity_ceilings.subject_cka_ceiling(each + 9, 10, 0).p for each in cells[:40]]
    assert np.mean(np.array(p) <= 0.05) <= 0.1 if signal == 0 else max(p) <= 0.02


def test_stimuli_of_a_half_are_permuted_for_all_neuroids_alike() -> None:
    """Against the same by explicit orders, of one split."""
    response = recording(np.full(5, 0.1), 1, n_stimuli=20, count=2)
    chosen = halves(2, 1, 0)
    first, second = (response[:, half][:, 0] for half in chosen[0])

    def mean(order: NDArray) -> float:
        r = [np.corrcoef(first[:, k], second[order, k])[0, 1] for k in range(5)]
        return float(np.mean(r))

    null = np.array([mean(order) for order in chance.orders(20, 0)])
    expected = (1 + (null >= mean(np.arange(20))).sum()) / (1 + len(null))
    assert chance.neuroids_p(response, chosen, 0) == pytest.approx(expected)
