"""A study that is run on the cluster, and what sacct and its files say of it afterwards."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import netCDF4

from cortiscope import efficiency
from tests.slurm.cluster import SACCT_FIELDS, Cluster, ClusterError

REPOSITORY = Path(__file__).resolve().parents[2]
# The shipped profile; only polling is quicker.
OPTIONS = (
    "--workflow-profile", str(REPOSITORY / "profiles" / "slurm"),
    "--slurm-init-seconds-before-status-checks", "1", "--max-status-checks-per-second", "1",
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """A folder in which a study ran on a cluster, and the id of the run."""

    folder: Path
    cluster: Cluster
    identity: str

    @classmethod
    def latest(cls, folder: Path, cluster: Cluster) -> Run:
        return cls(folder, cluster, efficiency.latest_run(folder))

    def jobs(self, fields: Sequence[str] = SACCT_FIELDS) -> list[dict[str, str]]:
        """sacct's row of every job."""
        return self.cluster.sacct("--allocations", "--name", self.identity, fields=fields)

    def wait_for_accounting(self, seconds: float = 30) -> None:
        """slurmdbd hears of the last job's end a little late."""
        deadline = time.monotonic() + seconds
        while any(job["State"] != "COMPLETED" for job in self.jobs()):
            if time.monotonic() > deadline:
                raise ClusterError(f"not all jobs are COMPLETED: {self.jobs()}")
            time.sleep(0.5)

    def rules(self) -> Counter[str]:
        """Rule to the number of its jobs."""
        return Counter(rule(job) for job in self.jobs())

    def layer_fits(self) -> int:
        """Layers x areas x mappings that the score files hold."""
        files = (self.folder / "results" / "shapes" / "scores").rglob("*.nc")
        return sum(_count_layers(file) for file in files)


def rule(job: dict[str, str]) -> str:
    return efficiency.rule_name(job["Comment"], "")


def place(job: dict[str, str]) -> tuple[str, bool]:
    """The partition on which a job ran, and whether it was given a GPU."""
    return job["Partition"], "gres/gpu=1" in job["AllocTRES"].split(",")


def expected_place(job: dict[str, str]) -> tuple[str, bool]:
    """Networks run where there is a GPU, and nothing else does."""
    return ("gpu", True) if rule(job) in ("features", "accuracy") else ("cpu", False)


def _count_layers(score_file: Path) -> int:
    with netCDF4.Dataset(score_file) as dataset:
        return len(dataset.dimensions["layer"])
