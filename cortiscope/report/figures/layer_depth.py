"""The scores of all layers along the depth of their models."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from cortiscope.report.figure_curves import draw_curve, line_handles, line_looks
from cortiscope.report.figure_looks import PALE
from cortiscope.report.figure_style import (
    MILLIMETRE,
    bottom_panels,
    draw_ceiling,
    name_panel,
    on_page,
    panel_grid,
    panel_width,
    say_empty,
    score_label,
)
from cortiscope.report.pages import Page

CURVES = [
    "mapping", "area", "model", "family", "architecture", "training", "layer", "layer_index",
    "depth", "score", "score_low", "score_high", "ceiling", "score_of_ceiling",
]  # fmt: skip


def draw(
    page: Page, tables: Mapping[str, pd.DataFrame], measures: Mapping[str, str]
) -> tuple[Figure, pd.DataFrame]:
    """Score of every layer against its depth: a panel per area, a line per model.

    Trained models solid, untrained ones dashed. Returns the figure and its points.
    """
    layers = on_page(tables["layers"], page)[CURVES]
    areas, models = list(layers["area"].unique()), layers.drop_duplicates("model")
    looks, groups = line_looks(models)
    labels = {mapping: score_label(mapping, what) for mapping, what in measures.items()}
    handles = line_handles(models, looks, groups)
    figure, panels = panel_grid(labels, areas, 45 * MILLIMETRE, handles)
    width = panel_width(areas)
    for (mapping, area), axes in panels.items():
        here = layers[(layers["mapping"] == mapping) & (layers["area"] == area)]
        name_panel(axes, area, width=width)
        axes.axhline(0, color=PALE, linewidth=0.6, zorder=0)
        if here["depth"].isna().all():
            say_empty(axes, "all layers are scored\ntogether")
            continue
        for model, rows in here.groupby("model", sort=False):
            draw_curve(axes, rows, looks[str(model)])
        draw_ceiling(axes, here)
        axes.set_xlim(-0.03, 1.03)
        axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    for axes in bottom_panels(panels, areas):
        axes.set_xlabel("depth (first to last layer)")
    return figure, layers
