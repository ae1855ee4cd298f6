"""The ceilings of one area: of its neuroids, and of its similarities between stimuli."""

import numpy as np

from cortiscope.experiment.copies import COPY_OF
from cortiscope.experiment.responses import Area
from cortiscope.files import Variable
from cortiscope.noise_ceilings.chance import SPLITS, neuroids_p
from cortiscope.noise_ceilings.mean_ceiling import mean_ceilings
from cortiscope.noise_ceilings.noise import Ceiling, extended, split_half_ceiling
from cortiscope.noise_ceilings.oracle import leave_one_repetition_out
from cortiscope.noise_ceilings.similarity_ceilings import (
    cka_split_half_ceiling,
    rdm_split_half_ceiling,
    subject_cka_ceiling,
    subject_rdm_ceiling,
)
from cortiscope.statistics.halves import halves

UNKNOWN = extended(np.array(np.nan), np.nan)  # one repetition, or one subject


def area_ceilings(
    area: Area,
    splits: int,
    seed: int,
    dissimilarity: str = "pearson",
    comparison: str = "spearman",
    method: str = "split_half",
) -> tuple[dict[str, Variable], int]:
    """The variables of a ceilings file, and how many neuroids are unreliable.

    Per neuroid `reliability`, `ceiling`, `ceiling_half` (correlations, up to 1), by the method:
    `split_half` (see `noise`), or `oracle`, each repetition against the others. Of the area
    `area_ceiling`, the mean over neuroids (see `mean_ceiling`), for mappings that predict
    neuroids, and `median_ceiling`, for scores that are medians; to both a neuroid of nothing but
    noise adds 0, as it does to the score, and one that was never repeated nothing. `rdm_ceiling`
    for mappings that compare dissimilarities, by the dissimilarity and the comparison given;
    `cka_ceiling`. These two are of split halves by either method, and between subjects where
    dissimilarities are known.
    `_half`: of scores on half the repetitions. `_p`: that the halves agree by more than chance (see
    `chance`); of noise a ceiling may be above 0, and nothing is a share of it. NaN = not known: one
    repetition or one subject; per neuroid also nothing but noise (reliability not above 0), which
    is what is counted. Also `subject`, in whom a neuroid was recorded, where the recording says so,
    and `copy_of`, the place in the area of the first neuroid that each is a copy of, if some are.
    """
    neuroids = _neuroid_ceilings(area, splits, seed, method)
    rdm = _rdm_ceiling(area, splits, seed, dissimilarity, comparison)
    cka = _cka_ceiling(area, splits, seed)
    unreliable = np.isfinite(neuroids.reliability) & ~np.isfinite(neuroids.ceiling)
    whole, half = (
        np.where(unreliable, 0.0, ceiling) for ceiling in (neuroids.ceiling, neuroids.ceiling_half)
    )
    n_repetitions, repeated = area.response.shape[1], area.counts > 1
    mean, mean_half = mean_ceilings(neuroids, repeated.sum(axis=0), n_repetitions)
    p = np.nan
    if repeated.any():
        chosen = halves(n_repetitions, splits, seed)[:SPLITS]
        p = neuroids_p(area.response, chosen, seed)
    variables = {
        "neuroid_id": Variable(("neuroid",), area.neuroid_id),
        "reliability": Variable(("neuroid",), neuroids.reliability),
        "ceiling": Variable(("neuroid",), neuroids.ceiling),
        "ceiling_half": Variable(("neuroid",), neuroids.ceiling_half),
        "area_ceiling": Variable((), np.array(mean)),
        "area_ceiling_half": Variable((), np.array(mean_half)),
        "area_ceiling_p": Variable((), np.array(p)),
        "median_ceiling": Variable((), _known_median(whole)),
        "median_ceiling_half": Variable((), _known_median(half)),
        "median_ceiling_p": Variable((), np.array(p)),
        "rdm_ceiling": Variable((), rdm.ceiling),
        "rdm_ceiling_half": Variable((), rdm.ceiling_half),
        "rdm_ceiling_p": Variable((), np.array(rdm.p)),
        "cka_ceiling": Variable((), cka.ceiling),
        "cka_ceiling_half": Variable((), cka.ceiling_half),
        "cka_ceiling_p": Variable((), np.array(cka.p)),
    }
    if "subject" in area.metadata:
        subject = np.asarray(area.metadata["subject"]).astype(str)
        variables["subject"] = Variable(("neuroid",), subject)
    if COPY_OF in area.metadata:
        first, number = np.unique(area.metadata[COPY_OF], return_index=True, return_inverse=True)[
            1:
        ]
        if len(first) < len(number):
            variables["copy_of"] = Variable(("neuroid",), first[number])
    return variables, int(unreliable.sum())


def _neuroid_ceilings(area: Area, splits: int, seed: int, method: str) -> Ceiling:
    if not (area.counts > 1).any():
        return extended(np.full(len(area.neuroid_id), np.nan), np.nan)
    if method == "oracle":
        return leave_one_repetition_out(area.response).ceiling
    return split_half_ceiling(area.response, splits, seed)


def _known_median(values: np.ndarray) -> np.ndarray:
    known = values[np.isfinite(values)]
    return np.asarray(np.median(known) if known.size else np.nan)


def _rdm_ceiling(
    area: Area, splits: int, seed: int, dissimilarity: str, comparison: str
) -> Ceiling:
    cells = _subject_cells(area)
    if cells is not None:
        return subject_rdm_ceiling(cells, splits, seed, comparison)
    if area.repeated:
        return rdm_split_half_ceiling(area.response, splits, seed, dissimilarity, comparison)
    return UNKNOWN


def _cka_ceiling(area: Area, splits: int, seed: int) -> Ceiling:
    cells = _subject_cells(area)
    if cells is not None:
        return subject_cka_ceiling(cells, splits, seed)
    return cka_split_half_ceiling(area.response, splits, seed) if area.repeated else UNKNOWN


def _subject_cells(area: Area) -> np.ndarray | None:
    """(subject, cell), where the dissimilarities of several subjects are known."""
    if area.dissimilarity is None or len(area.dissimilarity) < 2:
        return None
    cells = np.triu_indices(area.dissimilarity.shape[1], 1)
    return area.dissimilarity[:, *cells]
