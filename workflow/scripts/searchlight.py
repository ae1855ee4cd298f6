"""Compare the layers of a model with the sphere around every voxel of an area."""

import numpy as np

from cortiscope import job
from cortiscope.experiment.responses import read_area
from cortiscope.files import Variable, check_made_by, write
from cortiscope.networks.features import read_layers
from cortiscope.similarity.dissimilarity import layer_rdm
from cortiscope.similarity.searchlight import AXES, sphere_scores, voxel_coordinates


def main(
    features: str,
    responses: str,
    searchlight: str,
    layers: list[str],
    features_made_by: str,
    responses_made_by: str,
    settings: dict,
    model: str,
    area: str,
    provenance: dict,
) -> None:
    check_made_by(features, features_made_by)
    check_made_by(responses, responses_made_by)
    recorded = read_area(responses, area, "mean")
    places = voxel_coordinates(recorded, responses)
    models = [layer_rdm(layer, "pearson") for layer in read_layers(features, layers)]
    statistics, radius = settings["statistics"], settings["searchlight"]["radius"]
    count, seed = statistics["permutations"], statistics["seed"]
    subject = recorded.metadata.get("subject")
    found = sphere_scores(
        recorded.mean_response, places, np.stack(models), radius, count, seed, subject
    )
    variables = {
        "layer": Variable(("layer",), np.array(layers)),
        "neuroid_id": Variable(("neuroid",), recorded.neuroid_id),
        "score": Variable(("layer", "neuroid"), found.score),
        "p_value": Variable(("layer", "neuroid"), found.p),
        "n_voxels": Variable(("neuroid",), found.size),
    } | {axis: Variable(("neuroid",), values) for axis, values in zip(AXES, places.T, strict=True)}
    if subject is not None:
        variables["subject"] = Variable(("neuroid",), subject)
    if found.place.size:  # where all subjects have a voxel
        at = places[found.place[0]]
        variables |= {
            "mean_score": Variable(("layer", "place"), found.mean_score),
            "mean_p_value": Variable(("layer", "place"), found.mean_p),
        } | {
            f"place_{axis}": Variable(("place",), values)
            for axis, values in zip(AXES, at.T, strict=True)
        }
    write(searchlight, variables, {"model": model, "area": area} | provenance)


if __name__ == "__main__":
    job.run(main)
