"""Files are written whole or not at all, open in xarray, and say what made them."""

import json
import os
import re
import resource
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
import xarray as xr

from cortiscope import files
from cortiscope.errors import InputError
from cortiscope.files import Group, Variable
from cortiscope.versions import git_commit


def example(path, value=1.0):
    files.write(
        path,
        {
            "score": Variable(("layer", "neuroid"), np.full((2, 3), value), {"units": "1"}),
            "layer": Variable(("layer",), np.array(["conv1", "relu#2"])),
        },
        {"settings": {"b": 1, "a": [2]}, "seed": 3},
        {"conv1.0": Group({"features": Variable(("stimulus",), np.arange(4.0))}, {"index": 0})},
    )


def test_xarray_opens_what_was_written(tmp_path):
    example(tmp_path / "a.nc")
    with xr.open_dataset(tmp_path / "a.nc") as dataset:
        assert dataset["score"].dims == ("layer", "neuroid")
        assert dataset["score"].attrs["units"] == "1"
        assert dataset["layer"].values.tolist() == ["conv1", "relu#2"]
        assert json.loads(dataset.attrs["settings"]) == {"a": [2], "b": 1}
    with xr.open_dataset(tmp_path / "a.nc", group="conv1.0") as group:
        np.testing.assert_array_equal(group["features"], np.arange(4.0))


def test_read_returns_what_was_written(tmp_path):
    example(tmp_path / "a.nc")
    whole, group = files.read(tmp_path / "a.nc"), files.read(tmp_path / "a.nc", "conv1.0")
    assert whole["score"].shape == (2, 3)
    assert whole.attributes["seed"] == 3
    assert group.attributes["index"] == 0


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    example(tmp_path / "a.nc", value=1.0)

    def interrupted():
        with files.replacing(tmp_path / "a.nc") as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert files.read(tmp_path / "a.nc")["score"].max() == 1.0
    assert [path.name for path in tmp_path.iterdir()] == ["a.nc"]


def test_what_a_killed_writer_left_is_removed_once_it_is_a_day_old(tmp_path):
    ages = {".a.old.nc": 90_000, ".a.new.nc": 60, ".ab.old.nc": 90_000}
    for name, age in ages.items():
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    example(tmp_path / "a.nc")
    # A new one may have a living writer; the third is of another file.
    assert {path.name for path in tmp_path.iterdir()} == {"a.nc", ".a.new.nc", ".ab.old.nc"}


def test_written_files_are_readable_by_the_group_as_the_umask_allows(tmp_path):
    (tmp_path / "plain").touch()
    example(tmp_path / "a.nc")
    assert (tmp_path / "a.nc").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_truncated_file_is_named_in_one_line(tmp_path):
    example(tmp_path / "a.nc")
    content = (tmp_path / "a.nc").read_bytes()
    (tmp_path / "a.nc").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=re.escape(str(tmp_path / "a.nc"))) as caught:
        files.read(tmp_path / "a.nc")
    assert "\n" not in str(caught.value)


def test_an_unknown_layer_is_answered_with_those_there_are(tmp_path):
    example(tmp_path / "a.nc")
    with pytest.raises(InputError, match=r"conv1\.0"):
        files.read(tmp_path / "a.nc", "conv2")


def test_git_commit_is_the_one_checked_out(tmp_path):
    git = tmp_path / ".git"
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    assert git_commit(tmp_path) == "unknown"
    (git / "packed-refs").write_text("# pack\nabc refs/heads/main\n")
    assert git_commit(tmp_path) == "abc"
    (git / "refs" / "heads" / "main").write_text("def\n")
    assert git_commit(tmp_path) == "def"
    (git / "HEAD").write_text("123\n")
    assert git_commit(tmp_path) == "123"


# Opens a file to write, says so, and waits.
WRITER = """
import sys, netCDF4
held = netCDF4.Dataset(sys.argv[1], "a")
print(flush=True)
sys.stdin.read()
"""


def test_a_file_that_another_program_writes_to_is_not_called_damaged(tmp_path):
    example(tmp_path / "a.nc")
    command = [sys.executable, "-c", WRITER, str(tmp_path / "a.nc")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as writer:
        writer.stdout.readline()
        with pytest.raises(InputError, match="another program has it open to write") as caught:
            files.read(tmp_path / "a.nc")
        assert "delete" not in str(caught.value)
        writer.stdin.close()
    assert files.read(tmp_path / "a.nc")["score"].max() == 1.0


def test_a_file_that_cannot_be_opened_is_not_called_damaged(tmp_path):
    example(tmp_path / "a.nc")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        with pytest.raises(InputError, match="cannot be opened") as caught:
            files.read(tmp_path / "a.nc")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert "delete" not in str(caught.value)


# As a network file system without a lock service answers, for programs that load this first.
LOCKLESS = "#include <errno.h>\nint flock(int file, int how) { errno = ENOLCK; return -1; }\n"
COPY = """
import sys
from pathlib import Path
from cortiscope.planning import machine
machine.prepare(Path(sys.argv[2]))
from cortiscope import files
found = files.read(sys.argv[1])
files.write(sys.argv[2] + "/b.nc", found.variables, {})
"""


@pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler to make a lock that fails")
def test_files_are_read_and_written_where_the_file_system_has_no_locks(tmp_path):
    example(tmp_path / "a.nc")
    (tmp_path / "lockless.c").write_text(LOCKLESS)
    library = str(tmp_path / "lockless.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, tmp_path / "lockless.c"], check=True)
    environment = os.environ | {"LD_PRELOAD": library}
    environment.pop("HDF5_USE_FILE_LOCKING", None)
    command = [sys.executable, "-c", COPY, str(tmp_path / "a.nc"), str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert files.read(tmp_path / "b.nc")["score"].max() == 1.0
