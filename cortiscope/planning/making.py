"""What files must say of their making: the params and the code of their rules as they are now.

A job that outlives its killed run may replace a file after the next run made it with other
settings; Snakemake would take that for its own, so that whoever reads the file asks it.
"""

import os
from functools import cache
from pathlib import Path
from typing import Any

from cortiscope.experiment.images import folder_digest
from cortiscope.experiment.sizes import is_light
from cortiscope.files import making
from cortiscope.planning.digest import code_digest
from cortiscope.planning.response_settings import (
    response_modules,
    response_settings,
    stimulus_settings,
)
from cortiscope.planning.study import Study

# In the environment: a digest, and the folder that it is of.
IMAGES_DIGEST = "CORTISCOPE_IMAGES_DIGEST"


def images_digest(study: Study) -> str:
    """Of the images of the stimuli, where these are a folder; else empty. Of many gigabytes, which
    no dry run could read, names and sizes alone. Jobs on a cluster find it in the environment that
    the main process had, so that not each of a thousand reads a gigabyte.
    """
    source = study.source("stimuli")
    if not source or not Path(source[0]).is_dir():
        return ""
    digest, _, folder = os.environ.get(IMAGES_DIGEST, "").partition(" ")
    if folder != source[0]:
        digest = folder_digest(source[0], contents=is_light(source))
        os.environ[IMAGES_DIGEST] = f"{digest} {source[0]}"
    return digest


def labelled_images_digest(study: Study) -> str:
    """Of the names and sizes alone of images to classify, which may be a hundred thousand."""
    folder = study.validation_folder()
    return folder_digest(folder, contents=False) if folder else ""


def network_code(study: Study, script: str, model: str) -> str:
    """The code digest of a script that makes the network of a model; of all sources, its own."""
    return code_digest(script, f"networks.sources.{study.models[model]['source']}")


# Cached, since every fit of a large study asks.
@cache
def of_stimuli(study: Study) -> str:
    params = {"settings": stimulus_settings(study), "images_digest": images_digest(study)}
    return making(params, code_digest("stimuli"))


@cache
def of_responses(study: Study) -> str:
    params = {"settings": response_settings(study), "stimuli_made_by": of_stimuli(study)}
    return making(params, code_digest("responses", *response_modules(study)))


@cache
def of_features(study: Study, model: str) -> str:
    params = {
        "row": study.shown_row(model),
        "layers": study.layer_tables[model],
        "settings": study.features_settings(),
        "stimuli_made_by": of_stimuli(study),
    }
    return making(params, network_code(study, "features", model))


def of_accuracy(study: Study, model: str) -> str:
    params = {
        "row": study.network_row(model),
        "folder": study.validation_folder(),
        "images_digest": labelled_images_digest(study),
        "device": study.config["features"]["device"],
    }
    return making(params, network_code(study, "accuracy", model))


def of_scores(study: Study, model: str) -> dict[str, Any]:
    """Of each mapping, and of `ceilings`, the `params` and the `code`."""
    responses = {"responses_made_by": of_responses(study)}
    inputs = responses | {
        "features_made_by": of_features(study, model),
        "stimuli_made_by": of_stimuli(study),
    }
    found = {
        mapping: {
            "params": inputs | {"settings": study.mapping_settings(mapping)},
            "code": code_digest("fit", f"mappings.{mapping}"),
        }
        for mapping in sorted(study.config["mappings"])
    }
    params = responses | {
        "settings": study.section("ceilings", "rsa"),
        "subjects": study.config["statistics"]["subjects"],
    }
    return found | {"ceilings": {"params": params, "code": code_digest("ceilings")}}
