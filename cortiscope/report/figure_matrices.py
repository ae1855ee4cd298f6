"""Heat maps: a row per model or pair of models, a column per area."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from cortiscope.report import pages
from cortiscope.report.figure_looks import GREY, PALE
from cortiscope.report.figure_style import (
    HIGHEST,
    MILLIMETRE,
    WIDTH,
    beside_or_below,
    fitted,
    font_size,
    name_panel,
    small,
    text_width,
)
from cortiscope.report.house_style import number
from cortiscope.report.pages import scaled

TALLEST_ROW, WIDEST_CELL = 5.5, 14  # millimetres at 8 points
NARROWEST_MAP = 36 * MILLIMETRE  # what stands above it has room
LEAST_SPAN = 0.1  # of a scale of colours, so that what noise scores stays pale
UNSCORED, BOLD = "–", "•"


@dataclass(frozen=True)
class HeatMap:
    """values: (row, area). marks: (row, area), what stands in cells in place of a number, or "".

    bold: (row, area), of the numbers, or a dot where there are none. scale: where colours begin
    and end.
    """

    name: str
    note: tuple[str, str]
    values: pd.DataFrame
    marks: np.ndarray
    bold: np.ndarray
    scale: tuple[float, float]


def span(values: pd.Series) -> float:
    """How far from zero a scale of colours reaches."""
    return float(np.nanmax([LEAST_SPAN, *values.abs()]))


def explain(figure: Figure, lines: Sequence[str]) -> None:
    """Say below the panels what marks in them mean."""
    if lines:
        figure.supxlabel("     ".join(lines), fontsize=small(), color=GREY)


def heat_maps(
    maps: Sequence[HeatMap], names: Sequence[tuple[str, str]], header: str, colours: str
) -> tuple[Figure, bool]:
    """A figure of them, and whether it has numbers: where they fit the cells of all maps, or none.

    names: of the rows, and what follows each, such as an accuracy; header: what they are.
    """
    layout = _layout(maps, names, text_width(header, small()))
    figure = Figure(layout.size, layout="constrained")
    panels = figure.subplots(layout.down, layout.across, squeeze=False)
    for unused in panels.flat[len(maps) :]:
        unused.set_axis_off()
    number_size = _number_size(maps, layout.row, layout.column)
    notes = beside_or_below([one.note for one in maps], layout.width)
    turned = 90 if layout.upright else 0
    for axes, one, note in zip(panels.flat, maps, notes, strict=False):
        _draw(figure, axes, one, colours, number_size)
        axes.set_xticks(range(len(layout.areas)), layout.areas, rotation=turned, fontsize=small())
        name_panel(axes, one.name, note, layout.width)
    labels, size, _ = row_names(names, layout.most, layout.row)
    for axes in panels[:, 0]:
        axes.set_yticks(range(len(labels)), labels, fontsize=size)
    panels[0, 0].annotate(
        header, (0, 1), (-4, 3), xycoords="axes fraction", ha="right",
        textcoords="offset points", fontsize=small(), color=GREY,
    )  # fmt: skip
    return figure, number_size > 0


class _Layout(NamedTuple):
    """In inches. most: for the names of rows. row, column: of a cell. width: of a map."""

    size: tuple[float, float]
    down: int
    across: int
    row: float
    column: float
    width: float
    most: float
    areas: list[str]
    upright: bool


def _layout(maps: Sequence[HeatMap], names: Sequence[tuple[str, str]], header: float) -> _Layout:
    """header: what stands above the names of the rows, in inches."""
    areas, gap = list(maps[0].values.columns), scaled(6, font_size())
    most = pages.names_width([name + said for name, said in names], font_size())
    across = pages.abreast(len(maps), len(areas), WIDTH - most, font_size())
    room = (WIDTH - most - gap) / across - gap
    column = min(scaled(WIDEST_CELL, font_size()), room / len(areas))
    upright = 1.1 * max(text_width(area, small()) for area in areas) > column
    shown = [fitted(area, most, small()) if upright else area for area in areas]
    foot = max(text_width(area, small()) for area in shown) if upright else 0.0
    around = scaled(pages.AROUND_CELLS, font_size()) + foot
    down = -(-len(maps) // across)
    row = (HIGHEST / down - around) / len(names)
    row = max(pages.lowest_row(font_size()), min(scaled(TALLEST_ROW, font_size()), row))
    named = max(row_names(names, most, row)[2], header)
    width = max(column * len(areas), min(NARROWEST_MAP, room)) + gap
    size = (named + gap + across * width, down * (row * len(names) + around))
    size = (min(WIDTH, size[0]), min(HIGHEST, size[1]))
    return _Layout(size, down, across, row, column, width, most, shown, upright)


def row_names(
    names: Sequence[tuple[str, str]], most: float, row: float
) -> tuple[list[str], float, float]:
    """Names of rows and what follows each, in so many inches; their size in points, and width."""
    widest = max(text_width(name + said, 1) for name, said in names)
    size = max(pages.SMALLEST, min(font_size() - 1, row * 72 / 1.17, most / widest))
    labels = [fitted(name, most - text_width(said, size), size) + said for name, said in names]
    return labels, size, max(text_width(label, size) for label in labels)


def _number_size(maps: Sequence[HeatMap], row: float, column: float) -> float:
    """The size in points of the numbers in cells of so many inches; 0 where they cannot be read."""
    finite = [
        value for one in maps for value in one.values.to_numpy(float).flat if np.isfinite(value)
    ]
    widest = max([text_width(number(value), 1, "bold") for value in finite], default=0.01)
    size = min(small() + 0.5, row * 72 / 1.17, 0.92 * column / widest)
    return size if size >= pages.SMALLEST else 0.0


def _draw(figure: Figure, axes: Axes, one: HeatMap, colours: str, number_size: float) -> None:
    values = one.values.to_numpy(float)  # (row, area)
    bottom, top = one.scale
    scale = Normalize(bottom, top, clip=True)
    image = axes.imshow(values, cmap=colours, norm=scale, aspect="auto")
    axes.set_facecolor(PALE)  # what has no value
    axes.tick_params(length=0)
    axes.set_yticks([])
    axes.spines[:].set(visible=True, color=PALE)
    low, high = (values < bottom - 0.005).any(), (values > top + 0.005).any()
    extend = "both" if low and high else "min" if low else "max" if high else "neither"
    bar = figure.colorbar(
        image, ax=axes, location="bottom", shrink=0.9, aspect=30, pad=0.02, extend=extend
    )
    bar.outline.set_visible(False)
    bar.ax.locator_params(nbins=5)
    for (row, place), value in np.ndenumerate(values):
        mark = str(one.marks[row, place])
        bold = bool(one.bold[row, place])
        text = mark or (number(value) if number_size else BOLD * bold)
        red, green, blue, _ = mpl.colormaps[colours](float(scale(value)))
        light = not np.isfinite(value) or 0.3 * red + 0.6 * green + 0.1 * blue > 0.5
        axes.text(
            place, row, text, ha="center", va="center", fontsize=number_size or small(),
            color="black" if light else "white",
            fontweight="bold" if bold else "normal",
        )  # fmt: skip
