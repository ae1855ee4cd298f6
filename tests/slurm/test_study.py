"""The small study through a real SLURM, with the shipped profile; only polling is quicker."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from cortiscope import efficiency
from tests.running import TABLES
from tests.slurm.cluster import SACCT_FIELDS, Cluster

pytestmark = [pytest.mark.slurm, pytest.mark.xdist_group("slurm")]

REPOSITORY = Path(__file__).resolve().parents[2]
SMALL = REPOSITORY / "tests" / "config" / "small.yaml"
OPTIONS = (
    "--workflow-profile", str(REPOSITORY / "profiles" / "slurm"),
    "--slurm-init-seconds-before-status-checks", "1", "--max-status-checks-per-second", "1",
    "--configfile", str(SMALL), "--nocolor",
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """A folder in which the small study ran on a cluster, and the id of the run."""

    folder: Path
    cluster: Cluster
    identity: str

    def jobs(self, fields: Sequence[str] = SACCT_FIELDS) -> list[dict[str, str]]:
        return self.cluster.sacct("--allocations", "--name", self.identity, fields=fields)


def snakemake(cluster: Cluster, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile")]
    command += ["--directory", str(folder), *OPTIONS, *arguments]
    return subprocess.run(
        command,
        cwd=REPOSITORY,
        env=cluster.environment,
        capture_output=True,
        text=True,
        timeout=900,
    )


@pytest.fixture(scope="module")
def study(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("study")
    done = snakemake(cluster, folder)
    assert done.returncode == 0, done.stderr[-4000:]
    run = Run(folder, cluster, efficiency.latest_run(folder))
    deadline = time.monotonic() + 30  # slurmdbd hears of the last job's end a little later
    while any(job["State"] != "COMPLETED" for job in run.jobs()) and time.monotonic() < deadline:
        time.sleep(0.5)
    return run


def test_the_tables_are_those_of_a_local_run(study, finished):
    for table in TABLES:
        there = study.folder / "results" / "shapes" / "tables" / table
        here = finished.folder / "results" / "shapes" / "tables" / table
        assert there.read_bytes() == here.read_bytes(), table


def test_networks_run_on_the_gpu_partition_and_nothing_else_does(study):
    jobs = study.jobs()
    rules = Counter(efficiency.rule_name(job["Comment"], "") for job in jobs)
    decoded = {"decode_model": 3, "decode_area": 3}
    assert rules == {"features": 3, "accuracy": 3, "ceilings": 3, "fit": 6, "tables": 1} | decoded
    for job in jobs:
        on_gpu = efficiency.rule_name(job["Comment"], "") in ("features", "accuracy")
        assert job["State"] == "COMPLETED"
        assert job["Account"] == "research"
        assert job["Partition"] == ("gpu" if on_gpu else "cpu")
        assert ("gres/gpu=1" in job["AllocTRES"].split(",")) == on_gpu


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


def test_a_failed_job_shows_its_log_and_is_retried_with_more(cluster, study, tmp_path):
    shutil.copytree(study.folder / "resources" / "layers", tmp_path / "resources" / "layers")
    broken = tmp_path / "resources" / "shapes" / "responses.nc"
    broken.parent.mkdir()
    broken.write_bytes(b"not a netCDF file")
    target = "results/shapes/ceilings/V1.nc"
    # The rule alone, so that the broken file is not made anew; one retry, of the profile's two.
    done = snakemake(
        cluster, tmp_path, "--allowed-rules", "ceilings", "--retries", "1", "--", target
    )
    assert done.returncode != 0
    assert "logs/shapes/ceilings/V1.log" in done.stderr
    message = (tmp_path / "logs" / "shapes" / "ceilings" / "V1.log").read_text()
    assert message.startswith("error: resources/shapes/responses.nc: ")
    assert message.splitlines()[0] in done.stderr
    run = Run(tmp_path, cluster, efficiency.latest_run(tmp_path))
    asked = sorted(efficiency.megabytes(job["ReqMem"]) for job in run.jobs())
    assert asked == [2000, 4000]


def test_a_run_without_jobs_is_one_line(cluster):
    command = [sys.executable, "-m", "cortiscope.efficiency", "no-such-run"]
    shown = subprocess.run(
        command, cwd=REPOSITORY, env=cluster.environment, capture_output=True, text=True
    )
    assert shown.returncode == 1
    assert shown.stderr.splitlines() == [
        "error: run no-such-run: sacct knows no job of it that has ended; check the id"
    ]
