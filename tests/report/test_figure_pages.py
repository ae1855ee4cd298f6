"""Figures of studies of every size, as a reader sees them: on pages, in words apart."""

import re
from collections import Counter
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from drawn_text import cut_off, drawn_texts, negative_zeros, overlapping, unexplained
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from synthetic_tables import AREAS, model_names, scenes, study_tables

from cortiscope.report import drawing
from cortiscope.report.figure_decoding import decoding
from cortiscope.report.figure_style import styled
from cortiscope.report.house_style import LABELLED, OTHER, PALETTE
from cortiscope.report.pages import DIFFERENCES, SMALLEST, Page
from cortiscope.report.plan import FIGURES, plan

SCENES = scenes()
# Of its pages, the last of each figure is drawn: the others differ in the mapping only.
LARGE = "100 by 21"
DRAWN = [(name, figure) for name in SCENES for figure in FIGURES]


@cache
def tables_of(scene: str) -> dict[str, pd.DataFrame]:
    about = SCENES[scene]
    if scene == LARGE:  # the mapping of the pages that are drawn
        about = about | {"mappings": about["mappings"][-1:]}
    return study_tables(**about)


def pages_of(scene: str, font_size: float = 8) -> dict[str, Page]:
    about = SCENES[scene]
    found = plan(about["areas"], about.get("mappings", ("ridge",)), about["models"], font_size)
    return {name: Page(**page) for name, page in found.items()}


def pages_of_figure(scene: str, figure: str, font_size: float = 8) -> list[Page]:
    found = pages_of(scene, font_size)
    pages = [page for name, page in found.items() if name.rstrip("_0123456789") == figure]
    return [pages[-1]] if scene == LARGE else pages


def drawn(page: Page, tables: dict[str, pd.DataFrame], font_size: float = 8) -> Figure:
    with styled(font_size):
        figure, _ = drawing.draw(page, tables)
    return figure


def faults(figure: Figure) -> list[Any]:
    """What a reader would stumble over."""
    figure.set_dpi(150)
    texts = drawn_texts(figure)
    width, height = 25.4 * figure.get_size_inches()
    small = [one.text for one in texts if one.size < SMALLEST]
    found = [*overlapping(texts), *cut_off(texts, figure), *negative_zeros(texts), *small]
    found += sorted(unexplained(figure))
    return found + [(width, height)] * bool(width > 180.1 or height > 240.1)


@pytest.mark.parametrize(("scene", "figure"), DRAWN)
def test_a_reader_stumbles_over_nothing(scene: str, figure: str) -> None:
    for page in pages_of_figure(scene, figure):
        assert faults(drawn(page, tables_of(scene))) == []


@pytest.mark.parametrize("font_size", [6, 10, 12])
@pytest.mark.parametrize("figure", FIGURES)
def test_other_sizes_of_text_fit_as_well(figure: str, font_size: float) -> None:
    for scene in ("embedded", "few long names"):
        for page in pages_of_figure(scene, figure, font_size):
            with styled(font_size):
                assert faults(drawing.draw(page, tables_of(scene))[0]) == []


@pytest.mark.parametrize("n_models", [4, 30])
def test_decoding_fits_a_page(n_models: int) -> None:
    layers = study_tables(model_names(n_models // 2), AREAS[:9])["layers"]
    rows = layers.rename(columns={"model": "name", "area": "property"})
    rows = rows.assign(source="model", kind="continuous", chance=np.nan)
    areas = pd.DataFrame(product(("V1", "V4", "IT"), AREAS[:9]), columns=["name", "property"])
    areas = areas.assign(source="area", kind="continuous", chance=np.nan, score=0.3)
    with styled(8):
        assert faults(decoding(pd.concat([rows, areas]))) == []


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("font_size", [6, 8, 12])
def test_every_score_is_on_one_page_of_each_figure(scene: str, font_size: float) -> None:
    about, pages = SCENES[scene], pages_of(scene, font_size)
    n_pairs = sum(row["training"] == "untrained" for row in about["models"].values())
    rows = {"model_by_area": len(about["models"]), "trained_vs_untrained": max(n_pairs, 1)}
    for figure in FIGURES:
        shown: Counter[tuple[Any, ...]] = Counter()
        for name, page in pages.items():
            if name.rstrip("_0123456789") == figure:
                numbers = range(page.first, max(page.last, page.first + 1))
                shown.update(product(page.mappings, page.areas, numbers))
        every = product(
            about.get("mappings", ("ridge",)), about["areas"], range(rows.get(figure, 1))
        )
        assert shown == Counter(every)


@pytest.mark.parametrize("figure", FIGURES)
def test_no_figure_is_named_as_a_page_of_another(figure: str) -> None:
    """Pages after the first are named by a number: `plan.tables` takes that off again."""
    assert not re.search(r"_[0-9]+$", figure)


def test_a_small_study_has_a_page_a_figure() -> None:
    assert tuple(pages_of("embedded")) == tuple(FIGURES)


def test_a_mapping_keeps_to_a_page_where_that_has_room() -> None:
    pages = pages_of(LARGE)
    for figure in ("accuracy_vs_score", "layer_depth", "trained_vs_untrained"):
        found = [page for name, page in pages.items() if name.startswith(figure)]
        assert [page.mappings for page in found] == [
            ["ridge"],
            ["rsa"],
            ["cka"],
            ["variance_partition"],
        ]
        assert all(page.areas == list(AREAS) for page in found)
    assert pages["trained_vs_untrained_4"].figure == DIFFERENCES
    assert (pages["model_by_area"].first, pages["model_by_area"].last) == (0, 50)
    assert (pages["model_by_area_2"].first, pages["model_by_area_2"].last) == (50, 100)


def test_the_order_of_mappings_in_the_config_draws_nothing_anew() -> None:
    models = model_names(3)
    assert plan(["V1"], ["rsa", "ridge"], models, 8) == plan(["V1"], ["ridge", "rsa"], models, 8)


def texts_of(figure: Figure) -> list[str]:
    return [one.text for one in drawn_texts(figure)]


def test_the_correlation_of_the_trained_alone_stands_beside_that_of_all() -> None:
    """Two clouds correlate at 0.98, and within the one that matters accuracy says nothing."""
    tables = tables_of("25 by 6")
    figure = drawn(pages_of("25 by 6")["accuracy_vs_score"], tables)
    said = texts_of(figure)
    assert {"fit to all, n = 25", "fit to trained alone, n = 15"} <= set(said)
    rows = tables["correlations"].set_index(["mapping", "area", "models"])
    for mapping, area in product(("ridge", "rsa"), AREAS[:6]):
        words = []
        for models in ("all", "trained"):
            r, low, high = (
                f"{rows.loc[(mapping, area, models), name]:.2f}"
                for name in ("r", "r_low", "r_high")
            )
            words.append(f"{models}: r = {r} [{low}, {high}]".replace("-", "−"))
        assert "\n".join(words).replace("−0.00", "0.00") in said
    assert rows.xs("all", level="models")["r"].min() > 0.9
    assert rows.xs("trained", level="models")["r"].abs().max() < 0.5


def test_where_numbers_of_models_differ_each_panel_has_its_own() -> None:
    tables = dict(tables_of("embedded"))
    headline = tables["accuracy_vs_brain"].copy()
    gone = (headline["area"] == "IT") & (headline["model"] == "family0_w2")
    headline.loc[gone, "score"] = np.nan
    correlations = tables["correlations"].copy()
    correlations.loc[correlations["area"] == "IT", "n_models"] -= 1
    tables |= {"accuracy_vs_brain": headline, "correlations": correlations}
    said = texts_of(drawn(pages_of("embedded")["accuracy_vs_score"], tables))
    assert "fit to all" in said
    assert sum("(n = 7)" in text and "(n = 4)" in text for text in said) == 2  # mappings
    assert sum("(n = 8)" in text and "(n = 5)" in text for text in said) == 4


def test_panels_without_points_say_so() -> None:
    figure = drawn(pages_of("no accuracies")["accuracy_vs_score"], tables_of("no accuracies"))
    assert texts_of(figure) == [
        "no model with known accuracy:\nthere is nothing to set scores against"
    ]
    tables = dict(tables_of("embedded"))
    headline = tables["accuracy_vs_brain"].copy()
    headline.loc[headline["area"] == "V4", "score"] = np.nan
    tables["accuracy_vs_brain"] = headline
    figure = drawn(pages_of("embedded")["accuracy_vs_score"], tables)
    assert texts_of(figure).count("not scored") == 2  # mappings


def test_intervals_of_differences_stand_at_the_differences() -> None:
    tables = tables_of("twelve pairs")
    [page] = pages_of_figure("twelve pairs", "trained_vs_untrained")
    figure = drawn(page, tables)
    panels = figure.axes
    assert len(panels) == 2 * 5
    for area, scores, change in zip(AREAS[:5], panels[::2], panels[1::2], strict=True):
        rows = tables["contrasts"][tables["contrasts"]["area"] == area]
        expected = rows[["difference_low", "difference", "difference_high"]].to_numpy()
        lines = [line.get_xdata() for line in change.lines if np.ptp(line.get_xdata()) > 0]
        dots = [line.get_xdata()[0] for line in change.lines if str(line.get_marker()) == "D"]
        ends = np.array([[line[0], dot, line[1]] for line, dot in zip(lines, dots, strict=True)])
        np.testing.assert_allclose(ends, expected)
        joined = [line.get_xdata() for line in scores.lines if np.ptp(line.get_xdata()) > 0]
        np.testing.assert_allclose(joined, rows[["score_untrained", "score_trained"]])


def images(figure: Figure) -> list[Any]:
    return [image for axes in figure.axes for image in axes.images]


def test_noise_stays_pale_and_zero_is_where_colours_begin() -> None:
    """Scores of 0.02 take a fifth of the colours, not all of them."""
    figure = drawn(pages_of("noise")["model_by_area"], tables_of("noise"))
    [image] = images(figure)
    assert image.get_clim() == (0, 0.1)
    assert "−0.02" in texts_of(figure)


def test_colours_mean_the_same_on_all_pages() -> None:
    tables = tables_of("embedded")
    shares = tables["accuracy_vs_brain"]
    scores = shares.assign(score_of_ceiling=np.nan, ceiling=np.nan)
    top = scores.loc[scores["mapping"] == "ridge", "score"].max()
    difference = tables["contrasts"].set_index("mapping").loc["ridge", "difference"].abs().max()
    for headline, figure, limits in (
        (shares, "model_by_area", (0, 1)),
        (scores, "model_by_area", (0, top)),
        (shares, DIFFERENCES, (-difference, difference)),
    ):
        for row in range(3):  # of the trained and the untrained, or of pairs
            page = Page(figure, ["ridge"], ["V1"], row, row + 1)
            [image] = images(drawn(page, tables | {"accuracy_vs_brain": headline}))
            assert image.get_clim() == limits


def test_numbers_are_in_all_cells_or_in_none() -> None:
    """Of two mappings the second has numbers too wide for its cells."""
    models, areas = model_names(2), list(AREAS)
    tables = study_tables(models, areas, ("ridge", "rsa"), ceiling=np.nan)
    headline = tables["accuracy_vs_brain"]
    page = Page("model_by_area", ["ridge", "rsa"], areas, 0, 4)
    assert sum(text.startswith("0.") for text in texts_of(drawn(page, tables))) > 150
    headline.loc[headline["mapping"] == "rsa", "score"] *= -1
    figure = drawn(page, tables | {"accuracy_vs_brain": headline})
    cells = [text.get_text() for axes in figure.axes if axes.images for text in axes.texts]
    assert not any("0." in text for text in cells)


def test_a_share_of_a_ceiling_that_is_not_above_chance_is_no_number() -> None:
    tables = dict(tables_of("embedded"))
    for name in ("accuracy_vs_brain", "layers"):
        table = tables[name].copy()
        table.loc[table["area"] == "V4", ["ceiling", "score_of_ceiling"]] = np.nan
        table.loc[table["area"] == "V4", "ceiling_p"] = 0.051
        tables[name] = table
    pages = pages_of("embedded")
    said = texts_of(drawn(pages["model_by_area"], tables))
    assert said.count("×") == 8 * 2  # models, mappings
    assert "×: no share, since no ceiling is above chance" in said
    for name in ("accuracy_vs_score", "layer_depth"):
        said = texts_of(drawn(pages[name], tables))
        assert said.count("ceiling") == 4


def test_widths_of_a_family_have_colours_and_markers_of_their_own() -> None:
    models = model_names(0, 4, families=1)
    figure = drawn(Page("accuracy_vs_score", ["ridge"], ["V1"]), study_tables(models, ["V1"]))
    [legend] = figure.legends
    looks = {
        line.get_label(): (to_hex(line.get_color()), line.get_marker())
        for line in legend.get_lines()
    }
    colours, markers = zip(*(looks[name] for name in models), strict=True)
    assert len(set(colours)) == len(set(markers)) == 4


def test_twins_share_colour_and_marker_and_no_two_others_both() -> None:
    models = model_names(4, 4)
    assert len(models) == LABELLED
    figure = drawn(Page("layer_depth", ["ridge"], ["V1"]), study_tables(models, ["V1"]))
    looks = {line.get_label(): line for line in figure.legends[0].get_lines()}
    shapes = {name: (to_hex(line.get_color()), line.get_marker()) for name, line in looks.items()}
    assert len(set(shapes.values())) == 8
    for name in models:
        if name.endswith("_untrained"):
            assert shapes[name] == shapes[name.removesuffix("_untrained")]
            assert looks[name].get_markerfacecolor() == "white"


def test_families_beyond_the_colours_share_a_grey_that_is_explained() -> None:
    models = model_names(0, 30, families=9)
    figure = drawn(Page("accuracy_vs_score", ["ridge"], ["V1"]), study_tables(models, ["V1"]))
    shown = {line.get_label(): to_hex(line.get_color()) for line in figure.legends[0].get_lines()}
    assert [shown[f"family{i}"] for i in range(7)] == [to_hex(colour) for colour in PALETTE]
    assert shown["other"] == to_hex(OTHER[0])
    drawn_colours = {to_hex(line.get_color()) for line in figure.axes[0].lines}
    assert drawn_colours >= set(shown.values())


def test_pairs_that_share_a_trained_model_are_told_apart() -> None:
    models = model_names(1)
    [trained] = [name for name in models if not name.endswith("_untrained")]
    models[f"{trained}_other_seed"] = models[f"{trained}_untrained"]
    page = Page("trained_vs_untrained", ["ridge"], ["V1"], 0, 2)
    said = texts_of(drawn(page, study_tables(models, ["V1"])))
    assert {f"{trained} / …_untrained", f"{trained} / …_other_seed"} <= set(said)


def test_where_an_area_has_no_ceiling_scores_are_shown() -> None:
    tables = dict(tables_of("embedded"))
    unknown = tables["accuracy_vs_brain"].copy()
    unknown.loc[unknown["area"] == "V4", ["ceiling", "score_of_ceiling"]] = np.nan
    page = pages_of("embedded")["model_by_area"]
    said = texts_of(drawn(page, tables | {"accuracy_vs_brain": unknown}))
    assert "×" not in said
    assert not [text for text in said if "no share" in text or "share of the ceiling" in text]


def test_a_correlation_without_an_interval_stands_alone() -> None:
    tables = dict(tables_of("embedded"))
    tables["correlations"] = tables["correlations"].assign(r_low=np.nan, r_high=np.nan)
    said = texts_of(drawn(pages_of("embedded")["accuracy_vs_score"], tables))
    assert any("r = 0." in text for text in said)
    assert not any("nan" in text for text in said)
