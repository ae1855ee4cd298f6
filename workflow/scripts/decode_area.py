"""Read the properties of the stimuli out of an area, by the readout that layers have."""

from cortiscope import job
from cortiscope.experiment.responses import read_area
from cortiscope.report.readouts import read_out, read_properties, write_rows


def main(responses: str, stimuli: str, decoded: str, settings: dict, area: str) -> None:
    recorded = read_area(responses, area)
    properties, protocol = read_properties(stimuli, settings, recorded.stimulus_id)
    about = {"source": "area", "name": area}
    rows = read_out(recorded.mean_response, properties, protocol)
    write_rows(decoded, (about | row for row in rows))


if __name__ == "__main__":
    job.run(main)
