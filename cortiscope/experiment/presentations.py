"""Recordings that come presentation by presentation, as stimuli and their repetitions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cortiscope.errors import InputError
from cortiscope.experiment.formats import Array
from cortiscope.experiment.neuroid_selection import conditions, selected

EXCLUDE = "config: responses.exclude"


@dataclass(frozen=True)
class Repeated:
    """Presentations in any order, as (stimulus, repetition, ...): the first, second, ... of each.

    trials: (presentation, ...), read where this is indexed. place: (stimulus, repetition), the
    number of the presentation, -1 where there were fewer, which are NaN.
    """

    trials: Any
    place: NDArray

    @property
    def shape(self) -> tuple[int, ...]:
        return (*self.place.shape, *self.trials.shape[1:])

    @property
    def dtype(self) -> np.dtype:
        """That of the trials, or where it has no NaN a floating-point one that holds its values."""
        return np.result_type(self.trials.dtype, np.float32)

    @cached_property
    def _read(self) -> NDArray:
        return np.asarray(self.trials[...])

    def __getitem__(self, where: Any) -> NDArray:
        first, *rest = where if isinstance(where, tuple) else (where,)
        place = self.place[first]
        values = self._read[np.maximum(place, 0)].astype(self.dtype, copy=False)
        values[place < 0] = np.nan
        return np.asarray(values[(slice(None), *rest)] if rest else values)


def repeated(stimulus_id: Sequence[str], kept: NDArray) -> tuple[list[str], NDArray]:
    """The stimuli of presentations, in the order in which each first was shown, and their places.

    kept: (presentation,) bool. Returns the ids and (stimulus, repetition), the numbers of the
    presentations, -1 where a stimulus was shown less often than another.
    """
    places: dict[str, list[int]] = {}
    for number in np.flatnonzero(kept).tolist():
        places.setdefault(stimulus_id[number], []).append(number)
    table = np.full((len(places), max(map(len, places.values()), default=0)), -1)
    for row, numbers in zip(table, places.values(), strict=True):
        row[: len(numbers)] = numbers
    return list(places), table


def recording(
    trials: Any,
    stimulus_id: Sequence[str],
    section: Mapping[str, Any],
    about: Mapping[str, NDArray],
    dimensions: tuple[str, ...] = ("neuroid",),
) -> dict[str, Array]:
    """`response` and `stimulus_id` of presentations, whose other dimensions are named.

    trials: (presentation, ...). about: what is known of each, by which `responses.exclude` leaves
    some out. Without a repetition where each stimulus was shown once.
    """
    ids, place = repeated(stimulus_id, kept(len(stimulus_id), section, about))
    values: Any = Repeated(trials, place)
    names: tuple[str, ...] = ("stimulus", "repetition", *dimensions)
    if place.shape[1] == 1 and len(place) == len(stimulus_id):
        values, names = trials, ("stimulus", *dimensions)  # each once: in their own order
    return {"response": Array(names, values), "stimulus_id": Array(("stimulus",), np.array(ids))}


def kept(number: int, section: Mapping[str, Any], about: Mapping[str, NDArray]) -> NDArray:
    """Which of so many presentations (presentation,) bool fulfil none of `responses.exclude`.

    Errors: InputError for an unknown column, and where none is left.
    """
    found = np.ones(number, dtype=bool)
    for text in section.get("exclude", ()):
        asked = conditions(text, EXCLUDE)
        for condition in asked:
            if condition.name not in about:
                known = ", ".join(sorted(about)) or "none"
                problem = f"the presentations have no column {condition.name!r}"
                raise InputError(EXCLUDE, problem, f"use one of {known}")
        if asked:
            found &= ~selected(asked, about)
    if number and not found.any():
        raise InputError(EXCLUDE, "leaves no presentation", "exclude fewer")
    return found
