"""What a brain area did: responses of neuroids, or only the dissimilarities between stimuli."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

from cortiscope.errors import InputError
from cortiscope.experiment.trials import Hold, read_trials
from cortiscope.files import Group, opened, read_group

METADATA = ("neuroid_id", "area")
# Apart from what the recording itself may call so; 1 = fulfils `responses.select`.
SELECTED = "cortiscope_selected"
AVERAGED_AT_ONCE = 2**22  # numbers, so that copies of thousands of stimuli do not fill the memory


@dataclass(frozen=True)
class Area:
    """The neuroids of one brain area.

    response: (stimulus, repetition, neuroid); a single repetition where trials were averaged.
        NaN = not recorded. In the units of the recording. A single one too, the mean, where no
        more is held (see `trials`), as of a large recording of which most was recorded once.
    dissimilarity: (subject, stimulus, stimulus), where only those are known; the neuroids are then
        random mixtures (see `rdms`).
    metadata: further coordinates of the neuroids (depth, cre_line, ...).
    n_recorded: how many neuroids there were to select from; 0 = not known.
    n_subjects: whose dissimilarities are known; 0 = not known, or responses are.
    seen: (stimulus of the study,) bool, of which study's stimuli this is the recording; None = all.
    n_averaged, repeated_trials: where `response` is a mean, how many trials it is of (stimulus,
        neuroid), and the trials of those stimuli that were shown more than once, if they are held.
    """

    name: str
    stimulus_id: np.ndarray
    neuroid_id: np.ndarray
    response: np.ndarray
    metadata: Mapping[str, np.ndarray]
    dissimilarity: np.ndarray | None = None
    n_recorded: int = 0
    n_subjects: int = 0
    seen: np.ndarray | None = None
    n_averaged: np.ndarray | None = None
    repeated_trials: np.ndarray | None = None

    @property
    def shown(self) -> np.ndarray:
        """(stimulus,): the numbers of its stimuli among those of the study."""
        return np.arange(len(self.stimulus_id)) if self.seen is None else np.flatnonzero(self.seen)

    @property
    def n_shown(self) -> int:
        """How many stimuli the study has."""
        return len(self.stimulus_id) if self.seen is None else len(self.seen)

    def of_neuroids(self, neuroids: np.ndarray, name: str) -> "Area":
        """Some of its neuroids, by their places, in the repetitions that any of them has."""
        some = replace(
            self,
            name=name,
            neuroid_id=self.neuroid_id[neuroids],
            response=_ever_recorded(self.response[:, :, neuroids]),
            metadata={key: values[neuroids] for key, values in self.metadata.items()},
        )
        if self.n_averaged is None:
            return some
        count = self.n_averaged[:, neuroids]
        if self.repeated_trials is None:
            return replace(some, n_averaged=count)
        repeated = np.flatnonzero((self.n_averaged > 1).any(axis=1))
        still = (count[repeated] > 1).any(axis=1)
        trials = _ever_recorded(self.repeated_trials[still][:, :, neuroids])
        return replace(some, n_averaged=count, repeated_trials=trials)

    def among(self, stimuli: np.ndarray) -> "Area":
        """Some of the study's stimuli, (stimulus,) bool; the area itself where that is all."""
        if stimuli.all():
            return self
        some = replace(
            self,
            stimulus_id=self.stimulus_id[stimuli],
            response=self.response[stimuli],
            seen=stimuli,
        )
        if self.n_averaged is None:
            return some
        some = replace(some, n_averaged=self.n_averaged[stimuli])
        if self.repeated_trials is None:
            return some
        repeated = np.flatnonzero((self.n_averaged > 1).any(axis=1))
        return replace(some, repeated_trials=self.repeated_trials[stimuli[repeated]])

    @property
    def trials(self) -> np.ndarray:
        """(stimulus, repetition, neuroid), at least of the stimuli that were shown repeatedly."""
        return self.response if self.repeated_trials is None else self.repeated_trials

    @property
    def mean_response(self) -> np.ndarray:
        """(stimulus, neuroid): the mean over repetitions, NaN where none was recorded."""
        return average(self.response) if self.n_averaged is None else self.response[:, 0]

    @cached_property
    def counts(self) -> np.ndarray:
        """(stimulus, neuroid): how many repetitions were recorded."""
        if self.n_averaged is not None:
            return self.n_averaged
        few = np.min_scalar_type(-1 - self.response.shape[1])
        return np.isfinite(self.response).sum(axis=1, dtype=few)

    @cached_property
    def mostly_repeated(self) -> bool:
        """Whether most of what was recorded was so twice or more."""
        recorded = self.counts[self.counts > 0]
        return bool((recorded > 1).mean() > 0.5) if recorded.size else False

    @property
    def repeated(self) -> bool:
        """The same, where `response` holds the repetitions, so that halves of them compare."""
        return self.n_averaged is None and self.mostly_repeated

    @cached_property
    def complete(self) -> np.ndarray:
        """(neuroid,), whether it was recorded on every stimulus."""
        return self.complete_in(1)

    def complete_in(self, repetitions: int) -> np.ndarray:
        """(neuroid,), whether it was recorded so often, or more, on every stimulus."""
        complete: np.ndarray = np.all(self.counts >= repetitions, axis=0)
        return complete

    @cached_property
    def repeated_throughout(self) -> bool:
        """Whether no half of the repetitions lacks a stimulus, in the complete neuroids."""
        n_repetitions = self.response.shape[1]
        fewest = self.counts[:, self.complete].min(initial=n_repetitions)
        enough = self.complete.any() and fewest > n_repetitions - n_repetitions // 2
        return bool(enough and self.n_averaged is None)  # of a mean there are no halves


def _ever_recorded(response: np.ndarray) -> np.ndarray:
    """(stimulus, repetition, neuroid) without the repetitions of which nothing was recorded."""
    repetitions = np.isfinite(response).any(axis=(0, 2))
    return response[:, repetitions] if repetitions.any() else response


def average(response: np.ndarray, chosen: np.ndarray | slice = slice(None)) -> np.ndarray:
    """Mean over repetitions of (stimulus, repetition, neuroid); NaN where none was recorded.

    chosen: (repetition,) bool, those that are averaged.
    """
    mean = np.empty((response.shape[0], response.shape[2]))
    step = max(1, AVERAGED_AT_ONCE // max(1, response[0].size)) if len(response) else 1
    for start in range(0, len(response), step):
        some = response[start : start + step][:, chosen]
        recorded = np.isfinite(some)
        count = recorded.sum(axis=1)
        total = np.where(recorded, some, 0.0).sum(axis=1, dtype=np.float64)
        mean[start : start + step] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return mean


def recorded_together(targets: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Group the columns of (stimulus, target) by the stimuli on which they were recorded.

    Yields (stimuli, columns) as index arrays; columns recorded on fewer than 4 stimuli are left
    out: nothing can be trained, chosen and tested on less.
    """
    recorded = np.isfinite(targets)
    if recorded.all():
        yield np.arange(len(targets)), np.arange(targets.shape[1])
        return
    patterns, group = np.unique(recorded, axis=1, return_inverse=True)
    for number, pattern in enumerate(patterns.T):
        if pattern.sum() >= 4:
            yield np.flatnonzero(pattern), np.flatnonzero(group == number)


def read_area(path: str | Path, name: str, hold: Hold = "trials") -> Area:
    """Read the neuroids of one area: see `read_areas`."""
    return read_areas(path, [name], hold)[0]


def read_areas(path: str | Path, names: Sequence[str], hold: Hold = "trials") -> list[Area]:
    """Read the neuroids of some areas, those that are selected, from a file that is opened once.

    hold: what of their trials, see `trials`.
    Errors: an area that the file does not have, of which no neuroid is selected, or in which
    nothing was recorded.
    """
    with opened(path) as dataset:
        group = read_group(dataset, without=("response",))
        response = dataset["response"]
        return [_area(group, response, name, path, hold) for name in names]


def _area(
    group: Group, variable: netCDF4.Variable, name: str, path: str | Path, hold: Hold
) -> Area:
    member = group["area"] == name
    if not member.any():
        known = ", ".join(dict.fromkeys(group["area"].tolist()))
        raise InputError(f"{path}: area", f"no neuroids in {name!r}", f"use one of {known}")
    n_recorded = int(member.sum())
    if SELECTED in group.variables:
        member &= group[SELECTED].astype(bool)
        if not member.any():
            problem = f"none of {n_recorded} neuroids in {name!r} fulfils it"
            raise InputError("config: responses.select", problem, "ask less, or leave out the area")
    trials = read_trials(variable, member, hold)
    if not np.isfinite(trials.response).any():
        raise InputError(f"{path}: response", f"all NaN in area {name!r}", "leave this area out")
    of_rdms = group.attributes.get("known_by") == "dissimilarities"
    rdms = group["rdm_area"] == name if of_rdms else None
    return Area(
        name=name,
        stimulus_id=group["stimulus_id"],
        neuroid_id=group["neuroid_id"][member],
        response=trials.response,
        metadata=_neuroid_metadata(group, member),
        dissimilarity=None if rdms is None else group["dissimilarity"][rdms].astype(np.float64),
        n_recorded=0 if of_rdms else n_recorded,
        n_subjects=0 if rdms is None else int((group["rdm_subject"][rdms] != "").sum()),
        n_averaged=trials.count,
        repeated_trials=trials.repeated,
    )


def _neuroid_metadata(group: Group, member: np.ndarray) -> dict[str, Any]:
    return {
        key: variable.values[member]
        for key, variable in group.variables.items()
        if variable.dims == ("neuroid",) and key not in METADATA
    }
