"""Which stimuli are held out together."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cortiscope.errors import InputError
from cortiscope.statistics.halves import halves
from cortiscope.statistics.resampling import (
    bootstrap_weights,
    bootstrap_weights_of,
    orders_among,
    permutations,
    permutations_of,
    shifts,
    shifts_among,
)

WHERE = "cross_validation.folds"
TRAINING = -1  # the fold number of stimuli that are trained on and never scored
MOST_PAIRED_FOLDS = 32  # 496 fits
PARTS = ("train", "test")
FEWEST = 8  # stimuli of each part: the best layer is chosen on halves of the test stimuli


@dataclass(frozen=True)
class CrossValidation:
    """The section `cross_validation` of the config, with the coordinates that it names.

    groups: (stimulus,) labels of stimuli held out together, or None. test: (stimulus,) bool, the
    stimuli that a given split tests on, or None where there is no such split. block: how many
    stimuli, in the order of the file, make a stretch, whole ones of which are held out and drawn; 0
    where the order says nothing. gap: stimuli so near in that order to one held out are not trained
    on.
    """

    folds: int | str
    seed: int
    groups: NDArray | None
    test: NDArray | None
    block: int = 0
    gap: int = 0

    @classmethod
    def of(cls, section: Mapping[str, Any], named: Mapping[str, NDArray]) -> "CrossValidation":
        """section: of the config; named: coordinate to (stimulus,), at least those it names.

        Mappings without folds have a section without these, and ask for what is drawn alone.
        """
        group, split = section.get("group", ""), section.get("split", "")
        groups = named[group] if group else None
        test = read_split(named[split], f"stimuli: {split}") if split else None
        block, gap = section.get("block", 0), section.get("gap", 0)
        return cls(section.get("folds", 2), section.get("seed", 0), groups, test, block, gap)

    def among(self, stimuli: NDArray) -> "CrossValidation":
        """The same of some stimuli alone, given by their numbers."""
        groups = None if self.groups is None else self.groups[stimuli]
        test = None if self.test is None else self.test[stimuli]
        return replace(self, groups=groups, test=test)

    def units(self, n_stimuli: int) -> NDArray:
        """(stimulus,) numbers of what is drawn together: stretches, groups, or single stimuli."""
        if self.block:
            return np.arange(n_stimuli) // self.block
        if self.groups is None:
            return np.arange(n_stimuli)
        unit: NDArray = np.unique(self.groups, return_inverse=True)[1]
        return unit

    def orders(self, n_stimuli: int, count: int, seed: int) -> NDArray:
        """Random orders of the stimuli for a null, (permutation, stimulus): units change places.

        Where there are stretches the whole file is shifted as a ring instead, so that neighbours
        stay neighbours as far as any dependence reaches, be it farther than a stretch. Of a given
        split, training stimuli stay in their places.
        """
        if self.test is not None:
            places = np.flatnonzero(self.test)
            order = np.tile(np.arange(n_stimuli), (count, 1))
            order[:, places] = places[permutations(len(places), count, seed)]
            return order
        if self.block:
            return shifts(n_stimuli, count, seed, max(self.block, self.gap + 1))
        return permutations_of(self.units(n_stimuli), count, seed)

    def orders_among(self, orders: NDArray, stimuli: NDArray) -> NDArray:
        """Of orders (permutation, stimulus) of all, those of some stimuli, as their places.

        stimuli: their numbers, ascending. Whatever changes places together still does: stretches
        and their neighbours, groups, and of a given split only test stimuli with each other.
        """
        if self.block:
            return shifts_among(orders, len(stimuli), max(self.block, self.gap + 1))
        units = self.units(orders.shape[1]) if self.test is None else self.test
        return orders_among(orders, stimuli, units)

    def draws(self, n_stimuli: int, count: int, seed: int) -> NDArray:
        """How often each draw takes each stimulus, units being drawn whole: (draw, stimulus).

        Of a given split no training stimulus is taken.
        """
        if self.test is not None:
            weights = np.zeros((count, n_stimuli))
            weights[:, self.test] = bootstrap_weights(int(self.test.sum()), count, seed)
            return weights
        return bootstrap_weights_of(self.units(n_stimuli), count, seed)

    def halves(self, n_stimuli: int, splits: int, seed: int) -> NDArray:
        """Random halves of the stimuli, or of the test stimuli: (split, half, stimulus) bool."""
        if self.test is None:
            return halves(n_stimuli, splits, seed)
        chosen = np.zeros((splits, 2, n_stimuli), dtype=bool)
        chosen[:, :, self.test] = halves(int(self.test.sum()), splits, seed)
        return chosen

    def counted(self, stimuli: NDArray, n_stimuli: int) -> NDArray | None:
        """Which pairs of some stimuli are of independent ones: (stimulus, stimulus) bool.

        stimuli: their numbers, of n_stimuli. None where all pairs are. Copies of a picture are
        alike in any two systems, and so are neighbours in time: such pairs would score where
        nothing is shared. Not counted are pairs of a group, and in the order of the file those
        nearer than a stretch or the gap, the file taken as a ring, as `orders` shifts it.
        """
        if self.block:
            apart = np.abs(stimuli[:, None] - stimuli)
            return np.minimum(apart, n_stimuli - apart) >= max(self.block, self.gap + 1)
        if self.groups is None:
            return None
        group = np.unique(self.groups, return_inverse=True)[1][stimuli]
        different: NDArray = group[:, None] != group
        return different

    def numbers(self, stimuli: NDArray) -> NDArray:
        """Fold numbers of some stimuli, given by their numbers: as `fold_numbers`.

        Of a given split they are 0 for test stimuli and TRAINING for the others. Where some of
        the stimuli are of fewer groups or stretches than there are folds, of as many folds as
        these.
        """
        if self.test is not None:
            return np.where(self.test[stimuli], 0, TRAINING)
        if self.block:
            return contiguous_folds(stimuli // self.block, self.folds)
        if self.groups is None:
            return fold_numbers(len(stimuli), self.folds, self.seed)
        groups, folds = self.groups[stimuli], self.folds
        if folds != "loo" and len(stimuli) < len(self.groups):
            folds = min(_whole(folds), len(np.unique(groups)))
        return fold_numbers(len(stimuli), folds, self.seed, groups)

    def training_folds(self, stimuli: NDArray) -> NDArray:
        """Fold numbers of the training stimuli of a given split, given by their numbers.

        Of no more folds than there are stimuli, or groups of them.
        """
        most = len(stimuli) if self.groups is None else len(np.unique(self.groups[stimuli]))
        folds = self.folds if self.folds == "loo" else min(_whole(self.folds), most)
        return replace(self, folds=folds, test=None).numbers(stimuli)


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


def contiguous_folds(stretches: NDArray, folds: int | str) -> NDArray:
    """Deal whole stretches to folds that are runs of neighbouring ones, of nearly equal number.

    stretches: (stimulus,) numbers, ascending. folds: how many, no more than there are stretches, or
    "loo" for one a stretch. Runs have two ends whatever their length, so that a gap around each
    leaves out the fewest. Returns (stimulus,) fold numbers from 0. Raises InputError for one.
    """
    names, place = np.unique(stretches, return_inverse=True)
    n_folds = len(names) if folds == "loo" else min(_whole(folds), len(names))
    if n_folds < 2:
        raise InputError(
            "cross_validation.block", f"{len(names)} stretch of all stimuli", "give a shorter one"
        )
    fold: NDArray = place * n_folds // len(names)
    return fold


def near(stimuli: NDArray, held: NDArray, gap: int) -> NDArray:
    """Which of some stimuli lie within `gap` places of one of those held out: (stimulus,) bool.

    stimuli: (stimulus,) numbers in the order of the file, ascending; held (stimulus,) bool.
    """
    places = stimuli[held]
    after = np.searchsorted(places, stimuli).clip(max=len(places) - 1)
    before = (after - 1).clip(min=0)
    nearest = np.minimum(np.abs(places[after] - stimuli), np.abs(places[before] - stimuli))
    close: NDArray = nearest <= gap
    return close


def _whole(folds: int | str) -> int:
    if isinstance(folds, bool) or not isinstance(folds, int | np.integer):
        raise InputError(
            WHERE, f"{folds!r} is not a number of folds", "give a whole number, or loo"
        )
    return int(folds)


def number_of_paired_folds(asked: int | str, n_stimuli: int, n_groups: int) -> int:
    """How many folds there are, of which pairs are held out, where so many or `loo` were asked for.

    Never more than MOST_PAIRED_FOLDS, nor than leave two stimuli to each, nor than there are groups
    of stimuli; `loo` is as many as that. May be too few for `pairs_of_folds`.
    """
    most = min(MOST_PAIRED_FOLDS, n_stimuli // 2, n_groups)
    return most if asked == "loo" else min(int(asked), most)
