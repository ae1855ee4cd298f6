"""Bring the stimuli of a study to one file."""

import sys
from collections.abc import Callable

from cortiscope import job
from cortiscope.experiment import independence as look
from cortiscope.experiment.netcdf import save
from cortiscope.experiment.pictures import PICTURE, same_pictures
from cortiscope.experiment.stimuli import read_stimuli
from cortiscope.experiment.stored_images import SIZES


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
    images = list(shown["image"].values)
    if SIZES in shown:
        sides = shown[SIZES].values
        images = [image[:y, :x] for image, (y, x) in zip(images, sides, strict=True)]
    exact, nearly = same_pictures(images)
    ids = shown["stimulus_id"].values.astype(str)
    findings = list(look.of_pictures(ids, exact, nearly))
    for finding in findings:
        note(f"stimuli: {finding.line}")
    look.write(findings, independence)
    if PICTURE not in shown.variables:
        shown = shown.assign_coords({PICTURE: ("stimulus", ids[nearly])})
    save(shown, stimuli, provenance)


if __name__ == "__main__":
    job.run(main)
