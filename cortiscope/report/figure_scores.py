"""Figures of scores: against the accuracy of the models, and along their depth."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cortiscope.report.figure_looks import (
    GREY,
    LABELLED,
    PALE,
    group_handles,
    model_looks,
    records,
    training_handles,
)
from cortiscope.report.figure_style import (
    MILLIMETRE,
    beside_or_below,
    bottom_panels,
    draw_ceiling,
    font_size,
    name_panel,
    number,
    panel_grid,
    panel_width,
    say_empty,
    say_nothing,
    score_label,
)

DASHED: tuple[float, Sequence[float]] = (0, (3, 1.5))
DOT: dict[str, Any] = {"linestyle": "none", "marker": ".", "markersize": 2.5}  # a subject
THIN = 0.6  # points: lines of more models than can be named
# Models that a correlation is over, and the line that is fitted to them.
SUBSETS: dict[str, Any] = {"all": "-", "trained": DASHED}


def accuracy_vs_score(
    models: pd.DataFrame,
    correlations: pd.DataFrame,
    measures: Mapping[str, str],
    subjects: pd.DataFrame,
) -> Figure:
    """Top-1 accuracy against the score of the best layer: a panel per area, a row per mapping.

    models: rows of accuracy_vs_brain with `architecture`. measures: mapping to what its score is,
    in their order. subjects: rows of subjects.csv, drawn as small dots. Bars: 95 % over stimuli,
    and over subjects where there are any. Where some models are trained and some are not, their
    correlation over all may be that of two clouds: that over the trained alone stands beside it.
    """
    every, areas = models.drop_duplicates("model"), list(models["area"].unique())
    if every["top1"].isna().all():
        return say_nothing("no model with known accuracy:\nthere is nothing to set scores against")
    looks, groups = line_looks(every)
    dot = {"linestyle": "none", "markersize": font_size() * (0.42 if groups else 0.55)}
    looks = {model: look | dot for model, look in looks.items()}
    points = models.dropna(subset=["top1", "score"])
    subsets = list(SUBSETS) if points["training"].nunique() > 1 else ["all"]
    labels = {mapping: score_label(mapping, what) for mapping, what in measures.items()}
    counts = _counts(points, subsets)
    handles = _point_handles(every, looks, groups) + _fit_handles(subsets, counts)
    several = bool(subjects["score"].notna().any())
    if several:
        handles.append(Line2D([], [], label="each subject", **DOT, color=GREY))
    figure, panels = panel_grid(labels, areas, 50 * MILLIMETRE, handles)
    width = panel_width(areas)
    stated = _stated(plain(correlations), list(panels), subsets, width, not counts)
    for (mapping, area), axes in panels.items():
        here = models[(models["mapping"] == mapping) & (models["area"] == area)]
        shown = here.dropna(subset=["top1", "score"])
        axes.axhline(0, color=PALE, linewidth=0.6, zorder=0)
        draw_ceiling(axes, here)
        name_panel(axes, area, "" if shown.empty else stated[mapping, area], width)
        if shown.empty:
            say_empty(axes, "not scored")
            continue
        if several:
            _subjects(axes, shown, subjects, looks)
        _points(axes, shown, looks)
        for name in subsets:
            _regression(axes, _members(shown, name), SUBSETS[name])
    for axes in bottom_panels(panels, areas):
        axes.set_xlabel("top-1 accuracy (%)")
    return figure


def _members(points: pd.DataFrame, subset: str) -> pd.DataFrame:
    return points if subset == "all" else points[points["training"] == subset]


def _point_handles(
    every: pd.DataFrame, looks: Mapping[str, dict[str, Any]], groups: dict[str, tuple[str, str]]
) -> list[Line2D]:
    if groups:
        return group_handles(groups) + training_handles(every)
    known = every.dropna(subset=["top1"])["model"]
    return [Line2D([], [], label=model, **looks[model]) for model in known]


def _counts(points: pd.DataFrame, subsets: Sequence[str]) -> dict[str, int]:
    """How many models each subset has; nothing where that differs between panels."""
    counts = {}
    for name in subsets:
        sizes = _members(points, name).groupby(["mapping", "area"]).size()
        if sizes.nunique() != 1:
            return {}
        counts[name] = int(sizes.iloc[0])
    return counts


def _fit_handles(subsets: Sequence[str], counts: Mapping[str, int]) -> list[Line2D]:
    words = {"all": "all", "trained": "trained alone"}
    return [
        Line2D(
            [], [], color="black", linewidth=0.8, linestyle=SUBSETS[name],
            label=f"fit to {words[name]}" + (f", n = {counts[name]}" if counts else ""),
        )
        for name in subsets
        if counts.get(name, 3) > 2
    ]  # fmt: skip


def plain(correlations: pd.DataFrame) -> pd.DataFrame:
    """The correlations with nothing held fixed."""
    return correlations[correlations["given"] == "nothing"]


def _stated(
    correlations: pd.DataFrame,
    panels: Sequence[tuple[str, str]],
    subsets: Sequence[str],
    width: float,
    with_n: bool,
) -> dict[tuple[str, str], str]:
    """What each panel says of its correlations: a line for each subset, or two where narrow."""
    rows = {(row.mapping, row.area, row.models): row for row in records(correlations)}
    parts = []
    for mapping, area in panels:
        for name in subsets:
            row = rows.get((mapping, area, name))
            said = f"{name}: {_correlation(row)}" if len(subsets) > 1 else _correlation(row)
            n = f"(n = {row.n_models:.0f})" if with_n and row is not None else ""
            parts.append((said, n))
    lines = beside_or_below(parts, width)
    each = len(subsets)
    return {key: "\n".join(lines[each * i : each * (i + 1)]) for i, key in enumerate(panels)}


def _correlation(row: Any) -> str:
    """What a panel states of a row of the correlations."""
    if row is None:
        return "fewer than 3 models"
    if not np.isfinite(row.r):
        return "accuracy or score is constant"
    if not np.isfinite(row.r_low):  # of three models
        return f"r = {number(row.r)}"
    return f"r = {number(row.r)} [{number(row.r_low)}, {number(row.r_high)}]"


def p_text(p: float) -> str:
    """A p-value as it follows the letter p, such as `= 0.012` or `< 0.001`."""
    if not np.isfinite(p):
        return "n/a"
    return "< 0.001" if p < 0.001 else f"= {p:.3f}" if p < 0.1 else f"= {p:.2f}"


def _points(axes: Axes, shown: pd.DataFrame, looks: dict[str, dict[str, Any]]) -> None:
    own = [looks[str(model)] for model in shown["model"]]
    bars = axes.vlines(
        shown["top1"], shown["score_low"], shown["score_high"],
        colors=[look["color"] for look in own], linewidth=0.7, alpha=0.7, zorder=2,
    )  # fmt: skip
    alike: dict[str, list[Any]] = {}
    for row, look in zip(records(shown), own, strict=True):
        alike.setdefault(str(look), [look, [], []])
        alike[str(look)][1].append(row.top1)
        alike[str(look)][2].append(row.score)
    dots = [dot for look, x, y in alike.values() for dot in axes.plot(x, y, **look, zorder=3)]
    for artist in (bars, *dots):  # inside the axes anyway: no need to make room for them
        artist.set_in_layout(False)
    axes.margins(x=0.08)


def _subjects(
    axes: Axes, shown: pd.DataFrame, subjects: pd.DataFrame, looks: dict[str, dict[str, Any]]
) -> None:
    """The score of the best layer in every subject, beside the bar of its model."""
    both = shown.merge(
        subjects[["model", "mapping", "area", "score"]],
        on=["model", "mapping", "area"],
        suffixes=("", "_subject"),
    )
    for model, rows in both.groupby("model", sort=False):
        colour = looks[str(model)]["color"]
        [dots] = axes.plot(
            rows["top1"], rows["score_subject"], **DOT, color=colour, alpha=0.6, zorder=2.5
        )
        dots.set_in_layout(False)


def _regression(axes: Axes, shown: pd.DataFrame, style: Any) -> None:
    """The least-squares line over the range of the points, where they have one."""
    x = shown["top1"].to_numpy(float)
    if len(x) < 3 or np.ptp(x) == 0:
        return
    slope, intercept = np.polyfit(x, shown["score"].to_numpy(float), 1)
    ends = np.array([x.min(), x.max()])
    line = slope * ends + intercept
    axes.plot(ends, line, color="black", linewidth=0.8, linestyle=style, zorder=4)


def layer_depth(layers: pd.DataFrame, measures: Mapping[str, str]) -> Figure:
    """Score of every layer against its depth: a panel per area, a line per model.

    layers: rows of layers.csv. measures: mapping to what its score is, in their order. Trained
    models solid, untrained ones dashed.
    """
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
    return figure


def draw_curve(axes: Axes, rows: pd.DataFrame, look: Mapping[str, Any]) -> None:
    """A model's layers in their order, each marked; of thin lines only the highest.

    So are layers without a scored neighbour, which no line reaches.
    """
    rows = rows.sort_values("layer_index", kind="stable")
    [line] = axes.plot(rows["depth"], rows["score"], **look)
    line.set_in_layout(False)
    known = np.pad(rows[["depth", "score"]].notna().all(axis=1).to_numpy(), 1)
    alone = np.flatnonzero(known[1:-1] & ~known[:-2] & ~known[2:])
    if look["linewidth"] == THIN:
        top = rows["score"].to_numpy(float)
        peak = [int(np.nanargmax(top))] if np.isfinite(top).any() else []
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
