"""Kill runs at random, again and again: is anything corrupt, lost or different afterwards?

    python benchmarks/faults.py 200 [--seed 0] [--keep FOLDER]

A kill is -9, of the main process or of a random job, at a random time. Each study starts as a copy
of a finished one that lacks a model's scores and all tables, is killed (once or more) and then run
to the end by the same command; jobs of a killed main process go on beside it. Prints

- kills: how many processes were killed;
- corrupt: files under their final names that could not be read, after any kill or at the end;
- lost: reruns that did not finish, or finished without a table;
- different: tables that differ in a bit from those of an undisturbed run.

The status is 0 only where the last three are.
"""

import argparse
import contextlib
import random
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.faults.harness import Run, damaged, different, half_finished, run_to_the_end

AGAIN = 0.5  # the chance that a rerun is killed too


@dataclass
class Pace:
    """How many seconds a run takes: kills are uniform in it. It follows the machine's load."""

    seconds: float


def kill_once(folder: Path, pace: Pace, chance: random.Random) -> tuple[str, Run]:
    """Start the study and kill something of it; what it was, and the run for its orphans."""
    run = Run(folder, "tables")
    start = time.monotonic()
    moment = start + chance.uniform(0, pace.seconds)
    main = chance.random() < 0.5
    while run.main.poll() is None:
        jobs = run.jobs()
        if time.monotonic() >= moment and (main or jobs):
            if main:
                run.kill_main()
                pace.seconds *= 1.05
                return "main process", run
            job = chance.choice(jobs)
            with contextlib.suppress(psutil.NoSuchProcess):
                name = job.cmdline()[-1].split(".")[-2]
                job.kill()
                run.wait()
                pace.seconds *= 1.05
                return f"job of {name}", run
        time.sleep(0.05)
    pace.seconds = time.monotonic() - start  # it ended before its time had come
    return "", run


def one_study(
    finished: Path, folder: Path, pace: Pace, chance: random.Random
) -> tuple[list[str], dict[str, list[str]]]:
    """Kill a study until chance lets it finish; what was killed, and what was found."""
    half_finished(finished, folder)
    killed, runs = list[str](), list[Run]()
    found: dict[str, list[str]] = {"corrupt": [], "lost": [], "different": []}
    while not killed or chance.random() < AGAIN:
        what, run = kill_once(folder, pace, chance)
        runs.append(run)
        found["corrupt"] += damaged(folder)
        if not what:
            break
        killed.append(what)
    last = run_to_the_end(folder, "tables")
    if last.returncode:
        found["lost"].append(f"after {', '.join(killed)}: {last.stderr[-2000:]}")
    for run in runs:
        run.__exit__()
    found["corrupt"] += damaged(folder)
    for line in different(folder, finished):
        found["lost" if line.endswith("missing") else "different"].append(line)
    return killed, found


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("kills", type=int)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--keep", type=Path, help="a folder in which failed studies are kept")
    asked = options.parse_args()
    chance = random.Random(asked.seed)
    place = asked.keep or Path(tempfile.mkdtemp(prefix="faults-"))
    finished = place / "finished"
    finished.mkdir(parents=True)
    done = run_to_the_end(finished, "tables")
    if done.returncode:
        sys.exit(done.stderr)
    # How long the part that is killed takes, on this machine, now.
    start = time.monotonic()
    run_to_the_end(half_finished(finished, place / "timed"), "tables")
    pace = Pace(time.monotonic() - start)
    counts = {"kills": 0, "corrupt": 0, "lost": 0, "different": 0}
    start = time.monotonic()
    number = 0
    while counts["kills"] < asked.kills:
        folder = place / f"study{number}"
        number += 1
        killed, found = one_study(finished, folder, pace, chance)
        counts["kills"] += len(killed)
        for kind, lines in found.items():
            counts[kind] += len(lines)
            for line in lines:
                print(f"{kind}: {line}")
        if not any(found.values()):
            shutil.rmtree(folder)
        print(f"{time.monotonic() - start:6.0f} s  {counts}  {', '.join(killed)}", flush=True)
    if not asked.keep:
        shutil.rmtree(place)
    print(", ".join(f"{name} {count}" for name, count in counts.items()))
    return int(any(counts[kind] for kind in ("corrupt", "lost", "different")))


if __name__ == "__main__":
    sys.exit(main())
