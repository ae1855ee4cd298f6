"""What bringing a recording to one form, and selecting its neuroids, reads of a config."""

from typing import Any

from cortiscope.experiment.neuroid_selection import computes_reliability
from cortiscope.planning.study import Study


def response_settings(study: Study) -> dict[str, Any]:
    """The `responses` section without the choice of areas, which only the fan-out reads.

    With the halves of `ceilings`, of which a reliability is computed, where neuroids are selected
    by that.
    """
    section = study.section("responses")["responses"]
    kept = {key: value for key, value in section.items() if key != "areas"}
    if not _computed(study):
        return kept
    halves = study.section("ceilings")["ceilings"]
    return kept | {"ceilings": {key: halves[key] for key in ("seed", "splits")}}


def response_modules(study: Study) -> tuple[str, ...]:
    """The modules that the job imports by name: an edit of another ceiling selects nothing anew."""
    return ("noise_ceilings.noise",) if _computed(study) else ()


def _computed(study: Study) -> bool:
    return computes_reliability(study.config["responses"], study.source("responses"))
