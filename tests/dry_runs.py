"""Snakemake in forks of a process that has loaded it: loading takes longer than a dry run."""

import multiprocessing
import os
import sys

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["snakemake.cli", "netCDF4", "scipy", "jsonschema"])


def snakemake(arguments, checkout, output):
    """Exit status of Snakemake on a checkout, and all that it says; output: a file for that."""
    process = FORKS.Process(target=_snakemake, args=(arguments, checkout, output))
    process.start()
    process.join(timeout=120)
    return process.exitcode, output.read_text()


def _snakemake(arguments, checkout, output):
    with output.open("w") as text:
        os.dup2(text.fileno(), 1)
        os.dup2(text.fileno(), 2)
    os.chdir(checkout)
    sys.path.insert(0, str(checkout))  # as `python -m snakemake` does
    from snakemake.cli import main

    main(arguments)
