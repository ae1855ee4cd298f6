"""The scores of whole zoos as a heat map: a row per model, a column per area."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cortiscope.report.ceilings import LEVEL
from cortiscope.report.figure_matrices import UNSCORED, HeatMap, explain, heat_maps, span
from cortiscope.report.pages import Page

NO_SHARE = "×"


def draw(
    page: Page, tables: Mapping[str, pd.DataFrame], measures: Mapping[str, str]
) -> tuple[Figure, pd.DataFrame]:
    """Heat map of the best layers' scores, models sorted by accuracy; a panel per mapping.

    Colours mean the same on all pages. The share of the ceiling where a mapping has one for all
    areas, or none above chance, else the score itself. Returns the figure and its cells.
    """
    models = tables["accuracy_vs_brain"]
    ordered = models.drop_duplicates("model").sort_values(
        "top1", ascending=False, kind="stable", na_position="last"
    )
    ordered = ordered.iloc[page.first : page.last]
    maps, cells = [], []
    for mapping in page.mappings:
        found = models[models["mapping"] == mapping]
        # Known as well where it is known that there is none above chance.
        known = (found["ceiling"].notna() | (found["ceiling_p"] > LEVEL))[found["score"].notna()]
        share = bool(known.all()) and bool(found["score_of_ceiling"].notna().any())
        quantity = "score_of_ceiling" if share else "score"
        scores, values = (
            found.pivot(index="model", columns="area", values=name).reindex(
                ordered["model"], columns=page.areas
            )
            for name in ("score", quantity)
        )
        marks = np.where(values.notna(), "", np.where(scores.notna(), NO_SHARE, UNSCORED))
        top = 1.0 if share else span(found["score"])
        note = ("share of the ceiling" if share else "score", f"({measures[mapping]})")
        bold = np.zeros(values.shape, bool)
        maps.append(HeatMap(mapping, note, values, marks, bold, (0.0, top)))
        here = found[found["area"].isin(page.areas) & found["model"].isin(ordered["model"])]
        cells.append(here.assign(quantity=quantity, value=here[quantity]))
    accuracies = [f" ({top1:.1f})" if np.isfinite(top1) else " (–)" for top1 in ordered["top1"]]
    names = list(zip(ordered["model"], accuracies, strict=True))
    figure, _ = heat_maps(maps, names, "model (top-1 accuracy, %)", "Blues")
    words = {UNSCORED: "not scored", NO_SHARE: "no share, since no ceiling is above chance"}
    used = {mark for one in maps for mark in one.marks.flat}
    explain(figure, [f"{mark}: {said}" for mark, said in words.items() if mark in used])
    columns = ["model", "top1", "training", "mapping", "area", "quantity", "value"]
    return figure, pd.concat(cells)[columns]
