"""What training changes in every model and area, as a heat map."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cortiscope.report.figure_matrices import (
    BOLD,
    UNSCORED,
    HeatMap,
    explain,
    heat_maps,
    span,
)
from cortiscope.report.figure_pairs import ALPHA, pairs_on_page
from cortiscope.report.pages import Page


def draw(
    page: Page, tables: Mapping[str, pd.DataFrame], measures: Mapping[str, str]
) -> tuple[Figure, pd.DataFrame]:
    """Heat map of what training changes, where rows with intervals would take too many pages.

    Colours mean the same on all pages. Returns the figure and its rows.
    """
    contrasts = tables["contrasts"]
    rows, names = pairs_on_page(contrasts, page)
    maps = []
    for mapping in page.mappings:
        top = span(contrasts.loc[contrasts["mapping"] == mapping, "difference"])
        here = rows[rows["mapping"] == mapping]
        values, p = (
            here.pivot(index="pair", columns="area", values=name).reindex(
                list(names), columns=page.areas
            )
            for name in ("difference", "p_adjusted")
        )
        marks = np.where(values.notna(), "", UNSCORED)
        note = ("trained − untrained", f"({measures[mapping]})")
        maps.append(HeatMap(mapping, note, values, marks, (p < ALPHA).to_numpy(), (-top, top)))
    labels = [(name, "") for name in names.values()]
    figure, numbers = heat_maps(maps, labels, "trained model", "RdBu")
    words = [f"{'bold' if numbers else BOLD}: adjusted p < {ALPHA}"]
    unscored = any(UNSCORED in one.marks for one in maps)
    explain(figure, words + [f"{UNSCORED}: not scored"] * unscored)
    return figure, rows.drop(columns="pair")
