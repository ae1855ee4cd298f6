"""What the tables over all models read of a config."""

from typing import Any

from cortiscope.errors import InputError
from cortiscope.experiment.simulated_areas import AREAS
from cortiscope.planning.study import Study


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
