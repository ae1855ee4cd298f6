"""Real runs of the embedded study, small, shared by the tests that look at their parts."""

import fcntl
import shutil
from pathlib import Path

import pytest
import scipy.linalg
from threadpoolctl import threadpool_limits

from tests.running import REPOSITORY, SMALL, TINY, Workflow


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Matrices of tests are slowed by threads, most of all where tests run in parallel.

    Of the libraries that are loaded by then, which is why scipy's is.
    """
    assert scipy.linalg
    with threadpool_limits(1):
        yield


@pytest.fixture
def workflow(tmp_path):
    return Workflow(tmp_path)


@pytest.fixture
def listed(workflow, layer_tables):
    """A folder that knows the layers of the small networks, as a first dry run leaves it."""
    shutil.copytree(layer_tables, workflow.folder / "resources" / "layers")
    return workflow


@pytest.fixture(scope="session")
def layer_tables(tmp_path_factory):
    """Layer tables of the small study; made here, they cost no interpreter that loads torch."""
    from cortiscope.layers import write_tables
    from cortiscope.planning.models import read_models

    folder = tmp_path_factory.mktemp("layers")
    schema = REPOSITORY / "workflow" / "schemas" / "models.schema.yaml"
    rows = read_models(REPOSITORY / "config" / "models.tsv", ["shapenet5"], schema)
    write_tables(list(rows.values()), folder)
    return folder


@pytest.fixture(scope="session")
def finished(tmp_path_factory, worker_id):
    """The small study; tests only read it."""
    return _run_once(tmp_path_factory, worker_id, "finished", config=SMALL)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory, worker_id):
    """The tables of the tiny study, and what they are made of; tests only read it."""
    return _run_once(tmp_path_factory, worker_id, "tiny", "--", "tables", config=TINY)


def _run_once(tmp_path_factory, worker_id, name, *targets, config):
    """A run in a folder of its own, once for all of pytest-xdist's workers."""
    base = tmp_path_factory.getbasetemp()
    base = base if worker_id == "master" else base.parent
    run, complete = Workflow(base / name), base / f"{name}.complete"
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.exists():
            # Beside the results, as in a checkout that is worked in: paths of weights are relative.
            zoo = Path("resources") / "zoo"
            shutil.copytree(REPOSITORY / zoo, run.folder / zoo)
            done = run.forked(*targets, config=config)
            assert done.returncode == 0, done.stdout[-4000:]
            complete.touch()
    return run
