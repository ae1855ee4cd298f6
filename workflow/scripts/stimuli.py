"""Bring the stimuli of a study to one file."""

import sys
from pathlib import Path

from cortiscope import job
from cortiscope.experiment import embedded
from cortiscope.experiment.images import passed_over
from cortiscope.experiment.netcdf import save
from cortiscope.experiment.stimuli import read_stimuli


def main(source: list[str] | None, stimuli: str, settings: dict, provenance: dict) -> None:
    if source:
        left_out = settings.get("left_out", [])
        if left_out:
            print(f"left out: {len(left_out)} stimuli without responses", file=sys.stderr)
        if Path(source[0]).is_dir() and (left_behind := passed_over(source[0])):
            print(left_behind, file=sys.stderr)
        # A folder has no variable.
        shown = read_stimuli(source[0], settings.get("variable", ""), left_out)
    else:
        shown = embedded.stimuli(settings["count"], settings["seed"])
    save(shown, stimuli, provenance)


if __name__ == "__main__":
    job.run(main)
