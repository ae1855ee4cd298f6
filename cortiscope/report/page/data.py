"""What the page's charts and tables show, as small tables that its script reads.

A table travels by columns: texts once each with their places, numbers with five digits.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from cortiscope.report.best_layers import highest
from cortiscope.report.house_style import model_looks, number, p_text, records
from cortiscope.report.page.shapes import PATHS

GROUP = ["model", "mapping", "area"]
CHANCE = 95  # percent of the permutations score less
EXTREMES = 5  # neuroids that are predicted best, and worst
BINS = np.linspace(0, 1, 21)  # of the neuroids' ceilings
NUMBERS = ["score", "score_low", "score_high", "p_value"]


def models(headline: pd.DataFrame, architecture: Mapping[str, str]) -> pd.DataFrame:
    """A row per model, with the colour and shape that the study's figures draw it with."""
    columns = ["model", "family", "training", "top1", "top5", "accuracy_source"]
    rows = headline.drop_duplicates("model")[[*columns, "n_layers", "n_parameters"]]
    known = rows.assign(architecture=[architecture[model] for model in rows["model"]])
    looks, groups = model_looks(known)
    colours, markers = zip(*(looks[model] for model in rows["model"]), strict=True)
    key = "family" if known["family"].nunique() > 1 else "architecture"
    group = known[key].where(known[key].isin(list(groups)), "other") if groups else known["model"]
    return rows.assign(
        place=range(len(rows)),
        group=group,
        colour=[colour if colour.startswith("#") else "#999999" for colour in colours],
        shape=[PATHS[marker] for marker in markers],
    )


def scores(
    headline: pd.DataFrame, correlations: pd.DataFrame, chance: pd.DataFrame
) -> pd.DataFrame:
    """The headline with the score that chance reaches, and a line on each panel's correlation."""
    columns = ["best_layer", "depth", *NUMBERS, "ceiling", "score_of_ceiling", "n_features"]
    plain = correlations[(correlations["given"] == "nothing") & (correlations["models"] == "all")]
    note = {(row.mapping, row.area): _note(row) for row in records(plain.dropna(subset=["r"]))}
    rows = headline[[*GROUP, *columns]].merge(chance, on=GROUP, how="left")
    pairs = zip(rows["mapping"], rows["area"], strict=True)
    return rows.assign(note=[note.get(pair, "") for pair in pairs])


def _note(row: Any) -> str:
    low, high = number(row.r_low), number(row.r_high)
    return f"r = {number(row.r)} [{low}, {high}], p {p_text(row.p_value)}, n = {row.n_models}"


def chances(model_layers: Sequence[str]) -> pd.DataFrame:
    """Below which score 95 % of the permutations stay, of the highest of a model's layers.

    model_layers: the models' layer tables. NaN without permutations.
    """
    rows = []
    for path in model_layers:
        table = pd.read_parquet(path, columns=[*GROUP, "null"])
        for key, layers in table.groupby(GROUP, sort=False):
            null = highest([np.asarray(values, float) for values in layers["null"]])
            null = null[np.isfinite(null)]
            rows.append((*key, np.percentile(null, CHANCE) if null.size else np.nan))
    return pd.DataFrame(rows, columns=[*GROUP, "chance"])


def layers(table: pd.DataFrame, headline: pd.DataFrame) -> pd.DataFrame:
    """Every layer that has a depth; `best` of the one chosen most often."""
    rows = table.dropna(subset=["depth", "score"])[[*GROUP, "layer", "depth", *NUMBERS]]
    chosen = headline.set_index(GROUP)["best_layer"].to_dict()
    keys = zip(rows["model"], rows["mapping"], rows["area"], rows["layer"], strict=True)
    return rows.assign(best=[int(chosen.get(key[:3]) == key[3]) for key in keys])


def neuroids(scores_file: str, headline: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The neuroids that each model's best layer predicts best and worst; how many have a ceiling.

    Returns columns GROUP, `rank` (1 is the best), neuroid_id, score, p_value, ceiling; and `area`,
    `low`, `high`, `count`, of bins of the ceilings of neuroids. One model is in memory at a time.
    """
    wanted = headline[[*GROUP, "best_layer"]].rename(columns={"best_layer": "layer"})
    file, extremes = pq.ParquetFile(scores_file), []
    ceilings: dict[str, pd.Series] = {}
    for group in range(file.num_row_groups):
        table = file.read_row_group(group).to_pandas()
        table = table.astype(dict.fromkeys([*GROUP, "layer", "neuroid_id"], str))
        for area, rows in table.groupby("area", sort=False):
            if area not in ceilings:
                ceilings[str(area)] = rows.drop_duplicates("neuroid_id")["ceiling"]
        ranked = table.merge(wanted, on=[*GROUP, "layer"]).dropna(subset=["score"])
        ranked = ranked.sort_values("score", ascending=False, kind="stable")
        by_area = ranked.groupby(GROUP, sort=False)["score"]
        rank, size = by_area.cumcount() + 1, by_area.transform("size")
        kept = (rank <= EXTREMES) | (rank > np.maximum(size - EXTREMES, EXTREMES))
        extremes.append(ranked.assign(rank=rank)[kept])
    columns = [*GROUP, "rank", "neuroid_id", "score", "p_value", "ceiling"]
    found = pd.concat(extremes)[columns] if extremes else pd.DataFrame(columns=columns)
    return found, _counted(ceilings)


def _counted(ceilings: Mapping[str, pd.Series]) -> pd.DataFrame:
    rows = []
    for area, values in ceilings.items():
        counts, _ = np.histogram(values.dropna().clip(0, 1), BINS)
        bins = zip(BINS[:-1], BINS[1:], counts, strict=True)
        rows += [(area, low, high, count) for low, high, count in bins]
    return pd.DataFrame(rows, columns=["area", "low", "high", "count"])


def contrasts(table: pd.DataFrame) -> pd.DataFrame:
    """Pairs of twins; `model` is the trained one."""
    columns = ["difference", "difference_low", "difference_high", "p_adjusted"]
    pair = ["trained_model", "untrained_model", "mapping", "area"]
    rows = table.dropna(subset=["difference"])[[*pair, *columns]]
    return rows.rename(columns={"trained_model": "model"})


def hierarchy(table: pd.DataFrame) -> pd.DataFrame:
    """The best depths by the rank of the areas; of several models, only the mean of the trained."""
    rows = table[table["model"] != "all models"].dropna(subset=["best_depth"])
    return rows[[*GROUP, "rank", "best_depth", "rho", "p_value"]]


def packed(tables: Mapping[str, pd.DataFrame]) -> str:
    """Tables by columns, as JSON that may stand inside a script element."""
    every = {name: {key: _column(table[key]) for key in table} for name, table in tables.items()}
    text = json.dumps(every, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def _column(values: pd.Series) -> Any:
    if pd.api.types.is_numeric_dtype(values):
        return [_short(value) for value in values.astype(float).tolist()]
    codes, levels = pd.factorize(values.fillna("").astype(str))
    return {"levels": levels.tolist(), "codes": codes.tolist()}


def _short(value: float) -> float | int | None:
    if not np.isfinite(value):
        return None
    return int(value) if value.is_integer() else float(f"{value:.5g}")
