"""Names beside the points of a plot, placed where they cover nothing."""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

RADIUS = 2.5  # of a point, in points
GAPS = (3.5, 6.0, 11.0, 17.0)  # from a point to its name, in points
LEADER = 8.0  # names further away are joined to their point by a line


def label_points(axes: Axes, points: np.ndarray, bars: np.ndarray, names: Sequence[str]) -> None:
    """Write names beside points where they cover neither points, bars, texts nor each other.

    points: (point, x and y) in data units; bars: (point, low and high), NaN = none. Lines are
    covered only where nothing else is left; a name for which there is no room at all is left out.
    The figure must have its final layout.
    """
    canvas: Any = axes.figure.canvas
    renderer, scale = canvas.get_renderer(), canvas.figure.get_dpi() / 72
    pixels = axes.transData.transform(points)
    taken = [_around(pixel, RADIUS * scale) for pixel in pixels]
    taken += [text.get_window_extent(renderer) for text in axes.texts]
    for (x, _), ends in zip(points, bars, strict=True):
        if np.isfinite(ends).all():
            low, high = axes.transData.transform([(x, ends[0]), (x, ends[1])])
            taken.append(Bbox.from_extents(low[0] - scale, low[1], high[0] + scale, high[1]))
    lines, inside = _along_lines(axes, scale), axes.get_window_extent(renderer)
    for index in np.lexsort((pixels[:, 0], -pixels[:, 1])):
        text = axes.annotate(
            names[index], points[index], (0, 0), textcoords="offset points",
            fontsize=mpl.rcParams["font.size"] - 2, va="bottom",
            arrowprops={"arrowstyle": "-", "linewidth": 0.4, "color": "0.45", "shrinkA": 0,
                        "shrinkB": RADIUS},
        )  # fmt: skip
        place = _place(text, pixels[index], (taken, lines, inside), renderer)
        if place is None:
            text.remove()
            continue
        shift, box = place
        text.set_position((shift[0] / scale, shift[1] / scale))
        taken.append(box)
        _trim_leader(text, box, pixels[index], scale)


def _around(pixel: np.ndarray, radius: float) -> Bbox:
    return Bbox.from_extents(*(pixel - radius), *(pixel + radius))


def _along_lines(axes: Axes, scale: float) -> list[Bbox]:
    """Small boxes along every straight line that is drawn in data units across the axes."""
    boxes = []
    for line in axes.lines:
        ends = np.asarray(line.get_xydata(), float)
        if len(ends) == 2 and line.get_transform() == axes.transData:
            first, last = axes.transData.transform(ends)
            steps = np.linspace(0, 1, 200)[:, None]
            boxes += [_around(pixel, 0.7 * scale) for pixel in first + steps * (last - first)]
    return boxes


def _place(
    text: Annotation,
    pixel: np.ndarray,
    obstacles: tuple[list[Bbox], list[Bbox], Bbox],
    renderer: Any,
) -> tuple[np.ndarray, Bbox] | None:
    """The first free place for a name, as the shift of its corner and its box."""
    taken, lines, inside = obstacles
    scale = renderer.points_to_pixels(1.0)
    # The extent of an annotation takes in its leader: measure the words alone, with a margin.
    words = Text.get_window_extent(text, renderer)
    width, height = words.width + scale, words.height
    for avoid_lines in (True, False):
        for shift in _shifts(width, height, scale):
            x, y = pixel + shift
            box = Bbox.from_bounds(x, y, width, height)
            if not (inside.x0 <= box.x0 and box.x1 <= inside.x1):
                continue
            if not (inside.y0 <= box.y0 and box.y1 <= inside.y1):
                continue
            blocked = taken + lines if avoid_lines else taken
            if not any(box.overlaps(other) for other in blocked):
                return shift, box
    return None


def _trim_leader(text: Annotation, box: Bbox, pixel: np.ndarray, scale: float) -> None:
    """Keep the line to the point only where the name stands far from it."""
    nearest = np.clip(pixel, box.min, box.max)
    if np.hypot(*(nearest - pixel)) < LEADER * scale and text.arrow_patch is not None:
        text.arrow_patch.set_visible(False)


def _shifts(width: float, height: float, scale: float) -> list[np.ndarray]:
    """Where the lower left corner of a name may stand, from its point: the best places first."""
    places = []
    for gap in GAPS:
        right, left = gap * scale, -gap * scale - width
        above, below, level = gap * scale, -gap * scale - height, -height / 2
        near_above, near_below = 0.3 * gap * scale, -0.3 * gap * scale - height
        if gap <= LEADER:
            places += [(right, level), (left, level)]
        places += [(right, near_above), (right, near_below), (left, near_above)]
        places += [(left, near_below), (-width / 2, above), (-width / 2, below)]
        places += [(right, above), (left, above), (right, below), (left, below)]
    return [np.array(place) for place in places]
