"""What of a study is not independent, found where its data are read: a line and a row of each kind.

Nothing is refused: what stands twice may be meant to, and the remedies are asked for in the config.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cortiscope.experiment.copies import copied_labels, copied_repetitions, first_alike
from cortiscope.experiment.drift import Drift, drift
from cortiscope.experiment.responses import average
from cortiscope.files import replacing

EXAMPLES = 3  # of a kind, in its line


@dataclass(frozen=True)
class Finding:
    """kind: such as `same picture`. count: of the stimuli, neuroids, ... that are so, in a study's
    `total`. examples: by name. remedy: what can be done, and where it need not.
    """

    kind: str
    count: int
    total: int
    examples: str
    remedy: str

    @property
    def line(self) -> str:
        return f"{self.kind}: {self.count} of {self.total}, {self.examples}; {self.remedy}"


def write(findings: Sequence[Finding], path: str) -> None:
    """A table of one row each; of a header alone where there is none."""
    with replacing(path) as temporary, Path(temporary).open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow([field.name for field in fields(Finding)])
        table.writerows(astuple(finding) for finding in findings)


def of_pictures(stimulus_id: NDArray, exact: NDArray, nearly: NDArray) -> Iterator[Finding]:
    """From `pictures.same_pictures` of stimuli with these ids (stimulus,)."""
    remedy = (
        "copies train what they test: average them as repetitions, or set "
        "cross_validation.group: picture"
    )
    own = np.arange(len(exact))
    for kind, first, copied in (
        ("stimuli that show the same picture as an earlier one", exact, exact != own),
        ("stimuli that show nearly the same picture", nearly, (nearly != own) & (exact == own)),
    ):
        if copied.any():
            examples = _pairs(stimulus_id, np.flatnonzero(copied), first)
            yield Finding(kind, int(copied.sum()), len(own), examples, remedy)


def of_recording(recorded: xr.Dataset, shown: xr.Dataset, copy_of: NDArray) -> Iterator[Finding]:
    """Of a recording (see `recordings.read_responses`), and the stimuli that were shown in it.

    copy_of: (neuroid,), from `neuroid_copies`.
    """
    if recorded.attrs.get("known_by") == "dissimilarities":
        yield from _of_rdms(recorded)
        return
    response, ids = recorded["response"].values, recorded["neuroid_id"].values.astype(str)
    yield from _of_neuroids(recorded, ids, copy_of)
    if response.ndim == 3:
        found = copied_repetitions(response)
        if found:
            names = recorded["stimulus_id"].values.astype(str)
            some = [f"{two} as {one} of {names[s]}" for s, one, two in found[:EXAMPLES]]
            total = int(np.isfinite(response).any(axis=2).sum())
            remedy = "what is no repetition should be NaN, or ceilings take copies for no noise"
            kind = "repetitions that hold what an earlier one of their stimulus holds"
            yield Finding(kind, len(found), total, _listed(some, len(found)), remedy)
    yield from _of_neighbours(recorded, shown)


def neuroid_copies(recorded: xr.Dataset) -> NDArray:
    """(neuroid,): the number of the first that each is a copy of, its own where of none."""
    if recorded.attrs.get("known_by") == "dissimilarities":
        return np.arange(recorded.sizes["neuroid"])
    return first_alike(mean_response(recorded["response"].values).T)


def mean_response(response: NDArray) -> NDArray:
    """(stimulus, neuroid), from that or (stimulus, repetition, neuroid), NaN = not recorded."""
    return response if response.ndim == 2 else average(response)


def _of_neuroids(recorded: xr.Dataset, ids: NDArray, copy_of: NDArray) -> Iterator[Finding]:
    copies = np.flatnonzero(copy_of != np.arange(len(copy_of)))
    if not len(copies):
        return
    if "subject" in recorded.variables:
        subject = recorded["subject"].values.astype(str)
        same = copied_labels(copy_of, subject)
        if same:
            yield _same_subjects(same, len(set(subject.tolist())))
    remedy = "they count once in intervals over neuroids, twice in scores: keep one of each"
    kind = "neuroids that are copies of an earlier one"
    yield Finding(kind, len(copies), len(ids), _pairs(ids, copies, copy_of), remedy)


def _of_rdms(recorded: xr.Dataset) -> Iterator[Finding]:
    """Subjects whose dissimilarities are copies."""
    rdms = recorded["dissimilarity"].values
    cells = rdms[:, *np.triu_indices(rdms.shape[1], 1)]
    area, subject = recorded["rdm_area"].values.astype(str), recorded["rdm_subject"].values
    same: dict[str, str] = {}
    for name in dict.fromkeys(area.tolist()):
        own = np.flatnonzero(area == name)
        first = first_alike(cells[own])
        for copy in np.flatnonzero(first != np.arange(len(own))):
            labels = subject[own].astype(str)
            same[f"{labels[copy]} in {name}"] = str(labels[first[copy]])
    if same:
        yield _same_subjects(same, len(rdms))


def _same_subjects(same: dict[str, str], total: int) -> Finding:
    some = [f"{copy} as {origin}" for copy, origin in list(same.items())[:EXAMPLES]]
    remedy = "each counts in scores and their intervals, once in ceilings: keep one of each"
    kind = "subjects that are copies of an earlier one"
    return Finding(kind, len(same), total, _listed(some, len(same)), remedy)


def _of_neighbours(recorded: xr.Dataset, shown: xr.Dataset) -> Iterator[Finding]:
    """Areas in which stimuli next to each other in the file are alike."""
    area = recorded["area"].values.astype(str)
    mean = mean_response(recorded["response"].values)
    names = list(dict.fromkeys(area.tolist()))
    found: dict[str, Drift] = {}
    for name in names:
        one = drift(mean[:, area == name])
        if one is not None and one.told:
            found[name] = one
    if not found:
        return
    name, most = max(found.items(), key=lambda item: item[1].likeness)
    examples = f"r = {most.likeness:.2f} (p = {most.p:.3g}) in {name}, to {most.reach} places apart"
    reason = _sorted_by(mean[:, area == name], shown)
    if reason:
        remedy = (
            f"the file is sorted by {reason}, which explains it: no fault of a category; of a "
            f"session or a film set cross_validation.group: {reason}"
        )
    else:
        remedy = (
            "a drift of the recording, frames in a row, or stimuli sorted by what is alike: of the "
            f"first two set cross_validation.block: {most.reach} and gap: {most.reach}"
        )
    kind = "areas in which stimuli next to each other in the file are alike"
    yield Finding(kind, len(found), len(names), examples, remedy)


def _sorted_by(response: NDArray, shown: xr.Dataset) -> str:
    """A coordinate of the stimuli within whose values neighbours are no more alike; "" for none."""
    n_stimuli = len(response)
    for name, variable in shown.variables.items():
        if variable.dims != ("stimulus",) or variable.dtype.kind == "f":
            continue
        labels = np.unique(variable.values.astype(str), return_inverse=True)[1]
        if not 2 <= labels.max() + 1 <= n_stimuli // 2:
            continue
        within = drift(response, labels)
        if within is not None and not within.told:
            return str(name)
    return ""


def _pairs(names: NDArray, copies: NDArray, first: NDArray) -> str:
    some = [f"{names[copy]} as {names[first[copy]]}" for copy in copies[:EXAMPLES]]
    return _listed(some, len(copies))


def _listed(some: Sequence[str], count: int) -> str:
    return "such as " + ", ".join(some) if count > len(some) else ", ".join(some)
