"""Trained networks and their untrained twins, which differ in training alone."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from cortiscope.errors import InputError

# What both have in common: of the columns of the tables, in which a family is never empty.
SHARED = ("family", "architecture", "preprocessing")


def twins(
    models: Mapping[str, Mapping[str, Any]], shared: Sequence[str] = SHARED
) -> list[tuple[str, str]]:
    """The trained and the untrained model of every pair, in the order of the models.

    models: by name, with `training` and what twins share.
    """
    untrained = defaultdict(list)
    for name, row in models.items():
        if row["training"] == "untrained":
            untrained[*(row[label] for label in shared)].append(name)
    return [
        (name, twin)
        for name, row in models.items()
        if row["training"] == "trained"
        for twin in untrained.get(tuple(row[label] for label in shared), ())
    ]


def check_twins(models: Mapping[str, Mapping[str, Any]]) -> None:
    """InputError for an untrained network that sees what no trained one of its kind does.

    models: as for `twins`. A kind is an architecture in a family.
    """
    compared = {untrained for _, untrained in twins(models)}
    for trained, untrained in twins(models, ("family", "architecture")):
        if untrained not in compared:
            own, other = (models[name]["preprocessing"] for name in (untrained, trained))
            raise InputError(
                f"models table: {untrained}: preprocessing",
                f"shows {own!r}, and {other!r} to {trained}, its trained twin",
                "give both the same, or each a family of its own",
            )
