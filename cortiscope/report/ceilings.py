"""The ceilings that scores are set against, computed from the repetitions of a study or given."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from cortiscope.files import Group
from cortiscope.mappings.kinds import MAPPINGS, Kind

LEVEL = 0.05  # of the p-value of a ceiling, up to which it is above chance


class Ceilings(NamedTuple):
    """Of an area for a mapping: of all the data, and of those on which selected layers are scored.

    In the units of the score, a correlation or a share of variance. NaN where not known, not above
    0, or not above chance: noise reaches a ceiling of 0.4. p: that the recordings repeat by more
    than chance; NaN = not known. low, high: what a model that is the same for all subjects could
    score on average over them, see `noise_ceilings.subjects`; NaN without several.
    """

    whole: float
    selected: float
    p: float
    low: float
    high: float


def area_ceilings(mapping: Kind, about: Mapping[str, Any], ceilings: Group) -> Ceilings:
    """From a ceilings file; about: the attributes of the score file.

    Halves of the stimuli are answered by all repetitions, halves of the repetitions are noisier.
    """
    name = ceiling_name(mapping, about)
    if not name:
        return Ceilings(*(np.nan,) * 5)
    halved = about["halved"] == "repetitions"
    found = [float(ceilings[key]) for key in (name, f"{name}_half" if halved else name)]
    p, power = float(ceilings[f"{name}_p"]), 2 if mapping.squared else 1
    whole, selected = (
        ceiling**power if ceiling > 0 and not p > LEVEL else np.nan for ceiling in found
    )
    low, high = (_bound(ceilings, mapping.ceiling, side, power) for side in ("low", "high"))
    return Ceilings(whole, selected, p, low, high)


def ceiling_name(mapping: Kind, about: Mapping[str, Any]) -> str:
    """What in a ceilings file its scores are set against; about: as above."""
    return "median_ceiling" if about.get("protocol") == "brainscore" else mapping.ceiling


def _bound(ceilings: Group, kind: str, side: str, power: int) -> float:
    """Of mappings that compare stimuli; neuroids of other subjects are not the same neuroids."""
    name = f"{kind.removesuffix('_ceiling')}_bound_{side}"
    if name not in ceilings.variables:
        return np.nan
    bound = float(ceilings[name])
    return bound if power == 1 else max(bound, 0.0) ** power


def with_given(table: pd.DataFrame, given: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    """A layer table in which ceilings are those given, where there are, and say where from.

    `ceiling_source`: given, computed, `not above chance` where there is none for that, or unknown.

    given: mapping to area to the highest correlation; its square counts for shares of variance. Of
    half of the repetitions the ceiling is that of half the reliability (Spearman and Brown).
    """
    none = np.where(table["ceiling_p"] > LEVEL, "not above chance", "unknown")
    table = table.assign(ceiling_source=np.where(table["ceiling"].notna(), "computed", none))
    for mapping, areas in given.items():
        power = 2 if MAPPINGS[mapping].squared else 1
        for area, ceiling in areas.items():
            rows = (table["mapping"] == mapping) & (table["area"] == area)
            halved = table.loc[rows, "halved"] == "repetitions"
            half = np.where(halved, ceiling / np.sqrt(2 - ceiling**2), ceiling)
            table.loc[rows, "ceiling"] = ceiling**power
            table.loc[rows, "selection_ceiling"] = half**power
            table.loc[rows, "score_of_ceiling"] = table.loc[rows, "score"] / ceiling**power
            table.loc[rows, ["ceiling_source", "ceiling_p"]] = "given", np.nan
    return table
