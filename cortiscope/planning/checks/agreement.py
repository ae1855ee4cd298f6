"""What the parts of a study must agree on, checked before a job runs, from headers and names."""

from cortiscope.errors import InputError
from cortiscope.experiment.formats import OF_SOME_FORMATS, find, opened
from cortiscope.experiment.images import IMAGE_ENDINGS, found_images, list_categories
from cortiscope.experiment.pictures import PICTURE
from cortiscope.experiment.sizes import holds_numbers
from cortiscope.experiment.stimulus_ids import positions
from cortiscope.files import along
from cortiscope.mappings.kinds import coordinates as named_by
from cortiscope.networks.sources.kinds import SOURCES, kind_of
from cortiscope.networks.twins import check_twins
from cortiscope.networks.weight_names import is_named
from cortiscope.planning.checks import folds
from cortiscope.planning.checks.coordinates import coordinates, unknown, values
from cortiscope.planning.checks.given import given_ceilings, given_layers
from cortiscope.planning.costs.fits import Fits
from cortiscope.planning.settings import (
    DECODED,
    mapping_settings,
    properties,
    response_settings,
    table_settings,
)
from cortiscope.planning.study import Study
from cortiscope.report.readouts import as_property
from cortiscope.similarity.searchlight import AXES

GROUP = "cross_validation.group"


def check(study: Study) -> None:
    """Raise an InputError for the first thing in a study that no job could work with."""
    check_sections(study)
    check_stimuli(study)
    check_coordinates(study)
    folds.check_split(study)
    folds.check_stretches(study)
    folds.check_folds(study)
    folds.check_pairs(study)
    folds.check_published(study)
    check_properties(study)
    check_searchlight(study)
    response_settings(study)
    check_accuracy(study)
    check_weights(study)
    check_twins(study.labels_by_model)
    table_settings(study)
    folds.check_selection(study)
    given_ceilings(study)
    given_layers(study)
    fits = Fits(study)
    for model in study.models:
        fits.score_files(model)


def check_sections(study: Study) -> None:
    """What is asked of a source is read of its format."""
    for section in ("stimuli", "responses"):
        settings, source = study.config[section], study.source(section)
        reader = find(section, source)
        for entry in OF_SOME_FORMATS:
            if settings.get(entry) and entry not in reader.READS[section]:
                where = f"config: {section}.{entry}"
                problem = f"is not read of {reader.FORMAT}" + (f" ({source[0]})" if source else "")
                raise InputError(where, problem, "leave it out")


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
        ids = study.ids("responses")
        if len(ids) != n_stimuli:
            raise InputError(
                f"{recorded[0]}: stimulus_id",
                f"{len(ids)} stimuli where config: stimuli.count is {n_stimuli}",
                "set stimuli.source to the stimuli of this recording",
            )
    if shown and recorded:
        where, ids = f"{recorded[0]}: stimulus_id", study.ids("responses")
        if study.config["stimuli"]["keep"] == "all":
            positions(ids, study.ids("stimuli"), where)
        elif not n_stimuli:
            problem = f"none is among those of {shown[0]}, such as {ids[0]!r}"
            raise InputError(where, problem, "name the stimuli alike in both")


def check_coordinates(study: Study) -> None:
    """The coordinates that the settings of mappings name are there, and can be learnt."""
    for mapping in study.config["mappings"]:
        for field, names in named_by(mapping_settings(study, mapping)).items():
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


def check_properties(study: Study) -> None:
    """What is decoded are coordinates of the stimuli, of values that can be read out."""
    named = properties(study.config)
    counts = coordinates(study) if named else {}
    for name, how in named.items():
        if name not in counts:
            raise unknown(DECODED, name, counts)
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
    with opened("responses", study.config["responses"], source) as (held, _):
        placed = {name for name in along(held, "neuroid") if holds_numbers(held[name])}
    for axis in AXES:
        if axis not in placed:
            problem = f"the neuroids of {source[0]} have no numbers {axis!r}"
            raise InputError("config: searchlight.radius", problem, remedy)


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
