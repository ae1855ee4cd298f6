"""Figures of whole zoos: every model by every area, and every trained model by its twin."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cortiscope.report.figure_scores import p_text
from cortiscope.report.figure_style import (
    GREY,
    HIGHEST,
    LOWEST_TEXT,
    MILLIMETRE,
    PALE,
    PALETTE,
    WIDTH,
    Panels,
    add_legend,
    beside_or_below,
    n_columns,
    name_panel,
    panel_grid,
    records,
    say_empty,
    text_width,
    training_handles,
)

ABREAST = 3  # panels side by side: more mappings go below
TALLEST_ROW, TALLEST_PAIR = 5.5 * MILLIMETRE, 4.2 * MILLIMETRE
GAP = 6 * MILLIMETRE  # between heat maps
SMALLEST = 4.5  # points, of numbers in cells
CORRECTIONS = {"holm": "Holm", "fdr": "FDR"}


def model_by_area(models: pd.DataFrame, measures: Mapping[str, str]) -> tuple[Figure, pd.DataFrame]:
    """Heat map of the best layers' scores, models sorted by accuracy; a panel per mapping.

    models: rows of accuracy_vs_brain. measures: mapping to what its score is, in their order. The
    share of the ceiling where it is known, and above chance, for every area of a mapping, else the
    score itself.
    Returns the figure and its cells.
    """
    areas = list(models["area"].unique())
    ordered = models.drop_duplicates("model").sort_values(
        "top1", ascending=False, kind="stable", na_position="last"
    )
    labels = [_model_text(row) for _, row in ordered.iterrows()]
    figure, panels, cell = _heat_map_panels(len(measures), areas, labels)
    share = models["score_of_ceiling"].isna() & (models["score"].notna() | models["ceiling"].isna())
    unknown = share.groupby(models["mapping"]).any()
    parts = [
        ("score" if unknown[mapping] else "share of the ceiling", f"({measure})")
        for mapping, measure in measures.items()
    ]
    cells, notes = [], beside_or_below(parts, cell[1] * len(areas))
    for axes, mapping, note in zip(panels.flat, measures, notes, strict=False):
        here = models[models["mapping"] == mapping]
        quantity = "score" if unknown[mapping] else "score_of_ceiling"
        matrix = here.pivot(index="model", columns="area", values=quantity)
        _heat_map(figure, axes, matrix.loc[ordered["model"], areas], cell)
        name_panel(axes, mapping, note)
        axes.set_yticks([])
        cells.append(here.assign(quantity=quantity, value=here[quantity]))
    for axes in panels[:, 0]:
        axes.set_yticks(range(len(labels)), labels, fontsize=_row_font(cell[0]))
    panels[0, 0].annotate(
        "model (top-1 accuracy, %)", (0, 1), (-4, 3), xycoords="axes fraction", ha="right",
        textcoords="offset points", fontsize=mpl.rcParams["font.size"] - 1.5, color=GREY,
    )  # fmt: skip
    columns = ["model", "top1", "training", "mapping", "area", "quantity", "value"]
    return figure, pd.concat(cells)[columns]


def _heat_map_panels(
    n_mappings: int, areas: Sequence[str], labels: Sequence[str]
) -> tuple[Figure, np.ndarray, tuple[float, float]]:
    """The figure, its panels, and the height and width of a cell in inches, about.

    labels: of the models. As many panels abreast as leave cells the width of their numbers.
    """
    names = max(text_width(label, mpl.rcParams["font.size"] - 1) for label in labels)
    room = WIDTH - names - 6 * MILLIMETRE
    number = 1.2 * text_width("0.00", 5)
    across = min(n_mappings, ABREAST, max(1, int(room / (len(areas) * number + GAP))))
    down = -(-n_mappings // across)
    row = (HIGHEST / down - 30 * MILLIMETRE) / len(labels)
    row = max(LOWEST_TEXT, min(TALLEST_ROW, row))
    width = min(WIDTH, (55 + 14 * len(areas) * across + 25 * across) * MILLIMETRE)
    figure = Figure((width, down * (row * len(labels) + 26 * MILLIMETRE)), layout="constrained")
    panels = figure.subplots(down, across, squeeze=False)
    for unused in panels.flat[n_mappings:]:
        unused.set_axis_off()
    column = ((width - WIDTH + room) / across - GAP) / len(areas)
    return figure, panels, (row, column)


def _row_font(height: float) -> float:
    """The size in points of the name of a row of a height in inches."""
    return min(float(mpl.rcParams["font.size"]) - 1, height * 72 * 0.85)


def _model_text(row: pd.Series) -> str:
    accuracy = f"{row['top1']:.1f}" if np.isfinite(row["top1"]) else "–"
    return f"{row['model']} ({accuracy})"


def _heat_map(figure: Figure, axes: Axes, matrix: pd.DataFrame, cell: tuple[float, float]) -> None:
    """cell: height and width in inches, at least about."""
    row_height, column = cell
    values = matrix.to_numpy(float)  # (model, area)
    finite = values[np.isfinite(values)]
    top = max(float(finite.max()), 0.01) if finite.size else 1.0
    bottom = min(0.0, float(finite.min())) if finite.size else 0.0
    image = axes.imshow(values, cmap="viridis", vmin=bottom, vmax=top, aspect="auto")
    axes.set_facecolor(PALE)  # what could not be scored
    labels = list(matrix.columns)
    axes.set_xticks(range(len(labels)), labels)
    longest = max(text_width(label, mpl.rcParams["xtick.labelsize"]) for label in labels)
    axes.tick_params(axis="x", length=0)
    if 1.1 * longest > column:
        axes.set_xticks(axes.get_xticks(), labels, rotation=45, ha="right", rotation_mode="anchor")
    axes.tick_params(axis="y", length=0)
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(image, ax=axes, location="bottom", shrink=0.9, aspect=30, pad=0.02)
    bar.outline.set_visible(False)
    texts = [
        f"{value:.2f}".replace("-", "−") if np.isfinite(value) else "–" for value in values.flat
    ]
    widest = 1.2 * max(text_width(text, 1) for text in texts)
    size = min(mpl.rcParams["font.size"] - 1.5, row_height * 72 * 0.85, column / widest)
    if size < SMALLEST:
        return
    for text, ((row, place), value) in zip(texts, np.ndenumerate(values), strict=True):
        dark = not np.isfinite(value) or (value - bottom) / (top - bottom) > 0.6
        colour = "black" if dark else "white"
        axes.text(place, row, text, ha="center", va="center", fontsize=size, color=colour)


def trained_vs_untrained(
    contrasts: pd.DataFrame, measures: Mapping[str, str], areas: list[str]
) -> Figure:
    """Each trained model joined to its untrained twin: a panel per area, a row per pair.

    contrasts: rows of contrasts.csv. measures: mapping to what its score is, in their order. The
    bar is the 95 % interval of the difference, drawn from the untrained score; p is adjusted for
    the number of pairs and areas, as `correction` says.
    """
    names = contrasts[["trained_model", "untrained_model"]].drop_duplicates()
    pairs = [(str(row.trained_model), str(row.untrained_model)) for row in records(names)]
    figure, panels, font = _pair_panels(measures, areas, _pair_names(pairs))
    for (mapping, area), axes in panels.items():
        here = contrasts[(contrasts["mapping"] == mapping) & (contrasts["area"] == area)]
        if here.empty:
            axes.set_yticks([])
            axes.spines["left"].set_visible(False)
            say_empty(axes, "no untrained twin\namong the models")
            continue
        axes.axvline(0, color=PALE, linewidth=0.6, zorder=0)
        _dumbbells(axes, here, pairs, min(font, mpl.rcParams["font.size"] - 2))
        axes.set_xlabel("held-out score")
        axes.set_yticks(range(len(pairs)), _pair_names(pairs), fontsize=font)
        axes.set_ylim(len(pairs) - 0.4, -0.6)
    if pairs:
        band = Line2D(
            [], [], color=PALETTE[0], linewidth=3.2, alpha=0.25,
            label="95 % interval of the difference",
        )  # fmt: skip
        add_legend(figure, [*training_handles(), band])
    return figure


def _pair_panels(
    measures: Mapping[str, str], areas: Sequence[str], names: Sequence[str]
) -> tuple[Figure, Panels, float]:
    """The figure, its panels with what stands above them, and the size of the pairs' names.

    As high as fits a page, but no lower than names of pairs can be read.
    """
    columns, n_pairs = n_columns(areas), max(len(names), 1)
    line = mpl.rcParams["font.size"] / 72
    keys = [(mapping, area) for mapping in measures for area in areas]
    parts = [(f"{mapping}:", measures[mapping]) for mapping, _ in keys]
    named = max((text_width(name, mpl.rcParams["font.size"] - 1) for name in names), default=0.0)
    room = ((WIDTH if columns > 1 else WIDTH / 2) - named) / columns - 5.7 * line  # the p-values'
    notes = beside_or_below(parts, room)
    around = (5 + notes[0].count("\n")) * line  # the name of a panel and its note, its scale
    n_rows = len(measures) * -(-len(areas) // columns)
    fits = ((HIGHEST - 14 * MILLIMETRE) / n_rows - around) / n_pairs
    inside = max(n_pairs * max(LOWEST_TEXT, min(TALLEST_PAIR, fits)), 14 * MILLIMETRE)
    figure, panels = panel_grid(dict.fromkeys(measures, ""), areas, inside + around)
    for key, note in zip(keys, notes, strict=True):
        axes = panels[key]
        name_panel(axes, key[1], note)
        if columns > 2:
            axes.locator_params(axis="x", nbins=4)
    return figure, panels, _row_font(min(inside / n_pairs, TALLEST_PAIR))


def _pair_names(pairs: list[tuple[str, str]]) -> list[str]:
    """The trained model; with the twin where it has several."""
    trained = [pair[0] for pair in pairs]
    return [f"{a} / {b}" if trained.count(a) > 1 else str(a) for a, b in pairs]


def _dumbbells(axes: Axes, here: pd.DataFrame, pairs: list[tuple[str, str]], size: float) -> None:
    """size: of the p-values beside the panel, in points."""
    for row in records(here):
        y = pairs.index((row.trained_model, row.untrained_model))
        colour = PALETTE[0] if row.difference > 0 else PALETTE[1]
        ends = [row.score_untrained, row.score_trained]
        interval = [ends[0] + row.difference_low, ends[0] + row.difference_high]
        about: dict[str, Any] = {"color": colour, "in_layout": False, "markeredgewidth": 0.8}
        axes.plot(interval, [y, y], linewidth=3.2, alpha=0.25, zorder=1, **about)
        faces: dict[str, Any] = {"marker": "o", "markevery": [0], "markerfacecolor": "white"}
        axes.plot(ends, [y, y], linewidth=1.0, markersize=4, zorder=3, **faces, **about)
        axes.plot(ends[1], y, "o", markersize=4, zorder=4, **about)
        axes.annotate(
            p_text(row.p_adjusted).removeprefix("= "), (1.01, y),
            xycoords=axes.get_yaxis_transform(), ha="left", va="center", annotation_clip=False,
            fontsize=size, color="black" if row.p_adjusted < 0.05 else GREY,
        )  # fmt: skip
    axes.annotate(
        f"p ({CORRECTIONS[here['correction'].iloc[0]]})", (1.01, 1), (0, 3),
        xycoords="axes fraction", textcoords="offset points", ha="left", va="bottom",
        fontsize=mpl.rcParams["font.size"] - 2, color=GREY,
    )  # fmt: skip
