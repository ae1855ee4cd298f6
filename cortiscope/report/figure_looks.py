"""Which colour and which marker stand for what, and the legend that says so."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

GREY, PALE = "0.45", "0.85"
# Okabe and Ito, Color Universal Design (2008), without black, which axes and text are drawn in.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#B8A800")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h", "*")
OTHER = ("0.6", "<")  # families beyond the palette
LABELLED = 12  # with more models than this, names would cover the points


def records(frame: pd.DataFrame) -> Iterator[Any]:
    """The rows of a table, its columns as attributes."""
    yield from frame.itertuples(index=False)


def model_looks(
    models: pd.DataFrame,
) -> tuple[dict[str, tuple[str, str]], dict[str, tuple[str, str]]]:
    """Model to colour and marker, and the legend's groups to theirs.

    models: columns model, family, architecture, training. Few models are told apart one by one,
    twins by how they are filled: then there are no groups. Many are told apart by family, or those
    of one family by architecture; beyond seven groups, the smallest share a grey.
    """
    if len(models) <= LABELLED:
        return _single_looks(models), {}
    key = "family" if models["family"].nunique() > 1 else "architecture"
    counts = models[key].value_counts(sort=True)
    order = list(dict.fromkeys(models[key]))
    largest = sorted(order, key=lambda group: (-counts[group], order.index(group)))
    own = set(largest[: len(PALETTE)])
    named = [group for group in order if group in own]
    groups = dict(zip(named, zip(PALETTE, MARKERS, strict=False), strict=False))
    looks = {
        model: groups.get(group, OTHER)
        for model, group in zip(models["model"], models[key], strict=True)
    }
    return looks, groups | ({"other": OTHER} if len(order) > len(own) else {})


def _single_looks(models: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """A marker for every model but twins, a colour for every architecture until they run out."""
    architectures = list(dict.fromkeys(models["architecture"]))
    seen: dict[tuple[str, str], int] = {}
    markers: dict[tuple[str, int], str] = {}
    looks = {}
    for row in records(models):
        architecture = str(row.architecture)
        kind = (architecture, str(row.training))
        again = seen[kind] = seen.get(kind, -1) + 1
        marker = markers.setdefault((architecture, again), MARKERS[len(markers)])
        colour = PALETTE[architectures.index(architecture) % len(PALETTE)]
        looks[str(row.model)] = (colour, marker)
    return looks


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
