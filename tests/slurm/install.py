"""Debian's packages of SLURM for the tests: `python tests/slurm/install.py` as root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGES = ("slurmctld", "slurmd", "slurmdbd", "munge", "mariadb-server")
PROGRAMS = (
    "munged", "mariadbd", "mariadb-install-db", "slurmdbd", "slurmctld", "slurmd",
    "sacct", "sacctmgr", "sbatch", "scancel", "sinfo", "squeue", "srun", "setpriv",
)  # fmt: skip
SEARCH_PATH = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"


def why_not() -> str | None:
    """The reason why no cluster can be started here, or None."""
    if not sys.platform.startswith("linux"):
        return "SLURM needs Linux"
    if os.geteuid() != 0:
        return "starting SLURM's daemons needs root"
    missing = [program for program in PROGRAMS if not shutil.which(program, path=SEARCH_PATH)]
    if missing:
        return f"not installed: {', '.join(missing)}; run: python tests/slurm/install.py"
    return None


def install() -> int:
    """apt-get the packages without letting any of them start a service; an exit status."""
    policy, kept = Path("/usr/sbin/policy-rc.d"), Path("/usr/sbin/policy-rc.d.kept")
    if why_not() is None:
        return 0
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        print("installing SLURM needs root and apt-get", file=sys.stderr)
        return 1
    if policy.exists():
        policy.rename(kept)
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    get = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES]
    try:
        for command in (get, ["apt-get", "update", "-qq"], get):
            done = subprocess.run(command, env=quiet, capture_output=True, text=True)
            if command is get and done.returncode == 0:
                return 0
        print((done.stdout + done.stderr)[-2000:], file=sys.stderr)
        return 1
    finally:
        policy.unlink()
        if kept.exists():
            kept.rename(policy)


if __name__ == "__main__":
    sys.exit(install())
