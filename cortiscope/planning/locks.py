"""Let go of the lock that a killed main process left in the working directory.

Snakemake's own lock is a file without an owner: after kill -9 it stays until someone types
`--unlock`. Here, every main process also holds a lock of the operating system (flock, shared),
which ends with the process however it ends. Whoever gets it exclusively is alone.
"""

import fcntl
import os
import socket
import sys
from pathlib import Path
from typing import TextIO

OWNERS = "owners"


def release_stale(folder: Path) -> TextIO | None:
    """Remove Snakemake's lock files in `folder` (.snakemake) if no main process lives.

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
