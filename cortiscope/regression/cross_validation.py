"""Which stimuli are held out together."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cortiscope.errors import InputError

WHERE = "cross_validation.folds"
TRAINING = -1  # the fold number of stimuli that are trained on and never scored
PARTS = ("train", "test")
FEWEST = 8  # stimuli of each part: the best layer is chosen on halves of the test stimuli


@dataclass(frozen=True)
class CrossValidation:
    """The section `cross_validation` of the config, with the coordinates that it names.

    groups: (stimulus,) labels of stimuli held out together, or None. test: (stimulus,) bool, the
    stimuli that a given split tests on, or None where there is no such split.
    """

    folds: int | str
    seed: int
    groups: NDArray | None
    test: NDArray | None

    @classmethod
    def of(cls, section: Mapping[str, Any], named: Mapping[str, NDArray]) -> "CrossValidation":
        """section: of the config; named: coordinate to (stimulus,), at least those it names."""
        group, split = section["group"], section.get("split", "")
        groups = named[group] if group else None
        test = read_split(named[split], f"stimuli: {split}") if split else None
        return cls(section["folds"], section["seed"], groups, test)

    def among(self, stimuli: NDArray) -> "CrossValidation":
        """The same of some stimuli alone, given by their numbers."""
        groups = None if self.groups is None else self.groups[stimuli]
        test = None if self.test is None else self.test[stimuli]
        return replace(self, groups=groups, test=test)

    def units(self, n_stimuli: int) -> NDArray:
        """(stimulus,) numbers of what is drawn: groups held out together, else single stimuli."""
        if self.groups is None:
            return np.arange(n_stimuli)
        unit: NDArray = np.unique(self.groups, return_inverse=True)[1]
        return unit

    def numbers(self, stimuli: NDArray) -> NDArray:
        """Fold numbers of some stimuli, given by their numbers: as `fold_numbers`.

        Of a given split they are 0 for test stimuli and TRAINING for the others. Where some of
        the stimuli are of fewer groups than there are folds, of as many folds as groups.
        """
        if self.test is not None:
            return np.where(self.test[stimuli], 0, TRAINING)
        if self.groups is None:
            return fold_numbers(len(stimuli), self.folds, self.seed)
        groups, folds = self.groups[stimuli], self.folds
        if folds != "loo" and len(stimuli) < len(self.groups):
            folds = min(_whole(folds), len(np.unique(groups)))
        return fold_numbers(len(stimuli), folds, self.seed, groups)


def read_split(parts: NDArray, where: str) -> NDArray:
    """Which stimuli are tested on (stimulus,) bool, from words (stimulus,): `train` or `test`.

    where: the file and its coordinate. Raises InputError for any other word, and for fewer than
    FEWEST stimuli of either.
    """
    words = np.asarray(parts).astype(str)
    unknown = words[~np.isin(words, PARTS)]
    if len(unknown):
        raise InputError(
            where,
            f"{str(unknown[0])!r} is no part of a split",
            "write train or test for every stimulus, or leave cross_validation.split empty",
        )
    for part in PARTS:
        count = int((words == part).sum())
        if count < FEWEST:
            raise InputError(
                where, f"{count} stimuli of {len(words)} are {part}", f"give {FEWEST} or more"
            )
    return words == "test"


def held_out_folds(folds: NDArray) -> tuple[NDArray, NDArray]:
    """The numbers of the folds that are held out, ascending, and how many stimuli they have.

    folds (stimulus,): numbers, or TRAINING for stimuli that are only trained on.
    """
    numbers, sizes = np.unique(folds, return_counts=True)
    held = numbers != TRAINING
    return numbers[held], sizes[held]


def fold_numbers(
    n_stimuli: int, folds: int | str, seed: int, groups: NDArray | None = None
) -> NDArray:
    """Deal stimuli into shuffled folds of nearly equal size.

    folds: how many, or "loo" for one a stimulus (one a group where groups are given). groups:
    (stimulus,) labels; stimuli of a label are held out together, the largest group dealt first,
    each to the fold that is smallest so far. Returns (stimulus,) fold numbers from 0.
    Raises InputError for fewer than 2 folds or more than there are stimuli or groups.
    """
    labels = np.arange(n_stimuli) if groups is None else np.asarray(groups)
    if len(labels) != n_stimuli:
        raise InputError(WHERE, f"{len(labels)} group labels for {n_stimuli} stimuli", "give each")
    group, sizes = np.unique(labels, return_inverse=True, return_counts=True)[1:]
    n_folds = len(sizes) if folds == "loo" else _whole(folds)
    if not 2 <= n_folds <= len(sizes):
        kind = "stimuli" if groups is None else "groups of stimuli"
        raise InputError(
            WHERE,
            f"{n_folds} folds of {len(sizes)} {kind}",
            f"give a number from 2 to {len(sizes)}, or loo",
        )
    shuffled = np.random.default_rng(seed).permutation(len(sizes))
    fold_of_group = np.empty(len(sizes), dtype=int)
    filled = np.zeros(n_folds, dtype=int)
    for number in shuffled[np.argsort(-sizes[shuffled], kind="stable")]:
        fold_of_group[number] = filled.argmin()
        filled[fold_of_group[number]] += sizes[number]
    return fold_of_group[group]


def _whole(folds: int | str) -> int:
    if isinstance(folds, bool) or not isinstance(folds, int | np.integer):
        raise InputError(
            WHERE, f"{folds!r} is not a number of folds", "give a whole number, or loo"
        )
    return int(folds)
