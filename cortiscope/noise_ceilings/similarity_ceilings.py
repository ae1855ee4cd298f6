"""Ceilings of mappings that compare dissimilarities or inner products between stimuli.

As in `noise`, halves of the data are compared, and the result extended to all of it; so a ceiling
depends on the dissimilarity and on the comparison. The extension takes the noise as independent
between halves and as shrinking with repetitions, which holds where it is small.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cortiscope.experiment.responses import average
from cortiscope.noise_ceilings import chance
from cortiscope.noise_ceilings.noise import Ceiling, different, extended, growth
from cortiscope.similarity import cka, rsa
from cortiscope.similarity.comparison import compare, permutation_null
from cortiscope.similarity.dissimilarity import crossnobis, pattern_rdm
from cortiscope.statistics.halves import halves
from cortiscope.statistics.resampling import mean_of_known


def rdm_split_half_ceiling(
    responses: NDArray,
    splits: int,
    seed: int,
    dissimilarity: str = "pearson",
    comparison: str = "spearman",
) -> Ceiling:
    """Ceiling of an area's RDM from those of halves of its repetitions.

    responses (stimulus, repetition, neuroid); neuroids without a recording of every stimulus in
    both halves are left out of a split. dissimilarity, comparison: as in `dissimilarity` and
    `comparison`. Fields are numbers, of shape ().
    """
    means = _halves_of(responses)

    def rdms(split: NDArray) -> NDArray:
        if dissimilarity == "crossnobis":
            return np.stack([crossnobis(responses[:, half]) for half in split])
        return np.stack([pattern_rdm(half, dissimilarity) for half in means(split)])

    return _rdm_ceiling(rdms, halves(responses.shape[1], splits, seed), comparison, seed)


def subject_rdm_ceiling(
    dissimilarities: NDArray, splits: int, seed: int, comparison: str = "spearman"
) -> Ceiling:
    """Ceiling of the mean RDM of subjects, from the mean RDMs of halves of the subjects.

    dissimilarities (subject, cell). Fields are numbers, of shape (); what differs between subjects
    counts as noise. Raises InputError for a single subject.
    """
    return _rdm_ceiling(
        lambda split: np.stack([dissimilarities[half].mean(axis=0) for half in split]),
        halves(len(dissimilarities), splits, seed),
        comparison,
        seed,
    )


def cka_split_half_ceiling(responses: NDArray, splits: int, seed: int) -> Ceiling:
    """Ceiling of debiased CKA with an area, from halves of its repetitions.

    responses (stimulus, repetition, neuroid). Debiased inner products have no part of the noise
    of one stimulus with itself, so that those of two halves correlate as two RDMs do.
    """
    means = _halves_of(responses)
    chosen = halves(responses.shape[1], splits, seed)
    return _cka_ceiling(lambda split: map(cka.gram, means(split)), chosen, seed)


def subject_cka_ceiling(dissimilarities: NDArray, splits: int, seed: int) -> Ceiling:
    """Ceiling of debiased CKA with the mean RDM of subjects (subject, cell), from halves of these.

    Raises InputError for a single subject.
    """
    chosen = halves(len(dissimilarities), splits, seed)

    def grams(split: NDArray) -> list[NDArray]:
        return [cka.distance_gram(dissimilarities[half].mean(axis=0)) for half in split]

    return _cka_ceiling(grams, chosen, seed)


def _cka_ceiling(
    grams: Callable[[NDArray], Iterable[NDArray]], chosen: NDArray, seed: int
) -> Ceiling:
    """From the two Gram matrices of each split."""

    def compared(split: NDArray, tested: bool) -> tuple[float, float]:
        first, second = map(cka.prepared, grams(split))
        r = float(cka.products(first, second))
        if not tested:
            return r, np.nan
        null = cka.permutation_null(first, second, chance.orders(len(first), seed))
        return r, chance.reached(r, null)

    mean, p = _over_splits(chosen, compared)
    return replace(extended(mean, growth(chosen.shape[2])), p=p)


def _over_splits(
    chosen: NDArray, compared: Callable[[NDArray, bool], tuple[float, float]]
) -> tuple[NDArray, float]:
    """The mean correlation of halves, and one p-value of all.

    compared: gives those of a split, the latter if it is tested.
    """
    some, number = different(chosen)
    tested = np.isin(np.arange(len(some)), number[: chance.SPLITS])
    both = np.array([compared(*each) for each in zip(some, tested, strict=True)])[number]
    return mean_of_known(both[:, 0]), chance.of_splits(both[: chance.SPLITS, 1])


def _halves_of(responses: NDArray) -> Callable[[NDArray], Iterator[NDArray]]:
    """A function that gives the means of two halves (stimulus, neuroid), of the same neuroids.

    One after the other, as each is as large as a repetition.
    """
    recorded = np.isfinite(responses)

    def means(split: NDArray) -> Iterator[NDArray]:
        both = np.all([recorded[:, half].any(axis=1).all(axis=0) for half in split], axis=0)
        for half in split:
            mean = average(responses, half)
            yield mean if both.all() else mean[:, both]

    return means


def _rdm_ceiling(
    rdms: Callable[[NDArray], NDArray], chosen: NDArray, comparison: str, seed: int
) -> Ceiling:
    """From the comparison of two RDMs (half, cell), of each split."""
    factor = growth(chosen.shape[2])
    # Spearman's is Pearson's of ranks, which are sorted once.
    by_ranks = comparison == "spearman"
    method = "pearson" if by_ranks else comparison

    def compared(split: NDArray, tested: bool) -> tuple[float, float]:
        first, second = map(rsa.ranks, rdms(split)) if by_ranks else rdms(split)
        r = float(compare(first, second, method))
        if not tested:
            return r, np.nan
        moved = chance.orders(rsa.number_of_stimuli(first), seed)
        return r, chance.reached(r, permutation_null(first, second, moved, method))

    mean, above = _over_splits(chosen, compared)
    if comparison != "kendall":
        return replace(extended(mean, factor), p=above)
    # Noise lowers a correlation by a factor, but not tau: of Gaussian cells it is 2/pi asin(r)
    # (Greiner 1909; Kendall 1949), so that the ceiling is taken of r and turned back.
    ceiling = extended(np.sin(np.pi / 2 * mean), factor)
    fields = (ceiling.reliability, ceiling.ceiling, ceiling.ceiling_half)
    whole, top, top_half = (2 / np.pi * np.arcsin(np.minimum(field, 1.0)) for field in fields)
    return Ceiling(whole, top, top_half, half=mean, growth=factor, p=above)
