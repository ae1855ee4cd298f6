"""The cluster itself does what the tests of Cortiscope on SLURM rely on."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.slurm.cluster import Cluster
from tests.slurm.daemon import ClusterError
from tests.slurm.install import why_not

pytestmark = [pytest.mark.slurm, pytest.mark.xdist_group("slurm")]

SNAKEFILE = """
rule all:
    input: "sum.txt"
rule number:
    output: "numbers/{n}.txt"
    shell: "echo {wildcards.n} > {output}; env | grep CUDA_VISIBLE_DEVICES >> gpu.txt"
rule add:
    input: expand("numbers/{n}.txt", n=range(1, 3))
    output: "sum.txt"
    shell: "cat {input} | awk '{{s += $1}} END {{print s}}' > {output}"
"""
PROFILE = """
executor: slurm
jobs: 100
scheduler: greedy
latency-wait: 60
slurm-status-command: squeue
slurm-init-seconds-before-status-checks: 1
slurm-status-attempts: 60
max-status-checks-per-second: 1
slurm-requeue: true
default-resources: {slurm_account: research, slurm_partition: cpu, mem_mb: 1000, runtime: 5}
set-resources:
  number: {slurm_partition: gpu, gres: "gpu:1"}
"""


def submit(cluster: Cluster, output: Path, *options: str) -> str:
    """sbatch with its output appended to a file; the job's id."""
    words = ("sbatch", "--parsable", "--open-mode=append", f"--output={output}", *options)
    return cluster.run(*words).stdout.strip()


def processes_of(state: Path) -> list[str]:
    """Command lines of the processes which have the cluster's folder in their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and entry.name != str(os.getpid()):
            try:
                if str(state).encode() in (entry / "environ").read_bytes():
                    found.append((entry / "cmdline").read_text().replace("\0", " "))
            except OSError:
                pass  # ended in the meantime
    return found


def test_a_gpu_job_is_accounted_with_its_partition_and_gres(cluster: Cluster) -> None:
    devices = cluster.run("srun", "--partition=gpu", "--gres=gpu:1", "--job-name=probe", "env")
    assert "CUDA_VISIBLE_DEVICES=0" in devices.stdout.splitlines()
    variables = dict(line.split("=", 1) for line in devices.stdout.splitlines() if "=" in line)
    row = cluster.wait_for_job(variables["SLURM_JOB_ID"])
    assert (row["Partition"], row["State"], row["Account"]) == ("gpu", "COMPLETED", "research")
    assert "gres/gpu=1" in row["ReqTRES"].split(",")
    assert "gres/gpu=1" in row["AllocTRES"].split(",")


def test_a_job_above_its_memory_is_killed(cluster: Cluster, tmp_path: Path) -> None:
    hungry = "import time; block = bytearray(300 << 20); time.sleep(60)"
    command = f"--wrap=srun {sys.executable} -c '{hungry}'"
    killed = cluster.wait_for_job(submit(cluster, tmp_path / "log", "--mem=100", command))
    assert killed["State"] in ("FAILED", "OUT_OF_MEMORY")
    assert "exceeded memory limit" in (tmp_path / "log").read_text()
    fits = cluster.wait_for_job(submit(cluster, tmp_path / "small", "--mem=100", "--wrap=true"))
    assert fits["State"] == "COMPLETED"


def test_snakemake_submits_a_workflow(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    (tmp_path / "profile").mkdir()
    (tmp_path / "profile" / "config.yaml").write_text(PROFILE)
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--workflow-profile", "profile"],
        cwd=tmp_path,
        env=cluster.environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / "sum.txt").read_text() == "3\n"
    assert (tmp_path / "gpu.txt").read_text().splitlines() == ["CUDA_VISIBLE_DEVICES=0"] * 2
    rows = [row for row in cluster.sacct("--allocations") if row["Comment"].startswith("rule_")]
    assert sorted((row["Comment"], row["Partition"]) for row in rows) == [
        ("rule_add", "cpu"),
        ("rule_number_wildcards_1", "gpu"),
        ("rule_number_wildcards_2", "gpu"),
    ]


def test_a_job_is_requeued_when_its_node_goes_down(cluster: Cluster, tmp_path: Path) -> None:
    log = tmp_path / "log"
    job = submit(cluster, log, "--wrap=echo start; sleep 4; echo end")
    while not log.exists() or log.read_text() != "start\n":
        time.sleep(0.1)
    cluster.kill_slurmd()
    deadline = time.monotonic() + 90
    while not cluster.node_state().startswith("down") and time.monotonic() < deadline:
        time.sleep(0.2)
    assert cluster.node_state().startswith("down")
    assert log.read_text() == "start\n"
    cluster.start_slurmd()
    assert cluster.wait_for_job(job, seconds=90)["State"] == "COMPLETED"
    assert log.read_text() == "start\nstart\nend\n"
    states = [row["State"] for row in cluster.sacct("--allocations", "--duplicates", "--jobs", job)]
    assert states == ["NODE_FAIL", "COMPLETED"]


def test_stop_ends_running_jobs_and_removes_the_folder(tmp_path: Path) -> None:
    reason = why_not()
    if reason:
        pytest.skip(reason)
    with Cluster(cpus=2) as second:
        submit(second, tmp_path / "log", "--wrap=echo start; setsid sleep 1000 & sleep 1000")
        while not (tmp_path / "log").exists() or not (tmp_path / "log").read_text():
            time.sleep(0.1)
        assert any("sleep 1000" in line for line in processes_of(second.state))
    assert processes_of(second.state) == []
    assert not second.state.exists()


def test_a_daemon_that_ends_is_reported_with_its_log() -> None:
    reason = why_not()
    if reason:
        pytest.skip(reason)
    broken = Cluster()
    broken.settings["host"] = "elsewhere"
    with pytest.raises(ClusterError, match=r"(?s)slurmctld ended.*not a valid controller"):
        broken.start()
    assert processes_of(broken.state) == []
    assert not broken.state.exists()
