"""The answer in words says what was planted in the tables, and no more than they hold."""

import numpy as np
import pandas as pd
import pytest

from cortiscope.report import across_models
from cortiscope.report.across_models import (
    HIERARCHY,
    contrasts,
    correlations,
    hierarchies,
    model_comparisons,
)
from cortiscope.report.page.answer import answer, lead
from cortiscope.report.tables import HEADLINE

DRAWS = 2000
AREAS = ("V1", "V2", "V4", "IT")
TEN = np.linspace(10, 80, 10)  # top-1 accuracies
UNRELATED = np.array([3, 1, 4, 1, 5, 9, 2, 6, 0, 3]) / 100  # r with TEN is about 0.1


@pytest.fixture(autouse=True)
def few_permutations(monkeypatch):
    """Enough for p < 0.001."""
    monkeypatch.setattr(across_models, "PERMUTATIONS", 2000)


def study(score, top1=TEN, areas=("IT",), ceiling=0.8, training="trained", **columns):
    """Tables of networks with these scores in every area; nan where the caller says so."""
    score, rows = np.asarray(score, float), []
    kinds = [training] * len(score) if isinstance(training, str) else training
    for area in areas:
        for number, (one, accuracy, kind) in enumerate(zip(score, top1, kinds, strict=True)):
            rows.append(
                {"model": f"net{number}", "family": f"family{number % 4}", "training": kind,
                 "architecture": f"net{number // 2}", "preprocessing": "crop", "top1": accuracy,
                 "accuracy_source": "measured", "area": area, "mapping": "ridge",
                 "best_layer": "conv3", "depth": 0.5, "best_depth": 0.5, "score": one,
                 "score_low": one - 0.02, "score_high": one + 0.02, "p_value": 0.01,
                 "ceiling": ceiling, "score_of_ceiling": one / ceiling, "ceiling_p": 0.01,
                 "n_layers": 5 + number % 3, "n_parameters": 1000 + 7 * (number % 5),
                 "n_features": 64, "n_subjects": 0, "selection": "best layer", **columns}
            )  # fmt: skip
    known = pd.DataFrame(rows)
    random = np.random.default_rng(0)
    draws = [one + random.normal(scale=0.01, size=DRAWS) for one in known["score"]]
    return {
        "accuracy_vs_brain": known.reindex(columns=HEADLINE),
        "correlations": correlations(known, 0),
        "contrasts": contrasts(known, draws, "holm"),
        "model_comparisons": model_comparisons(known, draws, "holm"),
        "hierarchy": hierarchies(known, areas, 0),
    }


def said(tables, question):
    """All that is said to the question that has these words in it."""
    (part,) = (part for part in answer(tables, DRAWS) if question in part.question)
    return " ".join(text for _, text in part.said)


def test_a_relation_is_told_with_its_numbers():
    tables = study(0.2 + TEN / 200 + UNRELATED / 10)
    words = said(tables, "better classifiers")
    row = tables["correlations"].iloc[0]
    assert "In IT, networks that classify better predict better: " in words
    assert f"r = {row['r']:.2f} (95 % interval {row['r_low']:.2f} to {row['r_high']:.2f})" in words
    assert "p < 0.001, 10 networks" in words
    assert "does not say that one makes the other" in said(tables, "cannot")
    assert "networks that classify better predict better" in lead(tables)


def test_a_relation_the_other_way_is_told_as_such():
    words = said(study(0.7 - TEN / 200), "better classifiers")
    assert "networks that classify better predict worse: r = −" in words


def test_no_relation_is_not_taken_for_one():
    tables = study(0.4 + UNRELATED)
    words = said(tables, "better classifiers")
    assert "In IT, no relation of accuracy with brain score is seen: r = " in words
    assert "predict better" not in words
    assert "does not say that one makes the other" not in said(tables, "cannot")


def test_a_relation_that_training_alone_makes_is_told_apart():
    """Within the trained networks accuracy tells nothing."""
    kinds = ["untrained", "trained"] * 5
    top1 = [1, 60, 1.2, 64, 0.9, 68, 1.1, 72, 1.3, 76]
    wavering = [0, 1, 0, -1, 0, 1, 0, -1, 0, 1]
    score = [
        0.5 + 0.01 * w if kind == "trained" else 0.1
        for kind, w in zip(kinds, wavering, strict=True)
    ]
    words = said(study(score, top1, training=kinds), "better classifiers")
    assert "that networks are trained may be what counts, not how well they do" in words


def test_the_best_network_and_its_rivals_are_named():
    tables = study([0.2, 0.5, 0.799, 0.8], TEN[:4], ceiling=0.9)
    words = said(tables, "best")
    assert words.startswith(
        "IT is explained best by net3 (layer conv3) with 0.80 (95 % interval 0.78 to 0.82), 89 % "
        "of the ceiling of 0.90."
    )
    assert "It cannot be told apart from net2 (" in words
    ahead = study([0.2, 0.5, 0.6, 0.8], TEN[:4], ceiling=0.9)
    assert "It is ahead of every other network" in said(ahead, "best")


def test_few_resamples_leave_networks_untold():
    tables = study([0.2, 0.5, 0.799, 0.8], TEN[:4])
    (part,) = (part for part in answer(tables, 100) if "best" in part.question)
    assert "told apart" not in part.said[0].text
    (part,) = (part for part in answer(tables, 100) if "cannot" in part.question)
    assert any("no p-value is small enough" in text for _, text in part.said)


def test_a_low_ceiling_is_a_limit_and_one_by_chance_is_none():
    assert "The ceiling is low in IT by ridge (0.20)" in said(
        study(UNRELATED, ceiling=0.2), "cannot"
    )
    tables = study(UNRELATED, ceiling=np.nan, ceiling_p=0.4)
    assert "Recordings of IT do not repeat by more than chance" in said(tables, "cannot")
    assert "do not repeat by more than chance" in said(tables, "best")
    unknown = study(UNRELATED, ceiling=np.nan, ceiling_p=np.nan)
    assert "How high a perfect model could score is not known in IT by ridge" in said(
        unknown, "cannot"
    )


def test_one_network_alone():
    tables = study([0.5], [70.0])
    assert "IT is explained by net0 (layer conv3), the only network, with 0.50" in said(
        tables, "best"
    )
    assert said(tables, "better classifiers").startswith("That cannot be said: 1 network has both")
    assert "no untrained network stands beside the trained ones" in said(tables, "training")
    assert "over so few" in said(tables, "cannot")


def test_all_untrained():
    words = said(study(UNRELATED + 0.2, training="untrained"), "training")
    assert words == "That cannot be said: no network of this study is trained."


def test_what_training_adds_and_takes():
    score = [0.1, 0.5, 0.12, 0.4, 0.3, 0.2]  # untrained, trained, ...
    tables = study(
        score, [1, 60, 1, 70, 1, 50], training=["untrained", "trained"] * 3, family="one"
    )
    words = said(tables, "training")
    assert words == (
        "In IT, training adds 0.19 on average over 3 pairs of twins (differences of −0.10 to "
        "0.40): beyond chance (adjusted p ≤ 0.05), 2 gain and 1 loses."
    )
    alone = study([0.3, 0.2], [1, 50], training=["untrained", "trained"], family="one")
    assert said(alone, "training").startswith(
        "In IT, training takes away 0.10 (95 % interval of the difference −0.1"
    )


def test_the_order_of_depths():
    known = study([0.5, 0.6], [50, 60], areas=AREAS)
    rows = [
        ("ridge", who, area, rank + 1, depth, 1.0, 1 / 24)
        for who in ("all models", "trained models")
        for rank, (area, depth) in enumerate(zip(AREAS, (0.1, 0.3, 0.5, 0.9), strict=True))
    ]
    table = pd.DataFrame(rows, columns=HIERARCHY)
    words = said(known | {"hierarchy": table}, "depth")
    assert "0.10 in V1, 0.30 in V2, 0.50 in V4 and 0.90 in IT" in words
    assert "deeper layers explain higher areas (ρ = 1.00, p = 0.042)" in words
    three = table[table["rank"] < 4].assign(p_value=1 / 6)
    assert "the few orders of 3 areas cannot give a p below 0.17" in said(
        known | {"hierarchy": three}, "depth"
    )
    reverse = table.assign(rho=-1.0, p_value=1.0)
    assert "does not follow the hierarchy" in said(known | {"hierarchy": reverse}, "depth")
    none = said(known | {"hierarchy": table.iloc[:0]}, "depth")
    assert none.startswith("The best layers lie at a mean depth of 0.50 in V1")


@pytest.mark.parametrize("p", [0.4, np.nan])
def test_scores_that_are_not_above_chance(p):
    tables = study([0.01, 0.02, 0.5], TEN[:3], p_value=p)
    words = said(tables, "cannot")
    if np.isnan(p):
        assert "No stimuli were permuted" in words
    else:
        assert "Of 3 scores, 3 are not above chance" in words
        assert "That is not above chance (p = 0.40)" in said(tables, "best")


def test_nothing_known():
    """Every number is NaN: whole sentences still, and none with a number that is not one."""
    tables = study([np.nan] * 3, [np.nan] * 3, ceiling=np.nan, depth=np.nan, best_layer="",
                   best_depth=np.nan, p_value=np.nan, ceiling_p=np.nan)  # fmt: skip
    parts = answer(tables, DRAWS)
    every = [text for part in parts for _, text in part.said]
    assert all(part.said for part in parts)
    assert all(text.endswith(".") for text in every)
    assert "nan" not in " ".join(every)
    assert "No network has a score in IT." in every
    assert "3 of 3 scores (a network, an area, a mapping) are missing." in every
    assert lead(tables) == ""
