"""What a SLURM run asked for and what it used: `python -m cortiscope.efficiency [RUN_ID]`.

One row a rule, with what to ask for instead where less than half was used. The run's id is in
Snakemake's log ("SLURM run ID"); without one, the newest run of the present folder is shown.
"""

import argparse
import math
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cortiscope.errors import InputError

# SubmitLine last: it alone may hold the delimiter.
FIELDS = (
    "JobIDRaw", "State", "NCPUS", "ReqMem", "MaxRSS", "Timelimit", "Elapsed", "TotalCPU",
    "NNodes", "Comment", "SubmitLine",
)  # fmt: skip
UNFINISHED = (
    "PENDING",
    "RUNNING",
    "REQUEUED",
    "SUSPENDED",
    "COMPLETING",
    "CONFIGURING",
    "RESIZING",
)
MEGABYTES = {"K": 1 / 1024, "M": 1.0, "G": 1024.0, "T": 1024.0**2}
LEAST_MINUTES = 5  # no queue is quicker for less
COLUMNS = (
    "rule", "jobs", "failed", "MB asked", "MB used", "min asked", "min used", "CPU", "hint",
)  # fmt: skip


@dataclass(frozen=True)
class Job:
    """One SLURM job that has ended. Memory in MB, times in seconds; 0 = not known."""

    rule: str
    completed: bool
    cpus: int
    memory_asked: float
    memory_used: float
    time_asked: float
    time_used: float
    cpu_time: float


def megabytes(text: str, cpus: int = 1, nodes: int = 1) -> float:
    """sacct's sizes in MB: 776424K, 4025M, 4Gc (each CPU, before SLURM 21.08), 16Gn (each node)."""
    found = re.fullmatch(r"([\d.]+)([KMGT]?)([cn]?)", text)
    if not found:
        return 0.0
    each = {"c": cpus, "n": nodes, "": 1}[found[3]]
    return float(found[1]) * MEGABYTES[found[2] or "M"] * each


def seconds(text: str) -> float:
    """sacct's times in seconds: 00:24, 00:10.499, 02:00:00, 1-00:00:00; 0 for UNLIMITED."""
    found = re.fullmatch(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)", text)
    if not found:
        return 0.0
    days, hours, minutes, rest = (float(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + rest


def rule_name(comment: str, submit_line: str) -> str:
    """The rule in a job's comment, or where a cluster keeps none, in the line that submitted it."""
    found = re.match(r"rule_(.+?)(_wildcards_|$)", comment)
    found = found or re.search(r"--comment '?rule_(.+?)(_wildcards_|'? )", submit_line)
    return found[1] if found else "?"


def parse(table: str) -> list[Job]:
    """The jobs that have ended in sacct's table of FIELDS (parsable2, without header).

    The steps of a job run side by side (Snakemake's own in `batch`, the work in step 0), so the
    most that a job used is the sum of its steps' peaks.
    """
    jobs: dict[str, dict[str, str]] = {}
    used: dict[str, float] = {}
    for line in table.splitlines():
        cells = line.split("|", len(FIELDS) - 1)
        if len(cells) < len(FIELDS):
            continue
        row = dict(zip(FIELDS, cells, strict=True))
        job, _, step = row["JobIDRaw"].partition(".")
        if step:
            used[job] = used.get(job, 0.0) + megabytes(row["MaxRSS"])
        else:
            jobs[job] = row
    ended = {job: row for job, row in jobs.items() if not row["State"].startswith(UNFINISHED)}
    return [_job(row, used.get(job, 0.0)) for job, row in ended.items()]


def _job(row: Mapping[str, str], memory_used: float) -> Job:
    cpus = int(row["NCPUS"] or 1)
    return Job(
        rule=rule_name(row["Comment"], row["SubmitLine"]),
        completed=row["State"] == "COMPLETED",
        cpus=cpus,
        memory_asked=megabytes(row["ReqMem"], cpus, int(row["NNodes"] or 1)),
        memory_used=memory_used,
        time_asked=seconds(row["Timelimit"]),
        time_used=seconds(row["Elapsed"]),
        cpu_time=seconds(row["TotalCPU"]),
    )


def summary(jobs: Iterable[Job]) -> list[tuple[str, ...]]:
    """COLUMNS for every rule: the most that its jobs asked for and used, and their CPU use."""
    rules: dict[str, list[Job]] = {}
    for job in jobs:
        rules.setdefault(job.rule, []).append(job)
    rows: list[tuple[str, ...]] = []
    for rule, those in rules.items():
        held = sum(job.time_used * job.cpus for job in those)
        rows.append(
            (
                rule,
                str(len(those)),
                str(sum(not job.completed for job in those)),
                f"{max(job.memory_asked for job in those):.0f}",
                f"{max(job.memory_used for job in those):.0f}",
                f"{max(job.time_asked for job in those) / 60:.0f}",
                f"{max(job.time_used for job in those) / 60:.1f}",
                f"{sum(job.cpu_time for job in those) / held:.0%}" if held else "?",
                hint(those),
            )
        )
    return rows


def hint(jobs: Sequence[Job]) -> str:
    """What to set in the profile, where none of a rule's jobs used half of what it asked for.

    Half as much again as was used of memory, twice of time: both grow with `attempt` anyway.
    """
    words = []
    if _idle((job.memory_used, job.memory_asked) for job in jobs):
        most = max(job.memory_used for job in jobs)
        words.append(f"mem_mb: {math.ceil(1.5 * most / 100) * 100} * attempt")
    if _idle((job.time_used, job.time_asked) for job in jobs):
        longest = max(job.time_used for job in jobs)
        words.append(f"runtime: {max(LEAST_MINUTES, math.ceil(2 * longest / 60))} * attempt")
    return "; ".join(words)


def _idle(pairs: Iterable[tuple[float, float]]) -> bool:
    """Whether of (used, asked) none used half; not where any of them is unknown."""
    known = list(pairs)
    return all(asked and 0 < used < asked / 2 for used, asked in known)


def latest_run(folder: str | Path) -> str:
    """The id of the newest SLURM run that was started in a folder."""
    logs = sorted(Path(folder, ".snakemake", "log").glob("*.log"), reverse=True)
    for log in logs:
        if found := re.search(r"SLURM run ID: (\S+)", log.read_text(errors="replace")):
            return found[1]
    raise InputError(
        str(Path(folder).resolve()), "no SLURM run was started here", "give the run's id"
    )


def accounted(run: str) -> str:
    """sacct's table of a run, at most a month old."""
    command = ["sacct", f"--name={run}", "--starttime=now-30days"]
    command += ["--parsable2", "--noheader", f"--format={','.join(FIELDS)}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except FileNotFoundError:
        raise InputError("sacct", "not found", "run this where SLURM is") from None
    except subprocess.CalledProcessError as error:
        raise InputError("sacct", error.stderr.strip(), "ask for accounting by slurmdbd") from None
    return done.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("run", nargs="?", help="SLURM run ID of Snakemake's log; default: newest")
    parser.add_argument("--directory", default=".", help="where the workflow ran")
    asked = parser.parse_args()
    try:
        run = asked.run or latest_run(asked.directory)
        rows = summary(parse(accounted(run)))
        if not rows:
            raise InputError(
                f"run {run}", "sacct knows no job of it that has ended", "check the id"
            )
    except InputError as error:
        sys.exit(f"error: {error}")
    widths = [max(map(len, column)) for column in zip(COLUMNS, *rows, strict=True)]
    for row in (COLUMNS, *rows):
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
    print("Hints go under the rule's name in set-resources of profiles/slurm/config.yaml.")


if __name__ == "__main__":
    main()
