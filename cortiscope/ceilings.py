"""The ceilings of one area: of its neuroids, and of its dissimilarities."""

import numpy as np

from cortiscope.files import Variable
from cortiscope.noise import (
    Ceiling,
    rdm_split_half_ceiling,
    split_half_ceiling,
    subject_rdm_ceiling,
)
from cortiscope.responses import Area
from cortiscope.statistics import weighted_mean


def area_ceilings(area: Area, splits: int, seed: int) -> tuple[dict[str, Variable], int]:
    """The variables of a ceilings file, and how many neuroids are unreliable.

    Per neuroid `reliability`, `ceiling`, `ceiling_half` (correlations, up to 1); of the area
    `area_ceiling`, the weighted mean over neuroids with a ceiling, for mappings that predict
    neuroids, and `rdm_ceiling` for those that compare dissimilarities, between subjects where
    these are known. `_half`: of scores on half the repetitions. NaN = not known: one repetition
    or one subject, or nothing but noise (reliability not above 0), which is what is counted.
    """
    neuroids = _neuroid_ceilings(area, splits, seed)
    rdm = _rdm_ceiling(area, splits, seed)
    unknown = np.isfinite(neuroids.reliability) & ~np.isfinite(neuroids.ceiling)
    variables = {
        "neuroid_id": Variable(("neuroid",), area.neuroid_id),
        "weight": Variable(("neuroid",), area.weight),
        "reliability": Variable(("neuroid",), neuroids.reliability),
        "ceiling": Variable(("neuroid",), neuroids.ceiling),
        "ceiling_half": Variable(("neuroid",), neuroids.ceiling_half),
        "area_ceiling": Variable((), weighted_mean(neuroids.ceiling, area.weight)),
        "area_ceiling_half": Variable((), weighted_mean(neuroids.ceiling_half, area.weight)),
        "rdm_ceiling": Variable((), rdm.ceiling),
        "rdm_ceiling_half": Variable((), rdm.ceiling_half),
    }
    return variables, int(unknown.sum())


def _neuroid_ceilings(area: Area, splits: int, seed: int) -> Ceiling:
    if area.repeated:
        return split_half_ceiling(area.response, splits, seed)
    unknown = np.full(len(area.neuroid_id), np.nan)
    return Ceiling(unknown, unknown, unknown)


def _rdm_ceiling(area: Area, splits: int, seed: int) -> Ceiling:
    if area.dissimilarity is not None and len(area.dissimilarity) > 1:
        cells = np.triu_indices(area.dissimilarity.shape[1], 1)
        return subject_rdm_ceiling(area.dissimilarity[:, *cells], splits, seed)
    if area.repeated:
        return rdm_split_half_ceiling(area.response, splits, seed)
    unknown = np.array(np.nan)
    return Ceiling(unknown, unknown, unknown)
