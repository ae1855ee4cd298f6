"""Ceilings that a study gives, as published ones are, in place of those computed."""

import csv
import math
from collections.abc import Iterator
from pathlib import Path

from cortiscope.errors import InputError
from cortiscope.mappings.kinds import MAPPINGS
from cortiscope.planning.study import Study

FIELD = "config: ceilings.given"


def given_ceilings(study: Study) -> dict[str, dict[str, float]]:
    """Mapping to area to its ceiling, a correlation above 0 and up to 1, where one is given.

    Of the study's mappings and areas. What is given of a mapping goes before what is given of all.
    Errors: InputError for a table, an area or a mapping that there is not, a number out of range,
    or an area that has two.
    """
    found: dict[tuple[str, str], float] = {}
    for where, area, mapping, ceiling in _entries(study):
        if area not in study.neuroids:
            known = ", ".join(study.neuroids)
            raise InputError(where, f"no area {area!r}", f"use some of {known}")
        if (mapping, area) in found:
            of = f"of {mapping} " if mapping else ""
            raise InputError(where, f"{area!r} has two ceilings {of}here", "give one")
        found[mapping, area] = ceiling
    wanted: dict[str, dict[str, float]] = {}
    for mapping in sorted(study.config["mappings"]):
        of_areas = {
            area: found.get((mapping, area), found.get(("", area), math.nan))
            for area in study.areas
        }
        known_areas = {area: ceiling for area, ceiling in of_areas.items() if ceiling > 0}
        if known_areas:
            wanted[mapping] = known_areas
    return wanted


def _entries(study: Study) -> Iterator[tuple[str, str, str, float]]:
    """Where it stands, area, mapping ("" = all) and ceiling."""
    given = study.config["ceilings"]["given"]
    if not isinstance(given, str):
        for area, ceiling in given.items():
            yield f"{FIELD}: {area}", str(area), "", float(ceiling)
        return
    path = study.locate(given, FIELD)
    for number, row in enumerate(_rows(path), start=2):
        where = f"{path}: line {number}"
        mapping = row.get("mapping") or ""
        if mapping and mapping not in MAPPINGS:
            raise InputError(where, f"no mapping {mapping!r}", f"use one of {', '.join(MAPPINGS)}")
        if mapping and mapping not in study.config["mappings"]:
            continue
        yield where, row["area"], mapping, _number(row["ceiling"], f"{where}: ceiling")


def _rows(path: str) -> list[dict[str, str]]:
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as lines:
            table = csv.DictReader(lines, restval="")
            rows = list(table)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        remedy = "save it as comma-separated UTF-8"
        raise InputError(path, f"is not a table of text ({error})", remedy) from error
    for column in ("area", "ceiling"):
        if column not in (table.fieldnames or ()):
            remedy = "its columns are area, ceiling, and mapping where they differ by that"
            raise InputError(path, f"has no column {column!r}", remedy)
    return rows


def _number(text: str, where: str) -> float:
    try:
        ceiling = float(text)
    except ValueError:
        ceiling = math.nan
    if not 0 < ceiling <= 1:
        raise InputError(where, f"{text!r} is no ceiling", "give a number above 0 and up to 1")
    return ceiling
