"""Bring the stimuli of a study to one file."""

from cortiscope import job
from cortiscope.experiment import embedded
from cortiscope.experiment.recordings import save
from cortiscope.experiment.stimuli import read_stimuli


def main(source: list[str] | None, stimuli: str, settings: dict, provenance: dict) -> None:
    if source:
        shown = read_stimuli(source[0], settings.get("variable", ""))  # a folder has none
    else:
        shown = embedded.stimuli(settings["count"], settings["seed"])
    save(shown, stimuli, provenance)


if __name__ == "__main__":
    job.run(main)
