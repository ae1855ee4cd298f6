"""The tables of one model: its layers against every area, and every neuroid of them."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from cortiscope.errors import InputError
from cortiscope.experiment.copies import copied_labels
from cortiscope.file_names import name_of
from cortiscope.files import REMADE, Group, Variable, read
from cortiscope.mappings.kinds import MAPPINGS, TOGETHER
from cortiscope.report.best_layers import COUNTS, best_columns, interval
from cortiscope.report.ceilings import area_ceilings, with_given
from cortiscope.report.subjects import (
    beside_the_mean,
    is_by_subject,
    mean_over_neuroids,
    over_subjects,
    subject_columns,
)
from cortiscope.statistics.nested_bootstrap import score_intervals

# Columns of lists, of the layers that are scored together, and what they are in a score file.
MEMBERS = {"members": "member", "member_depths": "member_depth", "layer_weights": "layer_weight"}
# Of mappings that divide what is explained: columns that are means over neuroids.
SHARES = ("explained_layer", "explained_low_level", "explained_shared")
NEUROID_VALUES = ("score", "null_mean", "p_value", "alpha", "ceiling")
MODEL_LABELS = ("family", "training", "architecture", "preprocessing", "preprocessing_source")
NEUROID_LABELS = ("model", "mapping", "area", "layer", "neuroid_id")
NEUROID_SCHEMA = pa.schema(
    [(name, pa.dictionary(pa.int32(), pa.string())) for name in NEUROID_LABELS]
    + [(name, pa.float32()) for name in NEUROID_VALUES]
)


@dataclass(frozen=True)
class Scores:
    """One score file: a block of a model's layers against an area, by a mapping."""

    path: str
    mapping: str
    area: str
    content: Group

    @property
    def of_neuroids(self) -> bool:
        """Whether the mapping scores each neuroid, or only the area as a whole."""
        return "score" in self.content.variables

    @property
    def counted(self) -> np.ndarray:
        """(layer, neuroid) bool, the neuroids that the score of the area is of."""
        if self.of_neuroids:
            return np.isfinite(self.content["score"])
        scored = np.isfinite(self.content["area_score"])[:, None]
        if is_by_subject(self.content):
            scored = np.isfinite(self.content["subject_score"])[:, self.content["subject_number"]]
        return scored & (self.content["complete"] > 0)


def read_scores(path: str, model: str) -> Scores:
    """Read a score file `{mapping}/{model}/{layers}/{area}.nc`.

    Errors: InputError where the file says that it is of another model, mapping or area than its
    place does: it was copied or renamed, and its scores would be credited to the wrong one.
    """
    mapping, area = _mapping_and_area(path)
    expected = {"model": model, "mapping": mapping, "area": area}
    content = read(path)
    for name, value in expected.items():
        found = content.attributes.get(name, value)
        if found != value:
            raise InputError(f"{path}: {name}", f"is {found!r} where {value!r} belongs", REMADE)
    return Scores(path, mapping, area, content)


def read_accuracy(path: str, model: str) -> dict[str, Any]:
    """Read top1 and top5 (percent, NaN = not known) and their source from a table of one row."""
    with Path(path).open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    if len(rows) != 1 or rows[0].get("model", model) != model:
        raise InputError(path, f"does not hold one row, of model {model!r}", REMADE)
    return {
        "top1": float(rows[0]["top1"] or "nan"),
        "top5": float(rows[0]["top5"] or "nan"),
        "accuracy_source": rows[0]["accuracy_source"],
    }


def layer_rows(
    scores: Scores, ceilings: Group, model: Mapping[str, Any], layers: Mapping[str, Any]
) -> pd.DataFrame:
    """One row per layer of a score file.

    model: the columns that all rows share; layers: layer name to its row of the layer table.
    `score`, `null_mean`, `p_value` are the area's; `score_low`, `score_high` the 95 % interval
    over resampled stimuli; `ceiling` that of all the data and `selection_ceiling` that of the
    data that the best layer is scored on (`halved`: half of the repetitions, or of the
    stimuli); `between_subjects_low` and `_high`: see `ceilings.Ceilings`. `best_single`: of all
    layers together, what the best of them scores alone on the same stimuli. SHARES: beside what
    only the layer explains, which is the score. `null`: the scores with stimuli permuted, if
    the file has them. `n_neuroids`: of the area as recorded, `n_selected`: those fitted,
    `n_scored`: those that count in the score; `n_without_pattern`: stimuli that have no
    dissimilarity to others, in the layer or the area, without whom a score would not compare
    with those of others; `at_edge`: the share of the neuroids that took the least or the
    largest strength of all. NaN = not known. See also `_counts` and `_over_neuroids`.
    """
    content, names = scores.content, scores.content["layer"].tolist()
    table = [_layer_of(name, layers, scores.path) for name in names]
    joint = "layer_weight" in content.variables
    found = area_ceilings(MAPPINGS[scores.mapping], content.attributes, ceilings)
    score, draws = content["area_score"], content["area_bootstrap"]
    without = Variable(("layer", "permutation"), np.empty((len(names), 0)))
    null = content.variables.get("area_null", without).values
    of_stimuli = draws
    if "stimulus_bootstrap" in content.variables:
        of_stimuli = content["stimulus_bootstrap"]
    low, high = np.array([interval(row) for row in draws]).T
    columns = {
        "mapping": scores.mapping,
        "protocol": content.attributes.get("protocol", ""),
        "area": scores.area,
        "layer": names,
        "layer_index": content["layer_index"].astype(int),
        "depth": content["depth"].astype(float),
        "kind": [row["kind"] for row in table],
        "n_features": [int(row["n_features"]) for row in table],
        "spread": content["spread"].astype(float),
        "leading_share": content["leading_share"].astype(float),
        "score": score,
        "score_above_null": score - content["area_null_mean"],
        **beside_the_mean(content, ceilings),
        "null_mean": content["area_null_mean"],
        "null_method": content.attributes.get("null_method", ""),
        "p_value": content["area_p_value"],
        "score_low": low,
        "score_high": high,
        "ceiling": found.whole,
        "score_of_ceiling": score / found.whole,
        "ceiling_p": found.p,
        "between_subjects_low": found.low,
        "between_subjects_high": found.high,
        "n_without_pattern": content["n_without_pattern"].astype(int),
        "at_edge": content["at_edge"].sum(axis=1),
        "n_stimuli": int(content["n_stimuli"]) if "n_stimuli" in content.variables else 0,
        "bootstrap": list(draws.astype(float)),
        "stimulus_bootstrap": list(of_stimuli.astype(float)),
        "null": list(null.astype(float)),
        "halved": content.attributes["halved"],
        "selection_ceiling": found.selected,
        "best_single": content["best_single"] if joint else np.nan,
    }
    for column, name in MEMBERS.items():
        columns[column] = [content[name].tolist() if joint else None] * len(names)
    for name in SHARES:
        known = name in content.variables
        columns[name] = mean_over_neuroids(content[name], content) if known else np.nan
    return pd.DataFrame(
        dict(model)
        | columns
        | _counts(scores, ceilings)
        | _over_neuroids(scores, ceilings)
        | subject_columns(content, MAPPINGS[scores.mapping], ceilings)
    )


def _counts(scores: Scores, ceilings: Group) -> dict[str, Any]:
    """`n_neuroids`, `n_selected`, `n_scored`, and `n_subjects`, of the neuroids that count.

    Of an area known by dissimilarities those of its neuroids are not known. `n_subjects`: 0 = not
    known.
    """
    about, subject = ceilings.attributes, ceilings.variables.get("subject")
    n_selected, n_scored = len(scores.content["neuroid_id"]), scores.counted.sum(axis=1)
    counts = [int(about.get("n_recorded", 0)) or n_selected, n_selected, n_scored]
    n_subjects = int(about.get("n_subjects", 0))
    if subject is not None:
        n_subjects = len(np.unique(subject.values[scores.counted.any(axis=0)]))
    if is_by_subject(scores.content):
        n_subjects = np.isfinite(scores.content["subject_score"]).sum(axis=1)
    if _known_by_dissimilarities(ceilings):
        counts = [pd.NA] * 3
    columns = {
        name: pd.array(np.broadcast_to(count, len(n_scored)).tolist(), dtype="Int64")
        for name, count in zip(COUNTS, counts, strict=True)
    }
    return columns | {"n_subjects": n_subjects}


def _known_by_dissimilarities(ceilings: Group) -> bool:
    return bool(ceilings.attributes.get("known_by") == "dissimilarities")


def _over_neuroids(scores: Scores, ceilings: Group) -> dict[str, Any]:
    """The 95 % interval of each layer's score over other neuroids, of other subjects if known.

    Of an area that is scored by subject, over subjects, each of whom counts the same. Copies of a
    neuroid, or of a subject, count as one of what is drawn. NaN where only the area is scored, or
    its neuroids are mixtures of unknown ones: no sample.
    """
    content, draws = scores.content, scores.content["area_bootstrap"].shape[1]
    subject = ceilings["subject"] if "subject" in ceilings.variables else None
    copy_of = ceilings["copy_of"] if "copy_of" in ceilings.variables else None
    if subject is not None and copy_of is not None:
        origin = copied_labels(copy_of, subject)  # a subject twice is one
        subject = np.array([origin.get(name, name) for name in subject.tolist()])
    found = np.full((len(content["layer"]), 2), np.nan)
    if is_by_subject(content):
        found = over_subjects(content, draws)
    elif scores.of_neuroids and not _known_by_dissimilarities(ceilings):
        scores_of = content["score"], content["area_score"]
        found = score_intervals(*scores_of, subject, draws, copy_of)
    return {"neuroid_low": found[:, 0], "neuroid_high": found[:, 1]}


def _layer_of(name: str, layers: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    if name == TOGETHER:
        n_features = sum(int(layer["n_features"]) for layer in layers.values())
        return {"kind": "", "n_features": n_features}
    if name not in layers:
        raise InputError(f"{path}: layer", f"{name!r} is not a layer of the model", REMADE)
    return layers[name]


def neuroid_rows(scores: Scores, ceilings: Group, model: str) -> pa.Table:
    """One row per layer and neuroid of a score file; none where only the area is scored.

    Errors: InputError where scores and ceilings are of different neuroids.
    """
    if not scores.of_neuroids:
        return NEUROID_SCHEMA.empty_table()
    content, ids = scores.content, scores.content["neuroid_id"]
    if not np.array_equal(ids, ceilings["neuroid_id"]):
        raise InputError(f"{scores.path}: neuroid_id", "differs from that of the ceilings", REMADE)
    names = content["layer"]
    n_layers, n_neuroids = len(names), len(ids)
    one = np.zeros(n_layers * n_neuroids, np.int32)
    labels = (
        (one, [model]),
        (one, [scores.mapping]),
        (one, [scores.area]),
        (np.repeat(np.arange(n_layers, dtype=np.int32), n_neuroids), names),
        (np.tile(np.arange(n_neuroids, dtype=np.int32), n_layers), ids),
    )
    columns = [_dictionary(codes, words) for codes, words in labels]
    for name in NEUROID_VALUES[:-1]:
        columns.append(pa.array(content[name].astype(np.float32).ravel()))
    columns.append(pa.array(np.tile(ceilings["ceiling"].astype(np.float32), n_layers)))
    return pa.Table.from_arrays(columns, schema=NEUROID_SCHEMA)


def _dictionary(codes: np.ndarray, words: Sequence[str] | np.ndarray) -> pa.Array:
    return pa.DictionaryArray.from_arrays(
        pa.array(codes), pa.array([str(word) for word in words], pa.string())
    )


def _mapping_and_area(path: str) -> tuple[str, str]:
    return Path(path).parts[-4], name_of(path)


def model_tables(
    score_files: Sequence[str],
    ceiling_files: Sequence[str],
    accuracy: str,
    model: str,
    labels: Mapping[str, Any],
    given: Mapping[str, Mapping[str, float]] | None = None,
    given_layers: Mapping[str, Mapping[str, str]] | None = None,
) -> tuple[pd.DataFrame, pa.Table]:
    """The layer table and the neuroid table of a model.

    labels: MODEL_LABELS, n_layers, n_parameters, and `layers`, the rows of the model's layer table.
    given: see `ceilings.with_given`; given_layers: mapping to area to a layer. Rows are
    ordered by mapping, area (as the files are) and layer.
    Errors: InputError for a file that belongs elsewhere, or layers missing or scored twice.
    """
    ceilings = {name_of(path): read(path) for path in ceiling_files}
    layers = {row["layer"]: row for row in labels["layers"]}
    shared: dict[str, Any] = {"model": model}
    shared |= {name: labels[name] for name in MODEL_LABELS}
    shared |= read_accuracy(accuracy, model)
    counts = {name: labels[name] for name in ("n_parameters", "n_layers")}
    frames, neuroids = [], []
    for (mapping, area), paths in groupby(score_files, key=_mapping_and_area):
        blocks = [read_scores(path, model) for path in paths]
        neuroids += [neuroid_rows(block, ceilings[area], model) for block in blocks]
        rows = pd.concat(
            [layer_rows(block, ceilings[area], shared, layers) for block in blocks],
            ignore_index=True,
        )
        if sorted(rows["layer"]) not in (sorted(layers), [TOGETHER]):
            raise InputError(
                f"scores of {model} by {mapping} in {area}",
                f"cover {rows['layer'].nunique()} of {len(layers)} layers in {len(rows)} rows",
                "run the workflow again",
            )
        layer = (given_layers or {}).get(mapping, {}).get(area)
        best = best_columns(rows, [block.content for block in blocks], layer)
        frames.append(rows.assign(**counts, **best))
    frame = with_given(pd.concat(frames, ignore_index=True), given or {})
    return frame, pa.concat_tables(neuroids).unify_dictionaries()
