"""How far a run is: `python -m cortiscope.progress [LOG]`, by rule, in a terminal or into a file.

Reads Snakemake's log, by default the newest of the present folder, while it is written or later.
`watch python -m cortiscope.progress` follows a run from another terminal.
"""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from cortiscope.errors import InputError

LOGS = Path(".snakemake/log")
STARTED = re.compile(r"(?:local)?rule (\w+):$")
ENDED = re.compile(r"Finished jobid: (\d+) \(Rule: (\w+)\)")
FAILED = re.compile(r"Error in rule (\w+)")
JOB = re.compile(r"\s+jobid: (\d+)$")
TOTAL = re.compile(r"(\w+) {2,}(\d+)$")  # a row of the job table
REPORT = "Creating report..."  # in a log of --report, which runs no job
COLUMNS = ("rule", "jobs", "done", "running", "failed")


def count_jobs(lines: Iterable[str]) -> dict[str, Counter[str]]:
    """Of each rule, in the order of the log's job table: jobs, done, running and failed.

    lines: Snakemake's log. A job that failed and was started again is running. Jobs that wait in
    the queue of a cluster count as running: Snakemake has let go of them.
    """
    rules: dict[str, Counter[str]] = {}
    jobs: dict[str, tuple[str, str]] = {}  # number of a job to its rule and how it is
    opened = ("", "")  # the rule that a block of lines is about, and what it says of a job
    for line in map(str.rstrip, lines):
        if row := TOTAL.fullmatch(line):
            rules[row[1]] = Counter(jobs=int(row[2]))
        elif found := STARTED.fullmatch(line):
            opened = (found[1], "running")
        elif found := FAILED.match(line):
            opened = (found[1], "failed")
        elif found := ENDED.match(line):
            jobs[found[1]] = (found[2], "done")
        elif (found := JOB.fullmatch(line)) and opened[0]:
            jobs[found[1]], opened = opened, ("", "")
    for rule, how in jobs.values():
        rules.setdefault(rule, Counter())[how] += 1
    total = rules.pop("total", Counter())
    for how in ("done", "running", "failed"):
        total[how] = sum(counts[how] for counts in rules.values())
    return rules | {"total": total}


def newest_log(folder: Path = LOGS) -> Path:
    """The log of the run that was started last. Raises InputError where there is none."""
    for log in sorted(folder.glob("*.snakemake.log"), reverse=True):
        if REPORT not in log.read_text(errors="replace"):
            return log
    raise InputError(str(folder), "no run has left a log here", "name a log, or change folder")


def table(rules: dict[str, Counter[str]]) -> str:
    """One line a rule; empty cells for zero."""
    cells = [[rule, *(str(counts[c] or "") for c in COLUMNS[1:])] for rule, counts in rules.items()]
    widths = [max(map(len, column)) for column in zip(COLUMNS, *cells, strict=True)]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0])]
            + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        )
        for row in (COLUMNS, *cells)
    )


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("log", type=Path, nargs="?", help="Snakemake's log, else the newest")
    asked = options.parse_args()
    try:
        log = asked.log or newest_log()
        with log.open() as lines:
            print(f"{log}\n{table(count_jobs(lines))}")
    except (InputError, OSError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
