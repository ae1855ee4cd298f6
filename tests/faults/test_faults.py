"""Runs that die, and the same command afterwards."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import netCDF4
import psutil
import pytest

from tests.faults.harness import (
    Run,
    damaged,
    different,
    ends_well,
    half_finished,
    run_to_the_end,
    temporary_files,
    wait_for,
)

SCORES = Path("results/shapes/scores/ridge/shapenet5/00-05")


def test_the_main_process_is_killed(folder, undisturbed):
    with Run(folder, "tables") as run:
        wait_for(lambda: run.jobs("fit"), run)
        orphans = run.kill_main()
        assert orphans
        assert list((folder / ".snakemake" / "locks").iterdir())
        # The orphans go on beside the new run, and both write the same files.
        again = ends_well(folder, undisturbed)
    assert "its lock is released" in again.stdout


def test_the_lock_of_a_living_run_is_kept(folder):
    with Run(folder, "tables") as run:
        wait_for(lambda: run.jobs("fit"), run)
        run.main.suspend()
        second = run_to_the_end(folder, "tables")
        assert second.returncode != 0
        assert "cannot be locked" in second.stdout
        assert list((folder / ".snakemake" / "locks").iterdir())


def test_a_job_is_killed_in_mid_write_and_tried_again(folder, undisturbed):
    """kill -9 of a job while its temporary file is there; with retries, one command is enough."""
    with Run(folder, "tables", "--retries", "1") as run:
        job = wait_for(lambda: stopped_in_mid_write(run, folder / SCORES), run, pause=0.001)
        assert damaged(folder) == []
        job.kill()
        assert run.wait() == 0, run.log.read_text()[-3000:]
        assert "Trying to restart job" in run.log.read_text()
    assert damaged(folder) == []
    assert different(folder, undisturbed) == []


def stopped_in_mid_write(run, folder):
    """A fit job, stopped while its temporary file lies in the folder; None if there is none."""
    started = temporary_files(folder)
    for job in run.jobs("fit") if started else ():
        try:
            job.suspend()
            opened = {Path(file.path) for file in job.open_files()}
            if opened & set(started) & set(temporary_files(folder)):
                return job
            job.resume()
        except psutil.NoSuchProcess:
            continue
    return None


def test_a_job_is_killed_and_not_tried_again(folder, undisturbed):
    with Run(folder, "tables") as run:
        job = wait_for(lambda: run.jobs("fit"), run)[0]
        job.kill()
        assert run.wait() != 0
        assert ".log" in run.log.read_text().partition("Error in rule fit")[2]
        assert not (folder / "results/shapes/tables/scores.parquet").exists()
    ends_well(folder, undisturbed)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a tmpfs needs root")
def test_the_disk_is_full(undisturbed, tmp_path):
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)]
    mounted = subprocess.run(mount, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no tmpfs can be mounted: {mounted.stderr.strip()}")
    try:
        folder = half_finished(undisturbed, place / "study")
        filler = place / "filler"
        filler.write_bytes(b"x" * (shutil.disk_usage(place).free - (100 << 10)))
        with Run(folder, "tables") as run:
            # Snakemake's own files have found room: now the disk fills up.
            wait_for(lambda: run.jobs("fit"), run)
            with filler.open("ab", buffering=0) as file:
                file.write(b"x" * shutil.disk_usage(place).free)
            assert run.wait() != 0
        assert damaged(folder) == []
        filler.unlink()
        ends_well(folder, undisturbed)
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_scores_of_a_job_that_came_too_late_are_refused(folder, undisturbed):
    """An orphan with other settings replaces a file after the next run has made it."""
    shutil.copytree(undisturbed / SCORES, folder / SCORES)
    late = folder / SCORES / "V1.nc"
    with netCDF4.Dataset(late, "a") as dataset:
        settings = json.loads(dataset.settings)
        settings["settings"]["ridge"]["alphas"] = [1.0]
        dataset.settings = json.dumps(settings, sort_keys=True)
    refused = run_to_the_end(folder, "tables")
    assert refused.returncode != 0
    line = f"error: {late.relative_to(folder)}: settings: are not those of the config; delete it"
    assert line in refused.stdout
    late.unlink()
    ends_well(folder, undisturbed)


def other_row(features):
    with netCDF4.Dataset(features, "a") as dataset:
        settings = json.loads(dataset.settings)
        settings["row"]["seed"] = "1"
        dataset.settings = json.dumps(settings, sort_keys=True)


def other_word(accuracy):
    *cells, made_by = accuracy.read_text().rstrip().split(",")
    accuracy.write_text(",".join([*cells, made_by[::-1]]) + "\n")


def other_seed(experiment):
    with netCDF4.Dataset(experiment, "a") as dataset:
        settings = json.loads(dataset.settings)
        settings["settings"]["seed"] += 1
        dataset.settings = json.dumps(settings, sort_keys=True)


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("results/shapes/features/shapenet5.nc", other_row),
        ("results/shapes/accuracy/shapenet5.csv", other_word),
        ("resources/shapes/stimuli.nc", other_seed),
        ("resources/shapes/responses.nc", other_seed),
    ],
)
def test_what_came_too_late_is_refused(folder, undisturbed, file, change):
    late = folder / file
    change(late)
    refused = run_to_the_end(folder, "tables")
    assert refused.returncode != 0
    problem = "was made by other settings or code than this study's now; delete it"
    assert f"error: {late.relative_to(folder)}: {problem}" in refused.stdout
    assert not (folder / "results/shapes/tables/accuracy_vs_brain.csv").exists()
    late.unlink()
    ends_well(folder, undisturbed)
