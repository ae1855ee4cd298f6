"""What a figure shows as it is drawn: its texts, and which of them a reader cannot tell apart."""

import re
from typing import NamedTuple
from unittest.mock import patch

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.transforms import Bbox


class Drawn(NamedTuple):
    """box: in pixels, a pixel less on each side. size: in points."""

    text: str
    box: Bbox
    size: float


def drawn_texts(figure: Figure) -> list[Drawn]:
    """Every text that is drawn."""
    found: dict[int, Text] = {}
    draw = Text.draw

    def noted(text: Text, renderer: object) -> None:
        if text.get_visible() and text.get_text().strip():
            found[id(text)] = text
        draw(text, renderer)

    with patch.object(Text, "draw", noted):
        FigureCanvasAgg(figure).draw()
    return [
        Drawn(text.get_text(), text.get_window_extent().padded(-1), float(text.get_fontsize()))
        for text in found.values()
    ]


def overlapping(texts: list[Drawn]) -> list[tuple[str, str]]:
    """Pairs of texts that cover each other."""
    corners = np.array([one.box.get_points() for one in texts]).reshape(-1, 2, 2)
    low, high = corners.min(axis=1), corners.max(axis=1)  # (text, axis): a box may be inside out
    begins = (low[:, None] <= high).all(axis=2)  # the one before the other's end, on both axes
    pairs = np.argwhere(np.triu(begins & begins.T, 1))
    return [(texts[a].text, texts[b].text) for a, b in pairs]


def cut_off(texts: list[Drawn], figure: Figure) -> list[str]:
    """Texts that reach beyond the edge of the figure."""
    page = figure.bbox.padded(1)
    return [one.text for one in texts if Bbox.union([page, one.box]).bounds != page.bounds]


def negative_zeros(texts: list[Drawn]) -> list[str]:
    """Texts with a minus sign before a number that is zero."""
    return [one.text for one in texts if re.search(r"[-−]0(\.0*)?(?![\d.])", one.text)]


def unexplained(figure: Figure) -> set[tuple[str, str]]:
    """Colours, and markers of them, of lines and points that stand in no legend; greys aside."""
    explained = {
        look
        for legend in figure.legends
        for handle in legend.get_lines()
        for look in _looks(handle)
    }
    drawn = {look for axes in figure.axes for line in axes.lines for look in _looks(line)}
    bars = {
        (to_hex(colour), "")
        for axes in figure.axes
        for collection in axes.collections
        for colour in collection.get_edgecolor()
    }
    colours = {colour for colour, _ in explained}
    return {look for look in drawn - explained if not _grey(look[0])} | {
        bar for bar in bars if bar[0] not in colours and not _grey(bar[0])
    }


def _looks(line: Line2D) -> set[tuple[str, str]]:
    """The colour of a line, the shape of its markers, and whether these are hollow."""
    marker, colour = str(line.get_marker()), to_hex(line.get_color())
    looks = {(colour, "")}
    if marker != "None":
        looks.add((colour, marker))
        if to_hex(line.get_markerfacecolor()) != colour:
            looks.add(("hollow", ""))
    return looks


def _grey(colour: str) -> bool:
    return colour[1:3] == colour[3:5] == colour[5:7]
