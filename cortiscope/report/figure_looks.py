"""Which colour and which marker stand for what, and the legend that says so."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

GREY, PALE = "0.45", "0.85"


def training_handles(models: pd.DataFrame) -> list[Line2D]:
    """An entry for each kind of training that there is."""
    dot: dict[str, Any] = {"linestyle": "", "marker": "o", "markersize": 4, "color": GREY}
    faces = {"trained": GREY, "untrained": "white"}
    return [
        Line2D([], [], label=kind, markerfacecolor=face, **dot)
        for kind, face in faces.items()
        if (models["training"] == kind).any()
    ]


def group_handles(groups: Mapping[str, tuple[str, str]]) -> list[Line2D]:
    return [
        Line2D([], [], linestyle="", marker=marker, markersize=4, color=colour, label=group)
        for group, (colour, marker) in groups.items()
    ]


def _legend_columns(handles: Sequence[Line2D], width: float) -> int:
    longest = max(len(str(handle.get_label())) for handle in handles)
    size = mpl.rcParams["legend.fontsize"] / 72
    fit = int(width / ((longest * 0.6 + 4.5) * size))
    columns = max(1, min(fit, len(handles)))
    return -(-len(handles) // -(-len(handles) // columns))  # rows of equal length


def legend_height(handles: Sequence[Line2D], width: float) -> float:
    if not handles:
        return 0.0
    rows = -(-len(handles) // _legend_columns(handles, width))
    return float((1.7 * rows + 1) * mpl.rcParams["legend.fontsize"] / 72)


def add_legend(figure: Figure, handles: Sequence[Line2D]) -> None:
    """One legend below all panels, in as many columns as fit the width."""
    if handles:
        columns = _legend_columns(handles, figure.get_figwidth())
        figure.legend(handles=list(handles), loc="outside lower center", ncols=columns)
