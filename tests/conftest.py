"""A real run of the embedded study, small, shared by the tests that look at its parts."""

import fcntl
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
SHARED = Path(os.environ.get("CORTISCOPE_SHARED", REPOSITORY.parent / "shared"))
SMALL = REPOSITORY / "tests" / "config" / "small.yaml"


@dataclass(frozen=True)
class Workflow:
    """Snakemake on the Snakefile of this or another checkout, working in a folder of its own."""

    folder: Path
    repository: Path = REPOSITORY

    def arguments(self, *more: str, config: Path | None = SMALL) -> list[str]:
        """What follows `snakemake` on the command line."""
        snakefile, folder = str(self.repository / "Snakefile"), str(self.folder)
        common = ["--snakefile", snakefile, "--directory", folder, "--cores", "2", "--nocolor"]
        return [*common, *(["--configfile", str(config)] if config else []), *more]

    def __call__(
        self, *more: str, config: Path | None = SMALL, timeout: int = 600
    ) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "snakemake", *self.arguments(*more, config=config)]
        # pytest-xdist and this file leave nothing in the environment that a user would not have.
        return subprocess.run(
            command, capture_output=True, text=True, timeout=timeout, cwd=self.repository
        )


@pytest.fixture
def workflow(tmp_path):
    return Workflow(tmp_path)


@pytest.fixture(scope="session")
def finished(tmp_path_factory, worker_id):
    """The small study, run once for all of pytest-xdist's workers; tests only read it."""
    base = tmp_path_factory.getbasetemp()
    base = base if worker_id == "master" else base.parent
    run, complete = Workflow(base / "finished"), base / "finished.complete"
    with (base / "finished.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.exists():
            # Beside the results, as in a checkout that is worked in: paths of weights are relative.
            zoo = Path("resources") / "zoo"
            shutil.copytree(REPOSITORY / zoo, run.folder / zoo)
            done = run()
            assert done.returncode == 0, done.stderr[-4000:]
            complete.touch()
    return run
