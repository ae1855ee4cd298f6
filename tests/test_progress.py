"""How far a run is, from Snakemake's own logs."""

import subprocess
import sys

import pytest

from cortiscope.progress import count_jobs
from tests.running import REPOSITORY


def progress(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "cortiscope.progress", *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
    )


def newest(workflow):
    return max((workflow.folder / ".snakemake" / "log").glob("*.log"))


def test_a_finished_run_is_done(finished):
    first = min((finished.folder / ".snakemake" / "log").glob("*.log"))
    shown = progress(finished.folder, str(first))
    assert shown.returncode == 0, shown.stderr
    header, *rows = (line.split() for line in shown.stdout.splitlines()[1:])
    assert header == ["rule", "jobs", "done", "running", "failed"]
    rules = {row[0]: row[1:] for row in rows}
    assert rules["fit"] == ["6", "6"]
    assert rules["features"] == ["3", "3"]
    assert rules["total"][0] == rules["total"][1]


def test_a_run_is_followed_line_by_line(finished):
    """At every moment the jobs that were started are done or running."""
    first = min((finished.folder / ".snakemake" / "log").glob("*.log"))
    lines = first.read_text().splitlines()
    running = [count_jobs(lines[:end])["total"]["running"] for end in range(len(lines))]
    assert max(running) == 2  # the cores of a test
    assert running[-1] == 0
    done = [count_jobs(lines[:end])["total"]["done"] for end in range(len(lines))]
    assert done == sorted(done)


@pytest.mark.parametrize("again", [False, True])
def test_a_job_that_fails_is_counted(listed, again):
    resources = listed.folder / "resources" / "shapes"
    resources.mkdir(parents=True)
    (resources / "responses.nc").write_bytes(b"not a netCDF file")
    retries = ("--retries", "1") if again else ()
    target = "results/shapes/ceilings/V1.nc"
    done = listed.forked("--allowed-rules", "ceilings", *retries, "--", target)
    assert done.returncode != 0
    lines = newest(listed).read_text().splitlines()
    counts = count_jobs(lines)
    assert counts["ceilings"] == {"jobs": 1, "failed": 1}
    if again:
        restart = max(number for number, line in enumerate(lines) if line == "localrule ceilings:")
        end = next(n for n, line in enumerate(lines) if n > restart and "jobid" in line) + 1
        assert count_jobs(lines[:end])["ceilings"] == {"jobs": 1, "running": 1}


def test_without_a_run_it_is_one_line(tmp_path):
    shown = progress(tmp_path)
    assert shown.returncode == 1
    assert shown.stderr.strip() == (
        "error: .snakemake/log: no run has left a log here; name a log, or change folder"
    )


def test_a_report_that_was_made_since_is_no_run(tmp_path):
    logs = tmp_path / ".snakemake" / "log"
    logs.mkdir(parents=True)
    (logs / "1.snakemake.log").write_text("fit  3\nFinished jobid: 2 (Rule: fit)\n")
    (logs / "2.snakemake.log").write_text("Building DAG of jobs...\nCreating report...\n")
    assert "fit       3     1" in progress(tmp_path).stdout
