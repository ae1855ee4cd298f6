"""Figures of scores: against the accuracy of the models, and along their depth."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cortiscope.figure_style import (
    GREY,
    LABELLED,
    MARKERS,
    MILLIMETRE,
    PALE,
    add_legend,
    bottom_panels,
    draw_ceiling,
    group_handles,
    model_colours,
    name_panel,
    panel_grid,
    records,
    say_empty,
    training_handles,
)


def accuracy_vs_score(models: pd.DataFrame, correlations: pd.DataFrame) -> Figure:
    """Top-1 accuracy against the score of the best layer: a panel per area, a row per mapping.

    models: rows of accuracy_vs_brain with `architecture`. Bars: 95 % over stimuli.
    """
    mappings, areas = list(models["mapping"].unique()), list(models["area"].unique())
    figure, panels = panel_grid(mappings, areas, 50 * MILLIMETRE)
    every = models.drop_duplicates("model")
    colours, groups = model_colours(every)
    few = len(every) <= LABELLED
    looks = point_looks(every, colours, few)
    for (mapping, area), axes in panels.items():
        here = models[(models["mapping"] == mapping) & (models["area"] == area)]
        shown = here.dropna(subset=["top1", "score"])
        stated = plain(correlations)
        statistics = stated[(stated["mapping"] == mapping) & (stated["area"] == area)]
        name_panel(axes, area, _correlation_text(statistics, len(areas)))
        axes.axhline(0, color=PALE, linewidth=0.6, zorder=0)
        if shown.empty:
            say_empty(axes, "no model with known accuracy")
        _points(axes, shown, looks)
        if statistics["r"].notna().any():
            _regression(axes, shown)
        draw_ceiling(axes, here["ceiling"])
    for axes in bottom_panels(panels, mappings, areas):
        axes.set_xlabel("top-1 accuracy (%)")
    if few:
        add_legend(figure, [Line2D([], [], label=model, **look) for model, look in looks.items()])
    else:
        add_legend(figure, group_handles(groups) + training_handles())
    return figure


def point_looks(
    models: pd.DataFrame, colours: dict[str, str], few: bool
) -> dict[str, dict[str, Any]]:
    """How each model's point is drawn: as on its line where models are few, else a small dot."""
    dot: dict[str, Any] = {"linestyle": "none", "markersize": 4.5 if few else 3.0}
    dot |= {} if few else {"marker": "o"}
    return {model: look | dot for model, look in line_looks(models, colours, few).items()}


def plain(correlations: pd.DataFrame) -> pd.DataFrame:
    """The correlations over all models with nothing held fixed."""
    return correlations[(correlations["models"] == "all") & (correlations["given"] == "nothing")]


def _correlation_text(statistics: pd.DataFrame, n_areas: int) -> str:
    between = "\n" if n_areas == 4 else " "  # four panels a row are narrow
    if statistics.empty:
        return f"fewer than 3 models{between}with known accuracy"
    row = statistics.iloc[0]
    if not np.isfinite(row["r"]):
        return f"accuracy or score{between}does not vary"
    correlation = f"r = {row['r']:.2f} [{row['r_low']:.2f}, {row['r_high']:.2f}]".replace("-", "−")
    size = f"p {p_text(row['p_value'])}, n = {row['n_models']:.0f}"
    return f"{correlation},{between}{size}"


def p_text(p: float) -> str:
    """A p-value as it follows the letter p, such as `= 0.012` or `< 0.001`."""
    if not np.isfinite(p):
        return "n/a"
    return "< 0.001" if p < 0.001 else f"= {p:.3f}" if p < 0.1 else f"= {p:.2f}"


def _points(axes: Axes, shown: pd.DataFrame, looks: dict[str, dict[str, Any]]) -> None:
    for row in records(shown):
        look = looks[str(row.model)]
        bar = axes.vlines(
            row.top1, row.score_low, row.score_high, colors=look["color"], linewidth=0.7,
            alpha=look["alpha"], zorder=2,
        )  # fmt: skip
        [dot] = axes.plot(row.top1, row.score, **look, zorder=3)
        for artist in (bar, dot):  # inside the axes anyway: no need to make room for them
            artist.set_in_layout(False)
    axes.margins(x=0.08)


def _regression(axes: Axes, shown: pd.DataFrame) -> None:
    """The least-squares line over the range of the points."""
    x = shown["top1"].to_numpy(float)
    slope, intercept = np.polyfit(x, shown["score"].to_numpy(float), 1)
    ends = np.array([x.min(), x.max()])
    axes.plot(ends, slope * ends + intercept, color="black", linewidth=0.8, zorder=1.5)


def layer_depth(layers: pd.DataFrame) -> Figure:
    """Score of every layer against its depth: a panel per area, a line per model.

    layers: rows of layers.csv. Trained models solid, untrained ones dashed.
    """
    mappings, areas = list(layers["mapping"].unique()), list(layers["area"].unique())
    figure, panels = panel_grid(mappings, areas, 45 * MILLIMETRE)
    models = layers.drop_duplicates("model")
    colours, groups = model_colours(models)
    few = len(models) <= LABELLED
    looks = line_looks(models, colours, few)
    for (mapping, area), axes in panels.items():
        here = layers[(layers["mapping"] == mapping) & (layers["area"] == area)]
        name_panel(axes, area)
        axes.axhline(0, color=PALE, linewidth=0.6, zorder=0)
        for model, rows in here.groupby("model", sort=False):
            rows = rows.sort_values("layer_index", kind="stable")
            [line] = axes.plot(rows["depth"], rows["score"], **looks[str(model)])
            line.set_in_layout(False)
        draw_ceiling(axes, here["ceiling"])
        axes.set_xlim(-0.03, 1.03)
        axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    for axes in bottom_panels(panels, mappings, areas):
        axes.set_xlabel("depth (first to last layer)")
    add_legend(figure, line_handles(looks, groups, few))
    return figure


def line_handles(looks: dict[str, dict], groups: dict[str, str], few: bool) -> list[Line2D]:
    """A line per model in the legend where they are few, else per group and training."""
    if few:
        return [Line2D([], [], label=model, **look) for model, look in looks.items()]
    dashed: dict[str, Any] = {"color": GREY, "linestyle": (0, (3, 1.5))}
    trained = Line2D([], [], label="trained", color=GREY)
    return [*group_handles(groups), trained, Line2D([], [], label="untrained", **dashed)]


def line_looks(
    models: pd.DataFrame, colours: dict[str, str], few: bool
) -> dict[str, dict[str, Any]]:
    """How each model's line is drawn; models of one colour differ by their markers."""
    used: dict[tuple[str, str], int] = {}
    looks = {}
    for row in records(models):
        name, trained = str(row.model), row.training == "trained"
        kind = (colours[name], str(row.training))
        number = used[kind] = used.get(kind, -1) + 1
        looks[name] = {
            "color": colours[name],
            "linestyle": "-" if trained else (0, (3, 1.5)),
            "linewidth": 1.1 if few else 0.6,
            "alpha": 1.0 if few else 0.6,
            "marker": MARKERS[number % len(MARKERS)] if few else None,
            "markersize": mpl.rcParams["font.size"] * 0.4,
            "markerfacecolor": colours[name] if trained else "white",
            "markeredgewidth": 0.7,
        }
    return looks
