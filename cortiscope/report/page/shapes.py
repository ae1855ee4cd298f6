"""The markers of the figures as outlines, for the charts and for the legend of the page."""

from collections.abc import Iterable
from math import cos, pi, sin

from cortiscope.report.house_style import MARKERS, OTHER


def _closed(points: Iterable[tuple[float, float]]) -> str:
    """An SVG path within -1 to 1 along both dimensions, y pointing down."""
    return "M" + "L".join(f"{round(x, 3)},{round(y, 3)}" for x, y in points) + "Z"


def _regular(corners: int, radii: tuple[float, ...] = (1.0,)) -> str:
    angles = [2 * pi * corner / corners - pi / 2 for corner in range(corners)]
    return _closed(
        (radii[i % len(radii)] * cos(angle), radii[i % len(radii)] * sin(angle))
        for i, angle in enumerate(angles)
    )


def _cross(turned: float) -> str:
    a, b = 0.32, 0.95
    corners = [(-a, -b), (a, -b), (a, -a), (b, -a), (b, a), (a, a),
               (a, b), (-a, b), (-a, a), (-b, a), (-b, -a), (-a, -a)]  # fmt: skip
    return _closed(
        (x * cos(turned) - y * sin(turned), x * sin(turned) + y * cos(turned)) for x, y in corners
    )


# As large as each other to the eye.
_OUTLINES = {
    "o": "M-0.85,0A0.85,0.85,0,1,1,0.85,0A0.85,0.85,0,1,1,-0.85,0Z",
    "s": _closed([(-0.75, -0.75), (0.75, -0.75), (0.75, 0.75), (-0.75, 0.75)]),
    "^": _closed([(0, -0.95), (0.95, 0.75), (-0.95, 0.75)]),
    "D": _closed([(0, -1), (1, 0), (0, 1), (-1, 0)]),
    "v": _closed([(0, 0.95), (0.95, -0.75), (-0.95, -0.75)]),
    "P": _cross(0),
    "X": _cross(pi / 4),
    "<": _closed([(-0.95, 0), (0.75, -0.95), (0.75, 0.95)]),
    ">": _closed([(0.95, 0), (-0.75, -0.95), (-0.75, 0.95)]),
    "p": _regular(5),
    "h": _regular(6),
    "*": _regular(10, (1.0, 0.45)),
}
PATHS = {marker: _OUTLINES[marker] for marker in (*MARKERS, OTHER[1])}
