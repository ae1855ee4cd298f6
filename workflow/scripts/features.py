"""Show the stimuli to one network, once; keep every layer's projected features."""

from pathlib import Path

import torch

from cortiscope import job
from cortiscope.experiment.stored_images import StoredImages
from cortiscope.files import check_made_by, opened, read_coordinate
from cortiscope.networks import extraction, networks
from cortiscope.networks.features import write_features
from cortiscope.networks.preprocessing import Preprocessed, remarks
from cortiscope.networks.projected import project


def main(
    stimuli: str,
    weights: list[str] | None,
    features: str,
    row: dict,
    layers: list[dict],
    settings: dict,
    stimuli_made_by: str,
    threads: int,
    memory: int,
    provenance: dict,
) -> None:
    torch.set_num_threads(threads)
    check_made_by(stimuli, stimuli_made_by)
    names = [layer["layer"] for layer in layers]
    limited = settings["features"] | {"memory": memory, "noise_seed": row["seed"]}
    limited["scratch"] = str(Path(features).parent)  # which has room for as much
    limited |= {"pooling": row.get("pooling", "none")}
    if given := networks.given(row):
        outcomes = project(given.values(stimuli, names), limited, row["model"])
    else:
        network = networks.build(row, weights[0] if weights else None)
        transform = networks.transform(row)
        with opened(stimuli) as shown:
            stored = StoredImages(shown)
            for line in remarks(transform, layers[0], row["weights"], stored.smallest):
                extraction.say(f"model {row['model']}: {line}")
            images = Preprocessed(stored, transform)
            outcomes = extraction.extract(network, images, names, limited, row["model"])
    labelled = {
        layer["layer"]: (outcomes[layer["layer"]][0], layer | outcomes[layer["layer"]][1])
        for layer in layers
    }
    about = {"model": row["model"], "preprocessing": row["preprocessing"]} | provenance
    write_features(features, labelled, read_coordinate(stimuli, "stimulus_id"), about)


if __name__ == "__main__":
    job.run(main)
