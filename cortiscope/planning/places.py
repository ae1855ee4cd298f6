"""What of a machine must not stop a run: where the checkout lies, where a cache can be kept, locks.

Nothing here may import netCDF4, which reads the environment when it is loaded.
"""

import os
import shlex
import sys
from pathlib import Path


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
