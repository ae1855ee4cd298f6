"""What it costs to start fit jobs, and its share of a study of 100 models x 20 layers x 6 areas.

    python benchmarks/jobs.py [--slurm] [--skip-local]

Start-up: the fits of a small study are run twice, with one layer a job and with all layers of a
model in one job; the difference in user and system time of everything that ran (Snakemake, its
children; on SLURM also the jobs, from sacct) is divided by the difference in jobs. --slurm starts
the test cluster (root, Debian's packages: python tests/slurm/install.py).

Scoring: layers of random features against random responses to 119 stimuli, four in a job, by
ridge with the settings of config/config.yaml, with its permutations and with none; one thread.
Extrapolated to the large study with a job per model and area, and with the jobs that `auto` makes,
which score all areas, and share what is made of the layers, where that takes no longer than a job
should.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cortiscope import efficiency
from cortiscope.experiment.responses import Area
from cortiscope.mappings.fitting import fit_areas
from cortiscope.mappings.kinds import MAPPINGS
from cortiscope.networks.features import Layer
from cortiscope.planning.costs.fit_seconds import seconds_per_layer
from cortiscope.planning.costs.fits import MOST_SECONDS_PER_JOB, layers_per_job
from tests.slurm.cluster import Cluster
from tests.slurm.install import why_not

REPOSITORY = Path(__file__).resolve().parents[1]
MODELS, LAYERS, AREAS = 100, 20, 6
N_STIMULI = 119
SCORED = 4  # layers that are timed; what is done once an area is shared by twenty in use
STARTUP_AIM, TOTAL_AIM = 0.6, 45.0  # core-seconds a local job; core-minutes of the large study
SHARE_AIMS = {"local": 0.20, "SLURM": 0.50}
# Scoring costs next to nothing here, so that the two runs differ by their jobs alone.
SMALL = {
    "stimuli": {"count": 32},
    "responses": {"neuroids": 4, "repetitions": 2},
    "models": {"names": ["shapenet5_untrained", "shapenet5"]},
    "mappings": ["ridge"],
    "statistics": {"permutations": 0, "bootstraps": 2},
    "selection": {"method": "nested"},
}


@dataclass(frozen=True)
class Place:
    """Where jobs run: options and environment of Snakemake, and the cluster if any."""

    options: tuple[str, ...] = ()
    environment: Mapping[str, str] | None = None
    cluster: Cluster | None = None

    def run(self, folder: Path, layers_per_job: int, until: str) -> float:
        """Run the small study until a rule; core-seconds."""
        config = folder / f"{layers_per_job}.yaml"
        config.write_text(yaml.safe_dump(SMALL | {"fits": {"layers_per_job": layers_per_job}}))
        command = [sys.executable, "-m", "snakemake", "--snakefile", REPOSITORY / "Snakefile"]
        command += ["--directory", folder, "--configfile", config, "--until", until, *self.options]
        before = used()
        done = subprocess.run(
            [str(word) for word in command],
            cwd=REPOSITORY,
            env=None if self.environment is None else dict(self.environment),
            capture_output=True,
            text=True,
        )
        if done.returncode:
            sys.exit(done.stderr[-3000:])
        return used() - before + self._on_nodes(folder)

    def _on_nodes(self, folder: Path) -> float:
        """Core-seconds of the jobs of the last run, as accounted."""
        if self.cluster is None:
            return 0.0
        run = efficiency.latest_run(folder)
        self._wait_for_accounting(run)
        rows = self.cluster.sacct("--name", run, fields=("JobIDRaw", "TotalCPU"))
        # With --allocations, sacct would not add up the steps.
        whole = [row for row in rows if "." not in row["JobIDRaw"]]
        return sum(efficiency.seconds(row["TotalCPU"]) for row in whole)

    def _wait_for_accounting(self, run: str) -> None:
        """slurmdbd is told of a job's end some seconds late."""
        assert self.cluster is not None
        for _ in range(60):
            rows = self.cluster.sacct("--name", run, "--allocations", fields=("State",))
            if rows and all(row["State"] == "COMPLETED" for row in rows):
                return
            time.sleep(1)
        sys.exit("sacct did not show the end of all jobs within a minute")


def used() -> float:
    """User and system seconds of all children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def startup(place: Place) -> float:
    """Core-seconds that one more fit job costs."""
    local = Place(("--cores", "2"))
    spent: list[float] = []
    jobs: list[int] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # The layer tables and features are there before anything is measured.
        local.run(folder, 1000, "features")
        local.run(folder, 1000, "responses")
        for layers_per_job in (1000, 1):
            spent.append(place.run(folder, layers_per_job, "fit"))
            jobs.append(len(list(folder.glob("results/*/scores/**/*.nc"))) - sum(jobs))
    print(
        f"  {jobs[0]} jobs {spent[0]:.1f} core-s, {jobs[1]} jobs {spent[1]:.1f} core-s", flush=True
    )
    return (spent[1] - spent[0]) / (jobs[1] - jobs[0])


@contextmanager
def on_slurm() -> Iterator[Place]:
    """The test cluster, polled quickly, with the shipped profile."""
    options = ["--workflow-profile", str(REPOSITORY / "profiles" / "slurm")]
    options += ["--slurm-init-seconds-before-status-checks", "1"]
    options += ["--max-status-checks-per-second", "1"]
    with Cluster() as cluster:
        yield Place(tuple(options), cluster.environment, cluster)


def default_settings(permutations: int | None) -> dict[str, Any]:
    """What ridge reads of the config; permutations: None = as it says."""
    config = yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text())
    settings = {name: config[name] for name in MAPPINGS["ridge"].sections}
    if permutations is not None:
        settings["statistics"] = settings["statistics"] | {"permutations": permutations}
    return settings


def scoring(n_neuroids: int, n_areas: int, settings: Mapping[str, Any]) -> float:
    """Core-seconds to score a layer against an area of n_neuroids; n_areas share the job."""
    random = np.random.default_rng(0)
    names = np.array([str(number) for number in range(max(N_STIMULI, n_neuroids))])
    areas = [
        Area(
            name=f"area{number}",
            stimulus_id=names[:N_STIMULI],
            neuroid_id=names[:n_neuroids],
            response=random.standard_normal((N_STIMULI, 2, n_neuroids)),
            metadata={},
        )
        for number in range(n_areas)
    ]
    layers = [
        Layer(
            name=f"layer{number}",
            features=random.standard_normal((N_STIMULI, N_STIMULI - 1)),
            feature_mean=np.zeros(N_STIMULI),
            attributes={"index": number, "depth": 0.0},
        )
        for number in range(SCORED)
    ]
    with threadpool_limits(1):
        start = time.process_time()
        fit_areas("ridge", layers, areas, settings)
        return (time.process_time() - start) / (SCORED * n_areas)


def extrapolate(startups: Mapping[str, float]) -> None:
    """Print the large study's cost: models x layers x areas, and the share of starting jobs."""
    fits = MODELS * LAYERS * AREAS
    for permutations in (None, 0):
        settings = default_settings(permutations)
        drawn = settings["statistics"]["permutations"]
        for n_neuroids, words in ((6500 // AREAS, "in all"), (6500, "in each area")):
            estimate = seconds_per_layer("ridge", N_STIMULI, n_neuroids, settings)
            for jobs, n_areas in dict.fromkeys(((MODELS * AREAS, 1), automatic_jobs(estimate))):
                each = scoring(n_neuroids, n_areas, settings)
                print(
                    f"{drawn} permutations, 6,500 neuroids {words}, {n_areas} areas a job: "
                    f"{each:.3f} core-s a layer x area"
                )
                for place, cost in startups.items():
                    report(place, jobs, jobs * cost / 60, fits * each / 60)


def automatic_jobs(estimate: float) -> tuple[int, int]:
    """Jobs with `layers_per_job: auto`, and areas a job; estimate: seconds a layer and area."""
    n_areas = AREAS if AREAS * estimate <= MOST_SECONDS_PER_JOB else 1
    blocks = -(-LAYERS // layers_per_job(n_areas * estimate))
    return MODELS * blocks * AREAS // n_areas, n_areas


def report(place: str, jobs: int, starting: float, scored: float) -> None:
    """One line: core-minutes of a place, and whether the aims are met."""
    total, share = starting + scored, starting / (starting + scored)
    line = f"  {place:5} {jobs:6,} jobs: {starting:6.1f} core-min to start them"
    line += f" + {scored:8.1f} to score = {total:8.1f}; start-up is {share:5.1%}"
    line += f" (<= {SHARE_AIMS[place]:.0%}: {verdict(share <= SHARE_AIMS[place])})"
    if place == "local":
        line += f", total <= {TOTAL_AIM:.0f} core-min: {verdict(total <= TOTAL_AIM)}"
    print(line, flush=True)


def verdict(passed: bool) -> str:
    return "pass" if passed else "FAIL"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--slurm", action="store_true", help="also on the test cluster")
    parser.add_argument("--skip-local", action="store_true", help="only on the test cluster")
    asked = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # jobs reuse bytecode, as in use
    startups: dict[str, float] = {}
    if not asked.skip_local:
        startups["local"] = startup(Place(("--cores", "2")))
        passed = verdict(startups["local"] <= STARTUP_AIM)
        print(
            f"local: {startups['local']:.2f} core-s a job (<= {STARTUP_AIM}: {passed})", flush=True
        )
    if asked.slurm:
        if reason := why_not():
            sys.exit(f"error: no SLURM: {reason}")
        with on_slurm() as place:
            startups["SLURM"] = startup(place)
        print(f"SLURM: {startups['SLURM']:.2f} core-s a job", flush=True)
    extrapolate(startups)


if __name__ == "__main__":
    main()
