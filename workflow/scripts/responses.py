"""Bring the recordings of a study to one file, in the order of its stimuli; select neuroids."""

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from cortiscope import job
from cortiscope.experiment import independence as look
from cortiscope.experiment.copies import COPY_OF
from cortiscope.experiment.netcdf import save
from cortiscope.experiment.neuroid_selection import RELIABILITY, conditions, selected
from cortiscope.experiment.recordings import bring_in
from cortiscope.experiment.responses import SELECTED
from cortiscope.files import check_made_by


def main(
    source: list[str] | None,
    stimuli: str,
    responses: str,
    independence: str,
    settings: dict,
    stimuli_made_by: str,
    note: Callable[[str], None],
    provenance: dict,
) -> None:
    check_made_by(stimuli, stimuli_made_by)
    with xr.open_dataset(stimuli) as shown:
        if n_left_out := settings.get("left_out", 0):
            print(f"left out: {n_left_out} stimuli that were not shown", file=sys.stderr)
        recorded = bring_in(source or [], settings, shown)
        copy_of = look.neuroid_copies(recorded)
        findings = list(look.of_recording(recorded, shown.drop_vars("image").load(), copy_of))
    for finding in findings:
        note(f"responses: {finding.line}")
    look.write(findings, independence)
    recorded = recorded.assign_coords({COPY_OF: ("neuroid", copy_of)})
    asked = conditions(settings["select"])
    if asked:
        if "ceilings" in settings:
            reliability = compute_reliability(recorded, settings["ceilings"])
            recorded = recorded.assign_coords({RELIABILITY: ("neuroid", reliability)})
        values = {condition.name: recorded[condition.name].values for condition in asked}
        chosen = selected(asked, values).astype(np.int8)
        recorded = recorded.assign_coords({SELECTED: ("neuroid", chosen)})
    save(recorded, responses, provenance)


def compute_reliability(recorded: xr.Dataset, settings: Mapping[str, Any]) -> np.ndarray:
    """The split-half reliability of every neuroid, that of its area's ceilings: (neuroid,)."""
    noise = importlib.import_module("cortiscope.noise_ceilings.noise")
    response, areas = recorded["response"].values, recorded["area"].values
    reliability = np.empty(len(areas))
    for area in np.unique(areas):
        members = response[:, :, areas == area]
        repeated = (np.isfinite(members).sum(axis=1) > 1).any(axis=1)  # of others nothing is known
        if 0 < repeated.sum() <= len(repeated) / 2:
            members = members[repeated]
        found = noise.split_half_ceiling(members, settings["splits"], settings["seed"])
        reliability[areas == area] = found.reliability
    return reliability


if __name__ == "__main__":
    job.run(main)
