"""Runs of the tiny study that are killed, and what is left behind looked at."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib.image
import netCDF4
import pandas as pd
import psutil
import pyarrow.parquet as pq

from tests.running import REPOSITORY, TABLES, TINY, Workflow

SECONDS = 600.0  # for anything to happen: test machines are slow, and shared


def command(folder: Path, *arguments: str) -> list[str]:
    """What a user types, with the folder to work in."""
    words = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile")]
    words += ["--directory", str(folder), "--cores", "2", "--nocolor", *arguments]
    return [*words, "--configfile", str(TINY)]


def run_to_the_end(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the study beside or after one that is disturbed; stdout holds all that is said."""
    return Workflow(folder).forked("--", *arguments, config=TINY)


class Run:
    """A run that goes on beside the test; `with` ends whatever of it is left."""

    def __init__(
        self, folder: Path, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> None:
        self.log = folder / "run.log"
        with self.log.open("w") as log:
            self.main = psutil.Popen(
                command(folder, *arguments),
                cwd=REPOSITORY,
                env=environment,
                stdout=log,
                stderr=log,
            )
        self.seen: dict[int, psutil.Process] = {}

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill_main()
        for process in self.seen.values():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def jobs(self, rule: str = "") -> list[psutil.Process]:
        """The processes that do a job's work (of one rule), not the shells around them."""
        found = []
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in self.main.children(recursive=True):
                self.seen[child.pid] = child
                with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                    words = child.cmdline()
                    script = words[-1] if len(words) > 1 and words[-2] != "-c" else ""
                    if ".snakemake/scripts/" in script and script.endswith(f"{rule}.py"):
                        found.append(child)
        return found

    def kill_main(self) -> list[psutil.Process]:
        """kill -9 of the main process; its jobs, orphans now, go on and are returned."""
        orphans = self.jobs()
        with contextlib.suppress(psutil.NoSuchProcess):
            self.main.kill()
        self.main.wait(SECONDS)
        return orphans

    def wait(self) -> int:
        return int(self.main.wait(SECONDS))


def wait_for(condition: Callable[[], Any], run: Run, pause: float = 0.02) -> Any:
    """Poll until the condition holds; AssertionError if the run ends first."""
    deadline = time.monotonic() + SECONDS
    while not (found := condition()):
        ended = run.main.poll() is not None
        assert not ended, f"the run has ended already:\n{run.log.read_text()[-3000:]}"
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(pause)
    return found


def half_finished(finished: Path, folder: Path) -> Path:
    """A copy of a finished folder, dates kept, that lacks one model's scores and all tables."""
    shutil.copytree(finished, folder, dirs_exist_ok=True)
    for name in ("scores/ridge/shapenet5", "tables"):
        shutil.rmtree(folder / "results" / "shapes" / name)
    return folder


def _open_netcdf(path: Path) -> None:
    with netCDF4.Dataset(path) as dataset:
        for group in (dataset, *dataset.groups.values()):
            for variable in group.variables.values():
                variable[...]


def _open_csv(path: Path) -> None:
    pd.read_csv(path)
    # A table cut between two cells still parses.
    if not path.read_bytes().endswith(b"\n"):
        raise ValueError("ends within a line")


READERS: dict[str, Callable[[Path], Any]] = {
    ".nc": _open_netcdf,
    ".csv": _open_csv,
    ".parquet": pq.read_table,
    ".png": matplotlib.image.imread,
}


def damaged(folder: Path) -> list[str]:
    """Files under their final names that cannot be read to the end, each with the reason."""
    found = []
    for path in sorted(folder.rglob("[!.]*")):
        reader = READERS.get(path.suffix)
        if reader and ".snakemake" not in path.parts:
            try:
                reader(path)
            except FileNotFoundError:
                continue  # deleted since, by Snakemake
            except Exception as error:
                found.append(f"{path}: {error}")
    return found


def different(folder: Path, expected: Path) -> list[str]:
    """Tables that are missing, or differ in any bit from those of another run."""
    tables, others = (place / "results" / "shapes" / "tables" for place in (folder, expected))
    found = []
    for name in TABLES:
        if not (tables / name).is_file():
            found.append(f"{name}: missing")
        elif (tables / name).read_bytes() != (others / name).read_bytes():
            found.append(f"{name}: differs")
    # The metadata of a Parquet file holds the git commit, which may be another one by now.
    if not (tables / "scores.parquet").is_file():
        found.append("scores.parquet: missing")
    elif not pq.read_table(tables / "scores.parquet").equals(
        pq.read_table(others / "scores.parquet")
    ):
        found.append("scores.parquet: differs")
    return found


def ends_well(folder: Path, undisturbed: Path) -> subprocess.CompletedProcess[str]:
    """The same command again finishes, and its tables are those of the undisturbed run."""
    assert damaged(folder) == []
    again = run_to_the_end(folder, "tables")
    assert again.returncode == 0, again.stdout[-3000:]
    assert damaged(folder) == []
    assert different(folder, undisturbed) == []
    return again


def temporary_files(folder: Path) -> list[Path]:
    """What `files.replacing` writes before the rename."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return [Path(entry.path) for entry in entries if entry.name.startswith(".")]
