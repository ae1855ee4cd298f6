"""Draws over neuroids and subjects have the spread that new ones would have."""

import numpy as np
import pytest
from scipy.stats import t, ttest_1samp

from cortiscope.statistics.nested_bootstrap import (
    interval,
    nested_bootstrap,
    small_sample_factor,
)

DRAWS = 4000


def test_spread_is_that_of_subjects() -> None:
    random = np.random.default_rng(0)
    subject = np.repeat(np.arange(8), 25)
    values = random.normal(size=8)[subject] + 0.5 * random.normal(size=200)
    draws = nested_bootstrap(values, subject, DRAWS, 0)
    means = values.reshape(8, 25).mean(axis=1)
    half = t.ppf(0.975, 7) * means.std(ddof=1) / np.sqrt(8)
    assert draws.mean() == pytest.approx(values.mean())
    assert 1.96 * draws.std() == pytest.approx(half, rel=0.04)
    alone = nested_bootstrap(values, None, DRAWS, 0)
    assert alone.std() == pytest.approx(values.std() / np.sqrt(200), rel=0.05)
    one = nested_bootstrap(values, np.full(200, "monkey"), DRAWS, 0)
    np.testing.assert_allclose(one, alone)


def test_missing_values_are_left_out() -> None:
    values = np.random.default_rng(1).normal(size=60)
    values[::2] = np.nan
    known = nested_bootstrap(values, None, DRAWS, 0)
    np.testing.assert_allclose(known, nested_bootstrap(values[1::2], None, DRAWS, 0))
    values[3:] = np.nan
    assert np.isnan(nested_bootstrap(values, None, 5, 0)).all()


def test_small_samples_are_stretched() -> None:
    assert small_sample_factor(2) == pytest.approx(np.sqrt(2) * t.ppf(0.975, 1) / 1.96, rel=1e-4)
    assert small_sample_factor(1000) == pytest.approx(1, abs=0.003)


def test_intervals_over_subjects_hold() -> None:
    random = np.random.default_rng(0)
    inside = 0
    for seed in range(400):
        subject = np.repeat(np.arange(6), random.integers(5, 20, size=6))
        values = random.normal(size=6)[subject] + random.normal(size=len(subject))
        draws = nested_bootstrap(values, subject, 500, seed)
        low, high = interval(draws)
        inside += low <= 0 <= high
    assert inside / 400 == pytest.approx(0.95, abs=0.03)


def test_interval_over_two_subjects_is_students() -> None:
    values, subject = np.array([1.0, 3.0, 6.0, 6.0]), np.array(list("aabb"))
    low, high = interval(nested_bootstrap(values, subject, 20_000, 0))
    exact = ttest_1samp([2.0, 6.0], 0).confidence_interval()
    assert (low, high) == pytest.approx((exact.low, exact.high), rel=0.02)


def test_copies_are_drawn_together() -> None:
    """The interval of neuroids that all stand twice is that of each once."""
    values = np.random.default_rng(0).normal(size=30)
    once = nested_bootstrap(values, None, 4000, seed=0)
    twice = np.concatenate([values, values])
    copies = np.tile(np.arange(30), 2)
    for subject in (None, np.full(60, "a")):
        together = nested_bootstrap(twice, subject, 4000, seed=0, copy_of=copies)
        np.testing.assert_allclose(together, once)
    assert nested_bootstrap(twice, None, 4000, seed=0).std() < 0.8 * once.std()
