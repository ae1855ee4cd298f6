"""Draw how well properties of the stimuli are read out along depth, and from areas."""

from cortiscope import job
from cortiscope.report.figure_decoding import make


def main(decoding: str, svg: str, png: str, source: str, settings: dict, provenance: dict) -> None:
    make(decoding, (svg, png, source), settings["figures"], provenance)


if __name__ == "__main__":
    job.run(main)
