"""How often 95 % intervals contain the truth, over simulated studies of each kind.

    python benchmarks/coverage.py [--studies 400] [--only WORD]

What the truth is, and what differs between studies:

- ridge: new stimuli, new noise. Truth: the mean held-out score, over all studies of the same
  population of neuroids, that models trained on as many stimuli have on unlimited new ones,
  computed from their weights. `these`: of the very models of this study instead, which differ.
- ols, pcr, lasso, pls, stacked: the same. Truth: the mean over the studies of their scores.
- rsa: new stimuli, new noise. Truth: the Spearman correlation of the RDMs of 12 x 1,500 stimuli.
- correlation over models: new models. Truth: the correlation of a million models.
- neuroids of subjects: new subjects and neuroids. Truth: the mean of the population.
- ridge, stimuli and neuroids: all new. Truth: the mean over the studies of their models' scores.

Contenders: percentiles of plain bootstrap draws, what `cortiscope` makes of the same draws, and for
correlations over models Fisher's interval. `below`: the truth lies below the interval. `width`: its
mean. 400 studies leave ± 2.1 % of chance on a coverage of 95 %, 1,600 leave ± 1.1.
"""

import argparse
import contextlib
import io
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from populations import Fit, Population, population, rsa_population, true_scores

from cortiscope.mappings.fitting import fit
from cortiscope.mappings.kinds import MAPPINGS
from cortiscope.regression import ridge
from cortiscope.regression.cross_validation import fold_numbers
from cortiscope.similarity import rdm_standard_error, rsa
from cortiscope.similarity.comparison import bootstrap_scores
from cortiscope.statistics import nested_bootstrap, standard_errors
from cortiscope.statistics.correlation_interval import correlation_interval
from cortiscope.statistics.resampling import INTERVAL, bootstrap_weights
from tests.synthetic_areas import area, layer

REPOSITORY = Path(__file__).resolve().parents[1]
DRAWS, PER_POPULATION = 999, 100
Ends = tuple[float, float]
# One study: its truth, and the interval of every contender.
Study = tuple[float, dict[str, Ends]]


def percentiles(draws: NDArray) -> Ends:
    low, high = np.percentile(draws, INTERVAL)
    return float(low), float(high)


def ridge_studies(
    n_stimuli: int, signal: float = 2.5, heavy: bool = False, n_folds: int = 10
) -> Callable[[int], Iterator[Study]]:
    """Studies of ridge; the truth of each is of its own models."""

    def studies(count: int) -> Iterator[Study]:
        random = np.random.default_rng(n_stimuli)
        for seed in range(count):
            if seed % PER_POPULATION == 0:
                neuroids = population(signal, heavy, random)
            study = Fit(*neuroids.study(n_stimuli, random), fold_numbers(n_stimuli, n_folds, seed))
            predicted = study.predict()
            score = ridge.fold_centred_correlation(predicted, study.responses, study.folds).mean()
            weights = bootstrap_weights(n_stimuli, DRAWS, seed)
            plain = ridge.bootstrap_scores(predicted, study.responses, study.folds, weights)
            draws = plain.mean(axis=1)
            groups = standard_errors.deletion_groups(study.folds, seed)
            score_of = study.refitted(predicted)
            error = standard_errors.refitted_error(score_of, groups, draws, study.folds)
            held = percentiles(standard_errors.rescaled(draws, score, error))
            truth = float(true_scores(study, predicted, neuroids).mean())
            yield truth, {"percentile": percentiles(draws), "cortiscope": held}

    return studies


def mapping_studies(
    mapping: str, n_components: int = 100, n_stimuli: int = 118
) -> Callable[[int], Iterator[Study]]:
    """Studies by any mapping that predicts neuroids, scored as a fit job does.

    Scores have no bias worth counting, so that their mean over the studies of a population is the
    truth, to a tenth of their standard error.
    """
    config = yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text())
    statistics = {"permutations": 0, "bootstraps": DRAWS, "seed": 0}
    settings = {name: config[name] for name in MAPPINGS[mapping].sections} | {
        "statistics": statistics,
        "selection": {"splits": 1, "seed": 0},
    }

    def studies(count: int) -> Iterator[Study]:
        random = np.random.default_rng(n_stimuli)
        for _ in range(0, count, PER_POPULATION):
            neuroids = population(2.5, False, random, n_components=n_components)
            found = [
                scored(mapping, settings, *neuroids.study(n_stimuli, random))
                for _ in range(min(count, PER_POPULATION))
            ]
            truth = float(np.mean([score for score, _ in found]))
            yield from ((truth, {"cortiscope": ends}) for _, ends in found)

    return studies


def scored(
    mapping: str, settings: dict[str, Any], features: NDArray, responses: NDArray
) -> tuple[float, Ends]:
    """The score of an area, and the interval that the tables would give it."""
    with contextlib.redirect_stderr(io.StringIO()):  # progress
        found = fit(mapping, [layer(features)], area(responses[:, None]), settings)
    draws = found["area_bootstrap"].values[0]
    return float(found["area_score"].values[0]), percentiles(draws)


def rsa_studies(n_stimuli: int, noise: float) -> Callable[[int], Iterator[Study]]:
    def studies(count: int) -> Iterator[Study]:
        random = np.random.default_rng(n_stimuli)
        for seed in range(count):
            if seed % PER_POPULATION == 0:
                draw = rsa_population(noise, random)
                truth = float(np.mean([rsa.spearman(*draw(1500)) for _ in range(12)]))
            model, brain = draw(n_stimuli)
            ranks = rsa.ranks(model), rsa.ranks(brain)
            weights = bootstrap_weights(n_stimuli, DRAWS, seed)
            draws = bootstrap_scores(model, brain, weights, "spearman")
            score = float(ranks[0] @ ranks[1])
            error = rdm_standard_error.spearman_error(model, brain)
            held = percentiles(standard_errors.rescaled(draws, score, error))
            yield truth, {"percentile": percentiles(draws), "cortiscope": held}

    return studies


def model_studies(n_models: int, kind: str) -> Callable[[int], Iterator[Study]]:
    """Accuracy and score of models: normal, or trained beside untrained, or heavy-tailed."""

    def draw(count: int, random: np.random.Generator) -> tuple[NDArray, NDArray]:
        accuracy, own = random.normal(size=(2, count))
        if kind == "two clusters":
            accuracy = np.where(random.random(count) < 0.3, -2, 1) + 0.2 * accuracy
            return accuracy, accuracy + 2 * own
        size = np.sqrt(5 / random.chisquare(5, size=count)) if kind == "heavy" else 1.0
        return size * accuracy, size * (0.6 * accuracy + 0.8 * own)

    def studies(count: int) -> Iterator[Study]:
        random = np.random.default_rng(0)
        truth = float(np.corrcoef(*draw(10**6, random))[0, 1])
        for _ in range(count):
            x, y = draw(n_models, random)
            chosen = random.integers(n_models, size=(DRAWS, n_models))
            a, b = (v[chosen] - v[chosen].mean(axis=1, keepdims=True) for v in (x, y))
            with np.errstate(invalid="ignore"):
                r = (a * b).sum(axis=1) / np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
            r = r[np.isfinite(r)]
            fisher = standard_errors.interval(np.corrcoef(x, y)[0, 1], 1 / np.sqrt(n_models - 3))
            ends = {"percentile": percentiles(r), "Fisher": (float(fisher[0]), float(fisher[1]))}
            yield truth, ends | {"cortiscope": correlation_interval(x, y)}

    return studies


def subject_studies(n_subjects: int, between: float) -> Callable[[int], Iterator[Study]]:
    """Scores of 20 to 60 neuroids a subject; between: variance over that of neuroids."""

    def studies(count: int) -> Iterator[Study]:
        random = np.random.default_rng(n_subjects)
        for seed in range(count):
            subject = np.repeat(np.arange(n_subjects), random.integers(20, 61, size=n_subjects))
            own = np.sqrt(between) * random.normal(size=n_subjects)
            values = 0.5 + 0.1 * (own[subject] + random.normal(size=len(subject)))
            weight = np.ones(len(values))
            alone = bootstrap_weights(len(values), DRAWS, seed) @ values / len(values)
            twice = two_stages(values, subject, random)
            ours = nested_bootstrap.nested_bootstrap(values, subject, weight, DRAWS, seed)
            ends = {"neuroids alone": percentiles(alone), "both stages": percentiles(twice)}
            yield 0.5, ends | {"cortiscope": percentiles(ours)}

    return studies


def two_stages(values: NDArray, subject: NDArray, random: np.random.Generator) -> NDArray:
    """Draws of the mean: subjects with replacement, then the neuroids of each."""
    of_subject = [values[subject == number] for number in range(subject[-1] + 1)]
    draws = np.empty(DRAWS)
    for draw in range(DRAWS):
        drawn = [of_subject[k] for k in random.integers(len(of_subject), size=len(of_subject))]
        again = [v[random.integers(len(v), size=len(v))] for v in drawn]
        draws[draw] = np.concatenate(again).mean()
    return draws


def two_way_studies(n_stimuli: int, n_neuroids: int) -> Callable[[int], Iterator[Study]]:
    """Ridge with new stimuli and new neuroids of varied signal."""

    def studies(count: int) -> Iterator[Study]:
        random = np.random.default_rng(n_stimuli)
        for seed in range(count):
            neuroids = population(2.5, False, random, n_neuroids)
            gain = np.exp(0.7 * random.normal(size=n_neuroids))
            neuroids = Population(neuroids.slopes * gain, neuroids.unseen, neuroids.decay, False)
            study = Fit(*neuroids.study(n_stimuli, random), fold_numbers(n_stimuli, 10, seed))
            predicted = study.predict()
            weights = bootstrap_weights(n_stimuli, DRAWS, seed)
            plain = ridge.bootstrap_scores(predicted, study.responses, study.folds, weights)
            yield (
                float(true_scores(study, predicted, neuroids).mean()),
                two_way(study, predicted, plain),
            )

    return studies


def two_way(study: Fit, predicted: ridge.Predictions, plain: NDArray) -> dict[str, Ends]:
    """plain (draw, neuroid): scores with test stimuli resampled."""
    scores = ridge.fold_centred_correlation(predicted, study.responses, study.folds)
    score, draws = float(scores.mean()), plain.mean(axis=1)
    ones = np.ones(len(scores))
    groups = standard_errors.deletion_groups(study.folds, 0)
    error = standard_errors.refitted_error(study.refitted(predicted), groups, draws, study.folds)
    stretched = plain * (error * (1 - score**2) / draws.std())  # spread of r from that of z
    over = nested_bootstrap.nested_bootstrap(scores, None, ones, len(draws), 0)
    deviation = np.sqrt(nested_bootstrap.two_way_variance(stretched, over))
    held = standard_errors.interval(score, deviation / (1 - score**2))
    return {"stimuli alone": percentiles(draws), "cortiscope": (float(held[0]), float(held[1]))}


KINDS: dict[str, Callable[[int], Iterator[Study]]] = {
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
    "rsa, 60 stimuli": rsa_studies(60, noise=2.0),
    "rsa, 119 stimuli": rsa_studies(119, noise=2.0),
    "rsa, 60 stimuli, noisy": rsa_studies(60, noise=8.0),
    "rsa, 30 stimuli": rsa_studies(30, noise=2.0),
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
    parser.add_argument("--studies", type=int, default=400, help="of each kind")
    parser.add_argument("--only", default="", help="kinds of study that contain this word")
    given = parser.parse_args()
    with threadpool_limits(1):
        for name, studies in KINDS.items():
            if given.only in name:
                start = time.process_time()
                found = list(studies(given.studies))
                report(name, found, time.process_time() - start)


if __name__ == "__main__":
    main()
