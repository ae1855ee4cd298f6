"""The environment that a run needs is made, and nothing else of it is touched."""

import os
import subprocess
import sys

import pytest

from cortiscope.planning import machine


@pytest.fixture
def environment(monkeypatch):
    """One without places for caches, put back as it was."""
    for name in ("XDG_CACHE_HOME", "MPLCONFIGDIR"):
        monkeypatch.setenv(name, "")  # so that what the test sets is removed again
        monkeypatch.delenv(name)
    return monkeypatch


def test_caches_stay_in_a_home_that_can_be_written_to(environment, tmp_path):
    environment.setenv("HOME", str(tmp_path))
    machine.keep_caches(tmp_path / "run")
    assert "XDG_CACHE_HOME" not in os.environ
    assert "MPLCONFIGDIR" not in os.environ


@pytest.mark.parametrize("home", [os.devnull, "/proc/home"])
def test_caches_go_beside_the_run_where_home_is_none(environment, tmp_path, home):
    environment.setenv("HOME", home)
    environment.chdir(tmp_path)
    machine.keep_caches(tmp_path / "run")
    assert os.environ["XDG_CACHE_HOME"] == str(tmp_path / "run")
    assert os.environ["MPLCONFIGDIR"] == str(tmp_path / "run" / "matplotlib")
    assert not list(tmp_path.iterdir())


def test_a_place_for_caches_that_is_named_is_kept(environment, tmp_path):
    environment.setenv("HOME", os.devnull)
    environment.setenv("XDG_CACHE_HOME", str(tmp_path))
    machine.keep_caches(tmp_path / "run")
    assert os.environ["XDG_CACHE_HOME"] == str(tmp_path)


@pytest.mark.parametrize("folder", ["plain", "with space", "it's", "a$b;c"])
def test_the_interpreter_is_called_unquoted(monkeypatch, tmp_path, folder):
    """As Snakemake does: by a shell, and by its name alone."""
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "python9").write_text("#!/bin/sh\necho called")
    (tmp_path / folder / "python9").chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / folder / "python9"))
    monkeypatch.setenv("PATH", os.environ["PATH"])
    machine.name_interpreter()
    assert (sys.executable == "python9") == (folder != "plain")
    for command, shell in ((f"{sys.executable} x", True), ([sys.executable, "x"], False)):
        done = subprocess.run(command, shell=shell, capture_output=True, text=True)
        assert done.stdout == "called\n"
