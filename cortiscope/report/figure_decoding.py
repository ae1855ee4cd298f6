"""Figure of decoding: properties read out along the depth of networks, and from areas."""

import shutil
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cortiscope.files import replacing
from cortiscope.report.figure_curves import draw_curve, line_handles, line_looks
from cortiscope.report.figure_looks import PALE
from cortiscope.report.figure_style import (
    MILLIMETRE,
    bottom_panels,
    name_panel,
    panel_grid,
    panel_width,
    save,
    small,
    styled,
)
from cortiscope.report.house_style import LABELLED

TEXT = ("name", "family", "architecture", "training", "layer", "property")
DOTTED = (0, (1, 1.2))


def read(path: str) -> pd.DataFrame:
    """The decoding table; labels stay text, also where they look like numbers."""
    text = dict.fromkeys(TEXT, str)
    return pd.read_csv(path, dtype=text, keep_default_na=False, na_values=[""])


def decoding(table: pd.DataFrame) -> Figure:
    """How well each property is read out: a panel each, a line per model, a level per area.

    table: rows of decoding.csv.
    """
    names = list(table["property"].unique())
    layers = table[table["source"] == "model"].rename(columns={"name": "model"})
    areas = table[table["source"] == "area"]
    models = layers.drop_duplicates("model")
    looks, groups = line_looks(models)
    handles = line_handles(models, looks, groups)
    if len(areas):
        level: dict[str, Any] = {"color": "black", "linewidth": 0.8, "linestyle": DOTTED}
        handles.append(Line2D([], [], label="areas", **level))
    label = {"decoding": "read out, held out\n(0 chance, 1 perfect)"}
    figure, panels = panel_grid(label, names, 50 * MILLIMETRE, handles)
    width = panel_width(names)
    for (_, name), axes in panels.items():
        here = layers[layers["property"] == name]
        name_panel(axes, name, _measure(table[table["property"] == name].iloc[0]), width)
        axes.axhline(0, color=PALE, linewidth=0.6, zorder=0)
        for model, rows in here.groupby("model", sort=False):
            draw_curve(axes, rows, looks[str(model)])
        axes.set_xlim(-0.03, 1.03)
        axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    for axes in bottom_panels(panels, names):
        axes.set_xlabel("depth (first to last layer)")
    _areas(figure, panels, areas)
    return figure


def _measure(row: pd.Series) -> str:
    """What the score of a property is."""
    if row["kind"] == "discrete":
        known = np.isfinite(row["chance"])
        return f"accuracy above chance, {1 / row['chance']:.0f} classes" if known else "not scored"
    return "r of its sine and cosine" if row["kind"] == "angle" else "Pearson r"


def _areas(figure: Figure, panels: Mapping[Any, Axes], areas: pd.DataFrame) -> None:
    """Draw a dotted line at each area's score, its name beside it where areas are few.

    Names that would cover each other move apart; they lie in the margin, so the layout makes room.
    """
    few = areas["name"].nunique() <= LABELLED
    size = small()
    drawn = []
    for (_, name), axes in panels.items():
        here = areas[(areas["property"] == name) & areas["score"].notna()]
        for score in here["score"]:
            axes.axhline(
                score, color="black", linewidth=0.8 if few else 0.4, linestyle=DOTTED, zorder=1.5
            )
        named = here if few else here[:0]
        for area, score in zip(named["name"], named["score"], strict=True):
            text = axes.annotate(
                area, (1, score), (2, 0), xycoords=axes.get_yaxis_transform(),
                textcoords="offset points", va="center", ha="left", fontsize=size,
            )  # fmt: skip
            drawn.append((axes, text, score))
    FigureCanvasAgg(figure).draw()
    for axes in panels.values():
        own = [(text, score) for place, text, score in drawn if place is axes]
        heights = axes.transData.transform([(0, score) for _, score in own] or [(0, 0)])[:, 1]
        points = heights * 72 / figure.dpi
        for (text, _), shift in zip(own, spread(points, 1.15 * size) - points, strict=False):
            text.xyann = (2, shift)


def spread(places: np.ndarray, distance: float) -> np.ndarray:
    """Places (label,) moved as little as keeps them, in their order, at least a distance apart."""
    order = np.argsort(places, kind="stable")
    steps = distance * np.arange(len(places))
    # Least squares under an order: pool neighbours that stand the wrong way round into their mean.
    pools: list[list[float]] = []
    for place in places[order] - steps:
        pools.append([float(place)])
        while len(pools) > 1 and np.mean(pools[-2]) >= np.mean(pools[-1]):
            pools[-2:] = [pools[-2] + pools[-1]]
    moved = np.empty(len(places))
    moved[order] = steps + [float(np.mean(pool)) for pool in pools for _ in pool]
    return moved


def make(
    table: str,
    outputs: tuple[str, str, str],
    settings: Mapping[str, Any],
    provenance: Mapping[str, Any],
) -> None:
    """Draw decoding.csv, all of it, to (svg, png, source csv); settings: see `drawing.make`."""
    svg, png, source = outputs
    with styled(settings["font_size"]):
        save(decoding(read(table)), svg, png, settings["dpi"], provenance)
    with replacing(source) as temporary:
        shutil.copyfile(table, temporary)
