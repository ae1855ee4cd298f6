"""The lock that a killed run leaves, and the one that a living run holds."""

import socket
import subprocess
import sys

import pytest

from cortiscope.planning.machine import OWNERS, release_stale

LIVING = """
import sys
from pathlib import Path
from cortiscope.planning.machine import release_stale
held = release_stale(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def locked(tmp_path):
    """A folder as after kill -9: lock files, and the host that made them."""
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks" / "0.output.lock").write_text("results/table.csv\n")
    (tmp_path / OWNERS).write_text(socket.gethostname())
    return tmp_path


def locks(folder):
    return list((folder / "locks").iterdir())


def test_a_dead_owners_lock_is_released_and_said_to_be(locked, capsys):
    with release_stale(locked):
        assert locks(locked) == []
    assert capsys.readouterr().err == "a run was killed here: its lock is released\n"


def test_a_living_owners_lock_stays_until_it_is_killed(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", LIVING, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as living:
        assert living.stdout.readline() == "held\n"
        (tmp_path / "locks").mkdir()
        (tmp_path / "locks" / "0.output.lock").touch()
        with release_stale(tmp_path):  # two may run side by side, on different files
            assert len(locks(tmp_path)) == 1
        living.kill()
        living.wait()
        with release_stale(tmp_path):
            assert locks(tmp_path) == []


@pytest.mark.parametrize("host", ["elsewhere", ""])
def test_a_lock_of_another_host_stays(locked, host):
    (locked / OWNERS).write_text(host)
    with release_stale(locked):
        assert len(locks(locked)) == 1
    assert (locked / OWNERS).read_text() == host


def test_nothing_is_said_where_nothing_is_locked(tmp_path, capsys):
    with release_stale(tmp_path):
        assert (tmp_path / OWNERS).read_text() == socket.gethostname()
    assert capsys.readouterr().err == ""
