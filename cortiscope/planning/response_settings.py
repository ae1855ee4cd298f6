"""What bringing stimuli and recordings to one form, and selecting neuroids, reads of a config."""

from pathlib import Path
from typing import Any

from cortiscope.experiment.neuroid_selection import computes_reliability
from cortiscope.planning.study import Study


def stimulus_settings(study: Study) -> dict[str, Any]:
    """The `stimuli` section without what is not read of its kind of source.

    With the ids of those to leave out, where there are any: whether to look for them is not read.
    """
    source = study.source("stimuli")
    read = ["variable"] if source else ["count", "seed"]
    if source and Path(source[0]).is_dir():
        read = []
    section = study.section("stimuli")["stimuli"]
    kept, left_out = {key: section[key] for key in ("source", *read)}, study.left_out["stimuli"]
    return kept | ({"left_out": left_out} if left_out else {})


def response_settings(study: Study) -> dict[str, Any]:
    """Likewise of `responses`, and without the choice of areas, which only the fan-out reads.

    With the halves of `ceilings`, of which a reliability is computed, where neuroids are selected
    by that.
    """
    recorded = bool(study.source("responses"))
    read = ["variable", "area"] if recorded else ["neuroids", "repetitions", "seed"]
    section = study.section("responses")["responses"]
    kept = {key: section[key] for key in ("source", "select", *read)}
    if study.left_out["responses"]:
        kept["left_out"] = len(study.left_out["responses"])
    if not _computed(study):
        return kept
    halves = study.section("ceilings")["ceilings"]
    return kept | {"ceilings": {key: halves[key] for key in ("seed", "splits")}}


def response_modules(study: Study) -> tuple[str, ...]:
    """The modules that the job imports by name: an edit of another ceiling selects nothing anew."""
    return ("noise_ceilings.noise",) if _computed(study) else ()


def _computed(study: Study) -> bool:
    return computes_reliability(study.config["responses"], study.source("responses"))
