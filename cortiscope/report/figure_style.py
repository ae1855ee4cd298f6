"""How every figure looks: size, fonts, colours that all readers can tell apart, and its files."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.textpath import TextPath
from matplotlib.typing import RcKeyType

from cortiscope.files import replacing
from cortiscope.mappings.kinds import MAPPINGS
from cortiscope.report.model_tables import LEVEL

MILLIMETRE = 1 / 25.4  # inches
WIDTH = 180 * MILLIMETRE  # a journal's two columns
HIGHEST = 240 * MILLIMETRE  # a journal's page: what does not fit one readably grows beyond it
LOWEST_TEXT = 2.1 * MILLIMETRE  # a row whose name has 5 points, the smallest that journals print
LOWEST_PANEL = 40 * MILLIMETRE  # a row of panels, with what is written about them
LONGEST_SIDE = 2**16 - 1  # pixels, of Matplotlib's PNG
GREY, PALE = "0.45", "0.85"
# Okabe and Ito, Color Universal Design (2008), without black, which axes and text are drawn in.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#B8A800")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h", "*")
LABELLED = 12  # with more models than this, names would cover the points
COMPARISONS = {
    "spearman": "RDM Spearman ρ",
    "pearson": "RDM Pearson r",
    "kendall": "RDM Kendall τ-a",
    "cosine": "RDM cosine",
}
Panels = dict[tuple[str, str], Axes]


def records(frame: pd.DataFrame) -> Iterator[Any]:
    """The rows of a table, its columns as attributes."""
    yield from frame.itertuples(index=False)


@contextmanager
def styled(font_size: float) -> Iterator[None]:
    """Draw in the style of all figures; font_size in points."""
    with mpl.rc_context():
        mpl.rcdefaults()  # no matplotlibrc of a user's changes the figures of a paper
        with mpl.rc_context(_style(font_size)):
            yield


def _style(font_size: float) -> dict[RcKeyType, Any]:
    return {
        "font.family": "DejaVu Sans",  # comes with Matplotlib: the same picture on every machine
        "font.size": font_size,
        "axes.titlesize": font_size + 1,
        "axes.labelsize": font_size,
        "xtick.labelsize": font_size - 1,
        "ytick.labelsize": font_size - 1,
        "legend.fontsize": font_size - 1,
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
    with replacing(svg) as temporary:
        metadata: dict[str, Any] = {"Date": None, "Description": about}
        figure.savefig(temporary, format="svg", metadata=metadata)
    dpi = min(dpi, int(LONGEST_SIDE / max(figure.get_size_inches())))
    with replacing(png) as temporary:
        figure.savefig(temporary, format="png", dpi=dpi, metadata={"Description": about})


def measure(mapping: str, comparison: str) -> str:
    """What the score of a mapping is; comparison: of dissimilarities, as in the config."""
    kind = MAPPINGS[mapping]
    if kind.squared:
        return "unique R² of RDMs"
    known = {"area_ceiling": "Pearson r", "cka_ceiling": "debiased CKA"}
    return known.get(kind.ceiling) or COMPARISONS[comparison]


def text_width(text: str, size: float, weight: str = "normal") -> float:
    """The width in inches of the longest line of a text, a little generously; size in points."""
    font = FontProperties(weight=weight)
    lines = [TextPath((0, 0), line, size, font) for line in text.split("\n") if line.strip()]
    return 1.05 / 72 * max((line.get_extents().width for line in lines), default=0.0)


def n_columns(areas: Sequence[str]) -> int:
    """How many panels stand abreast: all, or three or four; fewer where areas have long names."""
    wanted = len(areas) if len(areas) <= 4 else 3 if len(areas) <= 9 else 4
    size = mpl.rcParams["axes.titlesize"]
    longest = max(text_width(area, size, "bold") for area in areas) + size / 72
    return max(1, min(wanted, int((WIDTH - margin()) / longest)))


def margin() -> float:
    """What the labels and ticks of a y axis take, about, in inches."""
    return 6 * float(mpl.rcParams["font.size"]) / 72


def panel_width(columns: int) -> float:
    """The width in inches, about, that panels have for their text."""
    return ((WIDTH if columns > 1 else WIDTH / 2) - margin()) / columns - 4 * MILLIMETRE


def row_height(labels: Iterable[str], n_rows: int, wanted: float) -> float:
    """The height of a row of panels in inches: as wanted, or what fits a page if labels have room.

    labels: of the y axes.
    """
    size = mpl.rcParams["axes.labelsize"]
    above_and_below = 5 * size / 72  # name and note, ticks
    least = max(text_width(label, size) for label in labels) + above_and_below
    page = (HIGHEST - 12 * MILLIMETRE) / n_rows
    return max(least, min(wanted, page) if page >= LOWEST_PANEL else wanted)


def panel_grid(
    labels: Mapping[str, str], areas: Sequence[str], height: float
) -> tuple[Figure, Panels]:
    """A panel per mapping and area: a row per mapping, or several rows where areas are many.

    labels: mapping to the label of its y axes. height: of a row, in inches. Panels of a mapping
    share their y axis, so that areas compare.
    """
    columns = n_columns(areas)
    down = -(-len(areas) // columns)
    # A lone panel as wide as the page would be mostly empty.
    width = WIDTH if columns > 1 else WIDTH / 2
    layout = ConstrainedLayoutEngine(w_pad=1.5 * MILLIMETRE, h_pad=1.2 * MILLIMETRE)
    n_rows = down * len(labels)
    figure = Figure(figsize=(width, height * n_rows + 12 * MILLIMETRE), layout=layout)
    panels: Panels = {}
    for first_row, (mapping, label) in enumerate(labels.items()):
        shared: Axes | None = None
        for number, area in enumerate(areas):
            position = first_row * down * columns + number + 1
            axes = figure.add_subplot(n_rows, columns, position, sharey=shared)
            shared = shared or axes
            panels[mapping, area] = axes
            if number % columns:
                axes.tick_params(labelleft=False)
            else:
                axes.set_ylabel(label)
    return figure, panels


def bottom_panels(panels: Panels, areas: Sequence[str]) -> list[Axes]:
    """The panels that carry the label of the x axis: the lowest of every column."""
    return list(panels.values())[-min(n_columns(areas), len(areas)) :]


def score_label(mapping: str, measure: str) -> str:
    between = " " if len(mapping) + len(measure) <= 20 else "\n"
    return f"held-out score\n({mapping}:{between}{measure})"


def name_panel(axes: Axes, area: str, note: str = "") -> None:
    """Write the area above the panel, and below it a line of what the panel shows."""
    size = mpl.rcParams["font.size"]
    # A line of the note, and what hangs below the name's own: the _ of human_IT.
    lifted = (note.count("\n") + 1) * (size - 1) * 1.25 + size / 4 if note else 0
    axes.set_title(area, loc="left", fontweight="bold", pad=3 + lifted)
    if note:
        axes.annotate(
            note, (0, 1), (0, 3), xycoords="axes fraction", textcoords="offset points",
            va="bottom", ha="left", fontsize=size - 1.5, color=GREY, linespacing=1.15,
        )  # fmt: skip


def beside_or_below(parts: Sequence[tuple[str, str]], width: float) -> list[str]:
    """Panels' notes of two parts each: on one line if none is wider, in inches, else on two."""
    size = mpl.rcParams["font.size"] - 1.5
    fits = all(text_width(f"{first} {second}", size) <= width for first, second in parts)
    return [f"{first}{' ' if fits else chr(10)}{second}" for first, second in parts]


def say_empty(axes: Axes, text: str) -> None:
    """An honest empty panel."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=GREY)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)


def draw_ceiling(axes: Axes, rows: pd.DataFrame) -> None:
    """A line at the ceiling, where it is known and above chance, with room for its name above it.

    rows: columns ceiling, ceiling_p.
    """
    known = rows["ceiling"].where(~(rows["ceiling_p"] > LEVEL)).dropna().unique()
    if len(known):
        axes.update_datalim([(0, 1.12 * known[0])], updatex=False)
        axes.axhline(known[0], color=GREY, linewidth=0.9, linestyle=(0, (4, 2)), zorder=1)
        axes.annotate(
            "ceiling", (0, known[0]), (3, 1.5), xycoords=axes.get_yaxis_transform(),
            textcoords="offset points", ha="left", va="bottom", color=GREY,
            fontsize=mpl.rcParams["font.size"] - 1.5,
        )  # fmt: skip


def model_colours(models: pd.DataFrame) -> tuple[dict[str, str], dict[str, str]]:
    """Model to colour, and the legend's group to colour: by family, or the only one's members.

    models: columns model, family, architecture. Beyond seven groups, the smallest share a grey.
    """
    key = "family" if models["family"].nunique() > 1 else "architecture"
    counts = models[key].value_counts(sort=True)
    order = list(dict.fromkeys(models[key]))
    largest = sorted(order, key=lambda group: (-counts[group], order.index(group)))
    own = {group for group in largest[: len(PALETTE)]}
    named = [group for group in order if group in own]
    groups = dict(zip(named, PALETTE, strict=False))
    colours = {
        model: groups.get(group, "0.6")
        for model, group in zip(models["model"], models[key], strict=True)
    }
    return colours, groups | ({"other": "0.6"} if len(order) > len(own) else {})


def training_handles() -> list[Line2D]:
    dot: dict[str, Any] = {"linestyle": "", "marker": "o", "markersize": 4, "color": GREY}
    return [
        Line2D([], [], label="trained", **dot),
        Line2D([], [], label="untrained", markerfacecolor="white", **dot),
    ]


def group_handles(groups: Mapping[str, str]) -> list[Line2D]:
    return [
        Line2D([], [], linestyle="", marker="o", markersize=4, color=colour, label=group)
        for group, colour in groups.items()
    ]


def add_legend(figure: Figure, handles: Sequence[Line2D]) -> None:
    """One legend below all panels, in as many columns as fit the width."""
    if handles:
        longest = max(len(str(handle.get_label())) for handle in handles)
        size = mpl.rcParams["legend.fontsize"] / 72
        fit = int(figure.get_figwidth() / ((longest * 0.58 + 4.5) * size))
        columns = max(1, min(fit, len(handles)))
        columns = -(-len(handles) // -(-len(handles) // columns))  # rows of equal length
        figure.legend(handles=list(handles), loc="outside lower center", ncols=columns)
