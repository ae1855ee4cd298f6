"""Bring the stimuli of a study to one file."""

import sys
from collections.abc import Callable

from cortiscope import job
from cortiscope.experiment import independence as look
from cortiscope.experiment.pictures import PICTURE, same_pictures
from cortiscope.experiment.stimuli import read_stimuli, stored
from cortiscope.experiment.stored_images import StoredImages


def main(
    source: list[str] | None,
    stimuli: str,
    independence: str,
    settings: dict,
    note: Callable[[str], None],
    provenance: dict,
) -> None:
    if left_out := settings.get("left_out", []):
        print(f"left out: {len(left_out)} stimuli without responses", file=sys.stderr)
    shown = read_stimuli(source[0] if source else None, settings, left_out)
    ids = shown["stimulus_id"].values.astype(str)
    own = PICTURE in shown.variables
    if not own:
        shown = shown.assign_coords({PICTURE: ("stimulus", ids)})  # known once all are stored
    with stored(shown, stimuli, provenance) as kept:
        exact, nearly = same_pictures(StoredImages(kept))
        if not own:
            kept[PICTURE][:] = ids[nearly].astype(object)
    findings = list(look.of_pictures(ids, exact, nearly))
    for finding in findings:
        note(f"stimuli: {finding.line}")
    look.write(findings, independence)


if __name__ == "__main__":
    job.run(main)
