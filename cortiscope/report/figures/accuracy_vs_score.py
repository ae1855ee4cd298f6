"""The scores of the best layers against the accuracies of their models."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cortiscope.report.best_layers import GROUP
from cortiscope.report.figure_curves import DASHED, line_looks
from cortiscope.report.figure_looks import GREY, PALE, group_handles, training_handles
from cortiscope.report.figure_style import (
    MILLIMETRE,
    beside_or_below,
    bottom_panels,
    draw_ceiling,
    font_size,
    name_panel,
    on_page,
    panel_grid,
    panel_width,
    say_empty,
    say_nothing,
    score_label,
)
from cortiscope.report.house_style import number, records
from cortiscope.report.pages import Page

POINTS = [
    "mapping", "area", "model", "family", "architecture", "training", "top1", "best_layer",
    "score", "score_low", "score_high", "ceiling", "score_of_ceiling",
]  # fmt: skip
DOT: dict[str, Any] = {"linestyle": "none", "marker": ".", "markersize": 2.5}  # a subject
# Models that a correlation is over, and the line that is fitted to them.
SUBSETS: dict[str, Any] = {"all": "-", "trained": DASHED}


def draw(
    page: Page, tables: Mapping[str, pd.DataFrame], measures: Mapping[str, str]
) -> tuple[Figure, pd.DataFrame]:
    """Top-1 accuracy against the score of the best layer: a panel per area, a row per mapping.

    Returns the figure and its points, each with the correlations that its panel states.
    """
    architectures = tables["layers"].drop_duplicates("model").set_index("model")["architecture"]
    headline, correlations = tables["accuracy_vs_brain"], tables["correlations"]
    models = headline.assign(architecture=headline["model"].map(architectures))
    models = on_page(models, page)
    subjects = tables["subjects"]
    figure = _draw_panels(models, correlations, measures, subjects)
    return figure, _with_subjects(_with_correlations(models, correlations), subjects)


def _draw_panels(
    models: pd.DataFrame,
    correlations: pd.DataFrame,
    measures: Mapping[str, str],
    subjects: pd.DataFrame,
) -> Figure:
    """The figure.

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
    stated = _stated(_plain(correlations), list(panels), subsets, width, not counts)
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


def _plain(correlations: pd.DataFrame) -> pd.DataFrame:
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


def _with_correlations(models: pd.DataFrame, correlations: pd.DataFrame) -> pd.DataFrame:
    """The points of accuracy_vs_score, each with the correlations that its panel states."""
    points = models.dropna(subset=["top1", "score"])[POINTS]
    columns = ["r", "r_low", "r_high", "p_value", "n_models"]
    stated = _plain(correlations)
    for subset, ending in (("all", ""), ("trained", "_trained")):
        rows = stated[stated["models"] == subset].set_index(GROUP)[columns].add_suffix(ending)
        points = points.join(rows, on=GROUP, validate="many_to_one")
    return points


def _with_subjects(points: pd.DataFrame, subjects: pd.DataFrame) -> pd.DataFrame:
    """With `subject_scores`, every subject and its score in words, where there are subjects."""
    if subjects.empty:
        return points
    known = subjects.dropna(subset=["score"])
    words = known["subject"] + ": " + known["score"].map("{:.6g}".format)
    said = words.groupby([known["model"], *(known[name] for name in GROUP)]).agg("; ".join)
    return points.join(said.rename("subject_scores"), on=["model", *GROUP], validate="many_to_one")
