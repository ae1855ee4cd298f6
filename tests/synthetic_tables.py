"""Tables of imaginary studies of any size, as the figures read them, without score files."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cortiscope.report.across_models import CONTRASTS, CORRELATIONS, twins
from cortiscope.report.subjects import TABLE
from cortiscope.report.tables import HEADLINE

AREAS = ("VISp", "VISl", "VISrl", "VISal", "VISpm", "VISam", "V1", "V2", "V3", "V4", "MT", "MST",
         "LO", "FFA", "PPA", "EBA", "TEO", "IT", "PFC", "ventral_temporal", "HC")  # fmt: skip


def model_names(
    n_pairs: int, n_trained: int = 0, families: int = 6, long: bool = False
) -> dict[str, dict[str, str]]:
    """Trained and untrained twins, then trained models alone: name to labels.

    A family has several widths. long: names of thirty characters.
    """
    models = {}
    for number in range(n_pairs + n_trained):
        family = f"family{number % families}"
        architecture = f"{family}_w{number // families + 1}"
        if long:
            architecture = f"{family}_width{number // families + 1}_patch16_224".ljust(20, "x")
        kinds = ("trained", "untrained") if number < n_pairs else ("trained",)
        for kind in kinds:
            name = architecture if kind == "trained" else f"{architecture}_untrained"
            if long and kind == "trained":
                name += "_in1k"
            labels = {"family": family, "architecture": architecture, "training": kind}
            models[name] = labels | {"preprocessing": "resize=64 crop=64"}
    return models


def study_tables(
    models: Mapping[str, Mapping[str, str]],
    areas: Sequence[str] = AREAS[:3],
    mappings: Sequence[str] = ("ridge",),
    *,
    accuracies: bool = True,
    noise: float = 0.02,
    height: float = 0.5,
    ceiling: float = 0.7,
    n_layers: int = 12,
    n_subjects: int = 0,
) -> dict[str, pd.DataFrame]:
    """Tables of a study in which accuracy sets trained from untrained models apart, and no more.

    height: of the scores of trained models; 0: all scores are noise. ceiling: NaN where unknown.
    """
    random = np.random.default_rng(0)
    depth = np.linspace(0, 1, n_layers)
    skill = {name: float(row["training"] == "trained") for name, row in models.items()}
    top1 = {name: 70 * skill[name] + random.uniform(1, 15) for name in models}
    layers, best = [], []
    for mapping in mappings:
        for place, area in enumerate(areas):
            for name, row in models.items():
                score = height * (0.4 + 0.6 * skill[name]) + random.normal(scale=noise)
                peak = 0.3 + 0.6 * place / len(areas)
                curve = score * np.exp(-(((depth - peak) / 0.5) ** 2))
                curve += random.normal(scale=noise / 4, size=n_layers)
                known = {"mapping": mapping, "area": area, "model": name, **row}
                known |= {"ceiling": ceiling}
                layers.append(
                    pd.DataFrame(
                        known | {"layer": [f"layer{i}" for i in range(n_layers)],
                        "layer_index": range(n_layers), "depth": depth, "score": curve,
                        "score_low": curve - noise, "score_high": curve + noise,
                        "score_of_ceiling": curve / ceiling}
                    )
                )  # fmt: skip
                best.append(
                    known | {"top1": top1[name] if accuracies else np.nan, "score": score,
                    "score_low": score - noise, "score_high": score + noise, "p_value": 0.01,
                    "score_of_ceiling": score / ceiling, "best_layer": "layer3", "depth": peak}
                )  # fmt: skip
    headline = pd.DataFrame(best)
    return {
        "layers": pd.concat(layers, ignore_index=True),
        "accuracy_vs_brain": headline.reindex(columns=HEADLINE),
        "correlations": _correlations(headline),
        "contrasts": _contrasts(headline, noise),
        "subjects": _subjects(headline, n_subjects, noise),
    }


def _subjects(headline: pd.DataFrame, n_subjects: int, noise: float) -> pd.DataFrame:
    random, rows = np.random.default_rng(1), []
    for row in headline.to_dict("records"):
        about = {name: row[name] for name in ("model", "mapping", "area")}
        for number in range(n_subjects):
            score = row["score"] + random.normal(scale=noise)
            rows.append(about | {"subject": f"s{number}", "score": score})
    return pd.DataFrame(rows, columns=TABLE)


def _correlations(headline: pd.DataFrame) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for (mapping, area), found in headline.groupby(["mapping", "area"], sort=False):
        subsets = {"all": found, "trained": found[found["training"] == "trained"]}
        for models, members in subsets.items():
            known = members.dropna(subset=["top1", "score"])
            if len(known) < 3:
                continue
            r = float(np.corrcoef(known["top1"], known["score"])[0, 1])
            spread = 1.96 / np.sqrt(max(len(known) - 3, 1))
            low, high = np.tanh(np.arctanh(r) + np.array([-spread, spread]))
            rows.append(
                {"mapping": mapping, "area": area, "models": models, "accuracy": "top1",
                 "n_models": len(known), "r": r, "r_low": low, "r_high": high, "p_value": 0.0123,
                 "given": "nothing", "method": "pearson"}
            )  # fmt: skip
    return pd.DataFrame(rows, columns=CORRELATIONS)


def _contrasts(headline: pd.DataFrame, noise: float) -> pd.DataFrame:
    pairs = twins(headline).rename(
        columns={"model_trained": "trained_model", "model_untrained": "untrained_model"}
    )
    difference = pairs["score_trained"] - pairs["score_untrained"]
    p = np.where(difference.abs() > 2 * noise, 0.0004, 0.4)
    return pairs.assign(
        difference=difference, difference_low=difference - 2 * noise,
        difference_high=difference + 2 * noise, p_value=p, p_adjusted=p, correction="holm",
    ).reindex(columns=CONTRASTS)  # fmt: skip


def scenes() -> dict[str, dict[str, Any]]:
    """Studies of every size that figures must hold: arguments of `study_tables`."""
    return {
        "one by one": {"models": model_names(0, 1), "areas": ("IT",)},
        "three by two": {"models": model_names(1, 1), "areas": AREAS[:2]},
        "embedded": {
            "models": model_names(3, 2, families=3),
            "areas": ("V1", "V4", "IT"),
            "mappings": ("ridge", "rsa"),
        },
        "25 by 6": {
            "models": model_names(10, 5),
            "areas": AREAS[:6],
            "mappings": ("ridge", "rsa"),
        },
        "100 by 21": {
            "models": model_names(50, families=9),
            "areas": AREAS,
            "mappings": ("ridge", "rsa", "cka", "variance_partition"),
            "n_layers": 4,
        },
        "no accuracies": {
            "models": model_names(3),
            "areas": AREAS[:3],
            "mappings": ("rsa", "cka"),
            "accuracies": False,
            "ceiling": np.nan,
        },
        "noise": {
            "models": model_names(3),
            "areas": AREAS[:4],
            "height": 0.0,
            "ceiling": np.nan,
            "noise": 0.02,
        },
        "three pairs": {"models": model_names(3), "areas": AREAS[:4]},
        "twelve pairs": {"models": model_names(12), "areas": AREAS[:5]},
        "long names": {
            "models": model_names(10, 5, long=True),
            "areas": [f"inferior temporal cortex, site {i}" for i in range(5)],
            "mappings": ("ridge", "variance_partition"),
        },
        "few long names": {
            "models": model_names(6, long=True),
            "areas": AREAS[:4],
            "mappings": ("ridge", "rsa"),
        },
        "four widths": {"models": model_names(0, 12, families=3), "areas": AREAS[:2]},
    }
