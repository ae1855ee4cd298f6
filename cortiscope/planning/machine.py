"""What of a machine must not stop a run: where the checkout lies, where caches can be kept, and the
lock that a killed run left.

Nothing here may import netCDF4, which reads the environment when it is loaded.
"""

import fcntl
import os
import shlex
import socket
import sys
from pathlib import Path
from typing import TextIO

OWNERS = "owners"


def prepare(folder: Path) -> None:
    """Set the environment of this process and its jobs; `folder` takes the caches, if need be."""
    name_interpreter()
    keep_caches(folder)
    # `files` locks what it reads itself: HDF5 fails on file systems without locks.
    os.environ.setdefault("HDF5_USE_FILE_LOCKING", "FALSE")


def name_interpreter() -> None:
    """Let the interpreter be found on PATH where its own path has a space or another sign.

    Snakemake writes `sys.executable` into shell commands without quoting it.
    """
    interpreter = Path(sys.executable)
    if shlex.quote(sys.executable) != sys.executable:
        found = os.environ.get("PATH", os.defpath)
        os.environ["PATH"] = f"{interpreter.parent}{os.pathsep}{found}"
        sys.executable = interpreter.name


def keep_caches(folder: Path) -> None:
    """Give libraries a place for their caches where the home is missing or read-only.

    Matplotlib would list its fonts anew in every job, in a temporary folder of its own.
    """
    try:
        home = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
        home.mkdir(parents=True, exist_ok=True)
        usable = os.access(home, os.W_OK)
    except (OSError, RuntimeError):  # not even the name of a home is known
        usable = False
    if not usable:
        os.environ["XDG_CACHE_HOME"] = str(folder.absolute())
        os.environ.setdefault("MPLCONFIGDIR", str(folder.absolute() / "matplotlib"))


def release_stale(folder: Path) -> TextIO | None:
    """Remove Snakemake's lock files in `folder` (.snakemake) if no main process lives.

    Snakemake's own lock is a file without an owner: after kill -9 it stays until someone types
    `--unlock`. Here, every main process also holds a lock of the operating system (flock, shared),
    which ends with the process however it ends. Whoever gets it exclusively is alone.

    Returns the file whose lock this process now holds: keep it open. Where another process lives,
    or the lock is from another host, whose locks a network file system may not show, or the file
    system has none, Snakemake's lock files stay as they are.
    """
    folder.mkdir(exist_ok=True)
    owners = (folder / OWNERS).open("a+")
    try:
        if _is_alone(owners):
            _clear(folder, owners)
        fcntl.flock(owners, fcntl.LOCK_SH)
    except OSError:
        owners.close()
        return None
    return owners


def _is_alone(owners: TextIO) -> bool:
    try:
        fcntl.flock(owners, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _clear(folder: Path, owners: TextIO) -> None:
    """Remove lock files of dead processes of this host, and sign as the present owner."""
    host = socket.gethostname()
    left = list((folder / "locks").glob("*.lock"))
    owners.seek(0)
    if left and owners.read().strip() != host:
        return
    for lock in left:
        lock.unlink(missing_ok=True)
    if left:
        print("a run was killed here: its lock is released", file=sys.stderr)
    os.ftruncate(owners.fileno(), 0)
    owners.write(host)
    owners.flush()
