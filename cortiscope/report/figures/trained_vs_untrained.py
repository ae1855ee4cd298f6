"""Every trained model by its untrained twin: their scores, and the difference with its interval."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from matplotlib.lines import Line2D

from cortiscope.report import pages
from cortiscope.report.figure_looks import GREY, PALE, add_legend, legend_height
from cortiscope.report.figure_matrices import row_names
from cortiscope.report.figure_pairs import ALPHA, pairs_on_page
from cortiscope.report.figure_style import (
    HIGHEST,
    WIDTH,
    beside_or_below,
    font_size,
    name_panel,
    say_empty,
    say_nothing,
    small,
    text_width,
)
from cortiscope.report.house_style import PALETTE, p_text, records
from cortiscope.report.pages import Page, scaled

SCORES = 0.55  # of the width of a panel without its p-values
TALLEST_PAIR = 4.2  # millimetres at 8 points
CORRECTIONS = {"holm": "Holm", "fdr": "FDR"}
SCORE: dict[str, Any] = {
    "linestyle": "",
    "marker": "o",
    "markersize": 4,
    "color": "black",
    "zorder": 3,
}
CHANGE: dict[str, Any] = {"linestyle": "", "marker": "D", "markersize": 3.5, "zorder": 3}


def draw(
    page: Page, tables: Mapping[str, pd.DataFrame], measures: Mapping[str, str]
) -> tuple[Figure, pd.DataFrame]:
    """Each trained model and its untrained twin: a panel per mapping and area, a row per pair.

    On the left the two scores, on the right the trained minus the untrained one with its 95 %
    interval; p is adjusted for the number of pairs and areas, as `correction` says. Returns the
    figure and its rows.
    """
    rows, names = pairs_on_page(tables["contrasts"], page)
    if rows.empty:
        return say_nothing("no untrained twin\namong the models"), rows.drop(columns="pair")
    handles = _handles(rows)
    figure, panels = _panels(page, measures, list(names.values()), handles)
    order = list(names)
    for (mapping, area), (scores, change) in panels.items():
        here = rows[(rows["mapping"] == mapping) & (rows["area"] == area)]
        if here.empty:
            say_empty(scores, "not scored")
            change.set_axis_off()
            continue
        for row in records(here):
            _pair(scores, change, row, order.index(row.pair))
        scores.set_xlabel("held-out score")
        change.set_xlabel("difference")
        change.annotate(
            f"p ({CORRECTIONS[here['correction'].iloc[0]]})", (1.03, 1), (0, 3),
            xycoords="axes fraction", textcoords="offset points", ha="left", va="bottom",
            fontsize=small(), color=GREY,
        )  # fmt: skip
    return figure, rows.drop(columns="pair")


def _panels(
    page: Page, measures: Mapping[str, str], names: Sequence[str], legend: Sequence[Line2D]
) -> tuple[Figure, dict[tuple[str, str], tuple[Axes, Axes]]]:
    """The figure, and of each mapping and area the axes of scores and of differences.

    names: of the pairs, in their order.
    """
    columns = pages.pairs_abreast(page.areas, names, font_size())
    rows_each = -(-len(page.areas) // columns)
    down = len(page.mappings) * rows_each
    below, around = legend_height(legend, WIDTH / 2), scaled(pages.AROUND_PAIRS, font_size())
    fits = ((HIGHEST - below) / down - around) / len(names)
    row = min(scaled(TALLEST_PAIR, font_size()), fits)
    height = down * (max(row * len(names), scaled(14, font_size())) + around) + below
    most = pages.names_width(names, font_size())
    labels, size, named = row_names([(name, "") for name in names], most, row)
    p_values = 5 * font_size() / 72
    title = max(text_width(area, font_size() + 1, "bold") for area in page.areas)
    single = named + p_values + max(scaled(70, font_size()), title / SCORES)
    width = WIDTH if columns > 1 else min(WIDTH, single)
    each = (width - named) / columns
    room = SCORES * (each - p_values)
    parts = [(f"{mapping}:", measures[mapping]) for mapping in page.mappings]
    notes = beside_or_below(parts, room)
    figure = Figure((width, min(HIGHEST, height)), layout="constrained")
    grid = figure.add_gridspec(down, columns, width_ratios=[named + each, each][:columns])
    panels: dict[tuple[str, str], tuple[Axes, Axes]] = {}
    for place, key in enumerate(product(page.mappings, page.areas)):
        mapping, area = divmod(place, len(page.areas))
        cell = grid[mapping * rows_each + area // columns, area % columns]
        # Scales are those of the mapping's first panel, so that areas compare.
        like = panels.get((key[0], page.areas[0]), (None, None))
        panels[key] = _twin_axes(figure, cell, like, len(names))
        name_panel(panels[key][0], key[1], notes[mapping], room)
        if area % columns == 0:
            panels[key][0].set_yticks(range(len(names)), labels, fontsize=size)
            panels[key][0].tick_params(axis="y", length=0)
    add_legend(figure, legend)
    return figure, panels


def _twin_axes(figure: Figure, cell: SubplotSpec, like: Any, n_pairs: int) -> tuple[Axes, Axes]:
    """The axes of scores and of differences, side by side; like: axes that they share scales with.

    A row per pair, from the top.
    """
    inner = cell.subgridspec(1, 2, width_ratios=(3, 2), wspace=0.06)
    scores, change = (figure.add_subplot(inner[i], sharex=like[i]) for i in range(2))
    for axes, colour in ((scores, PALE), (change, GREY)):
        axes.set_yticks([])
        axes.set_ylim(n_pairs - 0.4, -0.6)
        axes.spines["left"].set_visible(False)
        axes.axvline(0, color=colour, linewidth=0.6, zorder=0)
        axes.locator_params(axis="x", nbins=4)
    return scores, change


def _pair(scores: Axes, change: Axes, row: Any, y: int) -> None:
    """The two scores, joined; their difference, its interval and its p-value."""
    ends = [row.score_untrained, row.score_trained]
    scores.plot(ends, [y, y], linewidth=0.8, color=GREY, zorder=1)
    scores.plot(ends[0], y, **SCORE, markerfacecolor="white")
    scores.plot(ends[1], y, **SCORE)
    colour = PALETTE[0] if row.p_adjusted < ALPHA else GREY
    face = colour if row.p_adjusted < ALPHA else "white"
    interval = [row.difference_low, row.difference_high]
    change.plot(interval, [y, y], linewidth=1.4, color=colour, zorder=2)
    change.plot(row.difference, y, **CHANGE, color=colour, markerfacecolor=face)
    change.annotate(
        p_text(row.p_adjusted).removeprefix("= "), (1.03, y),
        xycoords=change.get_yaxis_transform(), ha="left", va="center", annotation_clip=False,
        fontsize=small(), color="black" if row.p_adjusted < ALPHA else GREY,
    )  # fmt: skip


def _handles(rows: pd.DataFrame) -> list[Line2D]:
    """What is drawn, of which there may be no difference below, or none above, the level."""
    below = rows["p_adjusted"] < ALPHA
    found = [
        Line2D([], [], label="untrained", **SCORE, markerfacecolor="white"),
        Line2D([], [], label="trained", **SCORE),
    ]
    words = "trained − untrained, 95 % interval; adjusted p"
    if below.any():
        look = CHANGE | {"color": PALETTE[0], "linestyle": "-", "linewidth": 1.4}
        found.append(Line2D([], [], label=f"{words} < {ALPHA}", **look))
    if not below.all():
        look = CHANGE | {"color": GREY, "linestyle": "-", "linewidth": 1.4}
        found.append(Line2D([], [], label=f"{words} ≥ {ALPHA}", **look, markerfacecolor="white"))
    return found
