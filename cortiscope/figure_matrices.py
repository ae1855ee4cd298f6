"""Figures of whole zoos: every model by every area, and every trained model by its twin."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cortiscope.figure_scores import p_text
from cortiscope.figure_style import (
    GREY,
    HIGHEST,
    MEASURES,
    MILLIMETRE,
    PALE,
    PALETTE,
    WIDTH,
    add_legend,
    mapping_name,
    name_panel,
    panel_grid,
    records,
    say_empty,
    training_handles,
)

ABREAST = 3  # panels side by side: more mappings go below
TALLEST_ROW, LOWEST_TEXT = 5.5 * MILLIMETRE, 2.0 * MILLIMETRE
TWIN_NAMES = 24  # more pairs than this are told apart in the table, not in the figure
CORRECTIONS = {"holm": "Holm", "fdr": "FDR"}


def model_by_area(models: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Heat map of the best layers' scores, models sorted by accuracy; a panel per mapping.

    models: rows of accuracy_vs_brain. The share of the ceiling where it is known for every area
    of a mapping, else the score itself. Returns the figure and its cells.
    """
    mappings, areas = list(models["mapping"].unique()), list(models["area"].unique())
    ordered = models.drop_duplicates("model").sort_values(
        "top1", ascending=False, kind="stable", na_position="last"
    )
    names = ordered["model"].tolist()
    across = min(len(mappings), ABREAST)
    down = -(-len(mappings) // across)
    row_height = min(TALLEST_ROW, (HIGHEST / down - 30 * MILLIMETRE) / len(names))
    width = min(WIDTH, (55 + 14 * len(areas) * across + 25 * across) * MILLIMETRE)
    height = down * (row_height * len(names) + 26 * MILLIMETRE)
    figure = Figure(figsize=(width, height), layout="constrained")
    panels = figure.subplots(down, across, squeeze=False)
    for unused in panels.flat[len(mappings) :]:
        unused.set_axis_off()
    column = (width - 40 * MILLIMETRE) / (len(areas) * across) - 2 * MILLIMETRE
    cells, named = [], row_height >= LOWEST_TEXT
    for axes, mapping in zip(panels.flat, mappings, strict=False):
        here = models[models["mapping"] == mapping]
        quantity = "score" if here["ceiling"].isna().any() else "score_of_ceiling"
        matrix = here.pivot(index="model", columns="area", values=quantity)
        _heat_map(figure, axes, matrix.loc[names, areas], (row_height, column))
        _name_heat_map(axes, mapping, quantity)
        labels = [_model_text(row) for _, row in ordered.iterrows()]
        readable = axes in panels[:, 0] and named
        size = min(mpl.rcParams["font.size"] - 1, row_height * 72 * 0.85)
        axes.set_yticks(range(len(names)) if readable else [])
        if readable:
            axes.set_yticklabels(labels, fontsize=size)
        cells.append(here.assign(quantity=quantity, value=here[quantity]))
    panels[0, 0].annotate(
        "model (top-1 accuracy, %)", (0, 1), (-4, 3), xycoords="axes fraction", ha="right",
        textcoords="offset points", fontsize=mpl.rcParams["font.size"] - 1.5, color=GREY,
    )  # fmt: skip
    columns = ["model", "top1", "training", "mapping", "area", "quantity", "value"]
    return figure, pd.concat(cells)[columns]


def _model_text(row: pd.Series) -> str:
    accuracy = f"{row['top1']:.1f}" if np.isfinite(row["top1"]) else "–"
    return f"{row['model']} ({accuracy})"


def _name_heat_map(axes: Axes, mapping: str, quantity: str) -> None:
    measure = MEASURES.get(mapping, mapping)
    what = f"share of the ceiling ({measure})" if quantity != "score" else f"score ({measure})"
    name_panel(axes, mapping, what)


def _heat_map(figure: Figure, axes: Axes, matrix: pd.DataFrame, cell: tuple[float, float]) -> None:
    """cell: height and width in inches, at least about."""
    row_height, column = cell
    values = matrix.to_numpy(float)  # (model, area)
    finite = values[np.isfinite(values)]
    top = max(float(finite.max()), 0.01) if finite.size else 1.0
    bottom = min(0.0, float(finite.min())) if finite.size else 0.0
    image = axes.imshow(values, cmap="viridis", vmin=bottom, vmax=top, aspect="auto")
    axes.set_facecolor(PALE)  # what could not be scored
    axes.set_xticks(range(values.shape[1]), list(matrix.columns))
    longest = max(len(str(area)) for area in matrix.columns)
    words = longest * 0.6 * mpl.rcParams["xtick.labelsize"] / 72
    axes.tick_params(axis="x", labelrotation=0 if words < column else 45, length=0)
    axes.tick_params(axis="y", length=0)
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(image, ax=axes, location="bottom", shrink=0.9, aspect=30, pad=0.02)
    bar.outline.set_visible(False)
    if row_height < LOWEST_TEXT:
        return
    size = min(mpl.rcParams["font.size"] - 1.5, row_height * 72 * 0.85)
    for (row, place), value in np.ndenumerate(values):
        dark = not np.isfinite(value) or (value - bottom) / (top - bottom) > 0.6
        text = f"{value:.2f}".replace("-", "−") if np.isfinite(value) else "–"
        colour = "black" if dark else "white"
        axes.text(place, row, text, ha="center", va="center", fontsize=size, color=colour)


def trained_vs_untrained(contrasts: pd.DataFrame, mappings: list[str], areas: list[str]) -> Figure:
    """Each trained model joined to its untrained twin: a panel per area, a row per pair.

    contrasts: rows of contrasts.csv. The bar is the 95 % interval of the difference, drawn from
    the untrained score; p is adjusted for the number of pairs and areas, as `correction` says.
    """
    names = contrasts[["trained_model", "untrained_model"]].drop_duplicates()
    pairs = [(str(row.trained_model), str(row.untrained_model)) for row in records(names)]
    n_columns = len(areas) if len(areas) <= 4 else 3
    rows_of_panels = -(-len(areas) // n_columns) * len(mappings)
    room = (HIGHEST - 14 * MILLIMETRE) / rows_of_panels - 14 * MILLIMETRE
    row_height = min(4.2 * MILLIMETRE, room / max(len(pairs), 1))
    height = max(row_height * max(len(pairs), 1), 14 * MILLIMETRE) + 14 * MILLIMETRE
    figure, panels = panel_grid(mappings, areas, height)
    for (mapping, area), axes in panels.items():
        here = contrasts[(contrasts["mapping"] == mapping) & (contrasts["area"] == area)]
        name_panel(axes, area, mapping_name(mapping))
        axes.set_ylabel("")
        if here.empty:
            axes.set_yticks([])
            axes.spines["left"].set_visible(False)
            say_empty(axes, "no untrained twin\namong the models")
            continue
        axes.axvline(0, color=PALE, linewidth=0.6, zorder=0)
        _dumbbells(axes, here, pairs, min(4.0, row_height * 72 * 0.7))
        axes.set_xlabel("held-out score")
        readable = len(pairs) <= TWIN_NAMES or row_height >= LOWEST_TEXT
        axes.set_yticks(range(len(pairs)) if readable else [])
        if readable:
            size = min(mpl.rcParams["font.size"] - 1, row_height * 72 * 0.85)
            axes.set_yticklabels(_pair_names(pairs), fontsize=size)
        axes.set_ylim(len(pairs) - 0.4, -0.6)
    if pairs:
        band = Line2D(
            [], [], color=PALETTE[0], linewidth=3.2, alpha=0.25,
            label="95 % interval of the difference",
        )  # fmt: skip
        add_legend(figure, [*training_handles(), band])
    return figure


def _pair_names(pairs: list[tuple[str, str]]) -> list[str]:
    """The trained model; with the twin where it has several."""
    trained = [pair[0] for pair in pairs]
    return [f"{a} / {b}" if trained.count(a) > 1 else str(a) for a, b in pairs]


def _dumbbells(axes: Axes, here: pd.DataFrame, pairs: list[tuple[str, str]], size: float) -> None:
    spelt = len(pairs) <= TWIN_NAMES
    for row in records(here):
        y = pairs.index((row.trained_model, row.untrained_model))
        better = row.difference > 0
        colour = PALETTE[0] if better else PALETTE[1]
        ends = [row.score_untrained, row.score_trained]
        interval = [ends[0] + row.difference_low, ends[0] + row.difference_high]
        about: dict[str, Any] = {"color": colour, "in_layout": False, "markeredgewidth": 0.2 * size}
        axes.plot(interval, [y, y], linewidth=0.8 * size, alpha=0.25, zorder=1, **about)
        faces: dict[str, Any] = {
            "marker": "o",
            "markersize": 4,
            "markevery": [0],
            "markerfacecolor": "white",
        }
        axes.plot(ends, [y, y], linewidth=1.0, zorder=3, **faces, **about)
        axes.plot(ends[1], y, "o", markersize=size, zorder=4, **about)
        _beside(axes, y, row.p_adjusted, spelt)
    how = CORRECTIONS[here["correction"].iloc[0]]
    starred = f"∗ p < 0.05\n({how})" if (here["p_adjusted"] < 0.05).any() else ""
    heading = f"p ({how})" if spelt else starred
    axes.annotate(
        heading, (1.01, 1), (0, 3), xycoords="axes fraction", textcoords="offset points",
        fontsize=mpl.rcParams["font.size"] - 2, color=GREY, ha="left", va="bottom",
    )  # fmt: skip


def _beside(axes: Axes, y: int, p: float, spelt: bool) -> None:
    """Write a pair's p-value, or only whether it is below 0.05, right of the panel."""
    sure = p < 0.05
    axes.annotate(
        p_text(p).removeprefix("= ") if spelt else "∗" if sure else "", (1.01, y),
        xycoords=axes.get_yaxis_transform(), ha="left", va="center", annotation_clip=False,
        fontsize=mpl.rcParams["font.size"] - 2, color="black" if sure else GREY,
    )  # fmt: skip
