"""Folds: every stimulus once, balanced, groups whole, bad numbers answered."""

import numpy as np
import pytest

from cortiscope.errors import InputError
from cortiscope.regression.cross_validation import (
    TRAINING,
    CrossValidation,
    fold_numbers,
    read_split,
)


@pytest.mark.parametrize(("n_stimuli", "folds"), [(119, 10), (10, 10), (7, 2), (240, 7)])
def test_folds_are_nearly_equal(n_stimuli: int, folds: int) -> None:
    sizes = np.bincount(fold_numbers(n_stimuli, folds, seed=3))
    assert len(sizes) == folds
    assert sizes.max() - sizes.min() <= 1


def test_folds_are_shuffled_by_the_seed() -> None:
    first = fold_numbers(60, 5, seed=1)
    assert np.array_equal(first, fold_numbers(60, 5, seed=1))
    assert not np.array_equal(first, fold_numbers(60, 5, seed=2))
    # Neighbours share a fold as often as chance: neither blocks (0.98) nor a cycle (0).
    assert 0.05 < np.mean(first[1:] == first[:-1]) < 0.4


def test_leave_one_out() -> None:
    assert sorted(fold_numbers(9, "loo", seed=0)) == list(range(9))


def test_groups_stay_whole_and_balanced() -> None:
    groups = np.repeat(list("abcdefgh"), [30, 5, 5, 5, 5, 5, 3, 2])
    folds = fold_numbers(len(groups), 2, seed=0, groups=groups)
    for label in "abcdefgh":
        assert len(set(folds[groups == label])) == 1
    assert sorted(np.bincount(folds)) == [30, 30]
    assert len(set(fold_numbers(len(groups), "loo", 0, groups))) == 8


@pytest.mark.parametrize(
    ("folds", "groups"),
    [(1, None), (11, None), (0, None), ("ten", None), (2.5, None), (3, ["a", "b"] * 5), (2, ["a"])],
)
def test_bad_folds(folds: int, groups: list[str] | None) -> None:
    with pytest.raises(InputError, match=r"cross_validation\.folds: .*;"):
        fold_numbers(10, folds, seed=0, groups=None if groups is None else np.array(groups))


def test_fold_numbers_of_a_split() -> None:
    parts = np.array(["train", "test", "train"] * 10)
    given = {"folds": 10, "group": "", "split": "part", "seed": 0}
    numbers = CrossValidation.of(given, {"part": parts}).numbers(np.arange(1, 5))
    assert numbers.tolist() == [0, TRAINING, TRAINING, 0]
    assert CrossValidation.of(given | {"split": ""}, {}).test is None


def test_some_stimuli_of_few_groups_have_a_fold_a_group() -> None:
    groups = np.repeat(np.arange(6), 5)
    section = {"folds": 6, "group": "object", "seed": 0}
    validation = CrossValidation.of(section, {"object": groups})
    some = np.flatnonzero(groups < 4)
    folds = validation.numbers(some)
    assert len(set(folds)) == len({*zip(folds, groups[some], strict=True)}) == 4
    with pytest.raises(InputError, match="1 folds of 1 groups"):
        validation.numbers(np.flatnonzero(groups == 0))
    too_many = CrossValidation.of(section | {"folds": 7}, {"object": groups})
    with pytest.raises(InputError, match="7 folds of 6 groups"):
        too_many.numbers(np.arange(30))


@pytest.mark.parametrize(
    ("parts", "line"),
    [
        (["train"] * 20 + ["validate"], "x: 'validate' is no part of a split; write train or test"),
        ([0] * 10 + [1] * 10, "x: '0' is no part of a split; write train or test"),
        (["train"] * 20 + ["test"] * 7, "x: 7 stimuli of 27 are test; give 8 or more"),
        (["test"] * 20, "x: 0 stimuli of 20 are train; give 8 or more"),
    ],
)
def test_other_splits_are_refused(parts: list, line: str) -> None:
    with pytest.raises(InputError, match=line):
        read_split(np.array(parts), "x")
