"""What the jobs of a study ask of a machine, in megabytes and minutes.

Of each attempt: a job that was killed for want of either asks for more. An area that is "" is all.
"""

from math import comb

from cortiscope.mappings.by_subject import trials_needed
from cortiscope.mappings.kinds import MAPPINGS
from cortiscope.networks.projection_kinds import (
    EXACT_LIMIT,
    components_kept,
    fullest_batch,
    resolve,
)
from cortiscope.noise_ceilings import chance
from cortiscope.planning.costs.held_trials import mean_held, stimuli_compared
from cortiscope.planning.costs.megabytes import (
    COMPARED,
    INTERPRETER,
    batch_megabytes,
    features_megabytes,
    fit_megabytes,
    readout_megabytes,
    searchlight_megabytes,
    subjects_megabytes,
)
from cortiscope.planning.settings import mapping_settings, properties
from cortiscope.planning.study import Study
from cortiscope.similarity import searchlight

# Of a sphere, to find it, and for each cell to make its RDM and rank it.
SECONDS_PER_SPHERE = 5e-5
SECONDS_PER_CELL = 5e-8
COMPARED_PER_SECOND = 1e10  # products of a sphere with layers, each permutation gathered first
AT_ONCE = 2048  # neuroids: `NEUROIDS_AT_ONCE` of noise_ceilings.chance
CLASSIFIED = 50  # images at a time: `BATCH` of networks.accuracy, which would import torch


def kept(study: Study, model: str) -> list[int]:
    """Of each layer, how many numbers the features file has for a stimulus."""
    kind, components = _projection(study, model), study.config["features"]["components"]
    return [
        components_kept(kind, study.n_stimuli, int(row["n_features"]), components)
        for row in study.layer_tables[model]
    ]


def _projection(study: Study, model: str) -> str:
    sizes = (int(row["n_features"]) for row in study.layer_tables[model])
    return resolve(study.config["features"]["projection"], study.n_stimuli, sizes)


def features_memory(study: Study, model: str, attempt: int = 1) -> int:
    """Megabytes to extract a model; a pass, whose batch follows them, asks once for its own."""
    features = study.config["features"]
    kind = _projection(study, model)
    fullest = fullest_batch(kind, study.n_stimuli)
    batch = min(features["batch_size"] or fullest, study.n_stimuli)
    parameters, layers = _parameters(study, model), kept(study, model)
    coordinates = kind == "exact" or (kind == "fold" and study.n_stimuli <= EXACT_LIMIT)
    rest = features_megabytes(study.n_stimuli, parameters, layers, coordinates)
    return _pass_memory(study, model, batch) + attempt * rest


def accuracy_memory(study: Study, model: str, attempt: int = 1) -> int:
    """Megabytes to classify with a model; a pass asks once, as its batch is of one size.

    Half of what one asks for that keeps layers: 8 to 12 bytes were used for each number.
    """
    if study.config["accuracy"]["images"] == "published":
        return attempt * 1000  # to import torchvision: no network is built
    rest = features_megabytes(0, _parameters(study, model), [])
    return _pass_memory(study, model, CLASSIFIED) // 2 + attempt * rest


def _pass_memory(study: Study, model: str, batch: int) -> int:
    """Megabytes of the host for the forward pass of so many images."""
    if study.config["features"]["device"].startswith("cuda"):
        return 0
    return batch_megabytes(batch, int(study.layer_tables[model][0]["model_widest"]))


def _parameters(study: Study, model: str) -> int:
    return int(study.layer_tables[model][0]["model_parameters"])


def ceilings_memory(study: Study, area: str, attempt: int = 1) -> int:
    """Megabytes for the ceilings of an area."""
    n_stimuli, counts = study.n_stimuli, [study.neuroids[name] for name in study.fitted(area)]
    held = mean_held(study, study.fitted(area))
    # Trials of all, in single precision, and of one area what of them was recorded. Then the mean
    # over half, in some copies, or dissimilarities, or a block of neuroids in double precision.
    trials = n_stimuli * held * (4 * sum(counts) + max(counts))
    n_compared = stimuli_compared(study, study.fitted(area))
    worked = (
        n_stimuli * 25 * max(counts) + 2 * 8 * n_compared**2,
        5 * 8 * n_compared**2,
        n_stimuli * held * 24 * min(max(counts), AT_ONCE) + 8 * n_compared**2,
    )
    return attempt * (INTERPRETER + int((trials + max(worked)) / 10**6))


def ceilings_minutes(study: Study, area: str, attempt: int = 1) -> int:
    """Minutes to allow those: ten times what they took. Few of the splits have a p-value each."""
    n_stimuli = stimuli_compared(study, study.fitted(area))
    counts = [study.neuroids[name] for name in study.fitted(area)]
    cells = len(counts) * n_stimuli**2
    responses = sum(counts) * n_stimuli * (study.repetitions * 1e-8 + n_stimuli * 1e-10)
    half = study.repetitions // 2
    # Only splits that differ are compared, of few repetitions fewer than are drawn.
    differ = comb(study.repetitions, half) * comb(study.repetitions - half, half) // 2
    splits = min(study.config["ceilings"]["splits"], max(1, differ))
    tested = min(splits, chance.SPLITS)
    seconds = splits * (cells * 1e-7 + responses) + tested * (cells * 7e-7 + responses)
    return attempt * (10 + int(seconds / 6))


def responses_memory(study: Study, attempt: int = 1) -> int:
    """Megabytes to bring in a recording: whole in single precision, twice where it is put in
    another order or written; and its means in some copies.
    """
    means = study.n_stimuli * sum(study.neuroids.values())
    values = means * study.repetitions
    copies = max(4 * values, 4 * 8 * means)
    return attempt * (INTERPRETER + (4 * values + copies) // 10**6)


def fit_memory(study: Study, mapping: str, model: str, area: str, attempt: int = 1) -> int:
    """Megabytes to fit an area, by a mapping that may hold all layers."""
    counts = [study.neuroids[name] for name in study.fitted(area)]
    layers = kept(study, model)
    held = layers if MAPPINGS[mapping].joint else [max(layers)]
    subjects = [study.parts[name] for name in study.fitted(area) if study.parts[name] > 1]
    settings = mapping_settings(study, mapping)
    repetitions = mean_held(study, study.fitted(area), trials_needed(settings))
    kind = MAPPINGS[mapping]
    apart, thin = kind.of_neuroids and not kind.together, kind.cost["formula"] == "closed_form"
    of_areas = study.n_stimuli, counts, repetitions, held, settings
    # Kendall's tau takes its cells in levels, crossnobis every trial of them in copies.
    plain = settings.get("rsa", {}).get("comparison") != "kendall"
    plain = plain and settings.get("rsa", {}).get("dissimilarity") != "crossnobis"
    whole = fit_megabytes(*of_areas, apart, thin, COMPARED.get(mapping, 0) if plain else 0)
    matrices = 0 if MAPPINGS[mapping].of_neuroids else sum(subjects)
    copied = [study.neuroids[name] for name in study.fitted(area) if study.parts[name] > 1]
    size = study.n_stimuli, int(sum(copied) * repetitions)
    of_subjects = subjects_megabytes(*size, sum(subjects), matrices, study.config)
    return attempt * (whole + of_subjects)


def searchlight_memory(study: Study, model: str, area: str, attempt: int = 1) -> int:
    """Megabytes to search an area for the layers of a model."""
    permutations, layers = study.config["statistics"]["permutations"], kept(study, model)
    size = study.n_stimuli, study.neuroids[area], 1.0
    return attempt * searchlight_megabytes(*size, layers, permutations)


def searchlight_minutes(study: Study, model: str, area: str, attempt: int = 1) -> int:
    """Minutes to allow that: ten times the estimate, as nodes differ."""
    n_layers, permutations = len(study.layers(model)), study.config["statistics"]["permutations"]
    seconds = searchlight_seconds(study.n_stimuli, study.neuroids[area], n_layers, permutations)
    return attempt * (10 + int(seconds / 6))


def searchlight_seconds(n_stimuli: int, n_voxels: int, n_layers: int, permutations: int) -> float:
    """Rough core-seconds of the same; n_voxels: of the area."""
    cells = n_stimuli * (n_stimuli - 1) // 2
    at_once = searchlight.permutations_at_once(1 + permutations, n_layers * cells)
    passes = -(-(1 + permutations) // at_once)
    products = 2 * (1 + permutations) * n_layers * cells / COMPARED_PER_SECOND
    return n_voxels * (products + passes * (SECONDS_PER_SPHERE + SECONDS_PER_CELL * cells))


def decode_model_memory(study: Study, model: str, attempt: int = 1) -> int:
    """Megabytes to read out of the layers of a model, one at a time."""
    return attempt * readout_megabytes(study.n_stimuli, max(kept(study, model)))


def decode_area_memory(study: Study, area: str, attempt: int = 1) -> int:
    """Megabytes to read out of an area; all of them are held together."""
    areas = study.fitted(area)
    n_neuroids = sum(study.neuroids[name] for name in areas)
    return attempt * readout_megabytes(study.n_stimuli, n_neuroids)


def decode_model_minutes(study: Study, model: str, attempt: int = 1) -> int:
    """Minutes to allow the readouts of all layers of a model."""
    return attempt * _readout_minutes(study, len(study.layers(model)))


def decode_area_minutes(study: Study, area: str, attempt: int = 1) -> int:
    """Minutes to allow the readouts of an area."""
    return attempt * _readout_minutes(study, 1 if area else len(study.areas))


def _readout_minutes(study: Study, n_read: int) -> int:
    """Of so many layers or areas."""
    n_readouts = n_read * len(properties(study.config))
    return readout_minutes(study.n_stimuli, n_readouts, study.config["statistics"]["permutations"])


def readout_minutes(n_stimuli: int, n_readouts: int, permutations: int) -> int:
    """Minutes to allow so many readouts, of a property from a layer: ten times what they took."""
    seconds = 3e-9 * n_stimuli**3 + 1e-8 * n_stimuli**2 * permutations
    return 10 + int(n_readouts * seconds / 6)
