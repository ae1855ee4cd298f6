"""How often 95 % intervals contain the truth, over simulated studies of each kind.

    python benchmarks/coverage.py [--studies 1600] [--seed 0] [--only WORD]

What the truth is, and what differs between studies:

- ridge: new stimuli, new noise. Truth: the mean held-out score, over all studies of the same
  population of neuroids, that models trained on as many stimuli have on unlimited new ones,
  computed from their weights. `these`: of the very models of this study instead, which differ.
- other mappings: the same. Truth: the mean over the studies of their scores.
- rsa by Spearman: new stimuli, new noise. Truth: that of the RDMs of 12 x 1,500 stimuli.
- correlation over models: new models. Truth: the correlation of a million models.
- neuroids of subjects: new subjects and neuroids. Truth: the mean of the population.
- ridge, stimuli and neuroids: all new. Truth: the mean over the studies of their models' scores.

Contenders: percentiles of plain bootstrap draws, what `cortiscope` makes of the same draws, and for
correlations over models Fisher's interval. `below`: the truth lies below the interval. `width`: its
mean. 400 studies leave ± 2.1 % of chance on a coverage of 95 %, 1,600 leave ± 1.1.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from studies import (
    PER_POPULATION,
    Studies,
    Study,
    mapping_studies,
    model_studies,
    ridge_studies,
    rsa_studies,
    subject_studies,
    two_way_studies,
)

WHOLE = {"group": "category", "folds": 10}

KINDS: dict[str, Studies] = {
    "ridge, 118 stimuli, 10 folds": ridge_studies(118),
    "ridge, 118 stimuli, leave one out": ridge_studies(118, n_folds=118),
    "ridge, 60 stimuli, 10 folds": ridge_studies(60),
    "ridge, 118 stimuli, weak signal": ridge_studies(118, signal=0.12),
    "ridge, 118 heavy-tailed stimuli": ridge_studies(118, heavy=True),
    "ols, 118 stimuli, 10 folds, 20 components": mapping_studies("ols", 20),
    "ols, 118 stimuli, 10 folds, 100 components": mapping_studies("ols"),
    "ols, 118 stimuli, 10 folds, 400 components": mapping_studies("ols", 400),
    "pcr, 118 stimuli, 10 folds": mapping_studies("pcr"),
    "lasso, 118 stimuli, 10 folds": mapping_studies("lasso"),
    "pls, 118 stimuli, 10 folds": mapping_studies("pls"),
    "stacked, 118 stimuli, 10 folds": mapping_studies("stacked"),
    "pls, 118 stimuli, Brain-Score's splits": mapping_studies(
        "pls", pls={"protocol": "brainscore"}
    ),
    "ridge, 12 categories of 10 stimuli, held out whole": mapping_studies(
        "ridge", n_stimuli=120, per_category=10, cross_validation=WHOLE
    ),
    "ridge, 30 categories of 4 stimuli, held out whole": mapping_studies(
        "ridge", n_stimuli=120, per_category=4, cross_validation=WHOLE
    ),
    "ridge, difference between two layers": mapping_studies("ridge", compared=True),
    "rsa, difference between two layers": mapping_studies("rsa", compared=True),
    "rsa, 60 stimuli": rsa_studies(60, noise=2.0),
    "rsa, 119 stimuli": rsa_studies(119, noise=2.0),
    "rsa, 60 stimuli, noisy": rsa_studies(60, noise=8.0),
    "rsa, 30 stimuli": rsa_studies(30, noise=2.0),
    "rsa, 118 stimuli, pearson": mapping_studies("rsa", rsa={"comparison": "pearson"}),
    "rsa, 118 stimuli, kendall": mapping_studies("rsa", rsa={"comparison": "kendall"}),
    "rsa, 118 stimuli, crossnobis by cosine": mapping_studies(
        "rsa", rsa={"dissimilarity": "crossnobis", "comparison": "cosine"}
    ),
    "cka, 118 stimuli": mapping_studies("cka"),
    "cka, 30 stimuli": mapping_studies("cka", n_stimuli=30),
    "rsa_reweighted, 118 stimuli": mapping_studies("rsa_reweighted"),
    "rsa_remixed, 118 stimuli": mapping_studies(
        "rsa_remixed", rsa_remixed={"property": "property"}
    ),
    "unit_weighted, 118 stimuli": mapping_studies("unit_weighted"),
    "versa, 118 stimuli": mapping_studies("versa"),
    "procrustes, 118 stimuli": mapping_studies("procrustes"),
    "variance_partition, 118 stimuli": mapping_studies("variance_partition"),
    "correlation over 8 models": model_studies(8, "normal"),
    "correlation over 20 models": model_studies(20, "normal"),
    "correlation over 20 models, two clusters": model_studies(20, "two clusters"),
    "correlation over 60 models, heavy": model_studies(60, "heavy"),
    "neuroids of 2 subjects": subject_studies(2, between=0.5),
    "neuroids of 5 subjects": subject_studies(5, between=0.5),
    "neuroids of 5 like subjects": subject_studies(5, between=0.0),
    "neuroids of 12 subjects": subject_studies(12, between=0.2),
    "ridge, stimuli and neuroids": two_way_studies(118, 30),
}


def report(name: str, studies: list[Study], seconds: float) -> None:
    truth = np.array([one for one, _ in studies])
    part = np.arange(len(truth)) // PER_POPULATION
    shared = np.array([truth[part == own].mean() for own in part])
    if name == "ridge, stimuli and neuroids":
        shared = np.full(len(truth), truth.mean())
    print(f"\n{name}: truth {truth.mean():.3f}, {1000 * seconds / len(studies):.0f} ms a study")
    print(f"{'':16}{'coverage':>9}{'below':>8}{'above':>8}{'width':>8}{'these':>8}")
    for contender in studies[0][1]:
        low, high = np.array([ends[contender] for _, ends in studies]).T
        inside = np.mean((low <= shared) & (shared <= high))
        own = (
            f"{np.mean((low <= truth) & (truth <= high)):8.3f}"
            if np.ptp(truth - shared) > 1e-9
            else ""
        )
        below, above = np.mean(shared < low), np.mean(shared > high)
        width = np.mean(high - low)
        print(f"{contender:16}{inside:9.3f}{below:8.3f}{above:8.3f}{width:8.3f}{own}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--studies", type=int, default=1600, help="of each kind")
    parser.add_argument("--seed", type=int, default=0, help="of the studies; another, others")
    parser.add_argument("--only", default="", help="kinds of study that contain this word")
    given = parser.parse_args()
    with threadpool_limits(1):
        for name, studies in KINDS.items():
            if given.only in name:
                start = time.process_time()
                found = list(studies(given.studies, given.seed))
                report(name, found, time.process_time() - start)


if __name__ == "__main__":
    main()
