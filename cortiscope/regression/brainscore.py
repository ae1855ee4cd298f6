"""Brain-Score's protocol of neural predictivity, for comparison with published numbers.

Schrimpf, Kubilius et al. (2018), Brain-Score: which artificial neural network for object
recognition is most brain-like?; Schrimpf, Kubilius et al. (2020), Integrative benchmarking to
advance neurally mechanistic models of human intelligence; defaults as in their public code.
Partial least squares of 25 components from features to all neuroids together, unscaled, is fitted
on 90 % of the stimuli and predicts the other 10 %, in 10 random splits that keep the shares of the
categories. The score is Pearson's r of each neuroid in each split, its median over neuroids, its
mean over splits. Explained variance is (score / ceiling)^2, where their ceiling is the split-half
correlation of the repetitions extended by Spearman and Brown, its median over neuroids: what
`noise` calls reliability, of which it takes the root for a ceiling.

A stimulus may be in several test parts or none, and r within 12 stimuli is crude. Noise scores 0.
"""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cortiscope.errors import InputError
from cortiscope.regression.pls import COMPONENTS, NULL_BLOCK, NULL_STEPS, Targets, part_predictions
from cortiscope.regression.pls import targets as rotated
from cortiscope.regression.precision import constant
from cortiscope.regression.principal_axes import Axes, principal_axes
from cortiscope.regression.ridge import kernel
from cortiscope.statistics.resampling import mean_of_known

SPLITS, TRAINING, SEED = 10, 0.9, 1


@dataclass(frozen=True)
class Score:
    """r: (split, neuroid), -1..1. score: the mean over splits of the median over neuroids.

    error: the standard error of that mean. bootstrap: (draw,), the score with test stimuli counted
    as often as draws have them, models and splits being the same. NaN where r is not defined (a
    response or a prediction that does not vary in a test part, a missing response), which medians
    and means leave out.
    """

    r: NDArray
    score: float
    error: float
    bootstrap: NDArray


@dataclass(frozen=True)
class Null:
    """r: (permutation, neuroid), the mean over splits; score: (permutation,). NaN as in `Score`."""

    r: NDArray
    score: NDArray


def predict(
    features: NDArray,
    responses: NDArray,
    categories: NDArray | None,
    seed: int = SEED,
    components: int = COMPONENTS,
    draws: NDArray | None = None,
) -> Score:
    """Score one layer on all neuroids.

    features (stimulus, component), responses (stimulus, neuroid), categories (stimulus,) to be
    kept in proportion, or None. draws (draw, stimulus): how often each stimulus counts, as from
    `resampling.bootstrap_weights`. Raises InputError as `splits`.
    """
    tests = splits(len(responses), categories, seed)
    r = np.full((SPLITS, responses.shape[1]), np.nan)
    counts = np.zeros((0, len(responses))) if draws is None else draws
    drawn = np.full((SPLITS, len(counts)), np.nan)
    parts = _decomposed(features, tests)
    for split, found in enumerate(_parts(parts, responses[None], components)):
        r[split, found.known] = _pearson(found.predicted, found.measured)[0]
        held = counts[:, tests[split]]
        drawn[split] = _median(_weighted(found.predicted[0], found.measured[0], held))
    by_split = _median(r)
    known = by_split[np.isfinite(by_split)]
    error = float(known.std() / np.sqrt(len(known))) if len(known) else np.nan
    return Score(r, float(mean_of_known(by_split, axis=0)), error, mean_of_known(drawn, axis=0))


def null(
    features: NDArray,
    responses: NDArray,
    categories: NDArray | None,
    orders: NDArray,
    seed: int = SEED,
    components: int = COMPONENTS,
) -> Null:
    """Scores when stimuli are permuted; orders (permutation, stimulus), the rest as in `predict`.

    In single precision and by Lanczos in place of powers (see `pls`).
    """
    tests = splits(len(responses), categories, seed)
    correlations = np.full((len(orders), responses.shape[1]), np.nan)
    scores = np.full(len(orders), np.nan)
    parts = _decomposed(features, tests)
    step = max(8, NULL_BLOCK // responses.shape[1])
    for start in range(0, len(orders), step):
        block = slice(start, start + step)
        shuffled = responses[orders[block]]
        r = np.full((SPLITS, *shuffled.shape[::2]), np.nan)
        for split, found in enumerate(_parts(parts, shuffled, components, NULL_STEPS)):
            r[split][:, found.known] = _pearson(found.predicted, found.measured)
        correlations[block], scores[block] = (
            mean_of_known(r, axis=0),
            mean_of_known(_median(r), axis=0),
        )
    return Null(correlations, scores)


def explained(score: NDArray | float, reliability: NDArray | float) -> NDArray:
    """Share of explainable variance, (score / reliability)^2; NaN where the latter is not positive.

    reliability: the median over neuroids of the split-half correlation after Spearman-Brown.
    Above 1 where a model beats it; a negative score counts as its square, as published.
    """
    known = np.asarray(reliability, dtype=float)
    ratio = np.divide(score, known, out=np.full(known.shape, np.nan), where=known > 0)
    return np.square(ratio)


def splits(n_stimuli: int, categories: NDArray | None, seed: int = SEED) -> NDArray:
    """Test parts (split, stimulus) bool, those of scikit-learn's (Stratified)ShuffleSplit.

    Raises InputError for a category of a single stimulus, or more categories than a part has
    stimuli: their shares cannot be kept.
    """
    random = np.random.RandomState(seed)
    n_training = int(np.floor(TRAINING * n_stimuli))
    tests = np.ones((SPLITS, n_stimuli), dtype=bool)
    if categories is None:
        for test in tests:
            test[random.permutation(n_stimuli)[n_stimuli - n_training :]] = False
        return tests
    check_categories(categories)
    group, sizes = np.unique(categories, return_inverse=True, return_counts=True)[1:]
    members = [np.flatnonzero(group == number) for number in range(len(sizes))]
    for test in tests:
        trained = _shares(sizes, n_training, random)
        _shares(sizes - trained, n_stimuli - n_training, random)  # takes from the same stream
        for own, count in zip(members, trained, strict=True):
            test[own[random.permutation(len(own))[:count]]] = False
        random.permutation(n_training)
        random.permutation(n_stimuli - n_training)
    return tests


def check_categories(categories: NDArray) -> None:
    """Raise the InputError of `splits` for categories (stimulus,) whose shares cannot be kept."""
    sizes = np.unique(categories, return_counts=True)[1]
    n_test = len(categories) - int(np.floor(TRAINING * len(categories)))
    if sizes.min() < 2 or len(sizes) > n_test:
        raise InputError(
            "config: pls.category",
            f"{len(sizes)} categories, the smallest of {sizes.min()}, cannot be kept in"
            f" proportion in test parts of {n_test} stimuli",
            "name a coordinate with fewer categories, or none",
        )


def _shares(sizes: NDArray, total: int, random: np.random.RandomState) -> NDArray:
    """How many of each category: proportional, the largest remainders up, ties by chance."""
    exact = sizes / sizes.sum() * total
    shares = np.floor(exact)
    remainder = exact - shares
    missing = int(total - shares.sum())
    for value in np.unique(remainder)[::-1]:
        if missing <= 0:
            break
        tied = np.flatnonzero(remainder == value)
        raised = random.choice(tied, size=min(len(tied), missing), replace=False)
        shares[raised] += 1
        missing -= len(raised)
    return shares.astype(int)


@dataclass(frozen=True)
class _Part:
    """predicted, measured: (set, test stimulus, known neuroid); known: numbers of neuroids."""

    known: NDArray
    predicted: NDArray
    measured: NDArray


def _decomposed(features: NDArray, tests: NDArray) -> list[Axes]:
    """The training part of each split; none where the features do not vary."""
    gram = kernel(features)
    folds = np.arange(len(gram))
    return [principal_axes(gram, ~test, folds) for test in tests] if np.trace(gram) > 0 else []


def _parts(
    parts: Sequence[Axes], responses: NDArray, components: int, steps: int = 0
) -> Iterator[_Part]:
    """The test part of each split, for sets of responses (set, stimulus, neuroid); or none."""
    responses = np.asarray(responses, dtype=np.float64)
    centre = responses[0].mean(axis=0)
    known = np.flatnonzero(np.isfinite(centre) & ~constant(responses[0]))
    if not parts or not len(known):
        return
    centred = responses[:, :, known] - centre[known]
    # a null needs no more than single precision
    dtype = np.float32 if steps else np.float64
    whole = rotated((centred / np.abs(centred).max()).astype(dtype))
    sets = Targets(whole.responses, whole.reduced, whole.rotation, steps)
    found = part_predictions(parts, sets, np.array([components]))
    for axes, predicted in zip(parts, found, strict=True):
        yield _Part(known, predicted.held_out, sets.responses[:, ~axes.training])


def _pearson(predicted: NDArray, measured: NDArray) -> NDArray:
    """Along the second of three axes; NaN where either does not vary."""
    a, b = _centred(predicted), _centred(measured)
    norm = np.sqrt(np.square(a).sum(axis=1) * np.square(b).sum(axis=1))
    product = np.einsum("psn,psn->pn", a, b)
    return np.divide(product, norm, out=np.full(norm.shape, np.nan), where=norm > 0)


def _centred(values: NDArray) -> NDArray:
    """Along the second last axis; zeros for what does not vary, without the rounding of a mean."""
    still = constant(values)[..., None, :]
    return np.where(still, 0.0, values - values.mean(axis=-2, keepdims=True))


def _weighted(predicted: NDArray, measured: NDArray, counts: NDArray) -> NDArray:
    """r of (stimulus, neuroid) with stimuli counted (draw, stimulus) times: (draw, neuroid).

    NaN for draws of fewer than three of them.
    """
    total = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, total, out=np.zeros(counts.shape), where=total > 0)
    a, b = _centred(predicted), _centred(measured)
    # each (draw, stimulus) x (stimulus, neuroid)
    mean_a, mean_b, square_a, square_b = (share @ values for values in (a, b, a * a, b * b))
    product = share @ (a * b) - mean_a * mean_b
    varies_a, varies_b = square_a - mean_a**2, square_b - mean_b**2
    # a draw of a single stimulus leaves rounding, and any two are on a line
    defined = ((counts > 0).sum(axis=1) > 2)[:, None]
    defined = defined & (varies_a > 1e-12 * square_a) & (varies_b > 1e-12 * square_b)
    norm = np.sqrt(np.maximum(varies_a * varies_b, 0.0))
    return np.divide(product, norm, out=np.full(norm.shape, np.nan), where=defined)


def _median(r: NDArray) -> NDArray:
    """Over the finite values of the last axis, NaN without any."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)
        median: NDArray = np.nanmedian(r, axis=-1)
    return median
