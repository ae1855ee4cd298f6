"""Read the properties of the stimuli out of every layer of a model."""

from collections.abc import Iterator
from typing import Any

from cortiscope import job
from cortiscope.files import check_made_by
from cortiscope.networks.features import read_layers, read_stimulus_ids
from cortiscope.report.readouts import read_out, read_properties, write_rows


def main(
    features: str,
    stimuli: str,
    decoded: str,
    layers: list[str],
    features_made_by: str,
    stimuli_made_by: str,
    settings: dict,
    model: str,
) -> None:
    check_made_by(features, features_made_by)
    check_made_by(stimuli, stimuli_made_by)
    properties, protocol = read_properties(stimuli, settings, read_stimulus_ids(features))

    def rows() -> Iterator[dict[str, Any]]:
        for layer in read_layers(features, layers):
            about = {
                "source": "model",
                "name": model,
                "layer": layer.name,
                "layer_index": int(layer.attributes["index"]),
                "depth": float(layer.attributes["depth"]),
            }
            for row in read_out(layer.features, properties, protocol):
                yield about | row

    write_rows(decoded, rows())


if __name__ == "__main__":
    job.run(main)
