"""Ceilings that a study gives, in place of those computed from its repetitions."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from cortiscope.mappings.kinds import MAPPINGS


def with_given(table: pd.DataFrame, given: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    """A layer table in which ceilings are those given, where there are, and say where from.

    given: mapping to area to the highest correlation; its square counts for shares of variance. Of
    half of the repetitions the ceiling is that of half the reliability (Spearman and Brown).
    """
    known = table["ceiling"].notna()
    table = table.assign(ceiling_source=np.where(known, "computed", "unknown"))
    for mapping, areas in given.items():
        power = 2 if MAPPINGS[mapping].squared else 1
        for area, ceiling in areas.items():
            rows = (table["mapping"] == mapping) & (table["area"] == area)
            halved = table.loc[rows, "selection_data"] == "repetitions"
            half = np.where(halved, ceiling / np.sqrt(2 - ceiling**2), ceiling)
            table.loc[rows, "ceiling"] = ceiling**power
            table.loc[rows, "selection_ceiling"] = half**power
            table.loc[rows, "score_of_ceiling"] = table.loc[rows, "score"] / ceiling**power
            table.loc[rows, ["ceiling_source", "ceiling_p"]] = "given", np.nan
    return table
