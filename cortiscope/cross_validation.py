"""Which stimuli are held out together."""

import numpy as np
from numpy.typing import NDArray

from cortiscope.errors import InputError

WHERE = "cross_validation.folds"


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
