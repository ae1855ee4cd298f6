"""What a study found, in a few lines: `python -m cortiscope.headline [FOLDER]`, or as a run ends.

FOLDER: of the study's results, by default the newest below results/.
"""

import argparse
import csv
import sys
from collections import defaultdict
from collections.abc import Sequence
from math import isfinite
from pathlib import Path

from cortiscope.errors import InputError

TABLE = Path("tables", "accuracy_vs_brain.csv")
MOST_ROWS = 15
HEADER = ("area", "mapping", "model", "layer", "score", "95 %", "of ceiling")
WHERE = (
    ("tables", "tables", ""),
    ("figures", "figures", ""),
    ("the page", "report.html", ", in a browser"),
)


def headline(results: Path) -> str:
    """The models that score best in each area by each mapping, and where everything is.

    Of so many areas and mappings that one model of each is more than a screen, the first; "" where
    there are no scores yet. Raises InputError for a table that has no such columns.
    """
    path = results / TABLE
    if not path.exists():
        return ""
    with path.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row.get("score")]
    try:
        lines = _aligned([HEADER, *map(_row, _best(rows))])
    except (KeyError, ValueError) as error:
        raise InputError(str(path), f"is no such table: {error}", "delete it, rerun") from error
    places = [
        f"{what + ':':10}{results / name}{how}"
        for what, name, how in WHERE
        if (results / name).exists()
    ]
    return "\n".join([*lines, "", *places])


def _best(rows: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Of each area and mapping as many as there is room for, in the order of the table."""
    scored = defaultdict(list)
    for row in rows:
        scored[row["area"], row["mapping"]].append(row)
    each = max(1, MOST_ROWS // max(1, len(scored)))
    ranked = [sorted(of, key=lambda row: -float(row["score"]))[:each] for of in scored.values()]
    return [row for of in ranked for row in of][:MOST_ROWS]


def _row(row: dict[str, str]) -> tuple[str, ...]:
    low, high = (_number(row[name]) for name in ("score_low", "score_high"))
    share = float(row["score_of_ceiling"] or "nan")
    return (
        row["area"],
        row["mapping"],
        row["model"],
        row["best_layer"],
        _number(row["score"]),
        f"{low} to {high}" if low and high else "",
        f"{share:.0%}" if isfinite(share) else "",
    )


def _number(text: str) -> str:
    value = round(float(text or "nan"), 2) + 0.0  # no -0.00
    return f"{value:.2f}" if isfinite(value) else ""


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path)
    folder = parser.parse_args().folder
    try:
        if folder is None:
            tables = list(Path("results").glob(f"*/{TABLE}"))
            if not tables:
                raise InputError("results", "no study has a table of scores", "name its folder")
            folder = max(tables, key=lambda table: table.stat().st_mtime).parents[1]
        print(headline(folder) or f"{folder}: no scores yet")
    except InputError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
