"""`python` in forks of a process that has loaded the libraries: loading takes most of a short run.

A server has loaded the libraries and none of this repository. A client sends it a command line, the
environment, the working folder and three open files, and gets the exit status. Run as a program,
this file is either.
"""

import atexit
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import traceback
from pathlib import Path

# What Snakemake, its plugins and the jobs' scripts import, in their order.
LIBRARIES = (
    "encodings.idna", "difflib", "graphlib", "requests", "smart_open", "jsonschema",
    "snakemake.cli", "snakemake.report.html_reporter", "snakemake.storage",
    "scipy.linalg", "scipy.spatial.distance", "scipy.stats", "netCDF4", "pandas", "xarray",
    "pyarrow.parquet", "sklearn.linear_model", "sklearn.model_selection", "torch", "torchvision",
    "safetensors.torch", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg",
    "matplotlib.pyplot", "altair",
)  # fmt: skip


def ask(
    address: str, words: list[str], folder: Path, files: list[int], timeout: float | None = None
) -> int:
    """Exit status of `python WORDS`; TimeoutError, and its end, if it takes too long."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(timeout)
        line.connect(address)
        socket.send_fds(line, [b"."], files)
        request = {"words": words, "folder": str(folder), "environment": dict(os.environ)}
        line.sendall(json.dumps(request).encode() + b"\n")
        return int(line.makefile().readline())


def serve(listener: socket.socket, executable: str) -> None:
    """Answer until standard input, held open by who started this, is closed."""
    for library in LIBRARIES:
        importlib.import_module(library)
    gc.collect()
    gc.freeze()
    paths = list(sys.path)
    while listener in select.select([listener, sys.stdin], [], [])[0]:
        line, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _attend(line, executable, paths)
        line.close()
        while _ended():
            pass


def _ended() -> bool:
    """Whether a child had ended and was waited for."""
    try:
        return os.waitpid(-1, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return False


def _attend(line: socket.socket, executable: str, paths: list[str]) -> None:
    """Run what a client asks for, and tell it how that ended; kill it where the client is gone."""
    _, files, _, _ = socket.recv_fds(line, 1, 3)
    request = json.loads(line.makefile().readline())
    child = os.fork()
    if child == 0:
        line.close()
        _become(request, files, executable, paths)
    for file in files:
        os.close(file)
    ended = os.pidfd_open(child)
    if ended not in select.select([line.fileno(), ended], [], [])[0]:
        os.killpg(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        line.sendall(f"{status}\n".encode())
    finally:
        os._exit(0)


def _become(request: dict, files: list[int], executable: str, paths: list[str]) -> None:
    """Be `python WORDS` in this process, to its end."""
    os.setpgrp()
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.executable = executable
    status = 1
    try:
        status = _run(request["words"], paths)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if status and not isinstance(end.code, int):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _run(words: list[str], paths: list[str]) -> int:
    named = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    if words[0] == "-m":
        sys.path[:] = [str(Path.cwd()), *named, *paths]
        sys.argv[:] = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.path[:] = [str(Path(words[0]).parent.absolute()), *named, *paths]
        sys.argv[:] = words
        runpy.run_path(words[0], run_name="__main__")
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(socket.socket(fileno=int(sys.argv[2])), sys.argv[3])
    else:
        status = ask(sys.argv[1], sys.argv[2:], Path.cwd(), [0, 1, 2])
        if status < 0:
            os.kill(os.getpid(), -status)
        sys.exit(status)
