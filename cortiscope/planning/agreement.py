"""What the parts of a study must agree on, checked before a job runs, from headers and names."""

import numpy as np
from numpy.typing import NDArray

from cortiscope.errors import InputError
from cortiscope.experiment import sizes
from cortiscope.experiment.images import IMAGE_ENDINGS, found_images, list_categories
from cortiscope.experiment.pictures import PICTURE
from cortiscope.experiment.sizes import holds_numbers
from cortiscope.experiment.stimulus_ids import positions, read_ids
from cortiscope.files import along, opened
from cortiscope.mappings.kinds import MAPPINGS, Kind
from cortiscope.mappings.kinds import coordinates as named_by
from cortiscope.networks.sources.kinds import SOURCES, kind_of
from cortiscope.networks.twins import check_twins
from cortiscope.networks.weight_names import is_named
from cortiscope.planning.fits import Fits
from cortiscope.planning.given import given_ceilings, given_layers
from cortiscope.planning.properties import FIELD, properties
from cortiscope.planning.response_settings import response_settings
from cortiscope.planning.stimulus_coordinates import (
    coordinates,
    count_groups,
    unknown,
    values,
    words,
)
from cortiscope.planning.stretches import check_protocols, check_stretches
from cortiscope.planning.study import Study
from cortiscope.planning.table_settings import table_settings
from cortiscope.regression.brainscore import check_categories
from cortiscope.regression.cross_validation import number_of_paired_folds, read_split
from cortiscope.report.readouts import as_property
from cortiscope.similarity.comparison import check_cosine
from cortiscope.similarity.dissimilarity import check_repetitions
from cortiscope.similarity.held_out_cells import check_comparison
from cortiscope.similarity.searchlight import AXES
from cortiscope.similarity.variance_partition import check as check_partition
from cortiscope.statistics.halves import halves

FOLDS = "config: cross_validation.folds"
GROUP, SPLIT = "cross_validation.group", "cross_validation.split"
FEWEST_TO_TRAIN = 3  # stimuli: two leave nothing to choose a strength of regularisation on


def check(study: Study) -> None:
    """Raise an InputError for the first thing in a study that no job could work with."""
    check_stimuli(study)
    check_coordinates(study)
    check_split(study)
    check_stretches(study)
    check_folds(study)
    check_pairs(study)
    check_published(study)
    check_properties(study)
    check_searchlight(study)
    response_settings(study)
    check_accuracy(study)
    check_weights(study)
    check_twins({model: study.labels(model) for model in study.models})
    table_settings(study)
    check_selection(study)
    given_ceilings(study)
    given_layers(study)
    fits = Fits(study)
    for model in study.models:
        fits.score_files(model)


def check_stimuli(study: Study) -> None:
    """The recording and the stimuli are of the same study."""
    shown, recorded = study.source("stimuli"), study.source("responses")
    if shown and not recorded:
        raise InputError(
            "config: responses.source",
            "shapes, which answers only to the simulated stimuli",
            "give the recording to these stimuli, or set stimuli.source: shapes",
        )
    n_stimuli, _, _ = study.n_stimuli, study.areas, study.image_bytes
    if not shown and recorded:
        ids = read_ids(recorded[0])
        if len(ids) != n_stimuli:
            raise InputError(
                f"{recorded[0]}: stimulus_id",
                f"{len(ids)} stimuli where config: stimuli.count is {n_stimuli}",
                "set stimuli.source to the stimuli of this recording",
            )
    if shown and recorded:
        where, ids = f"{recorded[0]}: stimulus_id", read_ids(recorded[0])
        if study.config["stimuli"]["keep"] == "all":
            positions(ids, read_ids(shown[0]), where)
        elif not n_stimuli:
            problem = f"none is among those of {shown[0]}, such as {ids[0]!r}"
            raise InputError(where, problem, "name the stimuli alike in both")


def check_folds(study: Study) -> None:
    """There are stimuli, or groups of them, for every fold."""
    predicts = any(
        "cross_validation" in kind.sections and not kind.paired_folds
        for kind in asked(study).values()
    )
    if not predicts and not properties(study.config):
        return
    validation = study.config["cross_validation"]
    if validation["split"]:
        return
    n_stimuli, kind = study.n_stimuli, "stimuli"
    by_halves = study.config["selection"]["method"] == "halves"  # of stimuli, without repetitions
    halved = predicts and by_halves and count_repetitions(study) == 1
    group = validation["group"]
    if validation["block"]:
        n_stimuli, kind = -(-n_stimuli // validation["block"]), "stretches"
    elif group:
        n_stimuli, kind = count_groups(study, group), "groups of stimuli"
    elif halved:
        n_stimuli, kind = n_stimuli // 2, "stimuli in each half"
    folds = n_stimuli if validation["folds"] == "loo" else validation["folds"]
    if not 2 <= folds <= n_stimuli:
        enough = f"give a number from 2 to {n_stimuli}, or loo"
        remedy = enough if n_stimuli >= 2 else "a study needs more stimuli"
        raise InputError(FOLDS, f"{folds} folds of {n_stimuli} {kind}", remedy)
    if halved and group and is_known(study, group):
        left = min(int(counts.sum() - counts.max()) for counts in grouped_in_halves(study))
        if left < FEWEST_TO_TRAIN:
            raise InputError(
                "config: cross_validation.group",
                f"{left} stimuli of a half, on which the best layer is chosen, are of another"
                f" {group} than most",
                f"name a coordinate for which {FEWEST_TO_TRAIN} or more are left to train on",
            )


def check_selection(study: Study) -> None:
    """Where nothing is held out in groups, the best layer is chosen by resamples of the stimuli."""
    if study.config["selection"]["method"] != "nested" or study.config["statistics"]["bootstraps"]:
        return
    published = study.config["pls"]["protocol"] == "brainscore"  # whose splits are no groups
    fitless = [
        name
        for name, kind in asked(study).items()
        if not kind.joint and (not kind.of_neuroids or (name == "pls" and published))
    ]
    if fitless:
        raise InputError(
            "config: statistics.bootstraps",
            f"without resamples the best layer cannot be chosen by {fitless[0]}",
            "give 100 or more, or set selection.method: halves",
        )


def check_split(study: Study) -> None:
    """A given split says of every stimulus whether it is trained or tested on."""
    name = study.config["cross_validation"]["split"]
    if not name:
        return
    where = f"config: {SPLIT}"
    if study.config["cross_validation"]["group"]:
        raise InputError(
            where, "stands beside cross_validation.group, which deals folds", "leave one empty"
        )
    check_protocols(study, SPLIT)
    counts = coordinates(study)
    if name not in counts:
        raise unknown(where, name, counts)
    source = study.source("stimuli")
    read_split(words(study, name), f"{source[0] if source else 'simulated stimuli'}: {name}")


def is_known(study: Study, group: str) -> bool:
    """Whether a coordinate is in the stimuli's file, and not only found by a job."""
    return group in coordinates(study)


def check_coordinates(study: Study) -> None:
    """The coordinates that the settings of mappings name are there, and can be learnt."""
    for mapping in asked(study):
        for field, names in named_by(study.mapping_settings(mapping)).items():
            counts = coordinates(study)
            if field == GROUP:
                counts = {PICTURE: study.n_stimuli} | counts
            for name in names:
                if name not in counts:
                    raise unknown(f"config: {field}", name, counts)
                if field == "rsa_remixed.property" and not 2 <= counts[name] <= study.n_stimuli / 2:
                    raise InputError(
                        f"config: {field}",
                        f"{name!r} has {counts[name]} values for {study.n_stimuli} stimuli",
                        "name a coordinate of 2 or more categories, of 2 or more stimuli each",
                    )


def check_pairs(study: Study) -> None:
    """Mappings that compare stimuli have the repetitions and the pairs of folds that they need."""
    kinds = asked(study)
    if any("rsa" in kind.sections for kind in kinds.values()):
        check_repetitions(study.config["rsa"]["dissimilarity"], count_repetitions(study))
    if "rsa" in kinds:
        check_cosine(study.config["rsa"]["dissimilarity"], study.config["rsa"]["comparison"])
    if "variance_partition" in kinds:
        check_partition(
            study.config["rsa"]["comparison"], study.config["statistics"]["permutations"]
        )
    validation = study.config["cross_validation"]
    for name, kind in kinds.items():
        if not kind.paired_folds:
            continue
        check_comparison(study.config["rsa"]["comparison"])
        if validation["split"]:
            continue
        folds = number_of_paired_folds(validation["folds"], *_fewest(study))
        if folds < kind.paired_folds:
            raise InputError(
                FOLDS,
                f"{folds} folds, where {name} holds out pairs of folds",
                f"give {kind.paired_folds} or more, for which there are stimuli, two to a fold",
            )


def _fewest(study: Study) -> tuple[int, int]:
    """Stimuli, and what of them is held out together, where there are the fewest to be held out."""
    validation, n_stimuli = study.config["cross_validation"], study.n_stimuli
    group, block = validation["group"], validation["block"]
    n_groups = count_groups(study, group) if group else n_stimuli
    if block:
        n_groups = -(-n_stimuli // block)
    by_halves = study.config["selection"]["method"] == "halves"
    if by_halves and count_repetitions(study) == 1:  # of the stimuli
        n_stimuli //= 2
        if group and is_known(study, group):
            n_groups = min(map(len, grouped_in_halves(study)))
    return n_stimuli, n_groups


def check_published(study: Study) -> None:
    """The splits of Brain-Score's protocol can keep the shares of the categories."""
    pls = study.config["pls"]
    if "pls" in asked(study) and pls["protocol"] == "brainscore" and pls["category"]:
        check_categories(words(study, pls["category"]))


def asked(study: Study) -> dict[str, Kind]:
    """The mappings of the study."""
    return {name: MAPPINGS[name] for name in study.config["mappings"]}


def count_repetitions(study: Study) -> int:
    return sizes.count_repetitions(study.config["responses"], study.source("responses"))


def check_properties(study: Study) -> None:
    """What is decoded are coordinates of the stimuli, of values that can be read out."""
    named = properties(study.config)
    counts = coordinates(study) if named else {}
    for name, how in named.items():
        if name not in counts:
            raise unknown(FIELD, name, counts)
        as_property(name, values(study, name), how)


def check_searchlight(study: Study) -> None:
    """Where spheres are laid around neuroids, the recording says where these are."""
    if not study.config["searchlight"]["radius"]:
        return
    remedy = "set it to 0, or record voxels with x, y and z"
    source = study.source("responses")
    if not source or study.config["responses"]["variable"] == "dissimilarity":
        kind = "dissimilarities" if source else "simulated neuroids"
        raise InputError("config: searchlight.radius", f"{kind} have no place", remedy)
    with opened(source[0]) as dataset:
        placed = {name for name in along(dataset, "neuroid") if holds_numbers(dataset[name])}
    for axis in AXES:
        if axis not in placed:
            problem = f"the neuroids of {source[0]} have no numbers {axis!r}"
            raise InputError("config: searchlight.radius", problem, remedy)


def grouped_in_halves(study: Study) -> list[NDArray]:
    """The stimuli of each group in each half of them, on which best layers are chosen."""
    groups = words(study, study.config["cross_validation"]["group"])
    selection = study.config["selection"]
    chosen = halves(len(groups), selection["splits"], selection["seed"])
    return [
        np.unique(groups[half], return_counts=True)[1] for half in chosen.reshape(-1, len(groups))
    ]


def check_accuracy(study: Study) -> None:
    """Labelled images lie in a folder a category."""
    folder = study.validation_folder()
    if folder and list_categories(folder) and not any(found_images(folder)):
        raise InputError(
            f"config: accuracy.images: {folder}",
            "holds no images",
            f"use {', '.join(IMAGE_ENDINGS)}",
        )


def check_weights(study: Study) -> None:
    """Weights are files that are there, or names that the workflow can fetch by."""
    for model, row in study.models.items():
        if is_named(row["weights"]) and not kind_of(row).named_weights:
            named = [name for name, source in SOURCES.items() if source.named_weights]
            raise InputError(
                f"models table: {model}: weights",
                f"{row['weights']!r} is no file, and only {' or '.join(named)} has weights by name",
                "give the path of a file, or none",
            )
        study.weights_file(model)
