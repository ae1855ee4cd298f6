"""What a study gives in place of what is computed: published ceilings, and each model's layers."""

import csv
import math
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path

from cortiscope import suggestions
from cortiscope.errors import InputError
from cortiscope.files import composed
from cortiscope.mappings.kinds import MAPPINGS, TOGETHER
from cortiscope.planning.study import Study

CEILINGS = "config: ceilings.given"
LAYERS = "config: selection.given"
COLUMNS = {  # of a table, each by any of some names
    CEILINGS: ((("area",), ("ceiling",)), "area, ceiling, and mapping where they differ by that"),
    LAYERS: (
        (("model",), ("best_layer", "layer")),
        "model, best_layer, and area and mapping where they differ by these",
    ),
}


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
            yield f"{CEILINGS}: {area}", composed(str(area)), "", float(ceiling)
        return
    path = study.locate(given, CEILINGS)
    for number, row in enumerate(_rows(path, CEILINGS), start=2):
        where = f"{path}: line {number}"
        mapping = row.get("mapping") or ""
        if mapping and mapping not in MAPPINGS:
            raise InputError(where, f"no mapping {mapping!r}", f"use one of {', '.join(MAPPINGS)}")
        if mapping and mapping not in study.config["mappings"]:
            continue
        yield where, row["area"], mapping, _number(row["ceiling"], f"{where}: ceiling")


@cache  # since every model asks
def given_layers(study: Study) -> dict[str, dict[str, dict[str, str]]]:
    """Model to mapping to area to the layer that is its best, where layers are given.

    A row of a mapping goes before one of all, then one of an area before one of all. Mappings that
    score all layers together have none.
    Errors: InputError for a table or a layer that there is not, and for a model, mapping and area
    without a layer, or with two.
    """
    if study.config["selection"]["method"] != "given":
        return {}
    given = study.config["selection"]["given"]
    if not given:
        raise InputError(LAYERS, "is empty", "name a table, or set another selection.method")
    path = study.locate(given, LAYERS)
    found = _layers(study, path)
    wanted: dict[str, dict[str, dict[str, str]]] = {model: {} for model in study.models}
    singly = [name for name in sorted(study.config["mappings"]) if not MAPPINGS[name].joint]
    for model, mapping, area in product(study.models, singly, study.areas):
        keys = ((mapping, area), (mapping, ""), ("", area), ("", ""))
        layer = next((found[model, *key] for key in keys if (model, *key) in found), "")
        if not layer:
            problem = f"no layer of {model} for {mapping} in {area}"
            raise InputError(path, problem, "add a row, or leave mapping and area empty in one")
        wanted[model].setdefault(mapping, {})[area] = layer
    return wanted


def given_layers_of(study: Study, model: str) -> dict[str, dict[str, str]]:
    """The same of one model."""
    return given_layers(study).get(model, {})


def _layers(study: Study, path: str) -> dict[tuple[str, str, str], str]:
    """Model, mapping and area ("" = all) to a layer, of the study's models."""
    found: dict[tuple[str, str, str], str] = {}
    for number, row in enumerate(_rows(path, LAYERS), start=2):
        model, mapping, area = row["model"], row.get("mapping") or "", row.get("area") or ""
        layer = row.get("best_layer") or row.get("layer") or ""
        if model not in study.models or layer == TOGETHER:
            continue
        where, layers = f"{path}: line {number}", study.layers(model)
        if layer not in layers:
            problem = f"{layer!r} is no layer of {model}"
            raise InputError(where, problem, f"near: {suggestions.near(layer, layers)}")
        if found.setdefault((model, mapping, area), layer) != layer:
            problem = f"a second layer of {model} for {mapping or 'all'} in {area or 'all areas'}"
            raise InputError(where, problem, "give one")
    return found


def _rows(path: str, field: str) -> list[dict[str, str]]:
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as lines:
            table = csv.DictReader(lines, restval="")
            rows = list(table)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        remedy = "save it as comma-separated UTF-8"
        raise InputError(path, f"is not a table of text ({error})", remedy) from error
    for row in rows:  # written as recordings' are read
        row["area"] = composed(row.get("area") or "")
    required, every = COLUMNS[field]
    for names in required:
        if not set(names) & set(table.fieldnames or ()):
            raise InputError(path, f"has no column {names[0]!r}", f"its columns are {every}")
    return rows


def _number(text: str, where: str) -> float:
    try:
        ceiling = float(text)
    except ValueError:
        ceiling = math.nan
    if not 0 < ceiling <= 1:
        raise InputError(where, f"{text!r} is no ceiling", "give a number above 0 and up to 1")
    return ceiling
