"""How figures are cut into pages, known before anything is drawn.

Snakemake asks for the names of all files when it reads its rules, where Matplotlib would take too
long to load: room for text is reckoned from its number of characters. What is drawn is fitted into
that room.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

MILLIMETRE = 1 / 25.4  # inches
WIDTH, HIGHEST = 180 * MILLIMETRE, 240 * MILLIMETRE  # a journal's page, two columns wide
# What a figure of pairs becomes where its rows would take a mapping more than MOST_PAGES.
DIFFERENCES = "differences"
MOST_PAGES = 2
SMALLEST = 6.0  # points, of any text
EM = 0.6  # the width of a character by its size, on average; 0.7 where bold
STATEMENT = 17.5  # the width of what a panel says of a correlation
# Millimetres at 8 points; those that are taken by text grow and shrink with it.
LOWEST_PANEL = 36  # a row of panels, with what is written about them
AROUND_PANELS = 22  # the label of the x axis and the legend
AROUND_PAIRS = 17  # rows of pairs of models: names of panels, axes, between panels
NARROWEST_PAIR = 58  # a panel of pairs, without their names
LONGEST_ABREAST = 16  # characters: the name of an area stands above the left half of its panel
AROUND_CELLS = 28  # a heat map's name and colour bar, without the names of its areas
NARROWEST_CELL = 2.7


@dataclass(frozen=True)
class Page:
    """figure: a module of `figures`. first, last: of the models or pairs, without last."""

    figure: str
    mappings: list[str]
    areas: list[str]
    first: int = 0
    last: int = 0


def pair_names(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """The trained model; where that has several twins, with what sets each apart from it."""
    often = Counter(trained for trained, _ in pairs)
    return [
        trained
        if often[trained] == 1
        else f"{trained} / {f'…{twin.removeprefix(trained)}' if twin.startswith(trained) else twin}"
        for trained, twin in pairs
    ]


def panel_pages(figure: str, areas: list[str], mappings: list[str], font_size: float) -> list[Page]:
    """Panels: a row of them per mapping, or several rows where areas are many."""
    columns = n_columns(areas, font_size)
    most = max(1, int((HIGHEST - scaled(AROUND_PANELS, font_size)) / lowest_panel(font_size)))
    groups = _grouped(areas, mappings, columns, most)
    return [Page(figure, *group) for group in groups]


def pair_pages(
    figure: str, areas: list[str], mappings: list[str], pairs: Sequence[str], font_size: float
) -> list[Page]:
    """A row per pair of models, in a panel per area, two abreast; or cells, where those abound."""
    row, around = lowest_row(font_size), scaled(AROUND_PAIRS, font_size)
    page = HIGHEST - around  # the legend is as high as what is around panels
    parts = evenly(range(len(pairs)), int((page - around) / row))
    most = max(1, int(page / (around + len(parts[0]) * row)))
    groups = _grouped(areas, mappings, pairs_abreast(areas, pairs, font_size), most)
    if len(groups) * len(parts) > MOST_PAGES * len(mappings):
        return cell_pages(DIFFERENCES, areas, mappings, pairs, font_size)
    return [Page(figure, *group, *_ends(part)) for group in groups for part in parts]


def cell_pages(
    figure: str,
    areas: list[str],
    mappings: list[str],
    names: Sequence[str],
    font_size: float,
) -> list[Page]:
    """Heat maps: a row per model or pair, a column per area, mappings side by side with room."""
    room = WIDTH - names_width(names, font_size)
    around = scaled(AROUND_CELLS, font_size) + names_width(areas, font_size)
    row = lowest_row(font_size)
    parts = evenly(range(len(names)), int((HIGHEST - around) / row))
    most = max(1, int(HIGHEST / (around + len(parts[0]) * row)))
    columns = evenly(areas, int(room / scaled(NARROWEST_CELL, font_size)))
    across = abreast(len(mappings), len(columns[0]), room, font_size)
    return [
        Page(figure, group, some, *_ends(part))
        for group in evenly(mappings, most * across)
        for some in columns
        for part in parts
    ]


def _grouped(
    areas: list[str], mappings: list[str], columns: int, most: int
) -> list[tuple[list[str], list[str]]]:
    """Mappings and areas of pages that hold at most so many rows of so many panels."""
    down = -(-len(areas) // columns)
    if down <= most:
        return [(group, areas) for group in evenly(mappings, most // down)]
    parts = evenly(areas, most * columns)
    return [([mapping], part) for mapping in mappings for part in parts]


def evenly(items: Sequence[Any], most: int) -> list[Any]:
    """Slices of about equal length, no longer than `most`; an empty one of nothing."""
    number = max(1, -(-len(items) // max(1, most)))
    edges = [place * len(items) // number for place in range(number + 1)]
    return [items[first:last] for first, last in pairwise(edges)]


def _ends(part: range) -> tuple[int, int]:
    return part.start, part.stop


def scaled(millimetres: float, font_size: float) -> float:
    """Inches, of what is so many millimetres at 8 points."""
    return millimetres * MILLIMETRE * font_size / 8


def lowest_panel(font_size: float) -> float:
    return scaled(LOWEST_PANEL, font_size)


def lowest_row(font_size: float) -> float:
    """Of a heat map: one whose name can be read, in inches."""
    return 1.17 * small(font_size) / 72


def small(font_size: float) -> float:
    """The size in points of what is said in passing."""
    return max(SMALLEST, font_size - 2)


def names_width(names: Iterable[str], font_size: float) -> float:
    """What names of rows or columns take, in inches: at most a third of the page."""
    longest = max((len(name) for name in names), default=0)
    return min(WIDTH / 3, (longest + 8) * EM * small(font_size) / 72)


def n_columns(areas: Sequence[str], font_size: float) -> int:
    """How many panels stand abreast: all, or three or four; fewer where their text is wide."""
    wanted = len(areas) if len(areas) <= 4 else 3 if len(areas) <= 9 else 4
    named = (max(len(area) for area in areas) + 1) * 0.7 * (font_size + 1)
    widest = max(named, STATEMENT * small(font_size)) / 72
    return max(1, min(wanted, int((WIDTH - margin(font_size)) / widest)))


def margin(font_size: float) -> float:
    """What the labels and ticks of a y axis take, about, in inches."""
    return 6 * font_size / 72


def pairs_abreast(areas: Sequence[str], names: Sequence[str], font_size: float) -> int:
    """How many panels of pairs stand side by side: two, or one where names are long."""
    room = (WIDTH - names_width(names, font_size)) / 2
    wide = room >= scaled(NARROWEST_PAIR, font_size)
    short = max(len(area) for area in areas) <= LONGEST_ABREAST
    return 2 if len(areas) > 1 and wide and short else 1


def abreast(n_mappings: int, n_areas: int, room: float, font_size: float) -> int:
    """How many heat maps stand side by side: as many as leave cells the width of their numbers."""
    number = 1.2 * 2.23 * small(font_size) / 72  # 0.00
    gap = scaled(6, font_size)
    return min(n_mappings, 3, max(1, int(room / (n_areas * number + gap))))
