"""Bring the recordings of a study to one file, in the order of its stimuli."""

import xarray as xr

from cortiscope import embedded_responses, job
from cortiscope.recordings import read_responses, save


def main(
    source: list[str] | None, stimuli: str, responses: str, settings: dict, provenance: dict
) -> None:
    with xr.open_dataset(stimuli) as shown:
        if source:
            recorded = read_responses(
                source[0], settings["variable"], settings["area"], shown["stimulus_id"].values
            )
        else:
            recorded = embedded_responses.responses(
                shown.load(), settings["seed"], settings["repetitions"], settings["neuroids"]
            )
    save(recorded, responses, provenance)


if __name__ == "__main__":
    job.run(main)
