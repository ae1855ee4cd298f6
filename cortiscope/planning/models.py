"""The models table: a row per network, checked before anything runs."""

import csv
import difflib
from pathlib import Path
from typing import Any

from cortiscope.errors import InputError
from cortiscope.networks.rows import preprocessing, training, weights
from cortiscope.networks.sources.kinds import kind_of
from cortiscope.networks.weight_names import is_named
from cortiscope.planning.schema import check, read_models_schema

# What the features of a model depend on; its family and training are labels for the tables.
BUILD_COLUMNS = (
    "model",
    "source",
    "architecture",
    "weights",
    "checksum",
    "seed",
    "layers",
    "preprocessing",
)
# Likewise where they are not empty, so that those who leave them so extract nothing anew.
OPTIONAL_COLUMNS = ("weights_key", "weights_prefix")


def read_models(table: Path, names: str | list[str], schema: Path) -> dict[str, dict[str, str]]:
    """Read the rows `names` (or "all") of a tab-separated models table, by name, in table order.

    The preprocessing of an untrained network is that of its trained twins, where it is `auto`.
    Errors: InputError for a missing table, unknown columns or values, duplicate or unknown names.
    """
    if not table.is_file():
        raise InputError("config: models.table", f"no file {table}", "check the path")
    rows = _read_rows(table)
    models: dict[str, dict[str, str]] = {}
    for number, row in enumerate(rows, start=2):
        where = f"{table}: line {number}"
        if None in row or None in row.values():
            raise InputError(where, "not as many cells as columns", "separate them by tabs")
        # An empty cell means the column's default.
        filled: dict[str, Any] = {key: value for key, value in row.items() if value != ""}
        model = check(filled, read_models_schema(schema), where)
        if model["model"] in models:
            raise InputError(
                f"{where}: model", f"{model['model']!r} stands twice", "give each row its own name"
            )
        model |= {"weights": weights(model)}
        if not kind_of(model).network:
            model |= {"classifier": "none"}
        models[model["model"]] = model | {"training": _training(model, where)}
    chosen = models if names == "all" else _chosen(models, list(names), table)
    # Of the whole table, so that studies of parts of it show a network the same.
    every = models.values()
    return {
        name: row | {"preprocessing": preprocessing(row, every)} for name, row in chosen.items()
    }


def _training(model: dict[str, str], where: str) -> str:
    """What a row says of its training, or else its weights do.

    Errors: InputError where the two contradict each other. A file may hold untrained weights, and
    a network of the user's own bring weights itself.
    """
    weights, said = model["weights"], training(model)
    followed = training(model | {"training": ""})
    known = not kind_of(model).own_code and (weights == "none" or is_named(weights))
    if known and said != followed:
        problem = f"{said!r}, where the weights {weights!r} are {followed}"
        raise InputError(f"{where}: training", problem, "correct the one, or leave this cell empty")
    return said


def _read_rows(table: Path) -> list[dict[str, str]]:
    try:
        # A spreadsheet may begin its text with a byte order mark.
        with table.open(newline="", encoding="utf-8-sig") as lines:
            rows = [dict(row) for row in csv.DictReader(lines, delimiter="\t")]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            str(table), f"is not a table of text ({error})", "save it as tab-separated UTF-8"
        ) from error
    if not rows:
        raise InputError(str(table), "holds no models", "add a row for each")
    return rows


def _chosen(
    models: dict[str, dict[str, str]], names: list[str], table: Path
) -> dict[str, dict[str, str]]:
    for name in names:
        if name not in models:
            near = difflib.get_close_matches(name, models, n=3, cutoff=0.3) or list(models)[:5]
            raise InputError(
                "config: models.names", f"{name!r} is not in {table}", f"near: {', '.join(near)}"
            )
    return {name: row for name, row in models.items() if name in names}
