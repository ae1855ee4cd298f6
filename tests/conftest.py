"""A real run of the embedded study, small, shared by the tests that look at its parts."""

import fcntl
import shutil
from pathlib import Path

import pytest

from tests.running import REPOSITORY, Workflow


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
