"""Render the labelled images on which the embedded study measures accuracy."""

from cortiscope import job
from cortiscope.experiment.netcdf import save
from cortiscope.experiment.readers import simulated_stimuli


def main(images: str, settings: dict, provenance: dict) -> None:
    # A stream of its own: no seed gives the networks' training images, or the study's stimuli.
    shown = simulated_stimuli.render(settings["accuracy"]["count"], 0, "validation")
    save(shown, images, provenance)


if __name__ == "__main__":
    job.run(main)
