"""The study's tables: every layer, the best layer of each model, and what is said of all models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from cortiscope.files import replacing
from cortiscope.report.across_models import (
    GROUP,
    contrasts,
    correlations,
    hierarchies,
    model_comparisons,
)
from cortiscope.report.hierarchy import best_depth
from cortiscope.report.layer_weights import layer_weights
from cortiscope.report.model_tables import COUNTS, MEMBERS, interval
from cortiscope.report.parquet import with_provenance
from cortiscope.report.subjects import LISTS, VARIANCES, subject_rows, subjects_p
from cortiscope.statistics.resampling import mean_of_known, p_value

INTERNAL = [
    "bootstrap", "null", "selection", "selection_data", "selection_ceiling", *MEMBERS, *LISTS,
    *VARIANCES,
]  # fmt: skip
HEADLINE = [
    "model", "family", "training", "top1", "top5", "accuracy_source", "area", "mapping",
    "best_layer", "depth", "score", "score_low", "score_high", "p_value", "ceiling",
    "score_of_ceiling", "n_neuroids", "n_layers", "n_parameters", "n_features", "selection",
    "protocol", "n_selected", "neuroid_low", "neuroid_high", "n_subjects", "preprocessing",
    "preprocessing_source", "ceiling_source", "ceiling_p", "n_without_pattern", "subjects_p",
    "score_median", "noise_corrected_r2", "score_above_null",
    "n_stimuli", "between_subjects_low", "between_subjects_high",
]  # fmt: skip


@dataclass(frozen=True)
class Best:
    """The best layer of a model for an area.

    layer: row of the layer chosen most often (ties: the higher mean score). score: mean over
    splits, both ways, of the score on the half that did not choose. draws: (draw,), bootstrap
    draws of the chosen layers, averaged and centred on the score. A half on which no layer could be
    scored chooses none. NaN = there is no other.
    """

    layer: int
    score: float
    draws: np.ndarray


def best_layer(selection: np.ndarray, bootstrap: np.ndarray) -> Best:
    """Choose the best layer on one half of the data and report it on the other, both ways.

    selection: (layer, split, half), scores on halves; bootstrap: (layer, draw). The score on all
    the data takes no part: the highest of many noisy scores is high by luck alone.
    """
    n_layers, n_splits, _ = selection.shape
    usable = np.where(np.isfinite(selection), selection, -np.inf)
    chosen = usable.argmax(axis=0)  # (split, half), chosen on this half
    known = usable.max(axis=0) > -np.inf  # (split, half)
    splits = np.arange(n_splits)
    # What half 0 chose is read on half 1, and the other way round.
    read = np.stack([selection[chosen[:, 0], splits, 1], selection[chosen[:, 1], splits, 0]], 1)
    reported = np.where(known, read, np.nan)
    score = float(mean_of_known(reported.ravel()))
    times = np.bincount(chosen[known], minlength=n_layers)
    mean = mean_of_known(selection.reshape(n_layers, -1))
    often = np.where(times == times.max(), np.where(np.isfinite(mean), mean, -np.inf), -np.inf)
    layer = int(often.argmax()) if np.isfinite(often).any() else int(times.argmax())
    # (split x half, draw) -> (draw,)
    draws = bootstrap[chosen[known]].mean(axis=0) if known.any() else bootstrap[layer] * np.nan
    centre = mean_of_known(draws)
    return Best(layer, score, draws - centre + score)


def best_layers(table: pd.DataFrame) -> tuple[pd.DataFrame, list[np.ndarray]]:
    """The headline row of a model for each mapping and area, and the draws behind its interval.

    table: the layer table of one model. `p_value` is that of the best layer's score on all the
    data among the highest of any layer's in each permutation, so that choosing a layer is paid
    for. `neuroid_low`, `neuroid_high`: its interval over neuroids, moved along with its score.
    `best_depth`: see `hierarchy.best_depth`.
    """
    rows, all_draws = [], []
    for _, layers in table.groupby(GROUP, sort=False):
        layers = layers.sort_values("layer_index", kind="stable")
        halves = np.stack(layers["selection"].tolist())
        selection = halves.reshape(len(layers), -1, 2)  # (layer, split x half) -> (.., split, half)
        best = best_layer(selection, np.stack(layers["bootstrap"].tolist()))
        row = layers.iloc[best.layer]
        low, high = interval(best.draws)
        ceiling, moved = row["selection_ceiling"], best.score - row["score"]
        rows.append(
            row.to_dict()
            | {
                "best_layer": row["layer"] if np.isfinite(best.score) else "",
                "depth": row["depth"] if np.isfinite(best.score) else np.nan,
                "best_depth": best_depth(selection, layers["depth"].to_numpy(float)),
                "score": best.score,
                "score_low": low,
                "score_high": high,
                "neuroid_low": row["neuroid_low"] + moved,
                "neuroid_high": row["neuroid_high"] + moved,
                "p_value": float(p_value(row["score"], highest(layers["null"].tolist()))),
                "subjects_p": subjects_p(
                    best.score, row["subject_scores"], *(row[name] for name in VARIANCES)
                ),
                "score_above_null": best.score - row["null_mean"],
                "ceiling": ceiling,
                "score_of_ceiling": best.score / ceiling,
                "selection": in_words(row["selection_data"], selection.shape[1]),
            }
        )
        all_draws.append(best.draws)
    return pd.DataFrame(rows).astype(dict.fromkeys(COUNTS, "Int64")), all_draws


def highest(nulls: Sequence[np.ndarray]) -> np.ndarray:
    """The highest null score of any layer: (permutation,), of as many as every layer has.

    nulls: of each layer (permutation,), of the same permutations of the stimuli; NaN = not scored.
    Against it the p-values of all layers hold together, whatever the dependence between layers
    (Westfall and Young 1993, Resampling-based multiple testing; Nichols and Holmes 2002, Hum Brain
    Mapp 15:1).
    """
    known = min(len(null) for null in nulls)
    return np.asarray(np.fmax.reduce([null[:known] for null in nulls]))


def in_words(data: str, n_splits: int) -> str:
    """How the best layer was chosen, for the reader of the table."""
    splits = "1 split" if n_splits == 1 else f"{n_splits} splits"
    return f"best layer on half the {data}, score on the other half; {splits}, both ways"


def study_tables(
    layer_files: Sequence[str], seed: int, correction: str = "holm", order: Sequence[str] = ()
) -> dict[str, pd.DataFrame]:
    """Make all tables but that of neuroids from the models' layer tables: name to table.

    correction: of p-values for their number, a name in `multiple_comparisons.METHODS`. order: of
    the areas in the hierarchy, the lowest first. The bootstrap draws of one model at a time are in
    memory; of its best layers, they are kept.
    """
    layer_tables, weights, headlines, draws = [], [], [], []
    for path in layer_files:
        table = pd.read_parquet(path)
        rows, best_draws = best_layers(table)
        layer_tables.append(table.drop(columns=INTERNAL))
        weights.append(layer_weights(table))
        headlines.append(rows)
        draws += best_draws
    headline = pd.concat(headlines, ignore_index=True)
    return {
        "layers": pd.concat(layer_tables, ignore_index=True),
        "layer_weights": pd.concat(weights, ignore_index=True),
        "accuracy_vs_brain": headline[HEADLINE],
        "subjects": subject_rows(headline),
        "correlations": correlations(headline, seed),
        "contrasts": contrasts(headline, draws, correction),
        "model_comparisons": model_comparisons(headline, draws, correction),
        "hierarchy": hierarchies(headline, order, seed),
    }


def write_csv(table: pd.DataFrame, path: str) -> None:
    """Write a table whole or not at all; six digits, empty cells for NaN."""
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, float_format="%.6g", lineterminator="\n")


def join_parquet(parts: Sequence[str], path: str, provenance: Mapping[str, Any]) -> None:
    """Append Parquet tables to one, a row group each: only one of them is ever in memory."""
    with replacing(path) as temporary:
        schema = with_provenance(pq.read_schema(parts[0]).empty_table(), provenance).schema
        with pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
            for part in parts:
                table = pq.read_table(part)
                writer.write_table(
                    table.replace_schema_metadata(schema.metadata),
                    row_group_size=max(1, len(table)),
                )
