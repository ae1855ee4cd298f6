"""The texts of a figure as they are drawn, and which of them a reader cannot tell apart."""

from itertools import combinations
from unittest.mock import patch

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox


def drawn_texts(figure: Figure) -> list[tuple[str, Bbox]]:
    """Every text that is drawn, and its place in pixels, a pixel less on each side."""
    found: dict[int, Text] = {}
    draw = Text.draw

    def noted(text: Text, renderer: object) -> None:
        if text.get_visible() and text.get_text().strip():
            found[id(text)] = text
        draw(text, renderer)

    with patch.object(Text, "draw", noted):
        FigureCanvasAgg(figure).draw()
    return [(text.get_text(), text.get_window_extent().padded(-1)) for text in found.values()]


def overlapping(texts: list[tuple[str, Bbox]]) -> list[tuple[str, str]]:
    """Pairs of texts that cover each other."""
    return [(a, b) for (a, first), (b, second) in combinations(texts, 2) if first.overlaps(second)]


def cut_off(texts: list[tuple[str, Bbox]], figure: Figure) -> list[str]:
    """Texts that reach beyond the edge of the figure."""
    page = figure.bbox.padded(1)
    return [text for text, box in texts if Bbox.union([page, box]).bounds != page.bounds]
