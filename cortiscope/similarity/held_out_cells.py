"""Which stimuli are held out together where a mapping learns from pairs of stimuli, and its score.

A cell of a dissimilarity matrix touches two stimuli. Were it tested by a fit that had seen one of
them in other cells, that stimulus's own noise, which all its cells share, would be predicted with
it, and noise would score above 0. So a fit is trained on the cells among some stimuli and tested
on the cells among all others: both stimuli of a test cell are held out. Two folds are held out at
a time, every pair of folds in turn, so that every cell is tested.

The score is the mean over fits of the comparison within the held-out set, where one fit predicts
all cells. It is 0 on average for noise, since the held-out stimuli could change places; pooled
over fits it is not (-0.02 for 48 stimuli in ten folds), as a set lies to one side of its own
training part. To compare a mapping with a layer as it is, score the layer's own cells in the same
sets: within few stimuli a correlation is a little lower than over all (0.31 instead of 0.33 for 18
of 92 photographs).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cortiscope.errors import InputError
from cortiscope.regression.cross_validation import MOST_PAIRED_FOLDS, fold_numbers
from cortiscope.similarity import kendall
from cortiscope.similarity.comparison import bootstrap_scores, paired, prepared
from cortiscope.similarity.pairs import pair_sums
from cortiscope.statistics.rounding import varies

FEWEST_CELLS = 2  # of a fit, to be compared: there is none where its stimuli are of one group
LEVELS = 16  # of Kendall's tau-a in permutations and draws: the sets are small


@dataclass(frozen=True)
class HeldOut:
    """pair: (fit, 2), the two folds that a fit holds out; of a given split (fit, 1). stimuli: of
    each fit, the numbers of the stimuli held out, ascending. cells: of each fit, the numbers of the
    cells among these, in the order of `numpy.triu_indices`. blocks: the cells between each two
    folds, or within one.
    trained, tested: (fit, block) 1 or 0, the blocks that a fit is trained on, and those that its
    cells are made of. partner: (fit,), another fit of the same round, none of whose folds it
    shares; -1 where there is none. counted: (cell,) bool, the cells that are scored, where some are
    of stimuli that are not independent; None for all.
    """

    pair: NDArray
    stimuli: list[NDArray]
    cells: list[NDArray]
    blocks: list[NDArray]
    trained: NDArray
    tested: NDArray
    partner: NDArray
    counted: NDArray | None = None

    @property
    def scored(self) -> list[NDArray]:
        """Of each fit, which of its cells are scored: (held-out cell,) bool."""
        if self.counted is None:
            return [np.ones(len(cells), dtype=bool) for cells in self.cells]
        return [self.counted[cells] for cells in self.cells]


def pairs_of_folds(folds: NDArray, rounds: int | None = None) -> HeldOut:
    """Hold out pairs of folds, as a tournament: in each round every fold is in one pair.

    folds (stimulus,) numbers, from `cross_validation.fold_numbers`. rounds: how many, None for
    all, which are every pair once; an odd fold sits out. Raises InputError for fewer than 3
    folds, which leave nothing to train on, for more than MOST_PAIRED_FOLDS, and for folds of one
    stimulus each, two of which have no more than one cell.
    """
    names, fold = np.unique(folds, return_inverse=True)
    n_folds = len(names)
    if not 3 <= n_folds <= MOST_PAIRED_FOLDS or 2 * n_folds > len(fold):
        raise InputError(
            "cross_validation.folds",
            f"{n_folds} folds of {len(fold)} stimuli, where pairs of folds are held out",
            f"give 3 to {MOST_PAIRED_FOLDS}, of at least two stimuli each",
        )
    pair, partner = _tournament(n_folds, rounds)
    return _sets(fold, pair, partner)


def given_set(test: NDArray) -> HeldOut:
    """Hold out the test stimuli of a given split, those of test (stimulus,) bool: one fit."""
    return _sets(test.astype(int), np.array([[1]]), np.array([-1]))


def given_set_with_partner(test: NDArray, seed: int) -> HeldOut:
    """The same as the first of two fits; its partner holds out a random quarter of the others."""
    training = np.random.default_rng(seed).permutation(np.flatnonzero(~test))
    fold = 2 * test.astype(int)
    fold[training[: max(2, len(training) // 4)]] = 1
    return _sets(fold, np.array([[2], [1]]), np.array([1, 0]))


def given_set_in_folds(test: NDArray, folds: int, seed: int) -> HeldOut:
    """The same as `given_set`, its training stimuli in folds, each of which can be left out."""
    fold = np.full(len(test), folds)
    fold[~test] = fold_numbers(int((~test).sum()), folds, seed)
    return _sets(fold, np.array([[folds]]), np.array([-1]))


def _sets(fold: NDArray, held: NDArray, partner: NDArray) -> HeldOut:
    """fold: (stimulus,) numbers from 0, each in use; held: (fit, number), the folds held out."""
    first, second = np.triu_indices(len(fold), 1)
    block_of_cell, block_folds = _blocks(fold, first, second, int(fold.max()) + 1)
    order = np.argsort(block_of_cell, kind="stable")
    edges = np.cumsum(np.bincount(block_of_cell, minlength=len(block_folds)))[:-1]
    stimuli = [np.flatnonzero(np.isin(fold, folds_held)) for folds_held in held]
    number = np.zeros((len(fold), len(fold)), dtype=int)
    number[first, second] = np.arange(len(first))
    cells = [number[np.ix_(s, s)][np.triu_indices(len(s), 1)] for s in stimuli]
    touched = np.array([np.isin(block_folds, one) for one in held])  # (fit, block, 2)
    trained, tested = (~touched.any(axis=2)).astype(float), touched.all(axis=2).astype(float)
    return HeldOut(held, stimuli, cells, np.split(order, edges), trained, tested, partner)


def check_comparison(method: str) -> None:
    """Raise an InputError for cosine: what is learnt has a constant of its own, and so no zero."""
    if method == "cosine":
        raise InputError(
            "config: rsa.comparison",
            "cosine compares by a zero, and mappings that learn from pairs of stimuli have none",
            "use spearman, pearson or kendall",
        )


def score(predicted: Sequence[NDArray], brains: NDArray, held_out: HeldOut, method: str) -> NDArray:
    """Mean comparison of predicted cells with those of brains (brain, cell): (brain,), -1..1.

    predicted: of each fit (brain, its cells), or (its cells,) for all brains. Fits count by their
    cells. A prediction that does not vary explains nothing and counts 0; sets in which the brain
    does not vary tell nothing and count nothing. NaN where cells miss, or no set varies.
    """
    mean = _Mean(len(brains))
    for values, cells, scored in zip(predicted, held_out.cells, held_out.scored, strict=True):
        if scored.sum() < FEWEST_CELLS:
            continue
        if held_out.counted is not None:
            values, cells = values[..., scored], cells[scored]
        truth = brains[:, cells]
        values = np.broadcast_to(values, truth.shape)
        known = np.isfinite(truth).all(axis=1)
        scores = np.where(known, _unless_constant(paired(values, truth, method), values), np.nan)
        mean.add(scores, len(cells) * (varies(truth) | ~known))
    return mean.found()


def null_brains(brains: NDArray, held_out: HeldOut, method: str) -> list[NDArray]:
    """Permuted brains (permutation, cell) prepared set by set: once for all layers.

    Those that miss a cell are known nowhere.
    """
    brains = np.where(np.isfinite(brains).all(axis=1, keepdims=True), brains, np.nan)
    tested = held_out.cells
    if held_out.counted is not None:
        pairs = zip(held_out.cells, held_out.scored, strict=True)
        tested = [cells[scored] for cells, scored in pairs if scored.sum() >= FEWEST_CELLS]
    if method == "kendall":
        return [kendall.levels(brains[:, cells], LEVELS) for cells in tested]
    return [prepared(brains[:, cells], method) for cells in tested]


def null_score(
    predicted: Sequence[NDArray],
    brains: Sequence[NDArray],
    method: str,
    held_out: HeldOut | None = None,
) -> NDArray:
    """`score` of permuted brains, these from `null_brains`: (permutation,).

    The same numbers but for Kendall's tau-a, which is that of levels (see `kendall`). held_out:
    needed where not all its cells are scored.
    """
    mean = _Mean(len(brains[0]))
    if held_out is not None and held_out.counted is not None:
        pairs = zip(predicted, held_out.scored, strict=True)
        predicted = [
            values[..., scored] for values, scored in pairs if scored.sum() >= FEWEST_CELLS
        ]
    for values, truth in zip(predicted, brains, strict=True):
        if method == "kendall":
            levels = np.broadcast_to(kendall.levels(values, LEVELS), truth.shape)
            scores = kendall.level_tau(levels, truth, LEVELS)
        else:
            scores = np.einsum("...c,...c->...", prepared(values, method), truth)
        scores = _unless_constant(scores, np.broadcast_to(values, truth.shape))
        # Prepared, what does not vary is NaN, or of level -1.
        mean.add(scores, truth.shape[1] * (truth[:, 0] >= (0 if method == "kendall" else -np.inf)))
    return mean.found()


def bootstrap(
    predicted: Sequence[NDArray],
    brain: NDArray,
    held_out: HeldOut,
    weights: NDArray,
    method: str,
) -> NDArray:
    """`score` with stimulus i counted weights (draw, stimulus) times: (draw,).

    predicted: of each fit (its cells,); brain (cell,). Predictions and ranks stay those of the
    full sample; fits count by the pairs drawn of their set, those without a score not at all.
    """
    total, count = np.zeros((2, len(weights)))
    fits = zip(predicted, held_out.cells, held_out.stimuli, held_out.scored, strict=True)
    for values, cells, stimuli, scored in fits:
        drawn, counted = weights[:, stimuli], None
        pairs = (drawn.sum(axis=1) ** 2 - np.square(drawn).sum(axis=1)) / 2
        if held_out.counted is not None:
            if scored.sum() < FEWEST_CELLS:
                continue
            pairs, counted = pair_sums(drawn, scored[None].astype(float))[:, 0], scored
        if np.isfinite(values).all() and not varies(values):
            scores = np.zeros(len(weights))
        else:
            scores = bootstrap_scores(values, brain[cells], drawn, method, LEVELS, counted)
        known = np.isfinite(scores)
        total += np.where(known, scores, 0.0) * pairs
        count += np.where(known, pairs, 0.0)
    return total / np.where(count > 0, count, np.nan)


class _Mean:
    """Over fits, of the scores of brains (brain,)."""

    def __init__(self, n_brains: int) -> None:
        self.total, self.count = np.zeros((2, n_brains))

    def add(self, scores: NDArray, count: NDArray) -> None:
        """Of one fit: scores (brain,), and how much they count (brain,)."""
        self.total += np.where(count > 0, scores, 0.0) * count
        self.count += count

    def found(self) -> NDArray:
        """(brain,), NaN without any."""
        return self.total / np.where(self.count > 0, self.count, np.nan)


def _unless_constant(scores: NDArray, values: NDArray) -> NDArray:
    """0 for predicted values (brain, cell) that do not vary."""
    return np.where(np.isfinite(values).all(axis=-1) & ~varies(values), 0.0, scores)


def _tournament(n_folds: int, rounds: int | None) -> tuple[NDArray, NDArray]:
    """Pairs (fit, 2) by the circle method, and the partner (fit,) of each within its round.

    One seat stays, the others move on by one each round; an empty seat makes up an odd number.
    """
    seats = n_folds + n_folds % 2
    pairs: list[NDArray] = []
    partners: list[NDArray] = []
    for number in range(seats - 1 if rounds is None else min(rounds, seats - 1)):
        moving = np.roll(np.arange(1, seats), number)
        circle = np.concatenate([[0], moving])
        met = np.stack([circle[: seats // 2], circle[: seats // 2 - 1 : -1]], axis=1)
        met = np.sort(met[(met < n_folds).all(axis=1)], axis=1)
        own = np.arange(len(met))
        other = np.where(own ^ 1 < len(met), own ^ 1, 0)
        partners.append(np.where(other == own, -1, other + sum(len(earlier) for earlier in pairs)))
        pairs.append(met)
    return np.concatenate(pairs), np.concatenate(partners)


def _blocks(
    fold: NDArray, first: NDArray, second: NDArray, n_folds: int
) -> tuple[NDArray, NDArray]:
    """The block (cell,) of each cell, and the two folds (block, 2) of each block."""
    one, other = np.triu_indices(n_folds)
    number = np.zeros((n_folds, n_folds), dtype=int)
    number[one, other] = number[other, one] = np.arange(len(one))
    return number[fold[first], fold[second]], np.stack([one, other], axis=1)
