"""Snakemake and its jobs in forks of a process that has loaded their libraries.

Loading takes longer than a dry run, and than most jobs of the tests. What is run is what a user
runs, in a process, a folder and an environment of its own; only the libraries are there already,
and none of this repository is. Tests of how a run starts, or is killed, run as a user does.
"""

import functools
import os
import shlex
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from tests import forked_python

# Libraries with threads of their own do not fork safely; netCDF's reads the last when it is loaded.
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
ENVIRONMENT |= {"HDF5_USE_FILE_LOCKING": "FALSE"}


def snakemake(arguments: list[str], checkout: Path, timeout: int) -> tuple[int, str]:
    """Exit status of `snakemake arguments` in a checkout, and all that it says."""
    with tempfile.TemporaryFile("w+") as said, Path(os.devnull).open() as nothing:
        files = [nothing.fileno(), said.fileno(), said.fileno()]
        words = ["-m", "snakemake", *arguments]
        try:
            status = forked_python.ask(_server()[0], words, checkout, files, timeout)
        except TimeoutError as error:
            said.seek(0)
            raise TimeoutError(f"after {timeout} s:\n{said.read()}") from error
        said.seek(0)
        return status, said.read()


def python() -> str:
    """An executable that runs a file, or a module after `-m`, as `python` does, in a fork."""
    return _server()[1]


@functools.cache
def _server() -> tuple[str, str]:
    """The address of the server, which is started here and ends with this process; a client."""
    folder = tempfile.TemporaryDirectory(prefix="forks")
    address, executable = str(Path(folder.name, "socket")), Path(folder.name, "python")
    program = shlex.join([sys.executable, "-I", "-S", forked_python.__file__, address])
    executable.write_text(f'#!/bin/sh\nexec {program} "$@"\n')
    executable.chmod(0o700)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(100)
        number = listener.fileno()
        command = [sys.executable, "-P", forked_python.__file__, "serve", str(number)]
        command.append(str(executable))
        environment = os.environ | ENVIRONMENT
        server = subprocess.Popen(
            command, stdin=subprocess.PIPE, pass_fds=[number], env=environment
        )
    _KEPT.extend((server, folder))
    return address, str(executable)


_KEPT: list[object] = []  # to the end: the server's standard input, and the socket's folder
