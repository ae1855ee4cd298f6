"""What the jobs of a study ask of a machine, in megabytes and minutes; see `blocks` for one job."""

from cortiscope.mappings.kinds import MAPPINGS
from cortiscope.networks.projection_kinds import components_kept, fullest_batch
from cortiscope.planning.blocks import (
    features_megabytes,
    fit_megabytes,
    searchlight_megabytes,
    searchlight_seconds,
)
from cortiscope.planning.study import Study


def kept(study: Study, model: str) -> list[int]:
    """Of each layer, how many numbers the features file has for a stimulus."""
    features = study.config["features"]
    kind, components = features["projection"], features["components"]
    return [
        components_kept(kind, study.n_stimuli, int(row["n_features"]), components)
        for row in study.layer_tables[model]
    ]


def features_memory(study: Study, model: str) -> int:
    """Megabytes to extract a model."""
    features = study.config["features"]
    fullest = fullest_batch(features["projection"], study.n_stimuli)
    batch = min(features["batch_size"] or fullest, study.n_stimuli)
    widest = int(study.layer_tables[model][0]["model_widest"])
    return features_megabytes(study.n_stimuli, batch, widest, kept(study, model))


def fit_memory(study: Study, area: str, mapping: str, model: str) -> int:
    """Megabytes to fit an area, or all where that is "", by a mapping that may hold all layers."""
    counts = [study.neuroids[name] for name in study.fitted(area)]
    layers = kept(study, model)
    held = layers if MAPPINGS[mapping].joint else [max(layers)]
    return fit_megabytes(study.n_stimuli, counts, study.repetitions, held, study.config)


def searchlight_memory(study: Study, model: str) -> int:
    """Megabytes to search an area for the layers of a model."""
    n_voxels, permutations = (
        sum(study.neuroids.values()),
        study.config["statistics"]["permutations"],
    )
    layers = kept(study, model)
    return searchlight_megabytes(study.n_stimuli, n_voxels, study.repetitions, layers, permutations)


def searchlight_minutes(study: Study, area: str, model: str) -> int:
    """Minutes to allow that: ten times the estimate, as nodes differ."""
    n_layers, permutations = len(study.layers(model)), study.config["statistics"]["permutations"]
    seconds = searchlight_seconds(study.n_stimuli, study.neuroids[area], n_layers, permutations)
    return 10 + int(seconds / 6)
