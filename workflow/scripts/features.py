"""Show the stimuli to one network, once; keep every layer's projected features."""

import torch

from cortiscope import job
from cortiscope.files import check_made_by, read
from cortiscope.networks import extraction, zoo
from cortiscope.networks.features import write_features
from cortiscope.networks.preprocessing import Preprocessed, remarks


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
    shown = read(stimuli)
    network = zoo.build(row, weights[0] if weights else None)
    transform = zoo.transform(row)
    images = Preprocessed(shown["image"], transform)
    names = [layer["layer"] for layer in layers]
    source = layers[0]["model_preprocessing_source"]
    for line in remarks(transform, source, row["weights"], shown["image"].shape[1:3]):
        extraction.say(f"model {row['model']}: {line}")
    if warning := layers[0]["model_warning"]:
        extraction.say(f"warning: model {row['model']}: {warning}")
    if left_out := layers[0]["model_unrecorded"]:
        extraction.say(f"warning: model {row['model']}: layer {left_out}")
    limited = settings["features"] | {"memory": memory, "noise_seed": row["seed"]}
    outcomes = extraction.extract(network, images, names, limited, row["model"])
    labelled = {
        layer["layer"]: (outcomes[layer["layer"]][0], layer | outcomes[layer["layer"]][1])
        for layer in layers
    }
    about = {"model": row["model"], "preprocessing": row["preprocessing"]} | provenance
    write_features(features, labelled, shown["stimulus_id"], about)


if __name__ == "__main__":
    job.run(main)
