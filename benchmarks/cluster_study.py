"""The embedded study on this machine and through a real SLURM: are its tables the same, bit by bit?

    python benchmarks/cluster_study.py [--keep FOLDER]

Starts the test cluster (root, Debian's packages: python tests/slurm/install.py) with the shipped
profile. Prints

- different: files of tables/ that are missing in one place or differ in any bit;
- jobs: of every rule, by sacct, with the partition and whether a GPU was given;
- layer fits: layers x areas x mappings in the score files, a fit job.

The status is 0 only where nothing differs, every features and accuracy job, and no other, had a
GPU, and a fit job does 20 layer fits or more.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.slurm.cluster import Cluster
from tests.slurm.install import why_not
from tests.slurm.study import OPTIONS, REPOSITORY, Run, expected_place, place, rule

LAYER_FITS_AIM = 20  # a fit job: SLURM takes seconds to start one
TABLES = Path("results") / "shapes" / "tables"


def run(folder: Path, *options: str, environment: Mapping[str, str] | None = None) -> float:
    """Run the whole study in a folder; seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile")]
    start = time.monotonic()
    done = subprocess.run(
        [*command, "--directory", str(folder), "--nocolor", *options],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(done.stderr[-3000:])
    return time.monotonic() - start


def different(first: Path, second: Path) -> tuple[int, list[str]]:
    """How many files either folder holds, and those that are not the same in both."""
    content = [
        {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("[!.]*.*")}
        for folder in (first, second)
    ]
    names = sorted(content[0].keys() | content[1].keys())
    return len(names), [name for name in names if content[0].get(name) != content[1].get(name)]


def report(study: Run) -> bool:
    """Print the jobs of the study by rule; whether they are few, and where they belong."""
    jobs = study.jobs()
    for name, count in sorted(study.rules().items()):
        those = [job for job in jobs if rule(job) == name]
        places = sorted({f"{job['Partition']}, {job['AllocTRES']}" for job in those})
        print(f"  {name:14} {count:3} jobs: {'; '.join(places)}")
    fits, fit_jobs = study.layer_fits(), study.rules()["fit"]
    print(f"layer fits: {fits} in {fit_jobs} jobs, {fits / fit_jobs:.1f} a job")
    placed = all(place(job) == expected_place(job) for job in jobs)
    return placed and fits >= LAYER_FITS_AIM * fit_jobs


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--keep", type=Path, help="work in this folder, and leave it")
    asked = parser.parse_args()
    if reason := why_not():
        sys.exit(f"error: no SLURM: {reason}")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # jobs reuse bytecode, as in use
    with contextlib.ExitStack() as stack:
        folder = asked.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        print(f"here: {run(folder / 'here', '--cores', '2'):.0f} s", flush=True)
        # As many jobs at a time as this machine has cores.
        cluster = stack.enter_context(Cluster(cpus=os.cpu_count() or 1))
        seconds = run(folder / "there", *OPTIONS, environment=cluster.environment)
        print(f"SLURM: {seconds:.0f} s", flush=True)
        study = Run.latest(folder / "there", cluster)
        study.wait_for_accounting()
        count, names = different(folder / "here" / TABLES, folder / "there" / TABLES)
        print(f"different: {len(names)} of {count} files {', '.join(names)}")
        passed = report(study)
    sys.exit(0 if passed and count and not names else 1)


if __name__ == "__main__":
    main()
