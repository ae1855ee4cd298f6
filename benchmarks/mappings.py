"""What all mappings cost on the embedded study, and whether each finds the planted order of areas.

    python benchmarks/mappings.py [--keep FOLDER] [--permutations NUMBER]

The embedded study (config/config.yaml: 240 stimuli, three simulated areas) with the six small
networks, eight layers each, and all mappings, run by Snakemake on two cores in a temporary
folder, from nothing to the figures. Prints the wall time, the core-seconds of the fits of each
mapping, and the mean over the trained networks of the depth of each area's best layer; of mappings
that score all layers together, of the depths of the layers by their weights. The areas are planted
in the order V1, V4, IT (see cortiscope/experiment/simulated_brain.py). --keep: a folder for the
study, which stays; there, a second run costs nothing. --permutations: other than the study's 100; a
few tell the order alone, in a fraction of the time.
"""

import argparse
import csv
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cortiscope.experiment.simulated_areas import AREAS
from cortiscope.mappings.kinds import MAPPINGS

REPOSITORY = Path(__file__).resolve().parents[1]
TABLE = REPOSITORY / "config" / "models.tsv"
# Eight layers of each.
LAYERS = {
    "shapenet5_untrained": "relu*,pool*",
    "shapenet5_brief": "relu*,pool*",
    "shapenet2": "conv*,relu*,pool*,average,classifier",
    "shapenet3": "relu*,pool*,average,classifier",
    "shapenet4": "relu*,pool*,average",
    "shapenet5": "relu*,pool*",
}
TRAINED = [name for name in LAYERS if not name.endswith("_untrained")]
WALL_AIM = 10.0  # minutes on two cores


def write_config(folder: Path, permutations: int | None) -> Path:
    """The models table and the config of the study."""
    with TABLE.open() as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["model"] in LAYERS]
    for row in rows:
        row["layers"] = LAYERS[row["model"]]
    table = folder / "models.tsv"
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    config = folder / "config.yaml"
    content: dict[str, Any] = {"models": {"table": str(table)}, "mappings": list(MAPPINGS)}
    if permutations is not None:
        content["statistics"] = {"permutations": permutations}
    config.write_text(yaml.safe_dump(content))
    return config


def run(folder: Path, config: Path) -> float:
    """Run the study; minutes."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile")]
    command += ["--directory", str(folder), "--configfile", str(config)]
    command += ["--cores", "2"]
    start = time.monotonic()
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr[-3000:])
    return (time.monotonic() - start) / 60


def core_seconds(folder: Path) -> dict[str, float]:
    """Of the fits of each mapping, start-up included."""
    spent: dict[str, float] = defaultdict(float)
    scores = folder / "results/shapes/benchmarks/scores"
    for path in scores.glob("**/*.tsv"):
        with path.open() as file:
            for row in csv.DictReader(file, delimiter="\t"):
                # Jobs shorter than Snakemake looks have no core-seconds.
                used = row["s"] if row["cpu_time"] == "NA" else row["cpu_time"]
                spent[path.relative_to(scores).parts[0]] += float(used)
    return spent


def depths(tables: Path) -> Iterator[tuple[str, str, float]]:
    """Mapping, area, and the depth (0..1) at which the trained networks explain it best."""
    found = pd.read_csv(tables / "hierarchy.csv")
    found = found[found["model"].isin(TRAINED)]
    weights = pd.read_csv(tables / "layer_weights.csv")
    weights = weights[weights["model"].isin(TRAINED)]
    for mapping, kind in MAPPINGS.items():
        for area in AREAS:
            if not kind.joint:
                own = found[(found["mapping"] == mapping) & (found["area"] == area)]
                yield mapping, area, float(own["best_depth"].mean())
                continue
            own = weights[(weights["mapping"] == mapping) & (weights["area"] == area)]
            by_model = [
                np.average(each["depth"], weights=each["weight"])
                for _, each in own.groupby("model")
                if each["weight"].sum() > 0
            ]
            yield mapping, area, float(np.mean(by_model))


def report(folder: Path, minutes: float) -> None:
    spent = core_seconds(folder)
    number = len(LAYERS) * 8 * len(AREAS)
    by_mapping: dict[str, dict[str, float]] = defaultdict(dict)
    for mapping, area, depth in depths(folder / "results/shapes/tables"):
        by_mapping[mapping][area] = depth
    print(f"{len(MAPPINGS)} mappings x {len(LAYERS)} models x 8 layers x {len(AREAS)} areas")
    print(f"wall {minutes:.1f} min on two cores (aim {WALL_AIM:.0f})")
    print(f"fits {sum(spent.values()) / 60:.1f} core-min\n")
    print(
        f"{'mapping':16s}{'core-s':>8s}{'each':>7s}", *(f"{area:>6s}" for area in AREAS), " order"
    )
    for mapping in MAPPINGS:
        own = by_mapping[mapping]
        first, *_, last = (own[area] for area in AREAS)
        order = "found" if first < last else "missed"
        along = " ".join(f"{own[area]:6.2f}" for area in AREAS)
        each = spent[mapping] / number
        print(f"{mapping:16s}{spent[mapping]:8.0f}{each:7.2f} {along}  {order}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--permutations", type=int)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) if asked.keep is None else asked.keep.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        report(folder, run(folder, write_config(folder, asked.permutations)))


if __name__ == "__main__":
    main()
