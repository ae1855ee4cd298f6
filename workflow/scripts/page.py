"""Write the page of the study: its answer, charts, tables, stimuli and methods in one file."""

from pathlib import Path

from cortiscope import job
from cortiscope.files import check_made_by
from cortiscope.report.page.page import write


def main(
    tables: list[str],
    scores: str,
    model_layers: list[str],
    stimuli: str,
    page: str,
    stimuli_made_by: str,
    settings: dict,
    provenance: dict,
) -> None:
    check_made_by(stimuli, stimuli_made_by)
    paths = {Path(table).stem: table for table in tables}
    write(page, paths, scores, model_layers, stimuli, settings, provenance)


if __name__ == "__main__":
    job.run(main)
