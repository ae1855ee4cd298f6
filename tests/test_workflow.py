"""The workflow, by running it."""

import csv
import json
import re
import resource
import zipfile

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml

from cortiscope.features import read_layers, read_stimulus_ids
from tests.running import REPOSITORY, SMALL

RULES = {"stimuli", "validation", "responses", "features", "fit", "ceilings"}
FIGURES = ("accuracy_vs_score", "layer_depth", "model_by_area", "trained_vs_untrained", "decoding")
TABLES = (
    "layers.csv", "accuracy_vs_brain.csv", "correlations.csv", "contrasts.csv",
    "model_comparisons.csv", "hierarchy.csv", "decoding.csv",
)  # fmt: skip


def results(workflow):
    return workflow.folder / "results" / "shapes"


def with_settings(path, **sections):
    """The small study with sections of its config changed."""
    config = yaml.safe_load(SMALL.read_text())
    for name, section in sections.items():
        config[name] = (config.get(name) or {}) | section
    path.write_text(yaml.safe_dump(config))
    return path


def jobs(dry_run):
    """Rule to number of jobs, from the job table of a dry run."""
    table = dry_run.stdout.partition("job ")[2]
    return {rule: int(n) for rule, n in re.findall(r"^(\w+) +(\d+)$", table, re.M)}


def test_a_run_ends_in_tables_and_figures(finished):
    for table in TABLES:
        assert len(pd.read_csv(results(finished) / "tables" / table)) > 0
    for figure in FIGURES:
        for ending in ("svg", "png", "csv"):
            assert (results(finished) / "figures" / f"{figure}.{ending}").stat().st_size > 0
    table = pd.read_csv(results(finished) / "tables" / "accuracy_vs_brain.csv")
    assert set(table["area"]) == {"V1", "V4", "IT"}
    assert set(table["mapping"]) == {"ridge", "rsa"}
    assert table["score"].between(-1, 1).all()


def test_category_is_read_out_late_and_position_early(finished):
    """Of the simulated areas, V1 was planted in pixels, IT in category."""
    table = pd.read_csv(results(finished) / "tables" / "decoding.csv")
    score = table.set_index(["name", "property", "depth"])["score"].sort_index()
    assert len(score) == (3 * 9 + 3) * 5  # models' layers, areas; properties
    trained, untrained = score["shapenet5", "category"], score["shapenet5_untrained", "category"]
    assert trained.iloc[-1] > trained.iloc[0] + 0.3
    assert trained.iloc[-1] > untrained.max() + 0.3
    position = score["shapenet5", "position_x"]
    assert position.iloc[0] > position.iloc[-1] + 0.3
    area = table[table["source"] == "area"].set_index(["name", "property"])["score"]
    assert area["IT", "category"] > area["V1", "category"] + 0.3


def test_a_second_run_does_nothing(finished):
    again = finished("--dry-run")
    assert "Nothing to be done" in again.stdout + again.stderr


def test_every_file_says_what_made_it(finished):
    files = [*results(finished).rglob("*.nc"), *(finished.folder / "resources/shapes").glob("*.nc")]
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
    done = finished("--report", str(tmp_path / "report.zip"))
    assert done.returncode == 0, done.stderr[-2000:]
    with zipfile.ZipFile(tmp_path / "report.zip") as report:
        page = report.read("report/report.html").decode()
        names = {name.rpartition("/")[2] for name in report.namelist()}
    assert {f"{figure}.svg" for figure in FIGURES} <= names
    assert "accuracy of each network" in page  # a caption
    assert not re.search(r"""(src|href)=["'](https?:)?//""", page)


def test_one_layer_a_job_gives_the_same_tables(finished, workflow, tmp_path):
    one = with_settings(tmp_path / "one.yaml", fits={"layers_per_job": 1})
    done = workflow(config=one)
    assert done.returncode == 0, done.stderr[-4000:]
    for table in TABLES:
        expected = (results(finished) / "tables" / table).read_bytes()
        assert (results(workflow) / "tables" / table).read_bytes() == expected


def test_the_dry_run_shows_a_job_per_model_layer_and_area(workflow, tmp_path):
    one = with_settings(tmp_path / "one.yaml", fits={"layers_per_job": 1})
    shown = jobs(workflow("--dry-run", config=one))
    layers = sum(
        len(list(csv.DictReader(table.open())))
        for table in (workflow.folder / "resources" / "layers").glob("*.csv")
    )
    # Three models of one architecture share a table: models, areas, mappings.
    assert shown["fit"] == layers * 3 * 3 * 2
    assert shown["features"] == 3


@pytest.mark.parametrize(("layers_per_job", "fits", "seconds"), [("auto", 100, 10), (1, 12000, 60)])
def test_a_dry_run_of_a_hundred_models_is_quick(workflow, tmp_path, layers_per_job, fits, seconds):
    """100 models x 20 layers x 6 areas; models differ by seed, so one layer table serves all.

    The processor time of a dry run beside other tests is up to twice that of one alone, which is
    to take no more than 10 and 30 seconds.
    """
    header = (REPOSITORY / "config" / "models.tsv").read_text().splitlines()[0]
    row = "resnet_{0}\ttorchvision\tresnet18\tnone\t\t{0}\tconv\tauto\tResNet\tuntrained"
    names = [row.format(seed) for seed in range(100)]
    (tmp_path / "models.tsv").write_text("\n".join([header, *names]) + "\n")
    areas = [f"area{number}" for number in range(6)]
    recording = xr.Dataset(
        {"response": (("stimulus", "neuroid"), [[0.0] * 6] * 64)},
        coords={
            "area": ("neuroid", areas),
            "stimulus_id": ("stimulus", [f"study{number:04d}" for number in range(64)]),
        },
    )
    recording.to_netcdf(tmp_path / "responses.nc")
    config = with_settings(
        tmp_path / "large.yaml",
        responses={"source": str(tmp_path / "responses.nc")},
        models={"table": str(tmp_path / "models.tsv"), "names": "all"},
        fits={"layers_per_job": layers_per_job},
    )
    values = yaml.safe_load(config.read_text()) | {"mappings": ["ridge"]}
    config.write_text(yaml.safe_dump(values))
    # Makes the layer table.
    workflow(
        "--dry-run", "--quiet", "all", "--config", "fits={layers_per_job: auto}", config=config
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    shown = workflow("--dry-run", "--quiet", "rules", config=config)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert shown.returncode == 0, shown.stderr[-2000:]
    assert jobs(shown)["fit"] == fits
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < seconds


def test_a_searchlight_finds_the_region_that_holds_a_layer(finished, workflow, tmp_path):
    """A volume of noise, and around its middle voxels that follow relu3 of shapenet5."""
    random = np.random.default_rng(0)
    (layer,) = read_layers(results(finished) / "features" / "shapenet5.nc", ["relu3"])
    places = np.argwhere(np.ones((7, 7, 7)))
    inside = np.linalg.norm(places - 3, axis=1) <= 2
    signal = layer.features @ random.normal(size=(layer.features.shape[1], len(places)))
    noise = random.normal(size=signal.shape)
    xr.Dataset(
        {"response": (("stimulus", "neuroid"), inside * signal / signal.std() + 0.3 * noise)},
        coords={
            "stimulus_id": (
                "stimulus",
                read_stimulus_ids(results(finished) / "features/shapenet5.nc"),
            ),
            "area": ("neuroid", ["brain"] * len(places)),
            **{axis: ("neuroid", places[:, number]) for number, axis in enumerate("xyz")},
        },
    ).to_netcdf(tmp_path / "volume.nc")
    config = with_settings(
        tmp_path / "volume.yaml",
        responses={"source": str(tmp_path / "volume.nc")},
        searchlight={"radius": 1.5},
    )
    done = workflow("--", "results/shapes/searchlight/shapenet5/brain.nc", config=config)
    assert done.returncode == 0, done.stderr[-3000:]
    with xr.open_dataset(results(workflow) / "searchlight" / "shapenet5" / "brain.nc") as found:
        score = found["score"].sel(layer=found["layer"] == "relu3").values[0]
        p = found["p_value"].sel(layer=found["layer"] == "relu3").values[0]
    far = np.linalg.norm(places - 3, axis=1) > 4
    assert inside[score.argmax()]
    assert score[inside].min() > score[far].max()
    assert p[places.tolist().index([3, 3, 3])] <= 0.05
    assert (p[far] > 0.05).all()
