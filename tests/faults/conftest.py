"""An undisturbed run, and copies of it that are not finished."""

import fcntl

import pytest

from tests.faults.harness import damaged, half_finished, run_to_the_end


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory, worker_id):
    """The tiny study, run once for all of pytest-xdist's workers; tests copy it."""
    base = tmp_path_factory.getbasetemp()
    base = base if worker_id == "master" else base.parent
    folder, complete = base / "undisturbed", base / "undisturbed.complete"
    with (base / "undisturbed.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.exists():
            done = run_to_the_end(folder, "tables")
            assert done.returncode == 0, done.stderr[-3000:]
            assert damaged(folder) == []
            complete.touch()
    return folder


@pytest.fixture
def folder(undisturbed, tmp_path):
    return half_finished(undisturbed, tmp_path / "study")
