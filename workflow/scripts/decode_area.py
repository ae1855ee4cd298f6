"""Read the properties of the stimuli out of areas, by the readout that layers have."""

from cortiscope import job
from cortiscope.experiment.responses import read_areas
from cortiscope.file_names import name_of
from cortiscope.files import check_made_by
from cortiscope.report.readouts import read_out, read_properties, write_rows


def main(
    responses: str,
    stimuli: str,
    decoded: list[str],
    responses_made_by: str,
    stimuli_made_by: str,
    settings: dict,
) -> None:
    check_made_by(responses, responses_made_by)
    check_made_by(stimuli, stimuli_made_by)
    areas = read_areas(responses, [name_of(path) for path in decoded], "mean")
    properties, protocol = read_properties(stimuli, settings, areas[0].stimulus_id)
    for path, area in zip(decoded, areas, strict=True):
        about = {"source": "area", "name": area.name}
        rows = read_out(area.mean_response, properties, protocol)
        write_rows(path, (about | row for row in rows))


if __name__ == "__main__":
    job.run(main)
