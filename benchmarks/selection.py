"""How the best of a model's layers is chosen and scored: nested against halves, by simulation.

    python benchmarks/selection.py [--only ridge] [--stimuli 119] [--studies 100] [--seed 0]

A population has an area of 20 neuroids that answer to 20 hidden variables, with noise, and 5 or 20
layers of 60 components that hold these variables to some degree, and others. Every study has new
stimuli and new noise. What a layer truly scores is its mean over the studies of its population, of
as many stimuli. Of the headline of every study:

- optimism: what it is above the true scores of the layers it chose, by how often; 0 is right.
- shortfall: what these are below that of the truly best layer.
- sd: its spread over studies.
- error: its root mean square distance from the true score of the truly best layer.
- inside: how often its 95 % interval contains the true scores of the layers it chose.
- p: of noise, Kolmogorov and Smirnov's p-value of the headlines' p-values being uniform.

Kinds of population: `apart`, from layers that hold nothing to one that holds most; `alike`, layers
that hold about as much, so that luck chooses; `weak`, as `apart` with three times the noise;
`noise`, none holds anything.
"""

import argparse
import contextlib
import io
import sys
import time
from collections import defaultdict
from itertools import product
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from scipy.stats import kstest
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cortiscope.mappings.fitting import fit
from cortiscope.networks.features import Layer
from cortiscope.report.best_layers import highest, interval
from cortiscope.statistics.layer_choice import Choice, by_draws, by_halves
from cortiscope.statistics.resampling import p_value
from tests.synthetic_areas import area, layer

REPOSITORY = Path(__file__).resolve().parents[1]
HIDDEN, NEUROIDS, COMPONENTS = 20, 20, 60
METHODS = ("halves", "nested")
# What layers hold of the hidden variables (share of their standard deviation), and the noise.
KINDS = {"apart": (0.0, 0.8, 1.0), "alike": (0.45, 0.55, 1.0), "weak": (0.0, 0.8, 3.0),
         "noise": (0.0, 0.0, 1.0)}  # fmt: skip


class Population:
    """An area and the layers of a model, of which studies show new stimuli."""

    def __init__(self, kind: str, n_layers: int, random: np.random.Generator) -> None:
        low, high, self.noise = KINDS[kind]
        self.held = np.linspace(low, high, n_layers)
        self.area = random.normal(size=(HIDDEN, NEUROIDS)) / np.sqrt(HIDDEN)
        self.layers = random.normal(size=(n_layers, HIDDEN, COMPONENTS)) / np.sqrt(HIDDEN)

    def study(self, n_stimuli: int, random: np.random.Generator) -> tuple[list[Layer], NDArray]:
        hidden, shared = random.normal(size=(2, n_stimuli, HIDDEN))
        layers = []
        for number, (held, weights) in enumerate(zip(self.held, self.layers, strict=True)):
            other = (shared + random.normal(size=shared.shape)) / np.sqrt(2)  # layers are alike
            code = held * hidden + np.sqrt(1 - held**2) * other
            layers.append(layer(code @ weights, str(number)))
        response = hidden @ self.area + self.noise * random.normal(size=(n_stimuli, NEUROIDS))
        return layers, response


def settings(method: str, noise: bool, draws: int) -> dict:
    config = yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text())
    config["selection"]["method"] = method
    config["statistics"] = {"permutations": 99 if noise else 0, "bootstraps": draws, "seed": 0}
    return config


def headline(values: dict[str, NDArray], method: str) -> Choice:
    score, draws = values["area_score"], values["area_bootstrap"]
    if method == "halves":
        return by_halves(values["selection_score"], draws)
    return by_draws(score, draws)


def simulate(
    mapping: str, kind: str, n_stimuli: int, n_layers: int, n_studies: int, seed: int
) -> dict[str, dict[str, float]]:
    """Method to figures, from the studies of one population."""
    random = np.random.default_rng([seed, n_stimuli, n_layers])
    population = Population(kind, n_layers, random)
    scores, p = [], []
    found: dict[str, list[Choice]] = defaultdict(list)
    for _ in range(n_studies):
        layers, response = population.study(n_stimuli, random)
        for method in METHODS:
            asked = settings(method, kind == "noise" and method == "nested", 500)
            with contextlib.redirect_stderr(io.StringIO()):  # a line a layer
                variables = fit(mapping, layers, area(response[:, None]), asked)
            values = {name: variable.values for name, variable in variables.items()}
            found[method].append(headline(values, method))
        scores.append(values["area_score"])
        p.append(float(p_value(values["area_score"].max(), highest(list(values["area_null"])))))
    truth = np.mean(scores, axis=0)
    return {method: figures(choices, truth, p) for method, choices in found.items()}


def figures(choices: list[Choice], truth: NDArray, p: list[float]) -> dict[str, float]:
    score = np.array([choice.score for choice in choices])
    true = np.array([choice.shares @ truth for choice in choices])
    low, high = np.array([interval(choice.draws) for choice in choices]).T
    return {
        "optimism": (score - true).mean(),
        "±": (score - true).std() / np.sqrt(len(score)),
        "shortfall": truth.max() - true.mean(),
        "sd": score.std(),
        "error": np.sqrt(np.mean((score - truth.max()) ** 2)),
        "inside": np.mean((low <= true) & (true <= high)),
        "p": kstest(p, "uniform").pvalue if np.isfinite(p).all() else np.nan,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="+", default=["ridge", "pls", "rsa", "cka"])
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=list(KINDS))
    parser.add_argument("--stimuli", nargs="+", type=int, default=[60, 119, 400, 1000])
    parser.add_argument("--layers", nargs="+", type=int, default=[5, 20])
    parser.add_argument("--studies", type=int, default=100, help="of each population")
    parser.add_argument("--seed", type=int, default=0, help="of the populations; another, others")
    given = parser.parse_args()
    names = ("optimism", "±", "shortfall", "sd", "error", "inside", "p")
    print(f"{'':32}" + "".join(f"{name:>10}" for name in names))
    scenes = product(given.only, given.stimuli, given.layers, given.kinds)
    with threadpool_limits(1):
        for mapping, n_stimuli, n_layers, kind in scenes:
            start = time.process_time()
            scene = mapping, kind, n_stimuli, n_layers
            found = simulate(*scene, given.studies, given.seed)
            seconds = (time.process_time() - start) / given.studies
            print(f"{mapping}, {n_stimuli} stimuli, {n_layers} layers, {kind}: {seconds:.2f} s")
            for method, values in found.items():
                cells = "".join(f"{value:10.4f}" for value in values.values())
                print(f"{'':24}{method:8}{cells}", flush=True)


if __name__ == "__main__":
    main()
