"""A study through a real SLURM, with the shipped profile; only polling is quicker."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cortiscope import efficiency
from tests.running import TABLES, Workflow, with_settings
from tests.slurm.cluster import Cluster
from tests.slurm.study import OPTIONS, REPOSITORY, Run, expected_place, place

pytestmark = [pytest.mark.slurm, pytest.mark.xdist_group("slurm")]


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small study, with a network that has as many layers as those of use."""
    names = ["shapenet5_untrained", "shapenet5", "resnet18_untrained"]
    return with_settings(tmp_path_factory.mktemp("config") / "study.yaml", models={"names": names})


@pytest.fixture(scope="module")
def local(config: Path, tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """The same study, run without a cluster."""
    run = Workflow(tmp_path_factory.mktemp("local"))
    done = run.forked("--", "tables", config=config)
    assert done.returncode == 0, done.stdout[-4000:]
    return run


def snakemake(
    cluster: Cluster, folder: Path, config: Path, *arguments: str
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile")]
    command += ["--directory", str(folder), *OPTIONS, "--configfile", str(config), "--nocolor"]
    return subprocess.run(
        [*command, *arguments],
        cwd=REPOSITORY,
        env=cluster.environment,
        capture_output=True,
        text=True,
        timeout=900,
    )


@pytest.fixture(scope="module")
def study(cluster: Cluster, config: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("study")
    done = snakemake(cluster, folder, config)
    assert done.returncode == 0, done.stderr[-4000:]
    run = Run.latest(folder, cluster)
    run.wait_for_accounting()
    return run


def test_the_tables_are_those_of_a_local_run(study, local):
    for table in TABLES:
        there = study.folder / "results" / "shapes" / "tables" / table
        here = local.results / "tables" / table
        assert there.read_bytes() == here.read_bytes(), table


def test_networks_run_on_the_gpu_partition_and_nothing_else_does(study):
    decoded = {"decode_model": 3, "decode_area": 1}
    expected = {"features": 3, "accuracy": 3, "ceilings": 1, "fit": 6, "tables": 1} | decoded
    assert study.rules() == expected
    for job in study.jobs():
        assert job["State"] == "COMPLETED"
        assert job["Account"] == "research"
        assert place(job) == expected_place(job)


def test_a_fit_job_does_twenty_layer_fits_or_more(study):
    """A job takes SLURM seconds to start. Layers x areas x mappings in the files, jobs in sacct."""
    assert study.layer_fits() >= 20 * study.rules()["fit"] > 0


def test_a_fit_job_scores_a_block_of_layers_in_all_areas(study):
    """Never an array: a task that fails would take the others' outputs with it."""
    fields = ("JobID", "Comment", "SubmitLine")
    jobs = [job for job in study.jobs(fields) if job["Comment"].startswith("rule_fit_")]
    blocks = list((study.folder / "results" / "shapes" / "scores").rglob("*.nc"))
    assert len(jobs) == 3 * 2  # models, mappings: all layers and all areas in a job
    assert len(blocks) == len(jobs) * 3
    assert all(job["JobID"].isdigit() and "--array" not in job["SubmitLine"] for job in jobs)


def test_memory_and_time_come_from_the_rules(study):
    jobs = {job["Comment"]: job for job in study.jobs(("Comment", "ReqMem", "Timelimit"))}
    features = jobs["rule_features_wildcards_shapenet5"]
    assert efficiency.megabytes(features["ReqMem"]) > 4000  # the widest layer, times the stimuli
    assert features["Timelimit"] == "02:00:00"
    assert jobs["rule_tables"]["ReqMem"] == "2000M"  # the profile's, as the rule states none
    assert jobs["rule_fit_wildcards_ridge_shapenet5_00-05"]["Timelimit"] == "00:10:00"


def test_the_efficiency_table_adds_up(study):
    command = [sys.executable, "-m", "cortiscope.efficiency", "--directory", str(study.folder)]
    shown = subprocess.run(
        command, cwd=REPOSITORY, env=study.cluster.environment, capture_output=True, text=True
    )
    assert shown.returncode == 0, shown.stderr
    lines = {line.split()[0]: line for line in shown.stdout.splitlines()}
    fields = ("JobIDRaw", "Comment", "State", "ReqMem", "MaxRSS", "Elapsed", "TotalCPU")
    rows = study.cluster.sacct("--name", study.identity, fields=fields)
    job = next(row["JobIDRaw"] for row in rows if row["Comment"] == "rule_tables")
    steps = [row for row in rows if row["JobIDRaw"].startswith(f"{job}.")]
    peaks = [int(row["MaxRSS"].removesuffix("K")) for row in steps if row["MaxRSS"]]
    assert len(peaks) == 2  # Snakemake's own and the job's
    whole = next(row for row in rows if row["JobIDRaw"] == job)
    hours, minutes, rest = map(int, whole["Elapsed"].split(":"))
    elapsed = hours * 3600 + minutes * 60 + rest
    words = lines["tables"].split()
    assert words[1:5] == ["1", "0", "2000", f"{sum(peaks) / 1024:.0f}"]
    assert words[5:7] == ["30", f"{elapsed / 60:.1f}"]
    assert float(words[7].rstrip("%")) == pytest.approx(
        100 * float(whole["TotalCPU"].split(":")[1]) / elapsed, abs=1
    )
    assert "mem_mb: " in lines["tables"]
    assert "runtime: 5 * attempt" in lines["tables"]
    jobs, failed, megabytes = map(int, lines["fit"].split()[1:4])
    assert (jobs, failed) == (6, 0)
    assert 1000 <= megabytes < 1100


def test_a_failed_job_shows_its_log_and_is_retried_with_more(cluster, study, config, tmp_path):
    shutil.copytree(study.folder / "resources" / "layers", tmp_path / "resources" / "layers")
    broken = tmp_path / "resources" / "shapes" / "responses.nc"
    broken.parent.mkdir()
    broken.write_bytes(b"not a netCDF file")
    target = "results/shapes/ceilings/V1.nc"
    # The rule alone, so that the broken file is not made anew; one retry, of the profile's two.
    options = ("--allowed-rules", "ceilings", "--retries", "1")
    done = snakemake(cluster, tmp_path, config, *options, "--", target)
    assert done.returncode != 0
    assert "logs/shapes/ceilings/all.log" in done.stderr
    message = (tmp_path / "logs" / "shapes" / "ceilings" / "all.log").read_text()
    assert message.startswith("error: resources/shapes/responses.nc: ")
    assert message.splitlines()[0] in done.stderr
    run = Run.latest(tmp_path, cluster)
    first, again = sorted(efficiency.megabytes(job["ReqMem"]) for job in run.jobs())
    assert again == 2 * first >= 2000


def test_a_run_without_jobs_is_one_line(cluster):
    command = [sys.executable, "-m", "cortiscope.efficiency", "no-such-run"]
    shown = subprocess.run(
        command, cwd=REPOSITORY, env=cluster.environment, capture_output=True, text=True
    )
    assert shown.returncode == 1
    assert shown.stderr.splitlines() == [
        "error: run no-such-run: sacct knows no job of it that has ended; check the id"
    ]
