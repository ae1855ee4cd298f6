"""A line per model along its depth, and how models' lines and points look."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from cortiscope.report.figure_looks import GREY, group_handles
from cortiscope.report.figure_style import font_size
from cortiscope.report.house_style import LABELLED, model_looks, records

DASHED: tuple[float, Sequence[float]] = (0, (3, 1.5))
THIN = 0.6  # points: lines of more models than can be named


def draw_curve(axes: Axes, rows: pd.DataFrame, look: Mapping[str, Any]) -> None:
    """A model's layers in their order, each marked; of thin lines only the highest.

    So are layers without a scored neighbour, which no line reaches.
    """
    order = np.argsort(rows["layer_index"].to_numpy(), kind="stable")
    depth, score = (rows[name].to_numpy(float)[order] for name in ("depth", "score"))
    [line] = axes.plot(depth, score, **look)
    line.set_in_layout(False)
    known = np.pad(np.isfinite(depth) & np.isfinite(score), 1)
    alone = np.flatnonzero(known[1:-1] & ~known[:-2] & ~known[2:])
    if look["linewidth"] == THIN:
        peak = [int(np.nanargmax(score))] if np.isfinite(score).any() else []
        line.set_markevery(sorted({*alone.tolist(), *peak}))


def line_handles(
    models: pd.DataFrame, looks: Mapping[str, dict[str, Any]], groups: dict[str, tuple[str, str]]
) -> list[Line2D]:
    """A line per model in the legend where they are few, else per group and training."""
    if not groups:
        return [Line2D([], [], label=model, **look) for model, look in looks.items()]
    styles: dict[str, tuple[Any, str]] = {"trained": ("-", GREY), "untrained": (DASHED, "white")}
    dot: dict[str, Any] = {"marker": "o", "markersize": font_size() * 0.35}
    lines = [
        Line2D(
            [], [], label=kind, color=GREY, linewidth=THIN, linestyle=style, **dot,
            markerfacecolor=face,
        )
        for kind, (style, face) in styles.items()
        if (models["training"] == kind).any()
    ]  # fmt: skip
    return [*group_handles(groups), *lines]


def line_looks(
    models: pd.DataFrame,
) -> tuple[dict[str, dict[str, Any]], dict[str, tuple[str, str]]]:
    """How each model's line is drawn, and the groups of the legend: see `model_looks`."""
    colours, groups = model_looks(models)
    few = len(models) <= LABELLED
    looks = {}
    for row in records(models):
        name, trained = str(row.model), row.training == "trained"
        colour, marker = colours[name]
        looks[name] = {
            "color": colour,
            "linestyle": "-" if trained else DASHED,
            "linewidth": 1.1 if few else THIN,
            "alpha": 1.0 if few else 0.7,
            "marker": marker,
            "markersize": font_size() * (0.45 if few else 0.35),
            "markerfacecolor": colour if trained else "white",
            "markeredgewidth": 0.7 if few else 0.5,
        }
    return looks, groups
