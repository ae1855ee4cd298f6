"""Draw a page of a figure from the tables that it reads."""

from pathlib import Path

from cortiscope import job
from cortiscope.report.drawing import make
from cortiscope.report.pages import Page


def main(
    page: dict,
    tables: list[str],
    svg: str,
    png: str,
    source: str,
    settings: dict,
    comparison: str,
    provenance: dict,
) -> None:
    paths = {Path(table).stem: table for table in tables}
    look = settings["figures"] | {"comparison": comparison}
    make(Page(**page), paths, (svg, png, source), look, provenance)


if __name__ == "__main__":
    job.run(main)
