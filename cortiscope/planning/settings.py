"""Why a rule runs again: what its job reads of a config, and what files say of their making.

The params of a rule are these settings and a digest of its code (`digest`), so that an edit reruns
what it touches and nothing else. A job that outlives its killed run may replace a file after the
next run made it with other settings; Snakemake would take that for its own, so that whoever reads
the file asks what it was made by.
"""

import os
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from cortiscope.errors import InputError
from cortiscope.experiment.formats import SIMULATED, find, module
from cortiscope.experiment.images import folder_digest
from cortiscope.experiment.neuroid_selection import computes_reliability
from cortiscope.experiment.readers.simulated_stimuli import PROPERTIES
from cortiscope.experiment.simulated_areas import AREAS
from cortiscope.experiment.sizes import is_light
from cortiscope.files import making
from cortiscope.mappings.kinds import MAPPINGS, UNITS
from cortiscope.networks.projection_kinds import components_asked, resolve
from cortiscope.planning.digest import code_digest, mapping_digest
from cortiscope.planning.study import Study

# In the environment: a digest, and the folder that it is of.
IMAGES_DIGEST = "CORTISCOPE_IMAGES_DIGEST"
DECODED = "config: decoding.properties"
MANY_STIMULI = 1000  # from here on, a null of models that are fitted anew takes hours

# Stimuli and recordings


def images_digest(study: Study) -> str:
    """Of the images of the stimuli, where these are a folder; else empty. Of many gigabytes, which
    no dry run could read, names and sizes alone. Jobs on a cluster find it in the environment that
    the main process had, so that not each of a thousand reads a gigabyte.
    """
    source = study.source("stimuli")
    images = next((path for path in source if Path(path).is_dir()), "")
    if not images:
        return ""
    digest, _, folder = os.environ.get(IMAGES_DIGEST, "").partition(" ")
    if folder != images:
        digest = folder_digest(images, contents=is_light(source))
        os.environ[IMAGES_DIGEST] = f"{digest} {images}"
    return digest


def stimulus_settings(study: Study) -> dict[str, Any]:
    """The `stimuli` section without what is not read of its format.

    With the ids of those to leave out, where there are any: whether to look for them is not read.
    """
    kept, left_out = _read(study, "stimuli"), study.left_out["stimuli"]
    return kept | ({"left_out": left_out} if left_out else {})


def _read(study: Study, kind: str, *more: str) -> dict[str, Any]:
    """Of a section, what its reader reads, and more."""
    section, reads = study.section(kind)[kind], find(kind, study.source(kind)).READS[kind]
    return {key: section[key] for key in ("source", *more, *reads)}


def stimulus_modules(study: Study) -> tuple[str, ...]:
    """The modules that the job imports by name: an edit of another format reads nothing anew."""
    return (module("stimuli", study.source("stimuli")),)


@cache  # since every fit of a large study asks, and asks again
def stimuli_made_by(study: Study) -> str:
    params = {"settings": stimulus_settings(study), "images_digest": images_digest(study)}
    return making(params, code_digest("stimuli", *stimulus_modules(study)))


def response_settings(study: Study) -> dict[str, Any]:
    """Likewise of `responses`, and without the choice of areas, which only the fan-out reads.

    With the halves of `ceilings`, of which a reliability is computed, where neuroids are selected
    by that.
    """
    kept = _read(study, "responses", "select")
    if study.left_out["responses"]:
        kept["left_out"] = len(study.left_out["responses"])
    if not _computed(study):
        return kept
    halves = study.section("ceilings")["ceilings"]
    return kept | {"ceilings": {key: halves[key] for key in ("seed", "splits")}}


def response_modules(study: Study) -> tuple[str, ...]:
    """Likewise: an edit of another format or ceiling reads and selects nothing anew."""
    reader = module("responses", study.source("responses"))
    return (reader, "noise_ceilings.noise") if _computed(study) else (reader,)


def _computed(study: Study) -> bool:
    return computes_reliability(study.config["responses"], study.source("responses"))


@cache
def responses_made_by(study: Study) -> str:
    params = {"settings": response_settings(study), "stimuli_made_by": stimuli_made_by(study)}
    return making(params, code_digest("responses", *response_modules(study)))


# Networks


def features_settings(study: Study, model: str) -> dict[str, Any]:
    """The `features` section with its projection resolved, without what that does not read."""
    section = study.section("features")["features"]
    sizes = [int(row["n_features"]) for row in study.layer_tables[model]]
    kind = resolve(section["projection"], study.n_stimuli, sizes)
    asked = components_asked(kind, study.n_stimuli, section["components"])
    section = section | {"components": asked}
    # What is pooled is said by the row of each model.
    unread = ("pooling", *(("components", "seed") if kind in ("exact", "none") else ()))
    kept = {key: value for key, value in section.items() if key not in unread}
    return {"features": kept | {"projection": kind}}


def network_code(study: Study, script: str, model: str) -> str:
    """The code digest of a script that makes the network of a model; of all sources, its own."""
    return code_digest(script, f"networks.sources.{study.models[model]['source']}")


def features_code(study: Study, model: str) -> str:
    return network_code(study, "features", model)


def accuracy_code(study: Study, model: str) -> str:
    return network_code(study, "accuracy", model)


@cache
def features_made_by(study: Study, model: str) -> str:
    params = {
        "row": study.shown_row(model),
        "layers": study.layer_tables[model],
        "settings": features_settings(study, model),
        "stimuli_made_by": stimuli_made_by(study),
    }
    return making(params, features_code(study, model))


def labelled_images_digest(study: Study) -> str:
    """Of the names and sizes alone of images to classify, which may be a hundred thousand."""
    folder = study.validation_folder()
    return folder_digest(folder, contents=False) if folder else ""


def accuracy_made_by(study: Study, model: str) -> str:
    params = {
        "row": study.network_row(model),
        "folder": study.validation_folder(),
        "images_digest": labelled_images_digest(study),
        "device": study.config["features"]["device"],
    }
    return making(params, accuracy_code(study, model))


# Fits and readouts


@cache
def mapping_settings(study: Study, mapping: str) -> dict[str, Any]:
    """The config entries that a fit of this mapping depends on."""
    validation = study.section("cross_validation")["cross_validation"]
    units = {key: validation[key] for key in UNITS}
    found = {"cross_validation": units} | study.section(*MAPPINGS[mapping].sections)
    if MAPPINGS[mapping].of_neuroids:
        found["statistics"]["null_method"] = _null_method(study, mapping)
    return found


def _null_method(study: Study, mapping: str) -> str:
    asked = str(study.config["statistics"]["null_method"])
    if asked == "auto":
        asked = "refitted" if study.n_stimuli < MANY_STIMULI else "moved"
    if study.config["cross_validation"]["split"]:  # the test stimuli are permuted, no model is
        return "moved"
    # Of ridge's published protocol scores of noise lie below 0, which those of moved ones do not.
    published = study.config.get(mapping, {}).get("protocol") in ("conwell2021", "brainscore")
    return "refitted" if published else asked


def low_level_file(study: Study, mapping: str) -> list[str]:
    """Of mappings that read it: images shown to other models rerun none of the others."""
    asked = "low_level" in mapping_settings(study, mapping)
    return [f"resources/{study.name}/low_level.nc"] if asked else []


def properties(config: Mapping[str, Any]) -> dict[str, str | float]:
    """Property to how it is read, in the order of the config, whose defaults are filled in.

    How: `discrete`, `continuous`, the period of an angle in its own unit, or `by value`: text and
    whole numbers are discrete, other numbers continuous.
    Errors: InputError for a property that is named twice.
    """
    asked = config["decoding"]["properties"]
    if asked == "auto":
        asked = PROPERTIES if config["stimuli"]["source"] == SIMULATED else ()
    found: dict[str, str | float] = {}
    for entry in asked:
        name, how = (entry, "by value") if isinstance(entry, str) else next(iter(entry.items()))
        if name in found:
            raise InputError(DECODED, f"{name!r} stands twice", "name it once")
        found[name] = how
    return found


def decoding_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """The options that a readout depends on: an edit of any other reruns none.

    config: in one form (see `Study.section`), its defaults filled in.
    """
    read = {"ridge": ("alphas",), "statistics": ("permutations", "seed")}
    settings = {name: {key: config[name][key] for key in keys} for name, keys in read.items()}
    validation = config["cross_validation"]
    return settings | {"cross_validation": validation, "properties": properties(config)}


# Tables


def files_made_by(study: Study, model: str) -> dict[str, Any]:
    """What the files of a model must say of their making.

    `accuracy`; of each mapping, and of `ceilings`, the `params` and the `code`.
    """
    responses = {"responses_made_by": responses_made_by(study)}
    inputs = responses | {
        "features_made_by": features_made_by(study, model),
        "stimuli_made_by": stimuli_made_by(study),
    }
    found = {
        mapping: {
            "params": inputs | {"settings": mapping_settings(study, mapping)},
            "code": mapping_digest(mapping),
        }
        for mapping in sorted(study.config["mappings"])
    }
    params = responses | {
        "settings": study.section("ceilings", "rsa"),
        "subjects": study.config["statistics"]["subjects"],
    }
    ceilings = {"params": params, "code": code_digest("ceilings")}
    return found | {"ceilings": ceilings, "accuracy": accuracy_made_by(study, model)}


def table_settings(study: Study) -> dict[str, Any]:
    """The seed, how p-values are corrected, and the areas of the hierarchy, the lowest first.

    Errors: InputError for an area of the hierarchy that was not recorded.
    """
    statistics = study.config["statistics"]
    return {
        "seed": statistics["seed"],
        "correction": statistics["correction"],
        "hierarchy": _hierarchy(study),
    }


def _hierarchy(study: Study) -> list[str]:
    asked = study.config["hierarchy"]
    if asked == "auto":
        return [] if study.source("responses") else list(AREAS)
    for area in asked:
        if area not in study.neuroids:
            known = list(study.neuroids)
            raise InputError("config: hierarchy", f"no area {area!r}", f"use some of {known}")
    return list(asked)


# The page


def page_settings(study: Study) -> dict[str, Any]:
    """What the page says of how the study was made, and no more: its methods.

    Of each mapping its settings, what its score is, and its equation and source in the docs.
    """
    kept = (features_settings(study, model)["features"] for model in study.models)
    projections = Counter((how["projection"], how.get("components")) for how in kept)
    return {
        "mappings": {
            name: {
                "settings": mapping_settings(study, name),
                "measure": MAPPINGS[name].measure,
                "equation": MAPPINGS[name].docs.get("equation", ""),
                "source": MAPPINGS[name].docs.get("source", ""),
            }
            for name in study.config["mappings"]
        },
        "projections": [[*how, n_models] for how, n_models in projections.items()],
        "ceilings": study.section("ceilings")["ceilings"],
        "comparison": study.config["rsa"]["comparison"],
        "given_ceilings": bool(study.config["ceilings"]["given"]),
        "correction": study.config["statistics"]["correction"],
        "repetitions": study.repetitions,
        "n_stimuli": study.n_stimuli,
    }
