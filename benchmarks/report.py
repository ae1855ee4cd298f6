"""What the tables and figures of a large study cost: CPU seconds and peak memory of each.

    python benchmarks/report.py [--models 300] [--layers 20] [--areas 6] [--mappings 2]

Score files are made, not fitted: a curve along the depth of every network and noise, with the
resamples and permutations of config/config.yaml; every third network is the untrained twin of one
before it. Then, each in a process of its own as a job is, but without what it costs to start one:
the tables of the networks, one after the other; the study's tables, with the time of each of those
over all networks; and every page of every figure. One thread. With --keep the files stay in that
folder, to be looked at.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cortiscope.report import drawing, plan, tables
from cortiscope.report.pages import Page
from tests.synthetic_scores import PROVENANCE, Synthetic

MAPPINGS = ("ridge", "rsa", "cka", "pls")
OF_ALL = ("correlations", "contrasts", "model_comparisons", "hierarchies", "subject_rows")
SECONDS_AIM, MEGABYTES_AIM = 180.0, 2000.0
LOOKS: dict[str, Any] = {"font_size": 8, "dpi": 300, "comparison": "spearman"}


def labels(number: int) -> dict[str, str]:
    twin = number % 3 == 2  # of the network before it
    architecture = f"net{number - twin}"
    return {
        "model": f"{architecture}_untrained" if twin else architecture,
        "family": f"family{number // 3 % 9}",
        "architecture": architecture,
        "training": "untrained" if twin else "trained",
        "preprocessing": "crop=64",
    }


def curves(study: Synthetic, number: int, trained: bool) -> dict[tuple[str, str], np.ndarray]:
    """A score (layer,) for each mapping and area, whose peak is the deeper the later the area."""
    random, found = np.random.default_rng(number), {}
    depth = np.linspace(0, 1, study.n_layers)
    for place, area in enumerate(study.areas):
        for mapping in study.mappings:
            height = 0.2 + 0.3 * trained * random.random() + random.normal(scale=0.02)
            shape = np.exp(-((depth - place / len(study.areas)) ** 2) / 0.4)
            found[mapping, area] = height * shape + random.normal(scale=0.01, size=len(depth))
    return found


def make_scores(study: Synthetic, n_models: int) -> dict[str, list[str]]:
    """The score files of each network."""
    made = {}
    for number in range(n_models):
        about = labels(number)
        scores = curves(study, number, about["training"] == "trained")
        halves = {key: np.tile(value[:, None, None], (1, 2, 2)) for key, value in scores.items()}
        made[about["model"]] = study.write_scores(about["model"], scores, halves)
    return made


def tabulate(study: Synthetic, made: dict[str, list[str]]) -> None:
    random = np.random.default_rng(0)
    for number, (model, paths) in enumerate(made.items()):
        about = labels(number)
        top1 = random.uniform(1, 90 if about["training"] == "trained" else 10)
        study.tabulate(model, top1, paths, **{k: v for k, v in about.items() if k != "model"})


def join(study: Synthetic, made: dict[str, list[str]]) -> None:
    """All tables but that of neuroids, with the seconds of those over all networks."""

    def timed(name: str, make: Callable[..., Any]) -> Callable[..., Any]:
        def timing(*arguments: Any) -> Any:
            before = time.process_time()
            table = make(*arguments)
            print(f"  {name:40} {time.process_time() - before:7.1f} s   {len(table)} rows")
            return table

        return timing

    for name in OF_ALL:
        setattr(tables, name, timed(name, getattr(tables, name)))
    study.write_tables([str(study.folder / f"{model}.layers.parquet") for model in made])


def draw(study: Synthetic, name: str, page: dict[str, Any]) -> None:
    paths = {table: str(study.folder / f"{table}.csv") for table in plan.tables(name)}
    svg, png, source = (str(study.folder / f"{name}.{kind}") for kind in ("svg", "png", "csv"))
    drawing.make(Page(**page), paths, (svg, png, source), LOOKS, PROVENANCE)


def measured(what: str, work: Callable[..., None], *arguments: Any) -> tuple[float, float]:
    """CPU seconds and peak megabytes of some work in a fork, which are printed."""
    child = os.fork()
    if child == 0:
        work(*arguments)
        sys.stdout.flush()
        os._exit(0)
    _, status, usage = os.wait4(child, 0)
    if status:
        sys.exit(f"{what}: failed")
    seconds, megabytes = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
    print(f"{what:42} {seconds:7.1f} s {megabytes:7.0f} MB", flush=True)
    return seconds, megabytes


def run(folder: Path, asked: argparse.Namespace) -> None:
    areas = tuple(f"area{number}" for number in range(asked.areas))
    mappings = MAPPINGS[: asked.mappings]
    study = Synthetic(
        folder, areas, mappings, asked.layers, n_draws=500, own_noise=0.02, n_permutations=100
    )
    made = make_scores(study, asked.models)
    models = {row["model"]: row for row in map(labels, range(asked.models))}
    spent = [measured(f"tables of {asked.models} networks", tabulate, study, made)]
    spent.append(measured("tables of the study", join, study, made))
    for name, page in plan.plan(areas, mappings, models, LOOKS["font_size"]).items():
        spent.append(measured(name, draw, study, name, page))
    seconds, megabytes = sum(part[0] for part in spent), max(part[1] for part in spent)
    for value, aim, unit in ((seconds, SECONDS_AIM, "s"), (megabytes, MEGABYTES_AIM, "MB")):
        kept = "kept" if value <= aim else "NOT kept"
        print(f"{value:8.0f} {unit} in all: the aim of {aim:.0f} {unit} is {kept}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name, default in (("models", 300), ("layers", 20), ("areas", 6), ("mappings", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, threadpool_limits(1):
        folder = asked.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        run(folder, asked)


if __name__ == "__main__":
    main()
