"""Simulated studies of each kind, their truth and the intervals that contenders give them."""

import contextlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from populations import Fit, Population, population, rsa_population, true_scores

from cortiscope.mappings.fitting import fit
from cortiscope.mappings.kinds import MAPPINGS, low_level
from cortiscope.regression import held_out_scores
from cortiscope.regression.cross_validation import fold_numbers
from cortiscope.similarity import rdm_standard_error, rsa
from cortiscope.similarity.comparison import bootstrap_scores
from cortiscope.statistics import nested_bootstrap, standard_errors
from cortiscope.statistics.correlation_interval import correlation_interval
from cortiscope.statistics.resampling import INTERVAL, bootstrap_weights
from cortiscope.statistics.subjects import shared_variance
from tests.synthetic_areas import area, layer

REPOSITORY = Path(__file__).resolve().parents[1]
DRAWS, PER_POPULATION = 999, 100
Ends = tuple[float, float]
# One study: its truth, and the interval of every contender.
Study = tuple[float, dict[str, Ends]]
# From how many, and a seed.
Studies = Callable[[int, int], Iterator[Study]]


def percentiles(draws: NDArray) -> Ends:
    low, high = np.percentile(draws, INTERVAL)
    return float(low), float(high)


def ridge_studies(
    n_stimuli: int, signal: float = 2.5, heavy: bool = False, n_folds: int = 10
) -> Studies:
    """Studies of ridge; the truth of each is of its own models."""

    def studies(count: int, seed: int) -> Iterator[Study]:
        random = np.random.default_rng([n_stimuli, seed])
        for number in range(count):
            if number % PER_POPULATION == 0:
                neuroids = population(signal, heavy, random)
            study = Fit(
                *neuroids.study(n_stimuli, random), fold_numbers(n_stimuli, n_folds, number)
            )
            predicted = study.predict()
            score = held_out_scores.fold_centred_correlation(
                predicted, study.responses, study.folds
            ).mean()
            weights = bootstrap_weights(n_stimuli, DRAWS, number)
            plain = held_out_scores.bootstrap_scores(
                predicted, study.responses, study.folds, weights
            )
            draws = plain.mean(axis=1)
            error = refitted_error(study, predicted, draws)
            held = percentiles(standard_errors.rescaled(draws, score, error))
            truth = float(true_scores(study, predicted, neuroids).mean())
            yield truth, {"percentile": percentiles(draws), "cortiscope": held}

    return studies


def refitted_error(study: Fit, predicted: held_out_scores.Predictions, draws: NDArray) -> float:
    groups = standard_errors.deletion_groups(study.folds, 0)
    resampled = standard_errors.resampled_error(draws, study.folds)
    score_of, n_stimuli = study.refitted(predicted), len(study.folds)
    left_out = standard_errors.each_left_out(score_of, groups)
    return standard_errors.refitted_error(left_out, resampled, n_stimuli)


def mapping_studies(
    mapping: str,
    n_components: int = 100,
    n_stimuli: int = 118,
    per_category: int = 1,
    compared: bool = False,
    **options: dict[str, Any],
) -> Studies:
    """Studies by any mapping, scored as a fit job does; options: of sections of the config.

    per_category: stimuli of a category, which is new in every study and held out whole. compared:
    the score is the difference between two layers, of every other component each.
    Scores have no bias worth counting, so that their mean over the studies of a population is the
    truth, to a tenth of their standard error.
    """
    config = yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text())
    settings = {name: config[name] | options.get(name, {}) for name in MAPPINGS[mapping].sections}
    permutations = 20 if mapping == "variance_partition" else 0  # it adjusts by them
    settings["statistics"] = {"permutations": permutations, "bootstraps": DRAWS, "seed": 0}
    settings["selection"] = {"method": "nested"}
    n_layers = 4 if MAPPINGS[mapping].joint else 1 + compared

    def studies(count: int, seed: int) -> Iterator[Study]:
        random = np.random.default_rng([n_stimuli, seed])
        for _ in range(0, count, PER_POPULATION):
            neuroids = population(2.5, False, random, n_components=n_components)
            found = []
            for _ in range(min(count, PER_POPULATION)):
                features, response = neuroids.study(n_stimuli, random, per_category)
                trials = response[:, None]
                if options.get("rsa", {}).get("dissimilarity") == "crossnobis":
                    trials = trials + random.normal(size=(n_stimuli, 4, response.shape[1]))
                parts = [features[:, k::n_layers] for k in range(n_layers)]
                coordinates = {"category": np.arange(n_stimuli) // per_category}
                coordinates |= made_of(features, low_level(settings))
                found.append(scored(mapping, settings, parts, trials, coordinates))
            truth = float(np.mean([score for score, _ in found]))
            yield from ((truth, {"cortiscope": ends}) for _, ends in found)

    return studies


def made_of(features: NDArray, models: list[str]) -> dict[str, NDArray]:
    """A property to read out, and the features of low-level models, from (stimulus, component)."""
    first = features[:, :6] / features[:, :6].std(axis=0)
    some = {name: features[:, 5 * k : 5 * k + 12] for k, name in enumerate(models)}
    return some | {"property": first.argmax(axis=1).astype(str)}


def scored(
    mapping: str,
    settings: dict[str, Any],
    parts: list[NDArray],
    response: NDArray,
    coordinates: dict[str, NDArray],
) -> tuple[float, Ends]:
    """The score of layers, and its interval in the tables; of two, that of their difference.

    parts: of each layer (stimulus, component). response (stimulus, repetition, neuroid).
    """
    layers = [layer(part, str(number)) for number, part in enumerate(parts)]
    with contextlib.redirect_stderr(io.StringIO()):  # progress
        found = fit(mapping, layers, area(response), settings, coordinates)
    scores, draws = found["area_score"].values, found["area_bootstrap"].values
    if len(scores) == 2:
        return float(scores[0] - scores[1]), percentiles(draws[0] - draws[1])
    return float(scores[0]), percentiles(draws[0])


def rsa_studies(n_stimuli: int, noise: float) -> Studies:
    def studies(count: int, seed: int) -> Iterator[Study]:
        random = np.random.default_rng([n_stimuli, seed])
        for number in range(count):
            if number % PER_POPULATION == 0:
                draw = rsa_population(noise, random)
                truth = float(np.mean([rsa.spearman(*draw(1500)) for _ in range(12)]))
            model, brain = draw(n_stimuli)
            ranks = rsa.ranks(model), rsa.ranks(brain)
            weights = bootstrap_weights(n_stimuli, DRAWS, number)
            draws = bootstrap_scores(model, brain, weights, "spearman")
            score = float(ranks[0] @ ranks[1])
            error = rdm_standard_error.comparison_error(model, brain, "spearman")
            held = percentiles(standard_errors.rescaled(draws, score, error))
            yield truth, {"percentile": percentiles(draws), "cortiscope": held}

    return studies


def model_studies(n_models: int, kind: str) -> Studies:
    """Accuracy and score of models: normal, or trained beside untrained, or heavy-tailed."""

    def draw(count: int, random: np.random.Generator) -> tuple[NDArray, NDArray]:
        accuracy, own = random.normal(size=(2, count))
        if kind == "two clusters":
            accuracy = np.where(random.random(count) < 0.3, -2, 1) + 0.2 * accuracy
            return accuracy, accuracy + 2 * own
        size = np.sqrt(5 / random.chisquare(5, size=count)) if kind == "heavy" else 1.0
        return size * accuracy, size * (0.6 * accuracy + 0.8 * own)

    def studies(count: int, seed: int) -> Iterator[Study]:
        random = np.random.default_rng([0, seed])
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


def subject_studies(n_subjects: int, between: float) -> Studies:
    """Scores of 20 to 60 neuroids a subject; between: variance over that of neuroids."""

    def studies(count: int, seed: int) -> Iterator[Study]:
        random = np.random.default_rng([n_subjects, seed])
        for number in range(count):
            subject = np.repeat(np.arange(n_subjects), random.integers(20, 61, size=n_subjects))
            own = np.sqrt(between) * random.normal(size=n_subjects)
            values = 0.5 + 0.1 * (own[subject] + random.normal(size=len(subject)))
            alone = bootstrap_weights(len(values), DRAWS, number) @ values / len(values)
            twice = two_stages(values, subject, random)
            ours = nested_bootstrap.nested_bootstrap(values, subject, DRAWS, number)
            ends = {"neuroids alone": percentiles(alone), "both stages": percentiles(twice)}
            yield 0.5, ends | {"cortiscope": nested_bootstrap.interval(ours)}

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


def two_way_studies(n_stimuli: int, n_neuroids: int) -> Studies:
    """Ridge with new stimuli and new neuroids of varied signal."""

    def studies(count: int, seed: int) -> Iterator[Study]:
        random = np.random.default_rng([n_stimuli, seed])
        for number in range(count):
            neuroids = population(2.5, False, random, n_neuroids)
            gain = np.exp(0.7 * random.normal(size=n_neuroids))
            neuroids = Population(neuroids.slopes * gain, neuroids.unseen, neuroids.decay, False)
            study = Fit(*neuroids.study(n_stimuli, random), fold_numbers(n_stimuli, 10, number))
            predicted = study.predict()
            weights = bootstrap_weights(n_stimuli, DRAWS, number)
            plain = held_out_scores.bootstrap_scores(
                predicted, study.responses, study.folds, weights
            )
            yield (
                float(true_scores(study, predicted, neuroids).mean()),
                two_way(study, predicted, plain),
            )

    return studies


def two_way(study: Fit, predicted: held_out_scores.Predictions, plain: NDArray) -> dict[str, Ends]:
    """plain (draw, neuroid): scores with test stimuli resampled."""
    scores = held_out_scores.fold_centred_correlation(predicted, study.responses, study.folds)
    score, draws = float(scores.mean()), plain.mean(axis=1)
    error = refitted_error(study, predicted, draws)
    stretched = plain * (error * (1 - score**2) / draws.std())  # spread of r from that of z
    over = nested_bootstrap.nested_bootstrap(scores, None, len(draws), 0)
    deviation = np.sqrt(shared_variance(stretched) + over.var())
    held = standard_errors.interval(score, deviation / (1 - score**2))
    return {"stimuli alone": percentiles(draws), "cortiscope": (float(held[0]), float(held[1]))}
