"""The mappings there are: a row of `mappings.json` each, and a module of this package.

A new one is a module, a row and a test. Only the module asked for is imported, and a fit is known
by its own row (see `planning.digest`), so that neither a new mapping nor an edit of another reruns
it. JSON, since a fit job reads it in a millisecond; YAML would cost each the import of its reader.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Of `cross_validation`, what those mappings read too that hold nothing out: which stimuli are drawn
# together, and which pairs of them count.
UNITS = ("block", "gap", "group")
# The name, in score files and tables, of all layers of a model together.
TOGETHER = "all layers"


@dataclass(frozen=True)
class Kind:
    """A row of the table.

    sections: of the config that it reads; an edit elsewhere reruns none of its fits.
    joint: all layers of a model get one score together, and each a weight in it.
    ceiling: what in a ceilings file is the highest score that it could reach; "" where none is.
    squared: scores are shares of variance, so that the highest is the square of the ceiling.
    paired_folds: the fewest folds it takes, where it learns from pairs of stimuli and so holds out
        pairs of folds; 0 where it does not.
    settings: the keys of the section of the config that has its name, each with its JSON schema;
        none where there is no such section. `coordinate` marks one that names a coordinate of the
        stimuli, or several.
    measure: what its score is, for figures; "" where it is that of `rsa.comparison`.
    cost: the `formula` of `planning.costs` and the numbers that this takes.
    together: all neuroids of an area are regressed together, and held so in memory.
    docs: what docs/mappings.md says of it: `equation`, `source`, `tested_against`, `tolerance`,
        `seconds`.
    """

    sections: tuple[str, ...]
    joint: bool = False
    ceiling: str = "area_ceiling"
    paired_folds: int = 0
    squared: bool = False
    # Of no matter to a fit, which is known by what `repr` shows (see `planning.digest`).
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    measure: str = field(default="", repr=False)
    cost: Mapping[str, Any] = field(default_factory=dict, repr=False)
    together: bool = field(default=False, repr=False)
    docs: Mapping[str, str] = field(default_factory=dict, repr=False)

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
    name: Kind(**row | {"sections": tuple(row["sections"])})
    for name, row in json.loads(Path(__file__).with_name("mappings.json").read_bytes()).items()
}
# Options that name a coordinate of the stimuli, or several: a section of the config and its key.
COORDINATES = (
    ("cross_validation", "group"),
    ("cross_validation", "split"),
    *(
        (name, key)
        for name, kind in MAPPINGS.items()
        for key, schema in kind.settings.items()
        if schema.get("coordinate")
    ),
)
