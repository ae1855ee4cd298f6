"""Figures of scores: against the accuracy of the models, and along their depth."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
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
from cortiscope.point_labels import label_points


def accuracy_vs_score(models: pd.DataFrame, correlations: pd.DataFrame) -> Figure:
    """Top-1 accuracy against the score of the best layer: a panel per area, a row per mapping.

    models: rows of accuracy_vs_brain with `architecture`. Bars: 95 % over stimuli.
    """
    mappings, areas = list(models["mapping"].unique()), list(models["area"].unique())
    figure, panels = panel_grid(mappings, areas, 50 * MILLIMETRE)
    colours, groups = model_colours(models.drop_duplicates("model"))
    drawn = {}
    for (mapping, area), axes in panels.items():
        here = models[(models["mapping"] == mapping) & (models["area"] == area)]
        shown = here.dropna(subset=["top1", "score"])
        stated = plain(correlations)
        statistics = stated[(stated["mapping"] == mapping) & (stated["area"] == area)]
        name_panel(axes, area, _correlation_text(statistics, len(areas)))
        axes.axhline(0, color=PALE, linewidth=0.6, zorder=0)
        if shown.empty:
            say_empty(axes, "no model with known accuracy")
        _scatter(axes, shown, colours)
        if statistics["r"].notna().any():
            _regression(axes, shown)
        draw_ceiling(axes, here["ceiling"])
        drawn[axes] = shown
    for axes in bottom_panels(panels, mappings, areas):
        axes.set_xlabel("top-1 accuracy (%)")
    add_legend(figure, group_handles(groups) + training_handles())
    if models["model"].nunique() <= LABELLED:
        _label(figure, drawn)
    return figure


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


def _scatter(axes: Axes, shown: pd.DataFrame, colours: dict[str, str]) -> None:
    many = len(shown) > LABELLED
    edges = [colours[str(model)] for model in shown["model"]]
    faces = [
        colour if training == "trained" else "white"
        for colour, training in zip(edges, shown["training"], strict=True)
    ]
    x = shown["top1"]
    bars = axes.vlines(
        x, shown["score_low"], shown["score_high"], colors=edges, linewidth=0.7,
        alpha=0.5 if many else 0.8, zorder=2,
    )  # fmt: skip
    dots = axes.scatter(
        x, shown["score"], s=9 if many else 16, facecolors=faces, edgecolors=edges,
        linewidth=0.8, zorder=3,
    )  # fmt: skip
    for artist in (bars, dots):  # inside the axes anyway: no need to make room for them
        artist.set_in_layout(False)
    axes.margins(x=0.08)


def _regression(axes: Axes, shown: pd.DataFrame) -> None:
    """The least-squares line over the range of the points."""
    x = shown["top1"].to_numpy(float)
    slope, intercept = np.polyfit(x, shown["score"].to_numpy(float), 1)
    ends = np.array([x.min(), x.max()])
    axes.plot(ends, slope * ends + intercept, color="black", linewidth=0.8, zorder=1.5)


def _label(figure: Figure, drawn: dict[Axes, pd.DataFrame]) -> None:
    FigureCanvasAgg(figure).draw()
    figure.set_layout_engine("none")  # the labels' places hold for this layout
    for axes, shown in drawn.items():
        points = shown[["top1", "score"]].to_numpy(float)
        bars = shown[["score_low", "score_high"]].to_numpy(float)
        if len(points):
            label_points(axes, points, bars, [str(name) for name in shown["model"]])


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


def line_looks(models: pd.DataFrame, colours: dict[str, str], few: bool) -> dict[str, dict]:
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
