"""The trials of a recording, held by what was recorded rather than by what could have been.

Of a recording whose test stimuli were shown thirty times and all others once, an array with thirty
repetitions of every stimulus is empty for the most part: as much as its file is small, since that
is compressed, an array in memory is not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import netCDF4
import numpy as np
from numpy.typing import NDArray

DIMS = ("stimulus", "repetition", "neuroid")
LARGE = 2**26  # numbers: arrays of fewer (half a gigabyte) are held as they are
AT_ONCE = 2**24  # numbers that are read at a time
# What a job holds: the mean over trials; the trials, of a recording where most was recorded once
# those of stimuli that were shown repeatedly; or every trial.
Hold = Literal["mean", "trials", "every trial"]


@dataclass(frozen=True)
class Trials:
    """response: (stimulus, repetition, neuroid), in the precision of the file, NaN = not recorded.

    Of means: that with the mean over repetitions, in double precision, in place of all; count:
    (stimulus, neuroid), how many those were. Of a large recording where most was recorded once
    beside them repeated: (stimulus, repetition, neuroid), the trials of the stimuli that any
    neuroid was shown twice or more. Else both are None.
    """

    response: NDArray
    count: NDArray | None = None
    repeated: NDArray | None = None


def read_trials(variable: netCDF4.Variable, member: NDArray, hold: Hold = "trials") -> Trials:
    """Read the responses of some neuroids (neuroid,) bool, as much as they need at a time.

    variable: `response` (stimulus[, repetition], neuroid).
    """
    n_stimuli, n_neuroids = variable.shape[0], int(member.sum())
    n_repetitions = variable.shape[1] if variable.ndim == 3 else 1
    if hold == "mean":
        return _means(variable, member)
    if hold == "trials" and n_stimuli * n_repetitions * n_neuroids > LARGE and n_repetitions > 1:
        found = _mostly_single(variable, member)
        if found is not None:
            return found
    response = np.empty((n_stimuli, n_repetitions, n_neuroids), _float(variable))
    for part, block in blocks(variable):
        response[part] = block[:, :, member]
    return Trials(response)


def _float(variable: netCDF4.Variable) -> np.dtype:
    """The precision of a file; of numbers that are no floats, double."""
    stored = np.dtype(variable.dtype)
    return stored if stored.kind == "f" else np.dtype(np.float64)


def _means(variable: netCDF4.Variable, member: NDArray) -> Trials:
    size = variable.shape[0], int(member.sum())
    n_repetitions = variable.shape[1] if variable.ndim == 3 else 1
    mean, count = np.empty(size), np.empty(size, np.min_scalar_type(-1 - n_repetitions))
    for part, block in blocks(variable):
        mean[part], count[part] = _mean(block[:, :, member])
    return Trials(mean[:, None], count)


def _mean(block: NDArray) -> tuple[NDArray, NDArray]:
    """Of (stimulus, repetition, neuroid) the mean over what was recorded, and how much that was."""
    recorded = np.isfinite(block)
    count = recorded.sum(axis=1)
    total = np.where(recorded, block, 0).sum(axis=1, dtype=np.float64)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan), count


def blocks(variable: netCDF4.Variable) -> Iterator[tuple[slice, NDArray]]:
    """Stimuli and their responses (stimulus, repetition, neuroid), so many at a time as fit."""
    order = [variable.dimensions.index(name) for name in DIMS if name in variable.dimensions]
    place, length = order[0], variable.shape[order[0]]
    step = max(1, AT_ONCE * length // max(1, variable.size))
    for start in range(0, length, step):
        part = slice(start, min(start + step, length))
        where = tuple(part if axis == place else slice(None) for axis in range(variable.ndim))
        block = np.asarray(variable[where]).transpose(order)
        yield part, block if len(order) == 3 else block[:, None]


def _mostly_single(variable: netCDF4.Variable, member: NDArray) -> Trials | None:
    """The trials of a recording where most was recorded once; None for another."""
    n_stimuli, n_neuroids = variable.shape[0], int(member.sum())
    mean, count = np.empty((n_stimuli, n_neuroids)), np.zeros((n_stimuli, n_neuroids), np.int32)
    repeated: list[NDArray] = []
    for part, block in blocks(variable):
        own = block[:, :, member]
        mean[part], count[part] = _mean(own)
        several = (count[part] > 1).any(axis=1)
        repeated.extend(own[several])
        if not is_mostly_single(len(repeated), 0, 1, n_stimuli):
            return None
    n_several, n_recorded = int((count > 1).sum()), int((count > 0).sum())
    if not is_mostly_single(len(repeated), n_several, n_recorded, n_stimuli):
        return None
    trials = np.array(repeated).reshape(len(repeated), variable.shape[1], n_neuroids)
    return Trials(mean[:, None], count, trials)


def is_mostly_single(n_repeated: int, n_several: int, n_recorded: int, n_stimuli: int) -> bool:
    """Whether no more than half of what was recorded was so twice or more.

    n_repeated: stimuli that any neuroid was shown more than once. n_several, n_recorded: pairs of a
    stimulus and a neuroid with two trials or more, and with any.
    """
    return 2 * n_repeated <= n_stimuli and 2 * n_several <= n_recorded


def repetitions_held(variable: netCDF4.Variable, areas: NDArray) -> dict[str, float]:
    """Area to the repetitions of a stimulus that `read_trials` holds for it, on average.

    variable: (stimulus, repetition, neuroid) in any order; areas: (neuroid,).
    """
    size = dict(zip(variable.dimensions, variable.shape, strict=True))
    n_stimuli, n_repetitions = size["stimulus"], size.get("repetition", 1)
    names = list(dict.fromkeys(areas.tolist()))
    if variable.size <= LARGE or n_repetitions == 1 or "time" in size:
        return dict.fromkeys(names, float(n_repetitions))
    tallies = {name: [0, 0, 0] for name in names}
    for _, block in blocks(variable):
        count = np.isfinite(block).sum(axis=1)
        for name, tally in tallies.items():
            own = count[:, areas == name]
            found = (own > 1).any(axis=1), own > 1, own > 0
            tallies[name] = [
                so_far + int(new.sum()) for so_far, new in zip(tally, found, strict=True)
            ]
    held: dict[str, float] = {}
    for name, (n_repeated, n_several, n_recorded) in tallies.items():
        large = n_stimuli * n_repetitions * int((areas == name).sum()) > LARGE
        single = large and is_mostly_single(n_repeated, n_several, n_recorded, n_stimuli)
        held[name] = 1 + n_repeated * n_repetitions / n_stimuli if single else n_repetitions
    return held
