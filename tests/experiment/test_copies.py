"""Neuroids, subjects and repetitions that stand in a recording twice."""

import numpy as np
import pytest

from cortiscope.experiment.copies import copied_labels, copied_repetitions, first_alike


@pytest.mark.parametrize("n_rows", [30, 3000])
def test_copies_are_found_in_other_units_and_precisions(n_rows: int) -> None:
    random = np.random.default_rng(0)
    rows = random.normal(size=(n_rows, 40))
    rows[20] = 3 * rows[4] + 7
    rows[21] = rows[4].astype(np.float32)
    rows[22] = rows[5] + 0.01 * random.normal(size=40)  # r = 0.9999: repeated, not copied
    rows[23] = -rows[6]
    expected = np.arange(n_rows)
    expected[[20, 21]] = 4
    assert np.array_equal(first_alike(rows), expected)


def test_rows_that_miss_values_are_copies_where_they_miss_the_same() -> None:
    rows = np.random.default_rng(0).normal(size=(6, 40))
    rows[4] = rows[0]
    rows[[0, 4], :5] = np.nan
    rows[5] = np.nan
    assert first_alike(rows).tolist() == [0, 1, 2, 3, 0, 5]


def test_few_spikes_are_equal_by_chance_and_no_copies() -> None:
    counts = np.random.default_rng(0).binomial(1, 0.05, size=(200, 30)).astype(float)
    assert len(np.unique(counts, axis=0)) < 200
    assert np.array_equal(first_alike(counts), np.arange(200))


def test_a_subject_is_a_copy_where_all_its_neuroids_are_those_of_one_other() -> None:
    first = np.array([0, 1, 2, 3, 0, 1, 6, 2])
    subject = np.array(["a", "a", "b", "b", "c", "c", "d", "d"])
    assert copied_labels(first, subject) == {"c": "a"}


def test_repetitions_that_hold_what_another_holds() -> None:
    response = np.random.default_rng(0).normal(size=(6, 4, 12)).astype(np.float32)
    response[2, 3] = response[2, 1]
    response[4, 1:] = np.nan
    assert copied_repetitions(response) == [(2, 1, 3)]
    assert copied_repetitions(np.zeros((6, 4, 12))) == []
