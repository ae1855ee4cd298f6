"""Render the labelled images on which the embedded study measures accuracy."""

from cortiscope import job
from cortiscope.experiment import embedded
from cortiscope.experiment.netcdf import save


def main(images: str, settings: dict, provenance: dict) -> None:
    # A stream of its own: no seed gives the networks' training images, or the study's stimuli.
    save(embedded.stimuli(settings["accuracy"]["count"], 0, "validation"), images, provenance)


if __name__ == "__main__":
    job.run(main)
