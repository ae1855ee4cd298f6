"""Neuroids, subjects and repetitions that are copies of each other.

A neuroid that stands in a file twice is one piece of evidence: intervals over neuroids or subjects
would be too narrow by the square root of two, and a copied repetition makes noise look like signal.
"""

import numpy as np
from numpy.typing import NDArray

# Of every neuroid, apart from what the recording itself may call so: the number of the first that
# it is a copy of, its own where of none.
COPY_OF = "cortiscope_copy_of"
# Correlation above which two are copies, one perhaps in other units or precision.
ALIKE = 1 - 1e-6
# Of what is compared, distinct values: few counts of spikes are equal by chance.
FEWEST_VALUES = 8
DIRECTIONS = 8  # random ones, on which copies lie together


def first_alike(rows: NDArray, seed: int = 0) -> NDArray:
    """The number of the first row that each row is a copy of, itself where of none: (row,).

    rows (row, value), NaN = not known, of copies in the same places. Copies correlate above ALIKE.
    Rows of fewer than FEWEST_VALUES distinct values are copies of none. Found by projection on a
    few random directions, on which copies are neighbours, so that a hundred thousand rows are soon
    compared.
    """
    from scipy.spatial import cKDTree  # not at the top: half a second that few jobs need

    own = np.arange(len(rows))
    usable = np.flatnonzero([_many_values(row) for row in rows])
    if len(usable) < 2:
        return own
    unit = np.empty((len(usable), rows.shape[1]), np.float32)
    for place, number in enumerate(usable):
        unit[place] = _unit(rows[number])
    random = np.random.default_rng(seed).standard_normal((unit.shape[1], DIRECTIONS))
    # (row, value) x (value, direction); of two unit vectors |difference|^2 is 2 - 2 r
    places = unit @ random
    apart = np.sqrt(2 * (1 - ALIKE))
    reach = 2 * apart * np.sqrt(DIRECTIONS)  # a difference is projected to so much at most, nearly
    first = own.copy()
    for one, other in sorted(cKDTree(places).query_pairs(reach)):
        r = np.dot(unit[one].astype(np.float64), unit[other].astype(np.float64))
        if r > ALIKE and first[usable[other]] == usable[other]:
            first[usable[other]] = first[usable[one]]
    return first


def copied_labels(first: NDArray, labels: NDArray) -> dict[str, str]:
    """Of labels (row,), such as subjects, those of whose rows all are copies of one other's rows.

    first: of `first_alike`. Gives the label of the copy and that of what it is a copy of.
    """
    found = {}
    for name in dict.fromkeys(labels.tolist()):
        members = np.flatnonzero(labels == name)
        origins = set(labels[first[members]].tolist())
        if len(origins) == 1 and name not in origins and (first[members] != members).all():
            found[str(name)] = str(origins.pop())
    return found


def copied_repetitions(response: NDArray) -> list[tuple[int, int, int]]:
    """Repetitions that hold what another holds: the stimulus, and the numbers of both.

    response (stimulus, repetition, neuroid), NaN = not recorded. Compared to rounding, stimulus by
    stimulus; patterns of fewer than FEWEST_VALUES distinct values tell nothing.
    """
    found = []
    for stimulus, patterns in enumerate(response):
        recorded = np.flatnonzero(np.isfinite(patterns).any(axis=1))
        key = {number: round_off(patterns[number]) for number in recorded.tolist()}
        first: dict[bytes, int] = {}
        for number, rounded in key.items():
            earlier = first.setdefault(rounded.tobytes(), number)
            if earlier != number and _many_values(patterns[number]):
                found.append((stimulus, earlier, number))
    return found


def round_off(values: NDArray) -> NDArray:
    """Values to some five digits of the largest of them, as float32, without negative zeros."""
    known = np.abs(values[np.isfinite(values)])
    size = float(known.max(initial=0.0))
    if size == 0.0:
        return np.asarray(values, dtype=np.float32)
    rounded: NDArray = np.rint(values / size * 2**17).astype(np.float32) + 0.0
    return rounded


def _many_values(row: NDArray) -> bool:
    known = row[np.isfinite(row)]
    return len(known) >= FEWEST_VALUES and len(np.unique(known)) >= FEWEST_VALUES


def _unit(row: NDArray) -> NDArray:
    """Of mean 0 and norm 1 over what is known, 0 elsewhere."""
    known = np.isfinite(row)
    values = np.where(known, row, 0.0).astype(np.float64)
    values = np.where(known, values - values.sum() / known.sum(), 0.0)
    norm = np.linalg.norm(values)
    return values / norm if norm > 0 else values
