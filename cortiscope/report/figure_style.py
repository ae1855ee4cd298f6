"""How every figure looks: size, fonts, colours that all readers can tell apart, and its files."""

import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.path import Path
from matplotlib.textpath import text_to_path
from matplotlib.transforms import Bbox
from matplotlib.typing import RcKeyType

from cortiscope.files import replacing
from cortiscope.report import pages
from cortiscope.report.figure_looks import GREY, add_legend, legend_height
from cortiscope.report.pages import HIGHEST, MILLIMETRE, WIDTH, Page, scaled

FONT = "DejaVu Sans"  # comes with Matplotlib: the same picture on every machine
LONGEST_SIDE = 2**16 - 1  # pixels, of Matplotlib's PNG
Panels = dict[tuple[str, str], Axes]


@contextmanager
def styled(font_size: float) -> Iterator[None]:
    """Draw in the style of all figures; font_size in points."""
    with mpl.rc_context():
        mpl.rcdefaults()  # no matplotlibrc of a user's changes the figures of a paper
        with mpl.rc_context(_style(font_size)):
            yield


def _style(font_size: float) -> dict[RcKeyType, Any]:
    return {
        "font.family": FONT,
        "font.size": font_size,
        "axes.titlesize": font_size + 1,
        "axes.labelsize": font_size,
        "xtick.labelsize": max(pages.SMALLEST, font_size - 1),
        "ytick.labelsize": max(pages.SMALLEST, font_size - 1),
        "legend.fontsize": max(pages.SMALLEST, font_size - 1),
        "legend.frameon": False,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.6,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "xtick.major.size": 2.5,
        "ytick.major.size": 2.5,
        "lines.linewidth": 1.0,
        "text.parse_math": False,  # a $ in a model's name is a $
        "svg.fonttype": "none",  # text stays text, for the journal's typesetters
        "svg.hashsalt": "cortiscope",  # the same file for the same data
    }


def save(figure: Figure, svg: str, png: str, dpi: int, provenance: Mapping[str, Any]) -> None:
    """Write both forms, whole or not at all, with provenance and without dates."""
    about = json.dumps(provenance, sort_keys=True)
    _settle(figure)
    with replacing(svg) as temporary:
        metadata: dict[str, Any] = {"Date": None, "Description": about}
        figure.savefig(temporary, format="svg", metadata=metadata)
    dpi = min(dpi, int(LONGEST_SIDE / max(figure.get_size_inches())))
    with replacing(png) as temporary:
        figure.savefig(temporary, format="png", dpi=dpi, metadata={"Description": about})


def _settle(figure: Figure) -> None:
    """Lay a figure out once, places rounded: the solver's last digits differ between runs."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
    figure.set_layout_engine(None)  # or Matplotlib draws each picture twice, to lay it out
    for axes in figure.axes:
        place = axes.get_position(original=True)
        axes.set_position(Bbox(np.round(place.get_points(), 6)))


def font_size() -> float:
    return float(mpl.rcParams["font.size"])


def small() -> float:
    return pages.small(font_size())


def on_page(table: pd.DataFrame, page: Page) -> pd.DataFrame:
    """The rows of a table of the mappings and areas of a page."""
    return table[table["mapping"].isin(page.mappings) & table["area"].isin(page.areas)]


def text_width(text: str, size: float, weight: str = "normal") -> float:
    """The width in inches of the longest line of a text, a little generously; size in points."""
    return 1.05 / 72 * size * max(_line_width(line, weight) for line in text.split("\n"))


@functools.cache
def _line_width(line: str, weight: str) -> float:
    """By the size of the font, from the left edge of the first letter to the right one of the last.

    Where points of their outlines lie, and not where their curves bend, which would take ten times
    as long: fonts have points where letters are widest.
    """
    font = FontProperties(family=FONT, weight=weight)
    points, codes = text_to_path.get_text_path(font, line)
    drawn = np.asarray(codes) != Path.CLOSEPOLY
    if not drawn.any():  # spaces
        return 0.0
    return float(np.ptp(np.asarray(points)[drawn, 0])) / text_to_path.FONT_SCALE


def fitted(text: str, width: float, size: float, weight: str = "normal") -> str:
    """A text no wider than so many inches: of one that is, the middle is left out."""
    shown, kept = text, len(text)
    while text_width(shown, size, weight) > width and kept > 2:
        kept -= 1
        shown = f"{text[: (kept + 1) // 2]}…{text[len(text) - kept // 2 :]}"
    return shown


def panel_width(areas: Sequence[str]) -> float:
    """The width in inches, about, that panels of these areas have for their text."""
    columns = pages.n_columns(areas, font_size())
    width = WIDTH if columns > 1 else WIDTH / 2
    return (width - pages.margin(font_size())) / columns - 4 * MILLIMETRE


def panel_grid(
    labels: Mapping[str, str], areas: Sequence[str], wanted: float, legend: Sequence[Line2D]
) -> tuple[Figure, Panels]:
    """A panel per mapping and area: a row per mapping, or several rows where areas are many.

    labels: mapping to the label of its y axes. wanted: the height of a row in inches, less where
    the page is full. legend: what is explained below. Panels of a mapping share their y axis, so
    that areas compare.
    """
    columns = pages.n_columns(areas, font_size())
    down = -(-len(areas) // columns)
    n_rows = down * len(labels)
    # A lone panel as wide as the page would be mostly empty.
    width = WIDTH if columns > 1 else WIDTH / 2
    below = legend_height(legend, width) + 2 * font_size() / 72  # and the label of the x axis
    height = min(wanted, (HIGHEST - below) / n_rows)
    layout = ConstrainedLayoutEngine(w_pad=1.5 * MILLIMETRE, h_pad=1.2 * MILLIMETRE)
    figure = Figure(figsize=(width, height * n_rows + below), layout=layout)
    panels: Panels = {}
    for first_row, (mapping, label) in enumerate(labels.items()):
        shared: Axes | None = None
        for place, area in enumerate(areas):
            position = first_row * down * columns + place + 1
            axes = figure.add_subplot(n_rows, columns, position, sharey=shared)
            shared = shared or axes
            panels[mapping, area] = axes
            if place % columns:
                axes.tick_params(labelleft=False)
            else:
                axes.set_ylabel(label, fontsize=label_size(label, height))
    add_legend(figure, legend)
    return figure, panels


def label_size(label: str, height: float) -> float:
    """The size in points of the label of a y axis that has so many inches."""
    fits = 0.95 * height / max(text_width(label, 1), 0.01)
    return max(pages.SMALLEST, min(font_size(), fits))


def bottom_panels(panels: Panels, areas: Sequence[str]) -> list[Axes]:
    """The panels that carry the label of the x axis: the lowest of every column."""
    return list(panels.values())[-min(pages.n_columns(areas, font_size()), len(areas)) :]


def score_label(mapping: str, measure: str) -> str:
    between = " " if len(mapping) + len(measure) <= 20 else "\n"
    return f"held-out score\n({mapping}:{between}{measure})"


def name_panel(axes: Axes, area: str, note: str = "", width: float = WIDTH) -> None:
    """Write the area above the panel, and below it what the panel shows; width: in inches."""
    # Lines of the note, and what hangs below the name's own: the _ of human_IT.
    lifted = (note.count("\n") + 1) * small() * 1.2 + font_size() / 4 if note else 0
    named = fitted(area, width, font_size() + 1, "bold")
    axes.set_title(named, loc="left", fontweight="bold", pad=3 + lifted)
    if note:
        axes.annotate(
            note, (0, 1), (0, 3), xycoords="axes fraction", textcoords="offset points",
            va="bottom", ha="left", fontsize=small(), color=GREY, linespacing=1.15,
        )  # fmt: skip


def beside_or_below(parts: Sequence[tuple[str, str]], width: float) -> list[str]:
    """Panels' notes of two parts each: on one line if none is wider, in inches, else on two."""
    beside = [f"{first} {second}".strip() for first, second in parts]
    fits = all(text_width(note, small()) <= width for note in beside)
    return beside if fits else [f"{first}\n{second}".strip() for first, second in parts]


def say_empty(axes: Axes, text: str) -> None:
    """An honest empty panel."""
    axes.text(
        0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=GREY,
        fontsize=small() + 0.5,
    )  # fmt: skip
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)


def say_nothing(text: str) -> Figure:
    """An honest empty figure."""
    figure = Figure((WIDTH / 2, scaled(20, font_size())))
    figure.text(0.5, 0.5, text, ha="center", va="center", color=GREY)
    return figure


def draw_ceiling(axes: Axes, scores: pd.DataFrame) -> None:
    """A line at the ceiling, where it is known and above chance, with room for its name above it.

    scores: rows with `ceiling`.
    """
    known = scores["ceiling"].dropna().unique()
    if not len(known):
        return
    axes.update_datalim([(0, 1.12 * known[0])], updatex=False)
    axes.axhline(known[0], color=GREY, linewidth=0.9, linestyle=(0, (4, 2)), zorder=1)
    axes.annotate(
        "ceiling", (0, known[0]), (3, 1.5),
        xycoords=axes.get_yaxis_transform(), textcoords="offset points", ha="left", va="bottom",
        color=GREY, fontsize=small(),
    )  # fmt: skip
