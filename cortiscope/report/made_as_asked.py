"""Whether the files that tables are made of were made as the study asks now."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cortiscope.errors import InputError
from cortiscope.files import REMADE, opened, refuse_other_making


def check_making(paths: Sequence[str], made_by: Mapping[str, Mapping[str, Any]]) -> None:
    """Check that files were made with the params and code that the study asks for now.

    paths: of scores and ceilings. made_by: of each mapping, and of `ceilings`, the `params` and
    the `code` (see `making`). Errors: InputError naming the first such file.
    """
    for path in paths:
        *_, mapping, _, folder, _ = Path(path).parts
        asked = made_by["ceilings" if folder == "ceilings" else mapping]
        with opened(path) as dataset:
            found = {name: str(getattr(dataset, name, "")) for name in ("settings", "code")}
        params = json.loads(found["settings"] or "{}")
        for name, value in asked["params"].items():
            if params.get(name) != value:
                raise InputError(f"{path}: {name}", "are not those of the config", REMADE)
        if found["code"] != asked["code"]:
            raise InputError(f"{path}: code", "is not that of this checkout", REMADE)


def check_accuracy(path: str, asked: str) -> None:
    """The same of a table of accuracy, which holds one word of its making."""
    with Path(path).open(newline="") as lines:
        found = [row.get("made_by") or "" for row in csv.DictReader(lines)]
    refuse_other_making(path, " ".join(found), asked)
