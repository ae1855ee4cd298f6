"""The page's charts, as Vega-Lite. Each reads a table of `data` by its name.

One selection links them: the parameters MAPPING, AREA, FAMILY ("" = all) and CHOSEN (names of
models; none = all), which the page sets in every chart. Colours are variables of the page's style
sheet, so that charts are light, dark or printed as the page is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from cortiscope.report.house_style import PALETTE

MAPPING, AREA, FAMILY, CHOSEN, SHOWN = "at_mapping", "at_area", "at_family", "chosen", "shown_model"
INK, SOFT, FAINT, PAPER = "var(--ink)", "var(--soft)", "var(--line)", "var(--paper)"
CROWDED = 20  # with more models than this, points are smaller and cells hold no numbers
IS_CHOSEN = f"length({CHOSEN}) == 0 || indexof({CHOSEN}, datum.model) >= 0"
OF_MAPPING = f"datum.mapping == {MAPPING}"
OF_AREA = f"{AREA} == '' || datum.area == {AREA}"
OF_FAMILY = f"{FAMILY} == '' || datum.family == {FAMILY}"
COLOUR = alt.Color("colour:N", scale=None)
SHAPE = alt.Shape("shape:N", scale=None)
PALE = alt.condition(IS_CHOSEN, alt.value(1), alt.value(0.1))


@dataclass(frozen=True)
class Scene:
    """What charts are planned by: names in their order, of models the best classifier first."""

    models: Sequence[str]
    areas: Sequence[str]
    mappings: Sequence[str]

    @property
    def crowded(self) -> bool:
        return len(self.models) > CROWDED


def charts(scene: Scene) -> dict[str, dict[str, Any]]:
    """Name to Vega-Lite specification, in the order of the page."""
    made = {
        "accuracy": accuracy(scene),
        "depth": depth(scene),
        "map": heat_map(scene),
        "size": size(scene),
        "training": training(scene),
        "hierarchy": hierarchy(scene),
        "chance": chance(scene),
        "reliability": reliability(scene),
        "model": model_view(scene),
    }
    return {name: _finished(chart, scene) for name, chart in made.items()}


def _finished(chart: Any, scene: Scene) -> dict[str, Any]:
    given = {MAPPING: scene.mappings[0], AREA: "", FAMILY: "", CHOSEN: [], SHOWN: ""}
    chart = chart.add_params(*(alt.param(name=name, value=value) for name, value in given.items()))
    text: dict[str, Any] = chart.to_dict()
    return text | {"config": CONFIG}


def _table(name: str, *conditions: str) -> alt.Chart:
    chart = alt.Chart(alt.NamedData(name))
    for condition in conditions:
        chart = chart.transform_filter(condition)
    return chart


def _facets(chart: Any, scene: Scene, aspect: float, field: str = "area", above: int = 6) -> Any:
    """A panel per area that is chosen; the page sets how many stand in a row, and how wide."""
    order = list(scene.areas if field == "area" else scene.mappings)
    header = alt.Header(title=None, labelPadding=above)
    facets = chart.facet(
        facet=alt.Facet(f"{field}:N", sort=order, header=header), columns=3
    ).transform_filter(OF_AREA)
    return facets.properties(usermeta={"panels": len(order), "aspect": aspect})


def _span(low: str, high: str) -> str:
    """An expression: an interval in words."""
    return (
        f"isValid(datum.{low}) ? format(datum.{low}, '.3f') + ' to ' + format(datum.{high}, '.3f')"
        " : 'not known'"
    )


def _score_tip(*more: alt.Tooltip) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("model:N"),
        alt.Tooltip("training:N"),
        alt.Tooltip("area:N"),
        alt.Tooltip("score:Q", format=".3f"),
        alt.Tooltip("interval:N", title="95 % interval"),
        *more,
        alt.Tooltip("p_value:Q", title="p", format=".3g"),
    ]


LAYER = alt.Tooltip("best_layer:N", title="best layer")
SHARE = alt.Tooltip("score_of_ceiling:Q", title="of the ceiling", format=".1%")
TOP1 = alt.Tooltip("top1:Q", title="top-1 accuracy, %", format=".1f")
LIMIT = alt.Tooltip("ceiling:Q", format=".3f")


def _points(chart: alt.Chart, scene: Scene, **encoding: Any) -> alt.Chart:
    """Models as points: coloured outlines, filled where trained."""
    fill = alt.condition("datum.training == 'trained'", alt.Fill("colour:N", scale=None),
                         alt.value(PAPER))  # fmt: skip
    point = chart.mark_point(size=45 if scene.crowded else 80, strokeWidth=1.4, opacity=1)
    return point.encode(
        stroke=alt.Stroke("colour:N", scale=None), fill=fill, shape=SHAPE, opacity=PALE, **encoding
    )


def _against(scene: Scene, table: alt.Chart, x: alt.X) -> Any:
    """Scores with intervals against a property of models, and the ceiling of each area."""
    table = table.transform_calculate(interval=_span("score_low", "score_high"))
    y = alt.Y("score:Q", title="score")
    ceiling = table.mark_rule(strokeDash=[4, 3], stroke=SOFT).encode(
        y="mean(ceiling):Q", tooltip=[alt.Tooltip("mean(ceiling):Q", title="ceiling", format=".3f")]
    )
    bars = table.mark_rule(strokeWidth=1).encode(
        x=x, y=alt.Y("score_low:Q", title="score"), y2="score_high:Q", color=COLOUR, opacity=PALE
    )
    tip = _score_tip(LAYER, SHARE, TOP1)
    return ceiling, bars, _points(table, scene, x=x, y=y, tooltip=tip)


def accuracy(scene: Scene) -> Any:
    """Accuracy against score; a line on each panel tells the correlation over all models."""
    table = _table("scores", OF_MAPPING, OF_FAMILY, "isValid(datum.top1)")
    x = alt.X("top1:Q", title="top-1 accuracy, %", scale=alt.Scale(zero=False, nice=True))
    note = (
        table.transform_window(first="row_number()", groupby=["area"])
        .transform_filter("datum.first == 1")
        .mark_text(align="left", baseline="bottom", fill=SOFT, fontSize=11)
        .encode(x=alt.value(0), y=alt.value(-5), text="note:N")
    )
    return _facets(alt.layer(*_against(scene, table, x), note), scene, 0.85, above=22)


def size(scene: Scene) -> Any:
    """Score against the number of layers, features or parameters: the parameter `size`."""
    table = _table("scores", OF_MAPPING, OF_FAMILY)
    table = table.transform_calculate(size="datum[size_of]").transform_filter("datum.size > 0")
    x = alt.X("size:Q", title="number (logarithmic)", scale=alt.Scale(type="log", nice=False,
              padding=12), axis=alt.Axis(format="~s", tickCount=4))  # fmt: skip
    faceted = _facets(alt.layer(*_against(scene, table, x)), scene, 0.7)
    return faceted.add_params(alt.param(name="size_of", value="n_parameters"))


def depth(scene: Scene) -> Any:
    """Score of every layer against its depth, a line per model; the layer chosen is marked."""
    table = _table("layers", OF_MAPPING, OF_FAMILY)
    table = table.transform_calculate(interval=_span("score_low", "score_high"))
    x = alt.X("depth:Q", title="depth of the layer", scale=alt.Scale(domain=[0, 1]))
    y = alt.Y("score:Q", title="score")
    dash = alt.condition("datum.training == 'trained'", alt.value([1, 0]), alt.value([4, 2]))
    width = 1 if scene.crowded else 1.5
    lines = table.mark_line(strokeWidth=width).encode(
        x=x, y=y, detail="model:N", color=COLOUR, strokeDash=dash, opacity=PALE
    )
    tip = _score_tip(alt.Tooltip("layer:N"), alt.Tooltip("depth:Q", format=".2f"))
    best = table.transform_filter("datum.best == 1")
    # Without ink: what the pointer finds.
    found = table.mark_circle(size=60, fill="transparent").encode(x=x, y=y, tooltip=tip)
    return _facets(alt.layer(lines, _points(best, scene, x=x, y=y), found), scene, 0.85)


def heat_map(scene: Scene) -> Any:
    """A row per model, a column per area; the parameter `quantity` is its number."""
    table = _table("scores", OF_MAPPING, OF_AREA, OF_FAMILY).transform_calculate(
        interval=_span("score_low", "score_high"),
        value="datum[quantity]",
    )
    x = alt.X("area:N", sort=list(scene.areas), title=None,
              axis=alt.Axis(orient="top", labelAngle=0, domain=False, ticks=False))  # fmt: skip
    y = alt.Y("model:N", sort=list(scene.models), title=None,
              axis=alt.Axis(domain=False, ticks=False, labelLimit=170))  # fmt: skip
    colour = alt.Color("value:Q", title=None, scale=alt.Scale(scheme="blues", domainMin=0),
                       legend=alt.Legend(orient="bottom", gradientLength=160))  # fmt: skip
    cells = table.mark_rect(stroke=PAPER, strokeWidth=1).encode(
        x=x, y=y, color=colour, opacity=PALE, tooltip=_score_tip(LAYER, SHARE, TOP1, LIMIT)
    )
    layers = [cells]
    if not scene.crowded:
        top = table.transform_joinaggregate(top="max(value)")
        dark = alt.condition("datum.value > 0.72 * datum.top", alt.value("#fff"),
                             alt.value("#14202b"))  # fmt: skip
        numbers = top.mark_text(fontSize=11).encode(
            x=x, y=y, text=alt.Text("value:Q", format=".2f"), color=dark, opacity=PALE
        )
        layers.append(numbers)
    chart = alt.layer(*layers).properties(
        height=alt.Step(13 if scene.crowded else 26),
        usermeta={"widest": 110 * len(scene.areas), "labels": 180},
    )
    return chart.add_params(alt.param(name="quantity", value="score"))


def training(scene: Scene) -> Any:
    """Trained minus untrained, with intervals; filled where the difference holds."""
    table = _table("contrasts", OF_MAPPING, OF_FAMILY).transform_calculate(
        interval=_span("difference_low", "difference_high"),
        pair="datum.model + ' − ' + datum.untrained_model",
    )
    y = alt.Y("model:N", title=None, sort=list(scene.models),
              axis=alt.Axis(labelLimit=130, ticks=False, domain=False))  # fmt: skip
    x = alt.X("difference:Q", title="trained minus untrained", scale=alt.Scale(padding=10))
    zero = table.mark_rule(stroke=SOFT, strokeDash=[2, 2]).encode(x=alt.datum(0))
    bars = table.mark_rule(strokeWidth=1.2).encode(
        x=alt.X("difference_low:Q", title="trained minus untrained"), x2="difference_high:Q", y=y,
        color=COLOUR, opacity=PALE,
    )  # fmt: skip
    holds = alt.condition("datum.p_adjusted <= 0.05", alt.Fill("colour:N", scale=None),
                          alt.value(PAPER))  # fmt: skip
    tip = [
        alt.Tooltip("pair:N"),
        alt.Tooltip("area:N"),
        alt.Tooltip("difference:Q", format=".3f"),
        alt.Tooltip("interval:N", title="95 % interval"),
        alt.Tooltip("p_adjusted:Q", title="adjusted p", format=".3g"),
    ]
    points = table.mark_point(size=70, strokeWidth=1.4, opacity=1).encode(
        x=x, y=y, stroke=alt.Stroke("colour:N", scale=None), fill=holds, shape=SHAPE, opacity=PALE,
        tooltip=tip,
    )  # fmt: skip
    step = alt.Step(14 if scene.crowded else 24)
    return _facets(alt.layer(zero, bars, points).properties(height=step), scene, 0)


def hierarchy(scene: Scene) -> Any:
    """The rank of the areas against the best depth: a line per model, and the mean."""
    table = _table("hierarchy", OF_MAPPING).transform_calculate(
        who="datum.model == 'trained models' ? 'mean of the trained' : datum.model"
    )
    x = alt.X("area:N", title="area, from the lowest to the highest", axis=alt.Axis(labelAngle=0),
              sort=alt.EncodingSortField("rank", op="min"))  # fmt: skip
    y = alt.Y("best_depth:Q", title="best depth", scale=alt.Scale(domain=[0, 1]))
    tip = [
        alt.Tooltip("who:N", title="model"),
        alt.Tooltip("area:N"),
        alt.Tooltip("best_depth:Q", title="best depth", format=".3f"),
        alt.Tooltip("rho:Q", title="ρ over areas", format=".2f"),
        alt.Tooltip("p_value:Q", title="p", format=".3g"),
    ]
    single = table.transform_filter("datum.model != 'trained models'").transform_filter(OF_FAMILY)
    dash = alt.condition("datum.training == 'trained'", alt.value([1, 0]), alt.value([4, 2]))
    lines = single.mark_line(strokeWidth=1.2).encode(
        x=x, y=y, detail="model:N", color=COLOUR, strokeDash=dash, opacity=PALE
    )
    mean = table.transform_filter("datum.model == 'trained models'")
    thick = mean.mark_line(strokeWidth=4, stroke=INK, opacity=0.75).encode(x=x, y=y)
    dots = mean.mark_circle(size=90, fill=INK, opacity=1).encode(x=x, y=y, tooltip=tip)
    chart = alt.layer(lines, thick, _points(single, scene, x=x, y=y, tooltip=tip), dots)
    return chart.properties(height=320, usermeta={"widest": 600, "labels": 60})


def chance(scene: Scene) -> Any:
    """Every score between what chance reaches and the ceiling of its area."""
    table = _table("scores", OF_MAPPING, OF_AREA, OF_FAMILY).transform_calculate(
        interval=_span("score_low", "score_high")
    )
    row = alt.Y("area:N", title=None, sort=list(scene.areas),
                axis=alt.Axis(ticks=False, domain=False, labelFontSize=13, labelFontWeight="bold",
                              labelColor=INK, labelLimit=110))  # fmt: skip
    offset = alt.YOffset("place:Q")
    by_chance = alt.Tooltip("chance:Q", title="95 % of permutations below", format=".3f")
    null = table.mark_tick(thickness=2, size=9, color=SOFT).encode(
        x="chance:Q", y=row, yOffset=offset, opacity=PALE, tooltip=["model:N", "area:N", by_chance]
    )
    ceiling = table.mark_rule(strokeWidth=2, stroke=INK).encode(
        x="mean(ceiling):Q", y2=alt.Y2("area:N", bandPosition=1),
        y=alt.Y("area:N", sort=list(scene.areas), bandPosition=0),
        tooltip=["area:N", alt.Tooltip("mean(ceiling):Q", title="ceiling", format=".3f")],
    )  # fmt: skip
    x = alt.X("score:Q", title="score")
    points = _points(
        table, scene, x=x, y=row, yOffset=offset, tooltip=_score_tip(by_chance, SHARE, LAYER)
    )
    chart = alt.layer(null, ceiling, points)
    return chart.properties(
        height=alt.Step(110),
        usermeta={"widest": 880, "labels": 120 if max(map(len, scene.areas)) > 6 else 60},
    )


def reliability(scene: Scene) -> Any:
    """How many neuroids of an area have which ceiling."""
    table = _table("reliability")
    bars = table.mark_bar(fill=PALETTE[0], opacity=0.8, stroke=PAPER).encode(
        x=alt.X("low:Q", bin="binned", title="ceiling of a neuroid"),
        x2="high:Q",
        y=alt.Y("count:Q", title="neuroids"),
        tooltip=["area:N", alt.Tooltip("low:Q", title="from", format=".2f"),
                 alt.Tooltip("high:Q", title="to", format=".2f"), "count:Q"],
    )  # fmt: skip
    return _facets(bars, scene, 0.5)


def model_view(scene: Scene) -> Any:
    """The layers of one model, the parameter SHOWN, in every area, by each mapping."""
    table = _table("layers", f"datum.model == {SHOWN}").transform_calculate(
        interval=_span("score_low", "score_high")
    )
    x = alt.X("depth:Q", title="depth of the layer", scale=alt.Scale(domain=[0, 1]))
    areas = list(scene.areas)
    colours = [PALETTE[number % len(PALETTE)] for number in range(len(areas))]
    colour = alt.Color("area:N", sort=areas, scale=alt.Scale(domain=areas, range=colours),
                       legend=alt.Legend(orient="bottom", title=None, symbolOpacity=1))  # fmt: skip
    shape = alt.Shape("area:N", sort=areas, scale=alt.Scale(domain=areas))
    band = table.mark_area(opacity=0.15).encode(
        x=x, y=alt.Y("score_low:Q", title="score"), y2="score_high:Q", color=colour
    )
    lines = table.mark_line(strokeWidth=1.5).encode(x=x, y="score:Q", color=colour)
    tip = _score_tip(alt.Tooltip("layer:N"), alt.Tooltip("depth:Q", format=".2f"))
    points = table.mark_point(size=50, filled=True, opacity=1).encode(
        x=x, y="score:Q", color=colour, shape=shape, tooltip=tip
    )
    faceted = _facets(alt.layer(band, lines, points), scene, 0.6, "mapping")
    return faceted.resolve_scale(y="independent")


_TEXT = {"labelColor": SOFT, "titleColor": SOFT, "labelFontSize": 11, "titleFontSize": 12,
         "titleFontWeight": "normal"}  # fmt: skip
CONFIG: dict[str, Any] = {
    "background": "transparent",
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {**_TEXT, "gridColor": FAINT, "domainColor": SOFT, "tickColor": SOFT, "tickSize": 4,
             "titlePadding": 8, "gridWidth": 0.6},
    "axisX": {"grid": False, "labelFlush": False, "tickCount": 5},
    "header": {"labelColor": INK, "labelFontSize": 13, "labelFontWeight": "bold",
               "labelPadding": 6},
    "legend": _TEXT,
    "facet": {"spacing": 24},
}  # fmt: skip
