"""Real neurons: the middle layers of trained networks explain macaque V4, untrained ones do not.

Runs config/studies/macaque_v4.yaml by ridge regression, and prints the best layer, its depth and
the ceiling beside what an independent script found (10-fold ridge on 300 principal components of
pooled features of four blocks).

    python benchmarks/macaque_v4.py --data FOLDER
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

REPOSITORY = Path(__file__).resolve().parents[1]
STUDY = REPOSITORY / "config" / "studies" / "macaque_v4.yaml"
TABLE = "results/macaque_v4/tables/accuracy_vs_brain.csv"
# Of the independent script: the best of four blocks; and the ceiling of all neurons.
FOUND = {
    "squeezenet1_1": 0.593,
    "squeezenet1_1_untrained": 0.387,
    "mobilenet_v2": 0.573,
    "mobilenet_v2_untrained": 0.410,
}
CEILING = 0.863


def run(data: Path, folder: Path) -> pd.DataFrame:
    """The study's headline table."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile")]
    command += ["--directory", str(folder), "--cores", "all", "--configfile", str(STUDY)]
    command += ["--config", f"data_root={data}", "accuracy={images: published}", "mappings=[ridge]"]
    subprocess.run([*command, "--", TABLE], check=True, cwd=REPOSITORY)
    return pd.read_csv(folder / TABLE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="holds data/ and weights/")
    parser.add_argument("--folder", type=Path, help="to work in; one that is there goes on")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        table = run(asked.data.resolve(), asked.folder or Path(temporary))
    found = table.set_index("model").loc[list(FOUND), ["score", "best_layer", "depth", "ceiling"]]
    print(found.assign(independent=pd.Series(FOUND)).round(3).to_string())
    trained = table[table["training"] == "trained"]
    claims = {
        "trained networks reach 0.57": trained["score"].min() >= 0.57,
        "untrained ones stay below 0.42": table.drop(trained.index)["score"].max() < 0.42,
        "the best depth of trained ones is 0.5 to 0.9": trained["depth"].between(0.5, 0.9).all(),
        f"the ceiling is {CEILING} by 0.01": abs(table["ceiling"] - CEILING).max() < 0.01,
    }
    for claim, holds in claims.items():
        print(f"{'holds' if holds else 'FAILS'}: {claim}")
    sys.exit(not all(claims.values()))


if __name__ == "__main__":
    main()
