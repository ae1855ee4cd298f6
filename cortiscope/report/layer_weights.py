"""What each layer gives to the score of all layers of its model together."""

import pandas as pd

from cortiscope.report.model_tables import MEMBERS

COLUMNS = ["model", "mapping", "area", "layer", "depth", "weight"]


def layer_weights(table: pd.DataFrame) -> pd.DataFrame:
    """A row per layer of every score of all layers together, with its weight in it, 0 or more.

    table: the layer table of one model. Empty where all mappings score layers singly.
    """
    together = table[table["layer_weights"].notna()]
    names = dict(zip(MEMBERS, COLUMNS[3:], strict=True))
    rows = together[[*COLUMNS[:3], *MEMBERS]].explode(list(MEMBERS), ignore_index=True)
    return rows.rename(columns=names).astype({"depth": float, "weight": float})
