"""The whole fan-out, shown before anything runs, and quickly."""

import csv
import re
import resource
import shutil

import pytest
import xarray as xr
import yaml

from cortiscope.layers import write_tables
from cortiscope.planning.models import read_models
from cortiscope.planning.study import Study
from tests.running import REPOSITORY, with_settings

SCHEMA = REPOSITORY / "workflow" / "schemas" / "models.schema.yaml"


def jobs(dry_run):
    """Rule to number of jobs, from the job table of a dry run."""
    table = dry_run.stdout.partition("job ")[2]
    return {rule: int(n) for rule, n in re.findall(r"^(\w+) +(\d+)$", table, re.M)}


def test_the_dry_run_shows_a_job_per_model_layer_and_area(listed, tmp_path):
    one = with_settings(tmp_path / "one.yaml", fits={"layers_per_job": 1})
    shown = jobs(listed.forked("--dry-run", config=one))
    layers = sum(
        len(list(csv.DictReader(table.open())))
        for table in (listed.folder / "resources" / "layers").glob("*.csv")
    )
    # Three models of one architecture share a table: models, areas, mappings.
    assert shown["fit"] == layers * 3 * 3 * 2
    assert shown["features"] == 3


def test_files_beside_the_config_are_found_wherever_snakemake_was_started(listed, tmp_path):
    """With a second config file, whose folder has none of them."""
    (tmp_path / "mine").mkdir()
    shutil.copy(REPOSITORY / "config" / "models.tsv", tmp_path / "mine" / "networks.tsv")
    table = {"table": "networks.tsv"}
    config = with_settings(tmp_path / "mine" / "study.yaml", models=table)
    more = tmp_path / "more.yaml"
    more.write_text("figures: {font_size: 9}")
    shown = listed.forked("--dry-run", "--configfile", str(config), str(more), config=None)
    assert shown.returncode == 0, shown.stdout
    assert jobs(shown)["features"] == 3


def test_weights_that_have_a_name_are_fetched_once_for_the_models_that_share_them(workflow):
    """With the checksum that the table asks of them."""
    header = "model\tsource\tarchitecture\tweights\tchecksum\tlayers"
    row = "{0}\ttorchvision\talexnet\tIMAGENET1K_V1\t{1}\tconv"
    checksum = "0123456789abcdef" * 4
    table = workflow.folder / "networks.tsv"
    table.write_text("\n".join([header, row.format("one", checksum), row.format("other", "")]))
    models = {"table": str(table), "names": "all"}
    config = with_settings(workflow.folder / "named.yaml", models=models)
    weights = "resources/weights/torchvision/alexnet.IMAGENET1K_V1.pth"
    shown = workflow.forked("--dry-run", config=config)
    assert shown.returncode == 0, shown.stdout
    assert jobs(shown)["weights"] == 1
    embedded = yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text())
    study = Study.load(embedded | {"models": models}, REPOSITORY)
    assert study.weights_file("one") == study.weights_file("other") == [weights]
    assert study.checksum("torchvision", "alexnet", "IMAGENET1K_V1") == checksum


def test_the_command_of_the_readme_that_looks_ahead_shows_a_table_of_jobs(listed):
    options = "-n --quiet rules host"
    assert f"{options} " in (REPOSITORY / "README.md").read_text()
    shown = listed.forked(*options.split())
    assert jobs(shown)["total"] > 30
    assert len(shown.stdout.splitlines()) <= 60


def test_a_fit_job_of_the_embedded_study_has_twenty_layer_fits(workflow, tmp_path):
    """A job takes SLURM seconds to start, so that it should not be for one layer and area."""
    (tmp_path / "one.yaml").write_text("fits: {layers_per_job: 1}")
    single = jobs(workflow.forked("--dry-run", config=tmp_path / "one.yaml"))
    shared = jobs(workflow.forked("--dry-run", config=None))
    assert shared["features"] == single["features"] == 8
    assert single["fit"] >= 20 * shared["fit"]


@pytest.mark.parametrize(
    ("layers_per_job", "n_models", "fits", "seconds"), [("auto", 100, 100, 10), (1, 25, 3000, 18)]
)
def test_a_dry_run_of_many_models_is_quick(
    workflow, tmp_path, layers_per_job, n_models, fits, seconds
):
    """Models x 20 layers x 6 areas; models differ by seed, so one layer table serves all.

    The processor time of a dry run beside other tests is up to twice that of one alone. It grows
    as the jobs do: 12,000 of them took 30 seconds, where 3,000 took 9.
    """
    header = (REPOSITORY / "config" / "models.tsv").read_text().splitlines()[0]
    row = "resnet_{0}\ttorchvision\tresnet18\tnone\t\t{0}\tconv\tauto\tResNet\tuntrained"
    names = [row.format(seed) for seed in range(n_models)]
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
    rows = read_models(tmp_path / "models.tsv", ["resnet_0"], SCHEMA)
    write_tables(list(rows.values()), workflow.folder / "resources" / "layers")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    shown = workflow("--dry-run", "--quiet", "rules", config=config)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert shown.returncode == 0, shown.stderr[-2000:]
    assert jobs(shown)["fit"] == fits
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < seconds
