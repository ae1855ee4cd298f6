"""SLURM jobs that die: the shipped profile's run goes on to the same tables by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from cortiscope import efficiency
from tests.faults.harness import REPOSITORY, Run, damaged, different, wait_for
from tests.slurm.cluster import Cluster
from tests.slurm.fixtures import cluster_or_skip

pytestmark = [pytest.mark.slurm, pytest.mark.xdist_group("slurm")]

OPTIONS = (
    "tables", "--workflow-profile", str(REPOSITORY / "profiles" / "slurm"),
    "--slurm-init-seconds-before-status-checks", "1", "--max-status-checks-per-second", "1",
)  # fmt: skip


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A cluster of its own: nodes go down here."""
    yield from cluster_or_skip()


def started(cluster: Cluster, folder: Path, *options: str) -> Run:
    return Run(folder, *OPTIONS, *options, environment=cluster.environment)


def running_fit(cluster: Cluster) -> str:
    """The id of a fit job that runs; empty while there is none."""
    words = ("squeue", "--noheader", "--states=RUNNING", "--format=%i %k")
    rows = (row.split(maxsplit=1) for row in cluster.run(*words).stdout.splitlines())
    return next((row[0] for row in rows if row[1].startswith("rule_fit_")), "")


def fit_process(cluster: Cluster, job: str) -> psutil.Process | None:
    """The process that does the work of a SLURM job, once it is there."""
    for process in psutil.process_iter():
        try:
            script = process.cmdline()[-1:]
            if script and script[0].endswith(".fit.py") and "scripts" in script[0]:
                variables = process.environ()
                ours = variables.get("SLURM_CONF") == cluster.environment["SLURM_CONF"]
                if ours and variables.get("SLURM_JOB_ID") == job:
                    return process
        except psutil.Error:
            continue
    return None


def finishes(run: Run, folder: Path, undisturbed: Path) -> None:
    assert run.wait() == 0, run.log.read_text()[-3000:]
    assert damaged(folder) == []
    assert different(folder, undisturbed) == []


def states(cluster: Cluster, folder: Path, *options: str) -> list[str]:
    """How the fit jobs of the last run ended, by sacct."""
    rows = cluster.sacct("--allocations", *options, "--name", efficiency.latest_run(folder))
    return [row["State"].split()[0] for row in rows if row["Comment"].startswith("rule_fit_")]


def test_a_job_is_cancelled(cluster, folder, undisturbed):
    with started(cluster, folder) as run:
        cluster.run("scancel", wait_for(lambda: running_fit(cluster), run, 0.2))
        finishes(run, folder, undisturbed)
    assert sorted(states(cluster, folder)) == ["CANCELLED", *["COMPLETED"] * 3]


def test_a_jobs_process_is_killed(cluster, folder, undisturbed):
    with started(cluster, folder) as run:
        job = wait_for(lambda: running_fit(cluster), run, 0.2)
        wait_for(lambda: fit_process(cluster, job), run, 0.05).kill()
        finishes(run, folder, undisturbed)
    assert sorted(states(cluster, folder)) == [*["COMPLETED"] * 3, "FAILED"]


def test_a_node_goes_down(cluster, folder, undisturbed):
    """Its jobs start again once it is back."""
    with started(cluster, folder) as run:
        wait_for(lambda: running_fit(cluster), run, 0.2)
        cluster.kill_slurmd()
        wait_for(lambda: cluster.node_state().startswith("down"), run, 0.2)
        assert damaged(folder) == []
        cluster.start_slurmd()
        finishes(run, folder, undisturbed)
    assert "NODE_FAIL" in states(cluster, folder, "--duplicates")


def test_a_job_needs_more_memory_than_it_asked_for(cluster, folder, undisturbed):
    """Killed for its memory once, it comes back with more."""
    memory = "fit:mem_mb=20 if attempt == 1 else 2000"
    with started(cluster, folder, "--set-resources", memory) as run:
        finishes(run, folder, undisturbed)
    asked = cluster.sacct("--allocations", "--name", efficiency.latest_run(folder))
    fits = [row for row in asked if row["Comment"].startswith("rule_fit_")]
    assert sorted({efficiency.megabytes(row["ReqMem"]) for row in fits}) == [20, 2000]
    ended = {row["ReqMem"]: row["State"].split()[0] for row in fits}
    assert ended["20M"] in ("OUT_OF_MEMORY", "FAILED")
    assert ended["2000M"] == "COMPLETED"
