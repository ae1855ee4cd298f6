"""The best layer of a model for each mapping and area: chosen, and scored.

How, is in `statistics.layer_choice`; here the score files and the layer table of a model meet.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from cortiscope.files import Group
from cortiscope.report.subjects import VARIANCES, subjects_p
from cortiscope.statistics.layer_choice import (
    Choice,
    by_draws,
    by_halves,
    own_layers,
    with_draws,
)
from cortiscope.statistics.resampling import INTERVAL, mean_of_known, p_value

GROUP = ["mapping", "area"]
COUNTS = ("n_neuroids", "n_selected", "n_scored")
# Of a mapping and area, repeated in the rows of its layers.
OF_BEST = ["best_score", "score_own_layer", "selection", "best_p_value"]


def best_columns(rows: pd.DataFrame, files: Sequence[Group], given: str | None) -> dict[str, Any]:
    """What is known of the best layer of a model, by a mapping and for an area.

    rows: of the layer table, those of the mapping and area; files: the score files that they come
    from, in their order; given: the layer, if it is. `selected_share` (layer,), the share of the
    data for which the layer was chosen as the best; `best_score` of those that were;
    `score_own_layer`, the same where every neuroid chooses for itself, in resamples (NaN where
    neuroids are not predicted, or there is one layer); `selection`, how, in words; and
    `best_p_value`, of the highest score of any layer among the highest in each permutation.
    """
    score, draws = rows["score"].to_numpy(float), np.stack(rows["bootstrap"].tolist())
    own_layer = _of_own_layers(files) if len(rows) > 1 else np.nan
    p = float(p_value(np.fmax.reduce(score), highest(rows["null"].tolist())))
    if given is not None:
        chosen = rows["layer"].to_numpy() == given
        choice, words = _only(np.flatnonzero(chosen)[0], score, draws), "layer given"
        p = float(rows["p_value"].to_numpy(float)[chosen][0])
    elif "selection_score" in files[0].variables:
        selection = _joined(files, "selection_score")
        choice = by_halves(selection, draws)
        words = in_words(str(files[0].attributes["halved"]), selection.shape[1])
    elif len(rows) == 1:
        choice, words = _only(0, score, draws), "one score of the model"
    else:
        # Of subjects too the draws of the mean are, which has been measured in these.
        of_stimuli = np.stack(rows["stimulus_bootstrap"].tolist())
        choice = by_draws(score, of_stimuli, draws)
        words = "best layer in each resample, score less what the resample added"
    return {
        "selected_share": choice.shares,
        "best_score": choice.score,
        "score_own_layer": own_layer,
        "selection": words,
        "best_p_value": p,
    }


def _only(layer: int, score: np.ndarray, draws: np.ndarray) -> Choice:
    shares = np.zeros(len(score))
    shares[layer] = np.isfinite(score[layer])
    return with_draws(float(score[layer]), shares, draws)


def _of_own_layers(files: Sequence[Group]) -> float:
    """The score of the area where every neuroid chooses its own layers; NaN where none does."""
    if "neuroid_bootstrap" not in files[0].variables:
        return float("nan")
    score = own_layers(_joined(files, "score"), _joined(files, "neuroid_bootstrap"))
    number = files[0].variables.get("subject_number")
    subject = np.zeros(len(score)) if number is None else number.values
    each = [mean_of_known(score[subject == one]) for one in np.unique(subject)]
    return float(mean_of_known(np.array(each)))


def _joined(files: Sequence[Group], name: str) -> np.ndarray:
    """A variable (layer, ...) of all blocks of layers."""
    return np.concatenate([file[name] for file in files]).astype(float)


def headline(table: pd.DataFrame) -> tuple[pd.DataFrame, list[np.ndarray]]:
    """The headline row of a model for each mapping and area, and the draws behind its interval.

    table: the layer table of one model, with `best_columns`. The row is that of the layer
    chosen most often (ties: of the highest score). `neuroid_low`, `neuroid_high`: its interval over
    neuroids, moved along with its score. `best_depth`: mean depth of the layers chosen.
    """
    rows, all_draws = [], []
    for _, layers in table.groupby(GROUP, sort=False):
        layers = layers.sort_values("layer_index", kind="stable")
        shares, score = (layers[name].to_numpy(float) for name in ("selected_share", "score"))
        draws = np.stack(layers["bootstrap"].tolist())
        best = with_draws(float(layers["best_score"].iloc[0]), shares, draws)
        row = layers.iloc[best.layer(score)]
        low, high = interval(best.draws)
        known, moved = np.isfinite(best.score), best.score - row["score"]
        ceiling = row["selection_ceiling"]
        rows.append(
            row.to_dict()
            | {
                "best_layer": row["layer"] if known else "",
                "depth": row["depth"] if known else np.nan,
                "best_depth": best_depth(shares, layers["depth"].to_numpy(float)),
                "score": best.score,
                "score_low": low,
                "score_high": high,
                "neuroid_low": row["neuroid_low"] + moved,
                "neuroid_high": row["neuroid_high"] + moved,
                "p_value": row["best_p_value"],
                "subjects_p": subjects_p(
                    best.score, row["subject_scores"], *(row[name] for name in VARIANCES)
                ),
                "score_above_null": best.score - row["null_mean"],
                "ceiling": ceiling,
                "score_of_ceiling": best.score / ceiling,
            }
        )
        all_draws.append(best.draws)
    return pd.DataFrame(rows).astype(dict.fromkeys(COUNTS, "Int64")), all_draws


def best_depth(shares: np.ndarray, depth: np.ndarray) -> float:
    """Mean depth (layer,) of the layers chosen, by their shares (layer,); NaN where none was.

    Of all layers together, which have no depth, NaN too.
    """
    chosen = shares > 0
    return float(shares[chosen] @ depth[chosen]) if chosen.any() else np.nan


def highest(nulls: Sequence[np.ndarray]) -> np.ndarray:
    """The highest null score of any layer: (permutation,), of as many as every layer has.

    nulls: of each layer (permutation,), of the same permutations of the stimuli; NaN = not scored.
    Against it the p-values of all layers hold together, whatever the dependence between layers
    (Westfall and Young 1993, Resampling-based multiple testing; Nichols and Holmes 2002, Hum Brain
    Mapp 15:1), and that of the highest score of any layer is one.
    """
    known = min(len(null) for null in nulls)
    return np.asarray(np.fmax.reduce([null[:known] for null in nulls]))


def in_words(data: str, n_splits: int) -> str:
    """How the best layer was chosen by halves, for the reader of the table."""
    splits = "1 split" if n_splits == 1 else f"{n_splits} splits"
    return f"best layer on half the {data}, score on the other half; {splits}, both ways"


def interval(draws: np.ndarray) -> tuple[float, float]:
    """95 % interval of bootstrap draws; NaN without any."""
    finite = draws[np.isfinite(draws)]
    low, high = np.percentile(finite, INTERVAL) if finite.size else (np.nan, np.nan)
    return float(low), float(high)
