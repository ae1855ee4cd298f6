"""Which neuroids are fitted: those that fulfil conditions on their coordinates."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cortiscope.errors import InputError
from cortiscope.experiment.formats import opened
from cortiscope.experiment.sizes import count_repetitions
from cortiscope.files import along

FIELD = "config: responses.select"
RELIABILITY = "reliability"  # computed where it is no coordinate of the recording
COMPARISONS = {
    ">=": np.greater_equal,
    "<=": np.less_equal,
    "==": np.equal,
    "!=": np.not_equal,
    ">": np.greater,
    "<": np.less,
}
MISSING = ("", "nan")  # texts, in any case, that stand for none
CONDITION = re.compile(rf"(\w+)\s*({'|'.join(COMPARISONS)})\s*([^\s<>=!].*)")


@dataclass(frozen=True)
class Condition:
    """A coordinate of the neuroids, how it is compared, and with what; and who asks for that."""

    name: str
    comparison: str
    value: str
    field: str = FIELD


def conditions(select: str, field: str = FIELD) -> list[Condition]:
    """Read `reliability >= 0.75 and layer == L4`; none of an empty text.

    field: the entry of the config, for messages. Errors: InputError for what is no condition.
    """
    found = []
    for part in re.split(r"\s+and\b\s*", select.strip()) if select.strip() else []:
        match = CONDITION.fullmatch(part)
        if match is None or re.search(r"\s(or|not)\s", part):
            remedy = (
                f"write a coordinate, one of {' '.join(COMPARISONS)}, and a value; only `and` joins"
            )
            raise InputError(field, f"{part!r} is no condition", remedy)
        name, comparison, value = match.groups()
        found.append(Condition(name, comparison, value.strip("'\""), field))
    return found


def coordinates(section: Mapping[str, Any], source: list[str]) -> set[str]:
    """The coordinates that the neuroids of a recording have without computing any.

    section: `responses` of the config; source: its file, none where responses are simulated.
    """
    with opened("responses", section, source) as (held, named):
        names = set(along(held, "neuroid"))
        timed = "time" in held[named["variable"]].dimensions
    return names | {"neuroid_id", "area"} | ({"time"} if timed else set())


def computes_reliability(section: Mapping[str, Any], source: list[str]) -> bool:
    """Whether the conditions name the reliability, and the recording does not say it.

    Errors: InputError for a coordinate that the neuroids do not have, or where there are none.
    """
    asked = conditions(section["select"])
    if not asked:
        return False
    if section["variable"] == "dissimilarity":
        remedy = "leave it out; responses can be selected"
        raise InputError(FIELD, "dissimilarities have no neuroids", remedy)
    known = coordinates(section, source)
    repeated = count_repetitions(section, source) > 1
    for condition in asked:
        if condition.name not in known | ({RELIABILITY} if repeated else set()):
            raise InputError(
                FIELD,
                f"the neuroids have no coordinate {condition.name!r}",
                f"use one of {', '.join(sorted(known | ({RELIABILITY} if repeated else set())))}",
            )
    return RELIABILITY in {condition.name for condition in asked} - known


def selected(asked: list[Condition], values: Mapping[str, NDArray]) -> NDArray:
    """Which neuroids fulfil all conditions: (neuroid,) bool.

    values: name to coordinate (neuroid,). A value that is NaN, or a text of MISSING, fulfils
    none. Errors: InputError for a number compared with text, or an order of texts.
    """
    fulfilled = [_fulfils(np.asarray(values[condition.name]), condition) for condition in asked]
    return np.logical_and.reduce(fulfilled)


def _fulfils(values: NDArray, condition: Condition) -> NDArray:
    compare = COMPARISONS[condition.comparison]
    if values.dtype.kind in "fiub":
        try:
            number = float(condition.value)
        except ValueError as error:
            problem = f"{condition.name} is a number, {condition.value!r} is none"
            raise InputError(condition.field, problem, "give a number") from error
        numbers = values if values.dtype.kind == "f" else values.astype(float)
        bound = numbers.dtype.type(number)  # in single precision 0.1 is another number
        return np.asarray(compare(numbers, bound) & np.isfinite(numbers))
    if condition.comparison not in ("==", "!="):
        problem = f"{condition.name} is text"
        raise InputError(condition.field, problem, "compare it by == or !=")
    words = values.astype(str)
    if condition.comparison == "==" and condition.value not in words:
        known = ", ".join(sorted(set(words)))
        problem = f"no {condition.name} is {condition.value!r}"
        raise InputError(condition.field, problem, f"use one of {known}")
    return compare(words, condition.value) & ~np.isin(np.char.lower(words), MISSING)
