"""Stretches of the file: folds are runs of them, orders shift it, near pairs do not count."""

import numpy as np
import pytest

from cortiscope.errors import InputError
from cortiscope.regression.cross_validation import CrossValidation, contiguous_folds, near
from cortiscope.statistics.resampling import shifts


def validation(folds: int | str = 5, block: int = 10, gap: int = 0) -> CrossValidation:
    return CrossValidation(folds, 0, None, None, block, gap)


@pytest.mark.parametrize(("n_stimuli", "folds"), [(100, 5), (103, 5), (100, 10), (97, "loo")])
def test_folds_are_runs_of_whole_stretches(n_stimuli: int, folds: int | str) -> None:
    numbers = validation(folds).numbers(np.arange(n_stimuli))
    assert (np.diff(numbers) >= 0).all()
    stretches = np.arange(n_stimuli) // 10
    assert all(len(set(numbers[stretches == one].tolist())) == 1 for one in np.unique(stretches))
    n_folds = len(np.unique(stretches)) if folds == "loo" else folds
    assert np.array_equal(np.unique(numbers), np.arange(n_folds))
    assert np.ptp([len(np.unique(stretches[numbers == one])) for one in range(n_folds)]) <= 1


def test_some_stimuli_of_few_stretches_have_a_fold_a_stretch() -> None:
    assert validation(5).numbers(np.array([0, 1, 11, 29])).tolist() == [0, 0, 1, 2]
    with pytest.raises(InputError, match=r"cross_validation\.block: 1 stretch"):
        contiguous_folds(np.zeros(9, dtype=int), 5)


def test_what_is_near_is_counted_in_places() -> None:
    stimuli, held = np.array([0, 3, 4, 9, 20, 22]), np.array([0, 0, 1, 1, 0, 0], dtype=bool)
    assert near(stimuli, held, 3).tolist() == [False, True, True, True, False, False]
    assert near(stimuli, held, 11).tolist() == [True] * 5 + [False]
    assert near(stimuli, held, 0).tolist() == held.tolist()


def test_shifts_keep_neighbours_and_are_no_shorter_than_asked() -> None:
    orders = shifts(50, 31, seed=0, least=10)
    shift = orders[:, 0]
    assert np.array_equal(np.sort(shift), np.arange(10, 41))  # each once
    assert ((np.diff(orders, axis=1) % 50) == 1).all()
    again = shifts(50, 62, seed=0, least=10)[:, 0]
    assert np.array_equal(np.bincount(again), np.bincount(np.tile(np.arange(10, 41), 2)))
    assert shifts(9, 3, seed=0, least=40).shape == (3, 9)


def test_pairs_that_count_stay_the_same_when_the_order_is_shifted() -> None:
    given = validation(gap=14)
    pairs = given.counted(np.arange(70), 70)
    assert pairs is not None
    apart = np.abs(np.subtract.outer(np.arange(70), np.arange(70)))
    assert not pairs[apart < 15].any()
    assert pairs[(apart >= 15) & (apart <= 55)].all()
    for order in given.orders(70, 20, seed=0):
        assert np.array_equal(pairs[np.ix_(order, order)], pairs)


def test_stretches_are_drawn_whole() -> None:
    drawn = validation().draws(95, 50, seed=0)
    assert (drawn[:, :90].reshape(50, 9, 10) == drawn[:, :90:10, None].reshape(50, 9, 1)).all()


def test_pairs_within_a_group_do_not_count() -> None:
    groups = np.array(list("aabcc"))
    grouped = CrossValidation(2, 0, groups, None)
    pairs = grouped.counted(np.array([0, 1, 3, 4]), 5)
    assert pairs is not None
    expected = [[0, 0, 1, 1], [0, 0, 1, 1], [1, 1, 0, 0], [1, 1, 0, 0]]
    assert pairs.astype(int).tolist() == expected
    assert CrossValidation(2, 0, None, None).counted(np.arange(5), 5) is None
