"""Tables over all models: accuracy against score, pairs of models, depth against hierarchy."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from cortiscope.networks.twins import SHARED
from cortiscope.report.best_layers import GROUP, interval
from cortiscope.report.hierarchy import hierarchy
from cortiscope.statistics.correlation_interval import correlation_interval
from cortiscope.statistics.multiple_comparisons import adjust, compare_models
from cortiscope.statistics.partial_correlation import partial_correlation
from cortiscope.statistics.resampling import (
    correlation_with_interval,
    mean_of_known,
    paired_p_value,
)

TRAINING = ("trained", "untrained")
# Of models or areas: a study has few of them, so that many orders cost nothing.
PERMUTATIONS = 10_000
NOTHING = "nothing"  # held fixed
# What accuracy and score may both follow: columns of the headline. Sizes span powers of ten.
COVARIATES = ("depth", "log n_parameters", "n_layers", "log n_features")
CORRELATIONS = [
    "mapping", "area", "models", "accuracy", "n_models", "r", "r_low", "r_high", "p_value", "given",
    "method",
]  # fmt: skip
CONTRASTS = [
    "mapping", "area", "family", "architecture", "trained_model", "untrained_model",
    "score_trained", "score_untrained", "difference", "difference_low", "difference_high",
    "p_value", "p_adjusted", "correction",
]  # fmt: skip
COMPARISONS = [
    "mapping", "area", "first_model", "second_model", "score_first", "score_second", "difference",
    "difference_low", "difference_high", "p_value", "p_adjusted", "correction",
]  # fmt: skip
HIERARCHY = ["mapping", "model", "area", "rank", "best_depth", "rho", "p_value"]


def correlations(headline: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Pearson correlation, over models, of top-1 accuracy with the score, by mapping and area.

    `models`: all whose accuracy is known, or those trained; none for fewer than 3. `given`: what
    was held fixed, a row each: nothing, then each of COVARIATES (`depth` and `n_features` those of
    the best layer), then all of them. `n_models`: those of which all that is known. The interval
    is that of `correlation_interval` or `partial_correlation`, the p-value two-sided over permuted
    models. NaN for too few models, or where nothing is left to correlate.
    """
    rows = []
    for (mapping, area), found in headline.groupby(GROUP, sort=False):
        subsets = {"all": found, "trained": found[found["training"] == "trained"]}
        for models, members in subsets.items():
            if members[["top1", "score"]].notna().all(axis=1).sum() >= 3:
                about = (mapping, area, models, "top1")
                rows += [(*about, *result) for result in _correlated(members, seed)]
    return pd.DataFrame(rows, columns=CORRELATIONS)


def _correlated(members: pd.DataFrame, seed: int) -> Iterator[tuple[object, ...]]:
    """n, r, its interval, its p-value, what was held fixed, and how."""
    x, y = members["top1"].to_numpy(float), members["score"].to_numpy(float)
    plain = correlation_with_interval(x, y, 0, PERMUTATIONS, seed)
    yield plain.n, plain.r, *correlation_interval(x, y), plain.p, NOTHING, "pearson"
    for names in (*((name,) for name in COVARIATES), COVARIATES):
        covariates = np.column_stack([_covariate(members, name) for name in names])
        given = partial_correlation(x, y, covariates, PERMUTATIONS, seed)
        values = (given.n, given.r, given.low, given.high, given.p)
        yield *values, ", ".join(names), "partial pearson"


def _covariate(members: pd.DataFrame, name: str) -> np.ndarray:
    values = members[name.removeprefix("log ")].to_numpy(float)
    if not name.startswith("log "):
        return values
    return np.log(np.where(values > 0, values, np.nan))


def contrasts(headline: pd.DataFrame, draws: Sequence[np.ndarray], correction: str) -> pd.DataFrame:
    """Every trained model against its untrained twins; see `twins`.

    draws: of each row of the headline, paired between models since all resample the same stimuli.
    `p_value` is two-sided; `p_adjusted` by `correction` over the rows of a mapping.
    """
    pairs = twins(headline).assign(correction=correction)
    a = [draws[row] for row in pairs["row_trained"]]
    b = [draws[row] for row in pairs["row_untrained"]]
    pairs["difference"] = pairs["score_trained"] - pairs["score_untrained"]
    spread = [interval(one - other) for one, other in zip(a, b, strict=True)]
    pairs["difference_low"] = [low for low, _ in spread]
    pairs["difference_high"] = [high for _, high in spread]
    pairs["p_value"] = [float(paired_p_value(*both)) for both in zip(a, b, strict=True)]
    pairs["p_adjusted"] = np.nan
    for _, tests in pairs.groupby("mapping", sort=False):
        adjusted = adjust(tests["p_value"].to_numpy(float), correction)
        pairs.loc[tests.index, "p_adjusted"] = adjusted
    return pairs.rename(columns={f"model_{kind}": f"{kind}_model" for kind in TRAINING})[CONTRASTS]


def twins(headline: pd.DataFrame) -> pd.DataFrame:
    """Pairs of a trained and an untrained model, as in `networks.twins`.

    Returns a row per pair, mapping and area, ordered by these: what they share, and `model`,
    `score` and `row` (the place in the headline) of each with the suffix _trained or _untrained.
    """
    shared = [*GROUP, *SHARED]
    known = headline.assign(row=range(len(headline)))[
        [*shared, "training", "model", "score", "row"]
    ]
    trained, untrained = (known[known["training"] == kind] for kind in TRAINING)
    pairs = trained.merge(untrained, on=shared, suffixes=("_trained", "_untrained"))
    place = pairs.groupby(GROUP, sort=False).ngroup()
    return pairs.loc[place.sort_values(kind="stable").index].reset_index(drop=True)


def model_comparisons(
    headline: pd.DataFrame, draws: Sequence[np.ndarray], correction: str
) -> pd.DataFrame:
    """Pairs of models, by mapping and area; `p_adjusted` is over the pairs of these.

    Every pair, or with more than ALL_PAIRS models the best one of the mapping and area with each
    other, and twins. draws: as for `contrasts`. See `multiple_comparisons.compare_models`.
    """
    frames, paired = [], twins(headline)[["row_trained", "row_untrained"]].to_numpy(int)
    for (mapping, area), found in headline.assign(row=range(len(headline))).groupby(
        GROUP, sort=False
    ):
        names, score = found["model"].to_numpy(), found["score"].to_numpy(float)
        drawn = np.stack([draws[row] for row in found["row"]])
        place = pd.Index(found["row"]).get_indexer(paired.ravel()).reshape(-1, 2)
        pairs = compare_models(score, drawn, correction, place[place[:, 0] >= 0])
        columns = {
            "mapping": mapping,
            "area": area,
            "first_model": names[pairs.first],
            "second_model": names[pairs.second],
            "score_first": score[pairs.first],
            "score_second": score[pairs.second],
            "difference": pairs.difference,
            "difference_low": pairs.low,
            "difference_high": pairs.high,
            "p_value": pairs.p,
            "p_adjusted": pairs.p_adjusted,
            "correction": correction,
        }
        frames.append(pd.DataFrame(columns, columns=COMPARISONS))
    return pd.concat(frames, ignore_index=True)


def hierarchies(headline: pd.DataFrame, order: Sequence[str], seed: int) -> pd.DataFrame:
    """The best depth of every area of a hierarchy, and its correlation with the area's rank.

    headline: with `best_depth`. order: areas, the lowest first; those that are not in the headline
    take no part. A row per mapping, model and area; then those of all models and of the trained
    ones, with the mean best depth. `rho` and `p_value` are those of all areas together: see
    `hierarchy.hierarchy`, NaN for fewer than three. Mappings that score all layers of a model
    together have no depth, and no row.
    """
    rows = []
    for mapping, found in headline.dropna(subset=["best_depth"]).groupby("mapping", sort=False):
        areas = [area for area in order if area in set(found["area"])]
        if not areas:
            continue
        models = found.drop_duplicates("model")
        names = models["model"].tolist()
        table = found.pivot(index="model", columns="area", values="best_depth")
        depths = table.reindex(index=names, columns=areas).to_numpy(float)  # (model, area)
        trained = (models["training"] == "trained").to_numpy()
        groups = [(name, depths[[row]]) for row, name in enumerate(names)]
        groups += [("all models", depths), ("trained models", depths[trained])]
        rank = np.arange(1.0, len(areas) + 1)
        for name, members in groups:
            result = hierarchy(members, rank, PERMUTATIONS, seed)
            mean = mean_of_known(members, axis=0)
            for area, place, depth in zip(areas, rank, mean, strict=True):
                rows.append((mapping, name, area, int(place), depth, result.rho, result.p))
    return pd.DataFrame(rows, columns=HIERARCHY)
