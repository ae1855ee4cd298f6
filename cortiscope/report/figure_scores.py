"""Figures of scores: against the accuracy of the models, and along their depth."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cortiscope.report.figure_style import (
    GREY,
    LABELLED,
    MARKERS,
    MILLIMETRE,
    PALE,
    Panels,
    add_legend,
    beside_or_below,
    bottom_panels,
    draw_ceiling,
    group_handles,
    model_colours,
    n_columns,
    name_panel,
    panel_grid,
    panel_width,
    records,
    row_height,
    say_empty,
    score_label,
    training_handles,
)


def accuracy_vs_score(
    models: pd.DataFrame, correlations: pd.DataFrame, measures: Mapping[str, str]
) -> Figure:
    """Top-1 accuracy against the score of the best layer: a panel per area, a row per mapping.

    models: rows of accuracy_vs_brain with `architecture`. measures: mapping to what its score is,
    in their order. Bars: 95 % over stimuli.
    """
    areas = list(models["area"].unique())
    figure, panels = _score_panels(measures, areas, 50 * MILLIMETRE)
    every = models.drop_duplicates("model")
    colours, groups = model_colours(every)
    few = len(every) <= LABELLED
    looks = point_looks(every, colours, few)
    stated = {key: row for key, row in plain(correlations).groupby(["mapping", "area"])}
    parts = [_correlation(stated.get(key)) for key in panels]
    notes = beside_or_below(parts, panel_width(n_columns(areas)))
    for note, ((mapping, area), axes) in zip(notes, panels.items(), strict=True):
        here = models[(models["mapping"] == mapping) & (models["area"] == area)]
        shown = here.dropna(subset=["top1", "score"])
        name_panel(axes, area, note)
        axes.axhline(0, color=PALE, linewidth=0.6, zorder=0)
        if shown.empty:
            say_empty(axes, "no model with known accuracy")
        _points(axes, shown, looks)
        if note.startswith("r ="):
            _regression(axes, shown)
        draw_ceiling(axes, here)
    for axes in bottom_panels(panels, areas):
        axes.set_xlabel("top-1 accuracy (%)")
    if few:
        add_legend(figure, [Line2D([], [], label=model, **look) for model, look in looks.items()])
    else:
        add_legend(figure, group_handles(groups) + training_handles())
    return figure


def _score_panels(
    measures: Mapping[str, str], areas: Sequence[str], height: float
) -> tuple[Figure, Panels]:
    """Panels whose y axis is a score; height: of a row, in inches, as far as it fits a page."""
    labels = {mapping: score_label(mapping, what) for mapping, what in measures.items()}
    n_rows = -(-len(areas) // n_columns(areas)) * len(labels)
    return panel_grid(labels, areas, row_height(labels.values(), n_rows, height))


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


def _correlation(statistics: pd.DataFrame | None) -> tuple[str, str]:
    """What a panel states, in two parts."""
    if statistics is None:
        return "fewer than 3 models", "with known accuracy"
    row = statistics.iloc[0]
    if not np.isfinite(row["r"]):
        return "accuracy or score", "does not vary"
    correlation = f"r = {row['r']:.2f} [{row['r_low']:.2f}, {row['r_high']:.2f}],"
    size = f"p {p_text(row['p_value'])}, n = {row['n_models']:.0f}"
    return correlation.replace("-", "−"), size


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


def layer_depth(layers: pd.DataFrame, measures: Mapping[str, str]) -> Figure:
    """Score of every layer against its depth: a panel per area, a line per model.

    layers: rows of layers.csv. measures: mapping to what its score is, in their order. Trained
    models solid, untrained ones dashed.
    """
    areas = list(layers["area"].unique())
    figure, panels = _score_panels(measures, areas, 45 * MILLIMETRE)
    models = layers.drop_duplicates("model")
    colours, groups = model_colours(models)
    few = len(models) <= LABELLED
    looks = line_looks(models, colours, few)
    for (mapping, area), axes in panels.items():
        here = layers[(layers["mapping"] == mapping) & (layers["area"] == area)]
        name_panel(axes, area)
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
    add_legend(figure, line_handles(looks, groups, few))
    return figure


def draw_curve(axes: Axes, rows: pd.DataFrame, look: Mapping[str, Any]) -> None:
    """A model's layers in their order. No line reaches one without a scored neighbour: a dot."""
    rows = rows.sort_values("layer_index", kind="stable")
    [line] = axes.plot(rows["depth"], rows["score"], **look)
    line.set_in_layout(False)
    known = np.pad(rows[["depth", "score"]].notna().all(axis=1).to_numpy(), 1)
    alone = np.flatnonzero(known[1:-1] & ~known[:-2] & ~known[2:])
    if look["marker"] is None and len(alone):
        line.set(marker=".", markevery=alone.tolist())


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
