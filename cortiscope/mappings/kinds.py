"""The mappings there are, what each depends on, and whether it scores layers singly or together.

Each is a module of `cortiscope.mappings`; only the one asked for is imported, so that an edit of
one mapping reruns none of the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Options that name a coordinate of the stimuli, or several: a section of the config and its key.
COORDINATES = (
    ("cross_validation", "group"),
    ("cross_validation", "split"),
    ("pls", "category"),
    ("rsa_remixed", "property"),
)
# Of `cross_validation`, what those mappings read too that hold nothing out: which stimuli are drawn
# together, and which pairs of them count.
UNITS = ("block", "gap", "group")
# The name, in score files and tables, of all layers of a model together.
TOGETHER = "all layers"


@dataclass(frozen=True)
class Kind:
    """sections: of the config that it reads; an edit elsewhere reruns none of its fits.

    joint: all layers of a model get one score together, and each a weight in it.
    ceiling: what in a ceilings file is the highest score that it could reach.
    squared: scores are shares of variance, so that the highest is the square of the ceiling.
    paired_folds: the fewest folds it takes, where it learns from pairs of stimuli and so holds out
        pairs of folds; 0 where it does not.
    """

    sections: tuple[str, ...]
    joint: bool = False
    ceiling: str = "area_ceiling"
    paired_folds: int = 0
    squared: bool = False

    @property
    def of_neuroids(self) -> bool:
        """Whether neuroids are predicted, and not only the similarities between stimuli."""
        return self.ceiling == "area_ceiling"


def coordinates(settings: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The coordinates of the stimuli that some sections of the config name, by the option."""
    named = {}
    for section, key in COORDINATES:
        names = settings.get(section, {}).get(key)
        if names:
            named[f"{section}.{key}"] = (names,) if isinstance(names, str) else tuple(names)
    return named


def repetitions_needed(kind: Kind, settings: Mapping[str, Any]) -> int:
    """Of every stimulus, for a neuroid to count: what is cross-validated over them needs two."""
    crossed = "rsa" in kind.sections and settings["rsa"]["dissimilarity"] == "crossnobis"
    return 2 if crossed and not kind.of_neuroids else 1


def low_level(settings: Mapping[str, Any]) -> list[str]:
    """The low-level models, by the names of their variables, that some sections ask for."""
    return list(settings.get("low_level", {}).get("models", ()))


MAPPINGS = {
    "ridge": Kind(("cross_validation", "ridge", "selection", "statistics")),
    "ols": Kind(("cross_validation", "selection", "statistics")),
    "pcr": Kind(("cross_validation", "pcr", "selection", "statistics")),
    "lasso": Kind(("cross_validation", "lasso", "selection", "statistics")),
    "pls": Kind(("cross_validation", "pls", "selection", "statistics")),
    "stacked": Kind(("cross_validation", "selection", "stacked", "statistics"), joint=True),
    "rsa": Kind(("rsa", "selection", "statistics"), ceiling="rdm_ceiling"),
    "rsa_reweighted": Kind(
        ("cross_validation", "rsa", "rsa_reweighted", "selection", "statistics"),
        joint=True,
        ceiling="rdm_ceiling",
        paired_folds=3,
    ),
    "rsa_remixed": Kind(
        ("cross_validation", "rsa", "rsa_remixed", "selection", "statistics"),
        ceiling="rdm_ceiling",
        paired_folds=3,
    ),
    "unit_weighted": Kind(
        ("cross_validation", "rsa", "selection", "statistics", "unit_weighted"),
        ceiling="rdm_ceiling",
        paired_folds=5,
    ),
    "cka": Kind(("selection", "statistics"), ceiling="cka_ceiling"),
    "variance_partition": Kind(
        ("low_level", "rsa", "selection", "statistics"), ceiling="rdm_ceiling", squared=True
    ),
}
