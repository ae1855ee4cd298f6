"""Tables and figures of decoding: from features, responses and stimuli in files to rows."""

import csv
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize
from synthetic_scores import PROVENANCE

from cortiscope.errors import InputError
from cortiscope.files import Variable, made_by, write
from cortiscope.networks.features import write_features
from cortiscope.planning.settings import decoding_settings
from cortiscope.regression import decoding
from cortiscope.regression.cross_validation import fold_numbers
from cortiscope.report import figure_decoding
from cortiscope.report.figure_style import styled
from cortiscope.report.readouts import JOINED, write_rows
from tests.decoding_scene import CATEGORY, CONFIG, EARLY, IDS, LATE, PLACE, TURN, N
from tests.running import REPOSITORY


def script(name: str) -> Any:
    return runpy.run_path(str(REPOSITORY / "workflow" / "scripts" / f"{name}.py"))["main"]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines))


CODE = {"code": "0" * 16}
MADE = made_by(CODE)  # of every file here


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stimuli, a model of an early and a late layer, two areas that answer as the layers do."""
    folder = tmp_path_factory.mktemp("decoding")
    shown = {"stimulus_id": IDS, "category": CATEGORY, "place": PLACE, "turn": TURN}
    about_stimuli = {name: Variable(("stimulus",), values) for name, values in shown.items()}
    write(folder / "stimuli.nc", about_stimuli, CODE)
    layers = {
        name: ({"features": features, "feature_mean": features.mean(axis=1)},
               {"index": index, "depth": float(index)})
        for index, (name, features) in enumerate([("early", EARLY), ("late", LATE)])
    }  # fmt: skip
    write_features(folder / "net.nc", layers, IDS, {"model": "net"} | CODE)
    response = np.stack([np.hstack([EARLY, LATE, EARLY[:, :1]])] * 2, axis=1)
    response[:, 1] += 2.0  # the mean over repetitions is what is read out from
    response[4, :, -1] = np.nan  # a neuroid of which a response is missing is left out
    area = np.repeat(["V1", "IT", "IT"], [12, 12, 1])
    recorded = {
        "stimulus_id": Variable(("stimulus",), IDS),
        "response": Variable(("stimulus", "repetition", "neuroid"), response),
        "area": Variable(("neuroid",), area),
        "neuroid_id": Variable(("neuroid",), np.array([f"n{i}" for i in range(25)])),
    }
    write(folder / "responses.nc", recorded, CODE)
    return folder


@pytest.fixture(scope="module")
def table(files: Path) -> Path:
    """The decoding table, made by the scripts of the rules."""
    settings, stimuli = decoding_settings(CONFIG), str(files / "stimuli.nc")
    of_model = files / "models" / "net.csv"
    script("decode_model")(
        str(files / "net.nc"),
        stimuli,
        str(of_model),
        ["early", "late"],
        MADE,
        MADE,
        settings,
        "net",
    )
    of_areas = [str(files / "areas" / f"{area}.csv") for area in ("V1", "IT")]
    script("decode_area")(str(files / "responses.nc"), stimuli, of_areas, MADE, MADE, settings)
    labels = {"net": {"family": "Nets", "architecture": "net", "training": "trained"}}
    script("decoding_table")([str(of_model)], of_areas, str(files / "decoding.csv"), labels)
    return files / "decoding.csv"


@pytest.mark.parametrize("made", [("f" * 16, MADE), (MADE, "f" * 16)])
def test_what_was_made_otherwise_is_not_read(
    files: Path, tmp_path: Path, made: tuple[str, str]
) -> None:
    features, stimuli, responses = (
        str(files / f"{name}.nc") for name in ("net", "stimuli", "responses")
    )
    decoded, settings = tmp_path / "decoded.csv", decoding_settings(CONFIG)
    refused = "was made by other settings or code"
    with pytest.raises(InputError, match=refused):
        script("decode_model")(features, stimuli, str(decoded), ["early"], *made, settings, "net")
    with pytest.raises(InputError, match=refused):
        script("decode_area")(responses, stimuli, [str(decoded)], *made, settings)
    assert not decoded.exists()


def test_the_table_has_a_row_per_layer_or_area_and_property(table: Path) -> None:
    rows = rows_of(table)
    assert tuple(rows[0]) == JOINED
    places = [(row["source"], row["name"], row["layer"], row["property"]) for row in rows]
    asked = ("category", "place", "turn")
    assert places == [
        *(("model", "net", layer, name) for layer in ("early", "late") for name in asked),
        *(("area", area, "", name) for area in ("V1", "IT") for name in asked),
    ]
    assert [row["kind"] for row in rows[:3]] == ["discrete", "continuous", "angle"]
    assert {row["family"] for row in rows[:6]} == {"Nets"}
    assert {row["family"] + row["layer"] + row["depth"] for row in rows[6:]} == {""}
    assert {row["n_stimuli"] for row in rows} == {str(N)}
    assert rows[0]["chance"] == "0.333333"
    assert rows[1]["chance"] == rows[1]["accuracy"] == ""


def test_a_property_is_read_out_where_it_is(table: Path) -> None:
    found = {(row["name"], row["layer"], row["property"]): row for row in rows_of(table)}
    for place, other in ((("net", "early"), ("net", "late")), (("V1", ""), ("IT", ""))):
        for name in ("place", "turn"):
            assert float(found[*place, name]["score"]) > 0.9
            assert float(found[*place, name]["p_value"]) == 0.05
            assert float(found[*other, name]["score"]) < 0.5
        assert float(found[*other, "category"]["accuracy"]) > 0.95
        assert float(found[*place, "category"]["accuracy"]) < 0.7


def test_areas_and_layers_have_the_same_readout(table: Path) -> None:
    """Neurons that answer as the units of a layer do score what the layer scores."""
    rows = rows_of(table)
    for layer, area in zip(rows[:6], rows[6:], strict=True):
        for name in ("property", "kind", "score", "null_mean", "p_value", "accuracy"):
            assert layer[name] == area[name]


def test_a_row_is_the_readout_of_its_settings(table: Path) -> None:
    alphas, folds = np.array([0.01, 1.0, 100.0]), fold_numbers(N, 6, 0)
    source = decoding.Readout(decoding.readout_kernel(EARLY), folds, alphas)
    expected = decoding.angle(source, TURN, 180, 19, 0)
    row = rows_of(table)[2]
    assert float(row["score"]) == pytest.approx(expected.score, rel=1e-5)
    assert float(row["null_mean"]) == pytest.approx(expected.null.mean(), rel=1e-5)


def test_other_stimuli_are_refused(files: Path, tmp_path: Path) -> None:
    write(tmp_path / "stimuli.nc", {"stimulus_id": Variable(("stimulus",), IDS[::-1])}, CODE)
    arguments = (str(files / "responses.nc"), str(tmp_path / "stimuli.nc"), [str(tmp_path / "V1")])
    with pytest.raises(InputError, match="stimuli differ from those decoded"):
        script("decode_area")(*arguments, MADE, MADE, decoding_settings(CONFIG))


@pytest.mark.parametrize("name", ["decode_model", "decode_area"])
def test_decoding_jobs_import_nothing_heavy(name: str) -> None:
    probe = "import runpy, sys; runpy.run_path(sys.argv[1]); print(*sys.modules)"
    path = f"workflow/scripts/{name}.py"
    command = [sys.executable, "-c", probe, path]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "cortiscope.regression.decoding" in loaded
    assert not loaded & {"torch", "pandas", "xarray", "sklearn", "scipy", "matplotlib"}


# The figure


def test_lines_and_levels_are_drawn_where_the_table_says(table: Path) -> None:
    rows = figure_decoding.read(str(table))
    with styled(8):
        figure = figure_decoding.decoding(rows)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["category", "place", "turn"]
    for axes in figure.axes:
        own = rows[rows["property"] == axes.get_title(loc="left")]
        scores = own[own["source"] == "model"]["score"].tolist()
        levels = own[own["source"] == "area"]["score"].tolist()
        drawn = [list(line.get_ydata()) for line in axes.lines]
        assert drawn == [[0, 0], scores, *([level, level] for level in levels)]
        names = [text for text in axes.texts if text.get_text() in ("V1", "IT")]
        assert [text.xy[1] for text in names] == levels


def test_the_figure_is_three_files_that_repeat_to_the_bit(table: Path, tmp_path: Path) -> None:
    contents = []
    for attempt in ("first", "second"):
        outputs = [tmp_path / attempt / f"decoding.{kind}" for kind in ("svg", "png", "csv")]
        paths = tuple(map(str, outputs))
        script("decoding_figure")(
            str(table), *paths, {"figures": {"font_size": 8, "dpi": 100}}, PROVENANCE
        )
        contents.append([path.read_bytes() for path in outputs])
    assert contents[0] == contents[1]
    svg = contents[0][0].decode()
    assert ">accuracy above chance, 3 classes<" in svg
    assert ">r of its sine and cosine<" in svg
    assert contents[0][2] == table.read_bytes()


def test_a_property_that_is_not_scored_is_said(tmp_path: Path) -> None:
    about = {"source": "model", "name": "007", "family": "a", "architecture": "b"}
    about |= {"training": "trained", "layer_index": 0, "depth": 0.5}
    row = {"property": "group", "kind": "discrete", "score": np.nan, "chance": np.nan}
    write_rows(tmp_path / "decoding.csv", [about | row], JOINED)
    with styled(8):
        figure = figure_decoding.decoding(figure_decoding.read(str(tmp_path / "decoding.csv")))
    assert "not scored" in [text.get_text() for text in figure.axes[0].texts]


@pytest.mark.parametrize("seed", range(5))
def test_labels_move_as_little_as_keeps_them_apart(seed: int) -> None:
    places = np.random.default_rng(seed).uniform(0, 20, size=6)
    moved = figure_decoding.spread(places, 4.0)
    order = np.argsort(places)
    assert np.diff(moved[order]).min() >= 4.0 - 1e-9
    apart = {"type": "ineq", "fun": lambda x: np.diff(x[order]) - 4.0}
    best = minimize(lambda x: np.sum((x - places) ** 2), moved[::-1].copy(), constraints=apart)
    assert np.sum((moved - places) ** 2) == pytest.approx(best.fun, rel=1e-4)
    assert figure_decoding.spread(np.array([9.0, 1.0]), 4.0).tolist() == [9.0, 1.0]
