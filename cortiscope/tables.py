"""The study's tables: every layer, the best layer of each model, accuracy against score, twins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from cortiscope.files import replacing
from cortiscope.layer_weights import layer_weights
from cortiscope.model_tables import MEMBERS, with_provenance
from cortiscope.statistics import INTERVAL, correlation_with_interval, paired_p_value, weighted_mean

GROUP = ["mapping", "area"]
TRAINING = ("trained", "untrained")
# Of correlations over models: a study has few models, so that many draws cost nothing.
CORRELATION_DRAWS = 10_000
INTERNAL = ["bootstrap", "selection", "selection_data", "selection_ceiling", *MEMBERS]
HEADLINE = [
    "model", "family", "training", "top1", "top5", "accuracy_source", "area", "mapping",
    "best_layer", "depth", "score", "score_low", "score_high", "p_value", "ceiling",
    "score_of_ceiling", "n_neuroids", "n_layers", "n_parameters", "n_features", "selection",
    "protocol",
]  # fmt: skip
CORRELATIONS = [
    "mapping", "area", "models", "accuracy", "n_models", "r", "r_low", "r_high", "p_value",
]  # fmt: skip
CONTRASTS = [
    "mapping", "area", "family", "architecture", "trained_model", "untrained_model",
    "score_trained", "score_untrained", "difference", "difference_low", "difference_high",
    "p_value", "p_holm",
]  # fmt: skip


@dataclass(frozen=True)
class Best:
    """The best layer of a model for an area.

    layer: row of the layer chosen most often (ties: the higher mean score). score: mean over
    splits, both ways, of the score on the half that did not choose. draws: (draw,), bootstrap
    draws of the chosen layers, averaged and centred on the score. NaN = no layer could be scored.
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
    splits = np.arange(n_splits)
    # What half 0 chose is read on half 1, and the other way round.
    reported = np.stack([selection[chosen[:, 0], splits, 1], selection[chosen[:, 1], splits, 0]])
    score = float(weighted_mean(reported.ravel(), np.ones(reported.size)))
    times = np.bincount(chosen.ravel(), minlength=n_layers)
    mean = weighted_mean(selection.reshape(n_layers, -1), np.ones(2 * n_splits))
    often = np.where(times == times.max(), np.where(np.isfinite(mean), mean, -np.inf), -np.inf)
    layer = int(often.argmax()) if np.isfinite(often).any() else int(times.argmax())
    draws = bootstrap[chosen.ravel()].mean(axis=0)  # (split x half, draw) -> (draw,)
    centre = weighted_mean(draws, np.ones(len(draws)))
    return Best(layer, score, draws - centre + score)


def best_layers(table: pd.DataFrame) -> tuple[pd.DataFrame, list[np.ndarray]]:
    """The headline row of a model for each mapping and area, and the draws behind its interval.

    table: the layer table of one model. `p_value` is that of best_layer on all the data.
    """
    rows, all_draws = [], []
    for _, layers in table.groupby(GROUP, sort=False):
        layers = layers.sort_values("layer_index", kind="stable")
        halves = np.stack(layers["selection"].tolist())
        selection = halves.reshape(len(layers), -1, 2)  # (layer, split x half) -> (.., split, half)
        best = best_layer(selection, np.stack(layers["bootstrap"].tolist()))
        row = layers.iloc[best.layer]
        low, high = interval(best.draws)
        ceiling = row["selection_ceiling"]
        rows.append(
            row.to_dict()
            | {
                "best_layer": row["layer"],
                "score": best.score,
                "score_low": low,
                "score_high": high,
                "ceiling": ceiling,
                "score_of_ceiling": best.score / ceiling,
                "selection": in_words(row["selection_data"], selection.shape[1]),
            }
        )
        all_draws.append(best.draws)
    return pd.DataFrame(rows), all_draws


def in_words(data: str, n_splits: int) -> str:
    """How the best layer was chosen, for the reader of the table."""
    splits = "1 split" if n_splits == 1 else f"{n_splits} splits"
    return f"best layer on half the {data}, score on the other half; {splits}, both ways"


def interval(draws: np.ndarray) -> tuple[float, float]:
    """95 % interval of bootstrap draws; NaN without any."""
    finite = draws[np.isfinite(draws)]
    low, high = np.percentile(finite, INTERVAL) if finite.size else (np.nan, np.nan)
    return float(low), float(high)


def correlations(headline: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Pearson correlation, over models, of top-1 accuracy with the score, by mapping and area.

    `models`: all whose accuracy is known, or those trained; none for fewer than 3. The interval
    is over resampled models, the p-value two-sided over permuted ones.
    """
    rows = []
    for (mapping, area), found in headline.groupby(GROUP, sort=False):
        subsets = {"all": found, "trained": found[found["training"] == "trained"]}
        for models, members in subsets.items():
            found_r = correlation_with_interval(
                members["top1"].to_numpy(float),
                members["score"].to_numpy(float),
                CORRELATION_DRAWS,
                CORRELATION_DRAWS,
                seed,
            )
            if found_r.n >= 3:
                values = (found_r.r, found_r.low, found_r.high, found_r.p)
                rows.append((mapping, area, models, "top1", found_r.n, *values))
    return pd.DataFrame(rows, columns=CORRELATIONS)


def contrasts(headline: pd.DataFrame, draws: Sequence[np.ndarray]) -> pd.DataFrame:
    """Every trained model against its untrained twins: the same architecture and family.

    draws: of each row of the headline, paired between models since all resample the same stimuli.
    `p_value` is two-sided; `p_holm` is adjusted over the rows of a mapping.
    """
    pairs = twins(headline)
    a = [draws[row] for row in pairs["row_trained"]]
    b = [draws[row] for row in pairs["row_untrained"]]
    pairs["difference"] = pairs["score_trained"] - pairs["score_untrained"]
    spread = [interval(one - other) for one, other in zip(a, b, strict=True)]
    pairs["difference_low"] = [low for low, _ in spread]
    pairs["difference_high"] = [high for _, high in spread]
    pairs["p_value"] = [float(paired_p_value(*both)) for both in zip(a, b, strict=True)]
    pairs["p_holm"] = np.nan
    for _, tests in pairs.groupby("mapping", sort=False):
        pairs.loc[tests.index, "p_holm"] = holm(tests["p_value"].to_numpy(float))
    return pairs.rename(columns={f"model_{kind}": f"{kind}_model" for kind in TRAINING})[CONTRASTS]


def twins(headline: pd.DataFrame) -> pd.DataFrame:
    """Pairs of a trained and an untrained model of the same architecture and family.

    Returns a row per pair, mapping and area, ordered by these: what they share, and `model`,
    `score` and `row` (the place in the headline) of each with the suffix _trained or _untrained.
    """
    shared = [*GROUP, "family", "architecture"]
    known = headline.assign(row=range(len(headline)))[
        [*shared, "training", "model", "score", "row"]
    ]
    trained, untrained = (known[known["training"] == kind] for kind in TRAINING)
    pairs = trained.merge(untrained, on=shared, suffixes=("_trained", "_untrained"))
    place = pairs.groupby(GROUP, sort=False).ngroup()
    return pairs.loc[place.sort_values(kind="stable").index].reset_index(drop=True)


def holm(p: np.ndarray) -> np.ndarray:
    """Adjust p-values (test,) for their number, step down (Holm 1979); NaN stays and is no test.

    The k-th smallest of m becomes the largest of (m − j + 1) p_j over j ≤ k, at most 1.
    """
    adjusted = np.full(len(p), np.nan)
    order = np.argsort(p, kind="stable")[: np.isfinite(p).sum()]  # NaN is sorted last
    steps = len(order) - np.arange(len(order))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(steps * p[order]))
    return adjusted


def study_tables(layer_files: Sequence[str], seed: int) -> dict[str, pd.DataFrame]:
    """Make all tables but that of neuroids from the models' layer tables: name to table.

    The bootstrap draws of one model at a time are in memory; of its best layers, they are kept.
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
        "correlations": correlations(headline, seed),
        "contrasts": contrasts(headline, draws),
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
