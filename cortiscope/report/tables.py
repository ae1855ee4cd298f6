"""The study's tables: every layer, the best layer of each model, and what is said of all models."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from cortiscope.files import replacing
from cortiscope.report.across_models import (
    contrasts,
    correlations,
    hierarchies,
    model_comparisons,
)
from cortiscope.report.best_layers import OF_BEST, headline
from cortiscope.report.model_tables import MEMBERS
from cortiscope.report.parquet import with_provenance
from cortiscope.report.subjects import CEILINGS, LISTS, VARIANCES, subject_rows

INTERNAL = [
    "bootstrap", "stimulus_bootstrap", "null", "halved", "selection_ceiling", *OF_BEST, *MEMBERS,
    *LISTS, CEILINGS, *VARIANCES,
]  # fmt: skip
WEIGHTS = ["model", "mapping", "area", "layer", "depth", "weight"]
HEADLINE = [
    "model", "family", "training", "top1", "top5", "accuracy_source", "area", "mapping",
    "best_layer", "depth", "score", "score_low", "score_high", "p_value", "ceiling",
    "score_of_ceiling", "n_neuroids", "n_layers", "n_parameters", "n_features", "selection",
    "protocol", "n_selected", "n_scored", "neuroid_low", "neuroid_high", "n_subjects",
    "preprocessing", "preprocessing_source", "ceiling_source", "ceiling_p", "n_without_pattern",
    "selected_share", "score_own_layer", "subjects_p", "score_median", "noise_corrected_r2",
    "score_above_null", "n_stimuli", "between_subjects_low", "between_subjects_high",
    "null_method",
]  # fmt: skip


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
        rows, best_draws = headline(table)
        layer_tables.append(table.drop(columns=INTERNAL))
        weights.append(table.loc[table["layer_weights"].notna(), [*WEIGHTS[:3], *MEMBERS]])
        headlines.append(rows)
        draws += best_draws
    best = pd.concat(headlines, ignore_index=True)
    return {
        "layers": pd.concat(layer_tables, ignore_index=True),
        "layer_weights": layer_weights(pd.concat(weights, ignore_index=True)),
        "accuracy_vs_brain": best[HEADLINE],
        "subjects": subject_rows(best),
        "correlations": correlations(best, seed),
        "contrasts": contrasts(best, draws, correction),
        "model_comparisons": model_comparisons(best, draws, correction),
        "hierarchy": hierarchies(best, order, seed),
    }


def write_csv(table: pd.DataFrame, path: str) -> None:
    """Write a table whole or not at all; six digits, empty cells for NaN."""
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, float_format="%.6g", lineterminator="\n")


def read_tables(paths: Mapping[str, str]) -> dict[str, pd.DataFrame]:
    """Read the study's tables; labels stay text, also where they look like numbers."""
    labels = dict.fromkeys(
        ("model", "family", "architecture", "training", "mapping", "area", "layer", "best_layer",
         "trained_model", "untrained_model", "models", "subject"),
        str,
    )  # fmt: skip
    tables = {}
    for name, path in paths.items():
        tables[name] = pd.read_csv(path, dtype=labels, keep_default_na=False, na_values=[""])
    return tables


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


def layer_weights(table: pd.DataFrame) -> pd.DataFrame:
    """A row per layer of every score of all layers together, with its weight in it, 0 or more.

    table: rows of layer tables, of these scores. Empty where all mappings score layers singly.
    """
    names = dict(zip(MEMBERS, WEIGHTS[3:], strict=True))
    rows = table.explode(list(MEMBERS), ignore_index=True)
    return rows.rename(columns=names).astype({"depth": float, "weight": float})
