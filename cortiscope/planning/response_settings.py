"""What bringing stimuli and recordings to one form, and selecting neuroids, reads of a config."""

from typing import Any

from cortiscope.experiment.formats import find, module
from cortiscope.experiment.neuroid_selection import computes_reliability
from cortiscope.planning.study import Study


def stimulus_settings(study: Study) -> dict[str, Any]:
    """The `stimuli` section without what is not read of its format.

    With the ids of those to leave out, where there are any: whether to look for them is not read.
    """
    kept, left_out = _read(study, "stimuli"), study.left_out["stimuli"]
    return kept | ({"left_out": left_out} if left_out else {})


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


def _read(study: Study, kind: str, *more: str) -> dict[str, Any]:
    """Of a section, what its reader reads, and more."""
    section, reads = study.section(kind)[kind], find(kind, study.source(kind)).READS[kind]
    return {key: section[key] for key in ("source", *more, *reads)}


def stimulus_modules(study: Study) -> tuple[str, ...]:
    """The modules that the job imports by name: an edit of another format reads nothing anew."""
    return (module("stimuli", study.source("stimuli")),)


def response_modules(study: Study) -> tuple[str, ...]:
    """Likewise: an edit of another format or ceiling reads and selects nothing anew."""
    reader = module("responses", study.source("responses"))
    return (reader, "noise_ceilings.noise") if _computed(study) else (reader,)


def _computed(study: Study) -> bool:
    return computes_reliability(study.config["responses"], study.source("responses"))
