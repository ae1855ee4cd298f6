"""Draw a page of a figure from the study's tables."""

from cortiscope import job
from cortiscope.report.figures import make
from cortiscope.report.pages import Page


def main(
    page: dict,
    layers: str,
    accuracy_vs_brain: str,
    correlations: str,
    contrasts: str,
    subjects: str,
    svg: str,
    png: str,
    source: str,
    settings: dict,
    comparison: str,
    provenance: dict,
) -> None:
    tables = {
        "layers": layers,
        "accuracy_vs_brain": accuracy_vs_brain,
        "correlations": correlations,
        "contrasts": contrasts,
        "subjects": subjects,
    }
    look = settings["figures"] | {"comparison": comparison}
    make(Page(**page), tables, (svg, png, source), look, provenance)


if __name__ == "__main__":
    job.run(main)
