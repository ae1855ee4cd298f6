"""Check configs and tables against their schemas; every complaint is one line with a remedy."""

import copy
import difflib
import math
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from cortiscope.errors import InputError
from cortiscope.mappings.kinds import MAPPINGS
from cortiscope.networks.sources.kinds import SOURCES


@cache
def read(schema_file: Path) -> dict[str, Any]:
    """A schema, read once for all rows of a table."""
    schema: dict[str, Any] = yaml.safe_load(schema_file.read_text())
    return schema


@cache
def read_config_schema(schema_file: Path) -> dict[str, Any]:
    """That of a config, completed by the table of mappings: which there are, and their sections."""
    schema = copy.deepcopy(read(schema_file))
    schema["properties"]["mappings"]["items"] = {"enum": list(MAPPINGS)}
    section = {"type": "object", "additionalProperties": False, "default": {}}
    own = {
        name: section | {"properties": kind.settings}
        for name, kind in MAPPINGS.items()
        if kind.settings
    }
    names = list(schema["properties"])
    first = names[: names.index("cross_validation") + 1]  # before those of mappings, which share it
    properties = schema["properties"]
    schema["properties"] = {name: properties[name] for name in first} | own | properties
    return schema


@cache
def read_models_schema(schema_file: Path) -> dict[str, Any]:
    """That of a row of the models table, completed by the table of sources."""
    schema = copy.deepcopy(read(schema_file))
    schema["properties"]["source"] = {"enum": list(SOURCES)}
    return schema


def check(values: dict[str, Any], schema: dict[str, Any], where: str) -> dict[str, Any]:
    """Return `values` with the schema's defaults filled in.

    where: how the error message names the file or row that `values` came from.
    Errors: InputError for the first key that is unknown, missing, or of a wrong value.
    """
    completed = copy.deepcopy(_with_defaults(values, schema, schema))
    validator = Draft202012Validator(schema)
    _read_numbers(completed, validator.iter_errors(completed))
    errors = sorted(validator.iter_errors(completed), key=_order)
    if errors:
        raise _explain(errors[0], where)
    return completed


def _read_numbers(values: dict[str, Any], errors: Iterable[ValidationError]) -> None:
    """Replace text that stands for a number where the schema wants one.

    Snakemake's `--config "ridge={alphas: [1, 10]}"` gives text, and so does YAML for 1e-3.
    """
    for error in list(errors):
        number = _number(error.instance)
        if error.validator in ("type", "oneOf") and number is not None:
            *parents, last = error.absolute_path
            place: Any = values
            for step in parents:
                place = place[step]
            place[last] = number


def _number(value: Any) -> int | float | None:
    try:
        number = float(value) if isinstance(value, str) else math.nan
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() else number


def _order(error: ValidationError) -> tuple[bool, str]:
    """Unknown keys first: a misspelt key also shows up as a missing one."""
    return (error.validator != "additionalProperties", error.json_path)


def _with_defaults(values: Any, schema: Mapping[str, Any], root: Mapping[str, Any]) -> Any:
    if "$ref" in schema:
        for part in schema["$ref"].removeprefix("#/").split("/"):
            root = root[part]
        return values
    if not isinstance(values, dict):
        return values
    completed = dict(values)
    for key, part in schema.get("properties", {}).items():
        if key not in completed and "default" in part:
            completed[key] = part["default"]
        if key in completed:
            completed[key] = _with_defaults(completed[key], part, root)
    return completed


def _explain(error: ValidationError, where: str) -> InputError:
    field = error.json_path.removeprefix("$").lstrip(".")
    place = f"{where}: {field}" if field else where
    schema = error.schema if isinstance(error.schema, dict) else {}
    known = list(schema.get("properties", {}))
    instance: Any = error.instance
    if error.validator == "additionalProperties":
        unknown = sorted(set(instance) - set(known))[0]
        near = difflib.get_close_matches(unknown, known, n=1, cutoff=0.5)
        remedy = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}"
        return InputError(place, f"unknown key {unknown!r}", remedy)
    if error.validator == "required":
        missing = error.message.split("'")[1]
        return InputError(place, f"{missing!r} is missing", "add it")
    if schema.get("type") == "string" and isinstance(instance, int | float | date):
        # Not taken for its text: YAML and `--config` read 2024_01 as 202401, and 007 as 7.
        remedy = "put it in quotes in a config file; --config takes these off: add a letter there"
        return InputError(place, f"{instance} is no text", remedy)
    return InputError(place, f"{instance!r} is not valid", f"use {_allowed(schema)}")


def _allowed(schema: Mapping[str, Any]) -> str:
    """The schema in words."""
    if "const" in schema:
        return repr(schema["const"])
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    if isinstance(schema.get("type"), list):
        return " or ".join(_allowed({"type": kind}) for kind in schema["type"])
    if "oneOf" in schema:
        return " or ".join(_allowed(option) for option in schema["oneOf"])
    if "pattern" in schema:
        return f"text matching {schema['pattern']}"
    limits = {
        "minimum": "of at least",
        "exclusiveMinimum": "above",
        "maximum": "of at most",
        "exclusiveMaximum": "below",
        "minItems": "with at least",
    }
    bounds = [f"{words} {schema[key]}" for key, words in limits.items() if key in schema]
    if "$ref" in schema:
        return "a whole number of at least 1" if schema["$ref"].endswith("count") else "a list"
    if schema.get("uniqueItems"):
        bounds.append("without repeats")
    kinds = {"array": "a list", "object": "a section of keys", "integer": "a whole number"}
    kind = str(schema.get("type", "another value"))
    return f"{kinds.get(kind, f'a {kind}')} {' and '.join(bounds)}".rstrip()
