"""The figures: three files each, the same every time, with the points that they draw."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from drawn_text import cut_off, drawn_texts, overlapping
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from synthetic_scores import PROVENANCE, Synthetic, zoo
from synthetic_tables import model_names, study_tables

from cortiscope.errors import InputError
from cortiscope.mappings.kinds import MAPPINGS, TOGETHER
from cortiscope.report import drawing
from cortiscope.report.figure_decoding import decoding
from cortiscope.report.figure_style import save, styled
from cortiscope.report.house_style import LABELLED, measure, p_text
from cortiscope.report.pages import Page
from cortiscope.report.plan import FIGURES, plan
from cortiscope.report.tables import read_tables, write_csv

SETTINGS = {"font_size": 8, "dpi": 100, "comparison": "spearman"}
JOINT = {name for name, kind in MAPPINGS.items() if kind.joint}
pytestmark = pytest.mark.xdist_group("figures")  # which share their tables


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Tables of eight models, two areas, two mappings."""
    made = zoo(tmp_path_factory.mktemp("zoo"), ("V1", "IT"), ("ridge", "rsa"), 8)
    return made.write_tables([model["path"] for model in made.models.values()])


def _written(tables: dict[str, pd.DataFrame], folder: Path) -> dict[str, str]:
    paths = {name: str(folder / f"{name}.csv") for name in tables}
    for name, path in paths.items():
        write_csv(tables[name], path)
    return paths


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """More models than can be named, more areas than fit a row; one mapping."""
    models = model_names(8, 8, families=9)
    made = study_tables(models, ("a", "b", "c", "d", "e"), ("rsa",), n_layers=8)
    return _written(made, tmp_path_factory.mktemp("crowd"))


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Six models, three areas, every mapping; of the joint ones a row for all layers together."""
    made = study_tables(model_names(2, 2), ("V1", "V4", "IT"), tuple(MAPPINGS), n_layers=8)
    for name in ("layers", "accuracy_vs_brain"):
        without = made[name]["mapping"].map(lambda mapping: not MAPPINGS[mapping].ceiling)
        made[name].loc[without, ["ceiling", "score_of_ceiling"]] = np.nan
    layers = made["layers"]
    joint = layers["mapping"].isin(JOINT)
    together = layers[joint & (layers["layer_index"] == 0)].assign(
        layer=TOGETHER, layer_index=-1, depth=np.nan
    )
    made["layers"] = pd.concat([layers[~joint], together])
    return _written(made, tmp_path_factory.mktemp("everything"))


def _pages(name: str, tables: dict[str, pd.DataFrame]) -> list[Page]:
    """The pages of a figure, or what is asked for though there is no such figure."""
    layers, headline = tables["layers"], tables["accuracy_vs_brain"]
    labels = layers.drop_duplicates("model").set_index("model")
    models = labels[["family", "architecture", "training", "preprocessing"]].to_dict("index")
    pages = plan(headline["area"].unique(), list(headline["mapping"].unique()), models, 8)
    found = [Page(**page) for file, page in pages.items() if file.startswith(name)]
    return found or [Page(name, [], [])]


def _draw(
    name: str, tables: dict[str, pd.DataFrame], comparison: str = "spearman"
) -> tuple[Figure, pd.DataFrame]:
    return drawing.draw(_pages(name, tables)[0], tables, comparison)


def _make(name: str, tables: dict[str, str], folder: Path) -> dict[str, bytes]:
    paths = tuple(str(folder / f"{name}.{kind}") for kind in ("svg", "png", "csv"))
    page = _pages(name, read_tables(tables))[0]
    drawing.make(page, tables, paths, SETTINGS, PROVENANCE)
    return {Path(path).suffix[1:]: Path(path).read_bytes() for path in paths}


@pytest.fixture(scope="module")
def made(study: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all figures of the study."""
    folder = tmp_path_factory.mktemp("figures")
    for name in FIGURES:
        _make(name, study, folder)
    return folder


@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_written_and_repeat_to_the_bit(
    name: str, study: dict[str, str], made: Path, tmp_path: Path
) -> None:
    for kind, content in _make(name, study, tmp_path).items():
        assert (made / f"{name}.{kind}").read_bytes() == content
    svg = (made / f"{name}.svg").read_text()
    assert "<dc:date>" not in svg
    assert "IT" in svg
    with Image.open(made / f"{name}.png") as image:
        assert json.loads(image.info["Description"]) == PROVENANCE
        assert image.width <= 181 / 25.4 * SETTINGS["dpi"]
        assert np.asarray(image.convert("L")).std() > 5  # something is drawn


def test_sources_hold_the_points_drawn(study: dict[str, str], made: Path) -> None:
    tables = read_tables(study)
    headline = tables["accuracy_vs_brain"]
    points = pd.read_csv(made / "accuracy_vs_score.csv")
    known = headline.dropna(subset=["top1"])
    assert len(known) == len(headline) * 7 // 8  # one model of eight has no known accuracy
    np.testing.assert_array_equal(np.sort(points["score"]), np.sort(known["score"]))
    cells = pd.read_csv(made / "model_by_area.csv")
    assert len(cells) == len(headline)
    assert set(cells["quantity"]) == {"score_of_ceiling"}
    assert len(pd.read_csv(made / "layer_depth.csv")) == len(tables["layers"])
    twins = pd.read_csv(made / "trained_vs_untrained.csv")
    assert set(twins["untrained_model"]) == {"net0_untrained", "net1_untrained"}


def test_points_are_drawn_where_the_table_says(study: dict[str, str]) -> None:
    tables = read_tables(study)
    with styled(8):
        figure, shown = _draw("accuracy_vs_score", tables)
    drawn = [line.get_xydata() for axes in figure.axes for line in axes.lines]
    points = np.concatenate([ends for ends in drawn if len(ends) == 1])  # of lines: two ends
    expected = shown[["top1", "score"]].to_numpy()
    np.testing.assert_allclose(points[np.lexsort(points.T)], expected[np.lexsort(expected.T)])


def test_panels_state_the_correlation_of_the_table(study: dict[str, str], made: Path) -> None:
    svg = (made / "accuracy_vs_score.svg").read_text()
    table = read_tables(study)["correlations"]
    row = table[(table["mapping"] == "ridge") & (table["models"] == "all")].iloc[-1]
    assert f"r = {row['r']:.2f} [{row['r_low']:.2f}, {row['r_high']:.2f}]" in svg
    assert f"n = {row['n_models']}" in svg


def test_few_models_are_named_and_many_are_not(
    made: Path, crowd: dict[str, str], tmp_path: Path
) -> None:
    assert ">net0a<" in (made / "accuracy_vs_score.svg").read_text()
    crowded = _make("accuracy_vs_score", crowd, tmp_path)["svg"].decode()
    models = pd.read_csv(crowd["accuracy_vs_brain"])["model"].unique()
    assert len(models) > LABELLED
    assert not [model for model in models if f">{model}<" in crowded]
    assert ">family0<" in crowded
    assert ">other<" in crowded  # beyond the palette, families share a grey
    with styled(8):
        for name in list(FIGURES)[1:]:
            figure, _ = _draw(name, read_tables(crowd))
            assert figure.get_figheight() <= 240.1 / 25.4  # of a page


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """Two trained models of unknown accuracy, one area, no ceiling, an unscored layer."""
    study = Synthetic(tmp_path, ("IT",), ("pls",), n_layers=2, ceiling=np.nan, n_draws=0)
    scores: dict[Any, Any] = {("pls", "IT"): np.array([0.2, np.nan])}
    names = ("$x$", "007")
    return study.write_tables([study.add(name, None, scores, family=name) for name in names])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("accuracy_vs_score", "no model with known accuracy"),
        ("layer_depth", "007"),
        ("model_by_area", "$x$ (–)"),
        ("trained_vs_untrained", "no untrained twin"),
    ],
)
def test_what_is_not_known_is_said(
    name: str, words: str, bare: dict[str, str], tmp_path: Path
) -> None:
    assert words in _make(name, bare, tmp_path)["svg"].decode()


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("tables", ["study", "everything"])
def test_no_text_covers_another(name: str, tables: str, request: pytest.FixtureRequest) -> None:
    with styled(8):
        figure, _ = _draw(name, read_tables(request.getfixturevalue(tables)))
        figure.set_dpi(150)
        texts = drawn_texts(figure)
    assert len(texts) > 20
    assert overlapping(texts) == []
    assert cut_off(texts, figure) == []


def test_texts_that_cover_each_other_are_found() -> None:
    figure = Figure()
    for text, place in (("one", 0.5), ("other", 0.51), ("far", 0.1), ("outside", 0.99)):
        figure.text(place, 0.5, text)
    texts = drawn_texts(figure)
    assert overlapping(texts) == [("one", "other")]
    assert cut_off(texts, figure) == ["outside"]


def test_long_names_of_areas_stand_apart(crowd: dict[str, str]) -> None:
    tables = read_tables(crowd)
    for table in tables.values():
        table["area"] = "inferior temporal cortex, site " + table["area"]
    with styled(8):
        for name in set(FIGURES) - {"model_by_area"}:  # there they are slanted
            figure, _ = _draw(name, tables)
            assert overlapping(drawn_texts(figure)) == []


def test_layers_scored_together_have_no_curve(everything: dict[str, str]) -> None:
    tables = read_tables(everything)
    shown = set()
    with styled(8):
        for page in _pages("layer_depth", tables):
            figure, curves = drawing.draw(page, tables)
            shown |= set(curves["mapping"])
            assert not any("stacked" in text for text, _, _ in drawn_texts(figure))
    assert shown == set(MAPPINGS) - JOINT
    only = tables["layers"][tables["layers"]["mapping"].isin(JOINT)]
    page = Page("layer_depth", sorted(JOINT), ["V1", "V4", "IT"])
    with styled(8):
        figure, shown = drawing.draw(page, tables | {"layers": only})
    assert len(shown) == len(only)
    said = [text for text, _, _ in drawn_texts(figure)]
    assert said.count("all layers are scored\ntogether") == 3 * len(JOINT)


def _undrawn(figure: Figure, points: list[tuple[float, float]]) -> list[tuple[int, float, float]]:
    """Of points (depth, score) in each panel those around which there is nothing but paper."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    ink = np.asarray(canvas.buffer_rgba())[::-1, :, :3].min(axis=2) < 230
    missing = []
    for number, axes in enumerate(figure.axes):
        places = axes.transData.transform(points).astype(int)
        for (x, y), point in zip(places, points, strict=True):
            if not ink[y - 2 : y + 3, x - 2 : x + 3].any():
                missing.append((number, *point))
    return missing


def test_a_layer_that_no_line_reaches_is_a_dot(crowd: dict[str, str]) -> None:
    """That of a model with one layer, and one between two that are not scored."""
    tables = read_tables(crowd)
    layers = tables["layers"]
    one, other = (layers["model"] == model for model in layers["model"].unique()[:2])
    layers.loc[one, ["depth", "score"]] = (0.25, 1.5)
    layers.loc[other, "score"] = layers["score"].where(layers["layer_index"] == 3)
    layers.loc[other & (layers["layer_index"] == 3), ["depth", "score"]] = (0.5, 1.2)
    layers = layers[~one | (layers["layer_index"] == 0)]
    points = [(0.25, 1.5), (0.5, 1.2)]
    decoded = layers.rename(columns={"model": "name", "area": "property"})
    decoded = decoded.assign(source="model", kind="continuous", chance=np.nan)
    with styled(8):
        depth, _ = _draw("layer_depth", tables | {"layers": layers})
        readout = decoding(decoded)
    for figure in (depth, readout):
        figure.set_dpi(150)
        assert _undrawn(figure, points) == []
        assert len(_undrawn(figure, [(0.75, 1.4)])) == len(figure.axes)


def test_panels_say_what_a_score_is(everything: dict[str, str]) -> None:
    tables = read_tables(everything)
    said = []
    with styled(8):
        for page in _pages("model_by_area", tables):
            figure, _ = drawing.draw(page, tables, "kendall")
            said += [text.replace("\n", " ") for text, _, _ in drawn_texts(figure)]
    expected = Counter(
        f"{'share of the ceiling' if kind.ceiling else 'score'} ({measure(mapping, 'kendall')})"
        for mapping, kind in MAPPINGS.items()
    )
    for name in ("Pearson r", "RDM Kendall τ-a", "debiased CKA", "unique R² of RDMs"):
        assert f"share of the ceiling ({name})" in expected
    assert {text: said.count(text) for text in expected} == expected


def test_a_picture_of_too_many_pixels_is_drawn_with_fewer(tmp_path: Path) -> None:
    paths = str(tmp_path / "a.svg"), str(tmp_path / "a.png")
    save(Figure((0.1, 1000)), *paths, 200, PROVENANCE)
    with Image.open(paths[1]) as image:
        assert image.height == 65000


def test_unknown_figure_is_refused(study: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown figure 'pie'; use one of accuracy_vs_score"):
        _make("pie", study, tmp_path)


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0004, "< 0.001"), (0.0123, "= 0.012"), (0.5, "= 0.50"), (np.nan, "n/a")],
)
def test_p_text(p: float, text: str) -> None:
    assert p_text(p) == text
