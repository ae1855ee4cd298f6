"""The ceilings of one area: of its neuroids, and of its similarities between stimuli."""

from collections.abc import Sequence

import numpy as np

from cortiscope.experiment.copies import COPY_OF
from cortiscope.experiment.responses import Area
from cortiscope.files import Variable
from cortiscope.mappings.by_subject import Part, parts
from cortiscope.mappings.kinds import Kind
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
from cortiscope.noise_ceilings.subjects import (
    Stated,
    between_grams,
    between_rdms,
    distinct,
    mean_over_subjects,
    stated,
    upper,
)
from cortiscope.statistics.halves import halves

# Of mappings that predict neuroids, and of those that compare pairs of stimuli.
KINDS = {
    "area": Kind(()),
    "rdm": Kind(("rsa",), ceiling="rdm_ceiling"),
    "cka": Kind((), ceiling="cka_ceiling"),
}
UNKNOWN = extended(np.array(np.nan), np.nan)  # one repetition, or one subject


def area_ceilings(
    area: Area,
    splits: int,
    seed: int,
    dissimilarity: str = "pearson",
    comparison: str = "spearman",
    method: str = "split_half",
    subjects: str = "mean",
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
    subjects: `mean`, as scores are: each of these is the mean of the subjects' own, of whose
    neuroids and stimuli see `by_subject.parts`; or `pooled`.
    `_half`: of scores on half the repetitions. `_p`: that the halves agree by more than chance
    (see `chance`); of noise a ceiling may be above 0, and nothing is a share of it. NaN = not
    known: one repetition or one subject; per neuroid also nothing but noise (reliability not
    above 0), which is what is counted. `rdm_bound_low` to `rdm_bound_high`, `cka_bound_low` to
    `cka_bound_high`: what a model could reach that is the same for all subjects, see
    `subjects`. Of several subjects `part`, their names, and `subject_area_ceiling` and so on,
    each one's own. Also `subject`, in whom a neuroid was recorded, where the recording says so,
    and `copy_of`, the place in the area of the first neuroid that each is a copy of, if some
    are.
    """
    settings = {
        "statistics": {"subjects": subjects},
        "rsa": {"dissimilarity": dissimilarity, "comparison": comparison},
    }
    of = {name: parts(area, kind, settings) for name, kind in KINDS.items()}
    neuroids, means, medians = _of_neuroids(area, of["area"], splits, seed, method)
    rdms = [_rdm_ceiling(part.area, splits, seed, dissimilarity, comparison) for part in of["rdm"]]
    ckas = [_cka_ceiling(part.area, splits, seed) for part in of["cka"]]
    unreliable = np.isfinite(neuroids["reliability"]) & ~np.isfinite(neuroids["ceiling"])
    variables = {"neuroid_id": Variable(("neuroid",), area.neuroid_id)}
    for name, values in neuroids.items():
        variables[name] = Variable(("neuroid",), values)
    every = {"area": means, "median": medians, "rdm": _stated(rdms), "cka": _stated(ckas)}
    for name, own in every.items():
        for suffix, value in zip(("", "_half", "_p"), mean_over_subjects(own), strict=True):
            variables[f"{name}_ceiling{suffix}"] = Variable((), np.array(value))
        if len(own) > 1:
            of_each = np.array(own)  # (part, 3)
            variables[f"subject_{name}_ceiling"] = Variable(("part",), of_each[:, 0])
            variables[f"subject_{name}_ceiling_p"] = Variable(("part",), of_each[:, 2])
            names = np.array([part.subject for part in of["area"]])
            variables["part"] = Variable(("part",), names)
    bounds = {
        "rdm": between_rdms(area, of["rdm"], dissimilarity, comparison),
        "cka": between_grams(area, of["cka"]),
    }
    for name, bound in bounds.items():
        variables[f"{name}_bound_low"] = Variable((), np.array(bound.lower))
        variables[f"{name}_bound_high"] = Variable((), np.array(bound.upper))
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


def _of_neuroids(
    area: Area, of: Sequence[Part], splits: int, seed: int, method: str
) -> tuple[dict[str, np.ndarray], list[Stated], list[Stated]]:
    """Of each neuroid, name to (neuroid,); of each part the mean, and the median, over neuroids."""
    names = ("reliability", "ceiling", "ceiling_half")
    neuroids = {name: np.full(len(area.neuroid_id), np.nan) for name in names}
    means, medians = [], []
    for part in of:
        found = _neuroid_ceilings(part.area, splits, seed, method)
        for name in names:
            neuroids[name][part.neuroids] = getattr(found, name)
        n_repetitions, repeated = part.area.trials.shape[1], part.area.counts > 1
        p = np.nan
        if repeated.any():
            chosen = halves(n_repetitions, splits, seed)[:SPLITS]
            p = neuroids_p(part.area.trials, chosen, seed)
        means.append(Stated(*mean_ceilings(found, repeated.sum(axis=0), n_repetitions), p))
        noise = np.isfinite(found.reliability) & ~np.isfinite(found.ceiling)
        medians.append(
            Stated(
                _known_median(np.where(noise, 0.0, found.ceiling)),
                _known_median(np.where(noise, 0.0, found.ceiling_half)),
                p,
            )
        )
    return neuroids, means, medians


def _stated(found: Sequence[Ceiling]) -> list[Stated]:
    """Of each subject; of an area that is one as it is, NaN where it is nothing but noise."""
    if len(found) == 1:
        return [Stated(float(found[0].ceiling), float(found[0].ceiling_half), found[0].p)]
    return [stated(each) for each in found]


def _neuroid_ceilings(area: Area, splits: int, seed: int, method: str) -> Ceiling:
    if not (area.counts > 1).any():
        return extended(np.full(len(area.neuroid_id), np.nan), np.nan)
    if method == "oracle":
        return leave_one_repetition_out(area.trials).ceiling
    return split_half_ceiling(area.trials, splits, seed)


def _known_median(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else np.nan


def _rdm_ceiling(
    area: Area, splits: int, seed: int, dissimilarity: str, comparison: str
) -> Ceiling:
    cells = _subject_cells(area)
    if cells is not None:
        return subject_rdm_ceiling(cells, splits, seed, comparison)
    if area.mostly_repeated:
        return rdm_split_half_ceiling(area.trials, splits, seed, dissimilarity, comparison)
    return UNKNOWN


def _cka_ceiling(area: Area, splits: int, seed: int) -> Ceiling:
    cells = _subject_cells(area)
    if cells is not None:
        return subject_cka_ceiling(cells, splits, seed)
    return cka_split_half_ceiling(area.trials, splits, seed) if area.mostly_repeated else UNKNOWN


def _subject_cells(area: Area) -> np.ndarray | None:
    """(subject, cell), where the dissimilarities of several subjects are known."""
    if area.dissimilarity is None:
        return None
    cells = distinct(upper(area.dissimilarity))
    return cells if len(cells) > 1 else None
