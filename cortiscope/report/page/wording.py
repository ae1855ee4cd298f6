"""How the answer of a study is worded: numbers with intervals, lists, counts."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cortiscope.report.ceilings import LEVEL
from cortiscope.report.house_style import number

Tables = Mapping[str, pd.DataFrame]
NAMED = 3  # so many are named, and the others counted


def groups(table: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """The rows of each mapping and area, in the order of the table."""
    for (mapping, area), rows in table.groupby(["mapping", "area"], sort=False):
        yield str(mapping), str(area), rows


def of_pair(table: pd.DataFrame, mapping: str, area: str) -> pd.DataFrame:
    return table[(table["mapping"] == mapping) & (table["area"] == area)]


def interval(low: float, high: float) -> str:
    if not (np.isfinite(low) and np.isfinite(high)):
        return ""
    return f" (95 % interval {number(low)} to {number(high)})"


def percent(share: float) -> str:
    return f"{max(share, 0):.0%}".replace("%", " %")


def counted(count: int, noun: str) -> str:
    plural = {"family": "families"}.get(noun, f"{noun}s")
    return f"{'no' if count == 0 else count} {noun if count == 1 else plural}"


def listed(names: Sequence[str]) -> str:
    """Names in a row; of many, the first and how many more there are."""
    if len(names) <= NAMED + 1:
        return joined(names)
    return joined([*names[:NAMED], f"{len(names) - NAMED} more"])


def joined(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def named(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def too_few_resamples(tables: Tables, mapping: str, area: str, bootstraps: int) -> bool:
    """Whether no pair of models could differ, since its p-value times their number is too large."""
    pairs = of_pair(tables["model_comparisons"], mapping, area)
    smallest = 2 / (bootstraps + 1) * len(pairs)
    return len(pairs) > 0 and bool((pairs["correction"] == "holm").all()) and smallest > LEVEL
