"""What is said of the subjects in whom an area was recorded, and what papers report beside r."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtri, stdtrit

from cortiscope.files import Group
from cortiscope.mappings.kinds import Kind
from cortiscope.report.ceilings import LEVEL, ceiling_name
from cortiscope.statistics.nested_bootstrap import interval, nested_bootstrap
from cortiscope.statistics.resampling import mean_of_known
from cortiscope.statistics.subjects import between_variance

SUBJECT = "subject"
# Columns of lists of a layer table, a value a subject, and what they are in a score file.
LISTS = {
    "subjects": SUBJECT,
    "subject_scores": "subject_score",
    "subject_null_means": "subject_null_mean",
    "subject_p_values": "subject_p_value",
    "subject_n_stimuli": "subject_n_stimuli",
    "subject_n_scored": "subject_n_scored",
}
CEILINGS = "subject_ceilings"  # another such column, from the ceilings file
VARIANCES = ("shared_variance", "own_variance")
TABLE = [
    "model", "mapping", "area", "subject", "layer", "score", "null_mean", "p_value", "ceiling",
    "score_of_ceiling", "n_stimuli", "n_neuroids",
]  # fmt: skip


def is_by_subject(content: Group) -> bool:
    """Whether the scores of a score file are means over subjects."""
    return "subject_score" in content.variables


def subject_columns(content: Group, kind: Kind, ceilings: Group) -> dict[str, Any]:
    """Of a layer table: LISTS, empty where an area is scored as one, VARIANCES and `subjects_p`.

    kind: of the mapping, which says what its ceiling is.
    """
    n_layers = len(content["layer"])
    if not is_by_subject(content):
        columns: dict[str, Any] = {
            name: [[] for _ in range(n_layers)] for name in (*LISTS, CEILINGS)
        }
        return columns | dict.fromkeys((*VARIANCES, "subjects_p"), np.nan)
    columns = {}
    for column, name in LISTS.items():
        values = content[name]
        columns[column] = list(np.broadcast_to(values, (n_layers, values.shape[-1])))
    columns[CEILINGS] = [_ceilings(content, kind, ceilings)] * n_layers
    columns |= {name: content[name].astype(float) for name in VARIANCES}
    columns["subjects_p"] = [
        subjects_p(float(score), own, float(shared), float(alone))
        for score, own, shared, alone in zip(
            content["area_score"],
            content["subject_score"],
            content["shared_variance"],
            content["own_variance"],
            strict=True,
        )
    ]
    return columns


def _ceilings(content: Group, kind: Kind, ceilings: Group) -> NDArray:
    """(subject,): each one's own; NaN where not known, not above 0 or not above chance."""
    subject = content[SUBJECT]
    found = np.full(len(subject), np.nan)
    name = ceiling_name(kind, content.attributes)
    if not name or "part" not in ceilings.variables:
        return found
    values, p = (ceilings[f"subject_{name}{end}"] for end in ("", "_p"))
    values = np.where((values > 0) & ~(p > LEVEL), values, np.nan) ** (2 if kind.squared else 1)
    known = dict(zip(ceilings["part"].tolist(), values.tolist(), strict=True))
    return np.array([known.get(name, np.nan) for name in subject.tolist()])


def subjects_p(score: float, scores: NDArray, shared: float, own: float) -> float:
    """One-sided p-value of a mean score over subjects against 0, for other subjects and stimuli.

    scores (subject,), NaN = not scored; shared, own: C and B of `statistics.subjects`. The p at
    which score² = max(t² A, z² B) + z² C, with A the variance that the spread of the K subjects
    gives their mean, t Student's quantile of K − 1 degrees of freedom and z the normal one: the
    interval of that level ends at 0. NaN for fewer than two subjects.
    """
    known = np.asarray(scores, dtype=float)  # an empty list has no type in a file
    known = known[np.isfinite(known)]
    if len(known) < 2 or not np.isfinite(score):
        return np.nan
    between = between_variance(known)

    def beyond(p: float) -> float:
        t, z = float(stdtrit(len(known) - 1, 1 - p)), float(ndtri(1 - p))
        return max(t**2 * between, z**2 * own) + z**2 * shared - score**2

    smallest = 1e-12
    if beyond(smallest) <= 0:  # no spread at all, or a score far above it
        tail = smallest
    else:
        tail = float(brentq(beyond, smallest, 0.5)) if beyond(0.5) < 0 else 0.5
    return tail if score > 0 else 1 - tail


def over_subjects(content: Group, n_draws: int) -> NDArray:
    """95 % intervals of each layer's score over other subjects, on these stimuli: (layer, 2).

    NaN for fewer than two subjects with a score, and without draws.
    """
    found = np.full((len(content["layer"]), 2), np.nan)
    if n_draws:
        for layer, scores in enumerate(content["subject_score"].astype(float)):
            found[layer] = interval(nested_bootstrap(scores, None, n_draws, seed=0))
    return found


def mean_over_neuroids(values: NDArray, content: Group) -> NDArray:
    """(layer,): of (layer, neuroid), over neuroids as the score is: the same for every subject."""
    number = content["subject_number"] if is_by_subject(content) else np.zeros(values.shape[1])
    of_each = [mean_of_known(values[:, number == subject]) for subject in np.unique(number)]
    return mean_of_known(np.stack(of_each, axis=1))


def beside_the_mean(content: Group, ceilings: Group) -> dict[str, NDArray]:
    """`score_median` and `noise_corrected_r2` (layer,), for mappings that score neuroids.

    The median over neuroids of r, and of r |r| / reliability, which is r² over reliability with
    the sign of r: of those of reliability above 0, and not cut off at 1. Of an area that is scored
    by subject, the mean over subjects of these. NaN where neuroids have no score, or no
    reliability.
    """
    n_layers = len(content["layer"])
    if "score" not in content.variables:
        return dict.fromkeys(("score_median", "noise_corrected_r2"), np.full(n_layers, np.nan))
    score = content["score"].astype(float)
    reliability = np.full(score.shape[1], np.nan)
    if "reliability" in ceilings.variables and len(ceilings["reliability"]) == len(reliability):
        reliability = ceilings["reliability"].astype(float)
    reliability = np.where(reliability > 0, reliability, np.nan)
    number = np.zeros(score.shape[1], int)
    if is_by_subject(content):
        number = content["subject_number"].astype(int)
    return {
        "score_median": _medians(score, number),
        "noise_corrected_r2": _medians(score * np.abs(score) / reliability, number),
    }


def _medians(values: NDArray, number: NDArray) -> NDArray:
    """(layer,): of (layer, neuroid), the mean over subjects of their medians; NaN is left out."""
    found = np.full((len(values), int(number.max(initial=0)) + 1), np.nan)
    for layer, row in enumerate(values):
        for subject in np.unique(number[np.isfinite(row)]):
            found[layer, subject] = np.median(row[(number == subject) & np.isfinite(row)])
    return mean_of_known(found)


def subject_rows(headline: pd.DataFrame) -> pd.DataFrame:
    """A row per model, mapping, area and subject: how the best layer scores in each.

    headline: rows of the best layers, with LISTS. The score is that of `best_layer` on all the
    subject's data.
    """
    rows = []
    for row in headline.to_dict("records"):
        of_layer = row["best_layer"] or np.nan
        for place, subject in enumerate(row["subjects"]):
            about = {name: row[name] for name in ("model", "mapping", "area")}
            values = {name: row[column][place] for name, column in _VALUES.items()}
            rows.append(about | {"subject": subject, "layer": of_layer} | _known(values))
    return pd.DataFrame(rows, columns=TABLE)


_VALUES = {
    "score": "subject_scores",
    "null_mean": "subject_null_means",
    "p_value": "subject_p_values",
    "n_stimuli": "subject_n_stimuli",
    "n_neuroids": "subject_n_scored",
    "ceiling": CEILINGS,
}


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    """With counts as whole numbers, and the share of the ceiling."""
    counts = {name: int(values[name]) for name in ("n_stimuli", "n_neuroids")}
    return {**values, **counts, "score_of_ceiling": values["score"] / values["ceiling"]}
