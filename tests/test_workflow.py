"""The workflow, by running it."""

import json
import re
import shutil
import zipfile

import numpy as np
import pandas as pd
import xarray as xr

from cortiscope.networks.features import read_layers, read_stimulus_ids
from cortiscope.report import plan
from tests.running import TABLES, with_settings

RULES = {"stimuli", "validation", "responses", "features", "fit", "ceilings"}
FIGURES = (*plan.FIGURES, "decoding")


def test_a_run_ends_in_tables_and_figures(finished):
    for table in (*TABLES, "decoding.csv"):
        rows = pd.read_csv(finished.results / "tables" / table)
        # Of joint mappings, and of areas with subjects, here none.
        assert len(rows) > 0 or table in ("layer_weights.csv", "subjects.csv")
    for figure in FIGURES:
        for ending in ("svg", "png", "csv"):
            assert (finished.results / "figures" / f"{figure}.{ending}").stat().st_size > 0
    table = pd.read_csv(finished.results / "tables" / "accuracy_vs_brain.csv")
    assert set(table["area"]) == {"V1", "V4", "IT"}
    assert set(table["mapping"]) == {"ridge", "rsa"}
    assert table["score"].between(-1, 1).all()
    of_mapping = table.fillna({"null_method": ""}).groupby("mapping")["null_method"].unique()
    assert of_mapping.explode().to_dict() == {"ridge": "refitted", "rsa": ""}


def test_category_is_read_out_late_and_position_early(finished):
    """Of the simulated areas, V1 was planted in pixels, IT in category."""
    table = pd.read_csv(finished.results / "tables" / "decoding.csv")
    score = table.set_index(["name", "property", "depth"])["score"].sort_index()
    assert len(score) == (3 * 6 + 3) * 5  # models' layers, areas; properties
    trained, untrained = score["shapenet5", "category"], score["shapenet5_untrained", "category"]
    assert trained.iloc[-1] > trained.iloc[0] + 0.3
    assert trained.iloc[-1] > untrained.max() + 0.3
    position = score["shapenet5", "position_x"]
    assert position.iloc[0] > position.iloc[-1] + 0.3
    area = table[table["source"] == "area"].set_index(["name", "property"])["score"]
    assert area["IT", "category"] > area["V1", "category"] + 0.3


def test_a_second_run_does_nothing(finished):
    assert "Nothing to be done" in finished.forked("--dry-run").stdout


def test_every_file_says_what_made_it(finished):
    files = [*finished.results.rglob("*.nc"), *(finished.folder / "resources/shapes").glob("*.nc")]
    assert len(files) > 10
    for file in files:
        with xr.open_dataset(file) as dataset:
            about = dataset.attrs
        assert about["study"] == "shapes"
        assert about["rule"] in RULES
        assert json.loads(about["settings"])
        assert len(about["code"]) == 16
        assert "numpy" in json.loads(about["packages"])


def test_the_report_holds_the_figures_and_fetches_nothing(finished, tmp_path):
    done = finished.forked("--report", str(tmp_path / "report.zip"))
    assert done.returncode == 0, done.stdout[-2000:]
    with zipfile.ZipFile(tmp_path / "report.zip") as report:
        page = report.read("report/report.html").decode()
        names = {name.rpartition("/")[2] for name in report.namelist()}
    assert {f"{figure}.svg" for figure in FIGURES} <= names
    assert "accuracy of each network" in page  # a caption
    assert not re.search(r"""(src|href)=["'](https?:)?//""", page)


def test_a_searchlight_finds_the_region_that_holds_a_layer(finished, workflow, tmp_path):
    """A volume of noise, and around its middle voxels that follow relu3 of shapenet5."""
    random = np.random.default_rng(0)
    (layer,) = read_layers(finished.results / "features" / "shapenet5.nc", ["relu3"])
    places = np.argwhere(np.ones((7, 7, 7)))
    inside = np.linalg.norm(places - 3, axis=1) <= 2
    signal = layer.features @ random.normal(size=(layer.features.shape[1], len(places)))
    noise = random.normal(size=signal.shape)
    xr.Dataset(
        {"response": (("stimulus", "neuroid"), inside * signal / signal.std() + 0.3 * noise)},
        coords={
            "stimulus_id": (
                "stimulus",
                read_stimulus_ids(finished.results / "features/shapenet5.nc"),
            ),
            "area": ("neuroid", ["brain"] * len(places)),
            **{axis: ("neuroid", places[:, number]) for number, axis in enumerate("xyz")},
        },
    ).to_netcdf(tmp_path / "volume.nc")
    shutil.copytree(finished.folder, workflow.folder, dirs_exist_ok=True)  # for its features
    config = with_settings(
        tmp_path / "volume.yaml",
        responses={"source": str(tmp_path / "volume.nc")},
        searchlight={"radius": 1.5},
    )
    done = workflow.forked("--", "results/shapes/searchlight/shapenet5/brain.nc", config=config)
    assert done.returncode == 0, done.stdout[-3000:]
    with xr.open_dataset(workflow.results / "searchlight" / "shapenet5" / "brain.nc") as found:
        score = found["score"].sel(layer=found["layer"] == "relu3").values[0]
        p = found["p_value"].sel(layer=found["layer"] == "relu3").values[0]
    far = np.linalg.norm(places - 3, axis=1) > 4
    assert inside[score.argmax()]
    assert score[inside].min() > score[far].max()
    assert p[places.tolist().index([3, 3, 3])] <= 0.05
    assert (p[far] > 0.05).all()
