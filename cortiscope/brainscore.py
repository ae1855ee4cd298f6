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

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cortiscope.errors import InputError
from cortiscope.nipals import TOLERANCE
from cortiscope.pls import COMPONENTS, NULL_BLOCK, NULL_TOLERANCE, Targets, part_predictions
from cortiscope.pls import targets as rotated
from cortiscope.principal_axes import Axes, principal_axes
from cortiscope.ridge import CONSTANT, kernel

SPLITS, TRAINING, SEED = 10, 0.9, 1


@dataclass(frozen=True)
class Score:
    """r: (split, neuroid), -1..1. score: the mean over splits of the median over neuroids.

    error: the standard error of that mean. NaN where r is not defined (a response or a prediction
    that does not vary in a test part, a missing response), which medians and means leave out.
    """

    r: NDArray
    score: float
    error: float


def predict(
    features: NDArray,
    responses: NDArray,
    categories: NDArray | None,
    seed: int = SEED,
    components: int = COMPONENTS,
) -> Score:
    """Score one layer on all neuroids.

    features (stimulus, component), responses (stimulus, neuroid), categories (stimulus,) to be
    kept in proportion, or None. Raises InputError as `splits`.
    """
    tests = splits(len(responses), categories, seed)
    r = _correlations(features, responses[None], tests, components, TOLERANCE)[:, 0]
    by_split = _median(r)
    found = by_split[np.isfinite(by_split)]
    if not len(found):
        return Score(r, np.nan, np.nan)
    return Score(r, float(found.mean()), float(found.std() / np.sqrt(len(found))))


def null_scores(
    features: NDArray,
    responses: NDArray,
    categories: NDArray | None,
    orders: NDArray,
    seed: int = SEED,
) -> NDArray:
    """Scores when stimuli are permuted (permutation,); orders (permutation, stimulus)."""
    tests = splits(len(responses), categories, seed)
    scores = np.empty(len(orders))
    step = max(8, NULL_BLOCK // responses.shape[1])
    for start in range(0, len(orders), step):
        block = slice(start, start + step)
        shuffled = responses[orders[block]]
        r = _correlations(features, shuffled, tests, COMPONENTS, NULL_TOLERANCE)
        scores[block] = [_mean(_median(own)) for own in np.moveaxis(r, 1, 0)]
    return scores


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
    group, sizes = np.unique(categories, return_inverse=True, return_counts=True)[1:]
    if sizes.min() < 2 or len(sizes) > n_stimuli - n_training:
        raise InputError(
            "mappings.pls.protocol: brainscore",
            f"{len(sizes)} categories, the smallest of {sizes.min()}, cannot be kept in"
            f" proportion in test parts of {n_stimuli - n_training} stimuli",
            "name a coordinate with fewer categories, or none",
        )
    members = [np.flatnonzero(group == number) for number in range(len(sizes))]
    for test in tests:
        trained = _shares(sizes, n_training, random)
        _shares(sizes - trained, n_stimuli - n_training, random)  # takes from the same stream
        for own, count in zip(members, trained, strict=True):
            test[own[random.permutation(len(own))[:count]]] = False
        random.permutation(n_training)
        random.permutation(n_stimuli - n_training)
    return tests


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


def _correlations(
    features: NDArray, responses: NDArray, tests: NDArray, components: int, tolerance: float
) -> NDArray:
    """(split, set, neuroid): r of sets of responses (set, stimulus, neuroid) with predictions."""
    responses = np.asarray(responses, dtype=np.float64)
    r = np.full((len(tests), len(responses), responses.shape[2]), np.nan)
    mean = responses[0].mean(axis=0)
    varies = responses[0].var(axis=0) > CONSTANT * mean**2
    known = np.flatnonzero(np.isfinite(mean) & varies)
    gram = kernel(features)
    if np.trace(gram) <= 0 or not len(known):
        return r
    centred = responses[:, :, known] - mean[known]
    # a null, whose powers stop early, needs no more than single precision
    dtype = np.float64 if tolerance <= TOLERANCE else np.float32
    whole = rotated((centred / np.abs(centred).max()).astype(dtype))
    sets = Targets(whole.responses, whole.reduced, whole.rotation, tolerance)
    folds = np.arange(len(gram))
    parts: Sequence[Axes] = [principal_axes(gram, ~test, folds) for test in tests]
    found = part_predictions(parts, sets, np.array([components]))
    for split, (predicted, _, _) in enumerate(found):
        held = tests[split]
        r[split][:, known] = _pearson(predicted[:, held], sets.responses[:, held])
    return r


def _pearson(predicted: NDArray, measured: NDArray) -> NDArray:
    """Along the second of three axes."""
    a = predicted - predicted.mean(axis=1, keepdims=True)
    b = measured - measured.mean(axis=1, keepdims=True)
    norm = np.sqrt(np.square(a).sum(axis=1) * np.square(b).sum(axis=1))
    product = np.einsum("psn,psn->pn", a, b)
    return np.divide(product, norm, out=np.full(norm.shape, np.nan), where=norm > 0)


def _median(r: NDArray) -> NDArray:
    """Over the finite neuroids of each split: (split,)."""
    return np.array(
        [np.median(own[np.isfinite(own)]) if np.isfinite(own).any() else np.nan for own in r]
    )


def _mean(values: NDArray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else np.nan
