"""A drift of neighbours in a file is told, noise is not, and a sorted file is explained."""

import numpy as np
import pytest
from numpy.typing import NDArray

from cortiscope.experiment.drift import drift


def slow(n_stimuli: int, count: int, lag: float, random: np.random.Generator) -> NDArray:
    """Independent autoregressive processes (stimulus, process) of variance 1."""
    found = random.normal(size=(n_stimuli, count))
    for t in range(1, n_stimuli):
        found[t] = lag * found[t - 1] + np.sqrt(1 - lag**2) * found[t]
    return found


@pytest.mark.parametrize("n_neuroids", [10, 200])
def test_a_slow_process_is_told_with_its_reach(n_neuroids: int) -> None:
    """0.9 ** 15 is a fifth; the mean, which is taken out, takes some of it."""
    found = drift(slow(400, n_neuroids, 0.9, np.random.default_rng(0)))
    assert found is not None
    assert found.told
    assert found.likeness == pytest.approx(0.9, abs=0.05)
    assert 10 <= found.reach <= 18


def test_noise_is_told_no_more_often_than_by_chance() -> None:
    random = np.random.default_rng(0)
    found = [drift(random.exponential(size=(60, 15)), seed=seed) for seed in range(200)]
    p = np.array([one.p for one in found if one is not None])
    assert len(p) == 200
    assert not any(one.told for one in found if one is not None)
    assert np.mean(p <= 0.1) == pytest.approx(0.1, abs=0.05)


def test_a_sorted_file_is_explained_by_what_it_is_sorted_by() -> None:
    random = np.random.default_rng(0)
    category = np.repeat(np.arange(8), 12)
    response = random.normal(size=(8, 30))[category] + random.normal(size=(96, 30))
    assert drift(response).told
    assert not drift(response, category).told


def test_missing_responses_and_neuroids_that_do_not_vary_are_no_drift() -> None:
    random = np.random.default_rng(0)
    response = random.normal(size=(80, 10))
    response[:, 3] = 2.0
    response[random.random(response.shape) < 0.3] = np.nan
    found = drift(response)
    assert found is not None
    assert not found.told
    assert drift(np.ones((80, 4))) is None
    assert drift(response[:10]) is None
