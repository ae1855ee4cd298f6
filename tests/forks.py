"""Snakemake in forks of a process that has loaded it: loading takes longer than a dry run."""

import multiprocessing
import os
import sys
from pathlib import Path

FORKS = multiprocessing.get_context("forkserver")
# What a dry run of this repository imports, Snakemake's plugins and their libraries included.
FORKS.set_forkserver_preload(
    ["snakemake.cli", "snakemake.report.html_reporter", "snakemake.storage", "smart_open",
     "requests", "netCDF4", "scipy", "jsonschema", "difflib", "graphlib", "encodings.idna"]
)  # fmt: skip


def snakemake(arguments: list[str], checkout: Path, output: Path, timeout: int) -> int:
    """Exit status of `snakemake arguments` in a checkout; all that it says is left in a file."""
    process = FORKS.Process(target=_snakemake, args=(arguments, checkout, output))
    process.start()
    process.join(timeout)
    if process.exitcode is None:
        process.kill()
        raise TimeoutError(f"after {timeout} s:\n{output.read_text()}")
    return process.exitcode


def _snakemake(arguments: list[str], checkout: Path, output: Path) -> None:
    with output.open("w") as text:
        os.dup2(text.fileno(), 1)
        os.dup2(text.fileno(), 2)
    os.chdir(checkout)
    sys.path.insert(0, str(checkout))  # as `python -m snakemake` does
    from snakemake.cli import main

    main(arguments)
