"""Tables over all models, each against another implementation or a known answer."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from synthetic_scores import Synthetic, zoo

from cortiscope.report import across_models, tables
from cortiscope.statistics.multiple_comparisons import ALL_PAIRS, compare_models

AREAS = ("V1", "V4", "IT")


def _constant(study: Synthetic, *heights: float) -> dict[tuple[str, str], np.ndarray]:
    """Scores of each layer, the same for every mapping and area."""
    return {(m, a): np.array(heights) for m in study.mappings for a in study.areas}


def _headline(n_models: int, **columns: np.ndarray) -> pd.DataFrame:
    """Rows of one mapping and area, of models that differ in all that can be held fixed."""
    random = np.random.default_rng(3)
    made = {
        "mapping": "ridge",
        "area": "IT",
        "model": [f"net{number}" for number in range(n_models)],
        "training": "trained",
        "top1": random.uniform(0, 100, n_models),
        "score": random.normal(size=n_models),
        "depth": random.uniform(size=n_models),
        "n_layers": random.integers(5, 99, n_models),
        "n_parameters": 10 ** random.uniform(4, 8, n_models),
        "n_features": 10 ** random.uniform(2, 6, n_models),
    }
    return pd.DataFrame(made | columns)


def test_correlation_leaves_out_unknown_accuracies(tmp_path: Path) -> None:
    study = Synthetic(tmp_path, ("IT",), ("ridge",), n_layers=1)
    paths = [
        study.add(f"net{i}", top1, _constant(study, 0.1 * i), architecture=f"net{i}")
        for i, top1 in enumerate((10.0, 20.0, 30.0, 40.0, None))
    ]
    found = tables.study_tables(paths, seed=0)
    row = found["correlations"].set_index(["models", "given"]).loc[("all", "nothing")]
    assert row["n_models"] == 4
    assert row["r"] == pytest.approx(1.0)
    assert row["p_value"] == pytest.approx(2 / 24)  # the order and its reverse, of all 24
    assert row["method"] == "pearson"
    assert found["accuracy_vs_brain"]["top1"].isna().tolist() == [False] * 4 + [True]
    assert len(found["contrasts"]) == 0


def test_the_interval_of_a_correlation_is_that_of_fisher() -> None:
    """Of normal points: the jackknife of many of them is no wider by more than chance."""
    random = np.random.default_rng(0)
    top1 = random.normal(size=400)
    models = _headline(400, top1=top1, score=top1 + random.normal(size=400))
    row = across_models.correlations(models, 0).iloc[0]
    expected = stats.pearsonr(models["top1"], models["score"])
    assert row["r"] == pytest.approx(expected.statistic)
    interval = expected.confidence_interval()
    np.testing.assert_allclose([row["r_low"], row["r_high"]], interval, atol=0.01)


def test_partial_correlations_hold_fixed_what_they_name() -> None:
    """Accuracy and score follow the logarithm of the parameters alone, and noise."""
    random = np.random.default_rng(0)
    size = random.uniform(4, 8, 60)
    noise = random.normal(scale=0.3, size=(2, 60))
    models = _headline(60, top1=size + noise[0], score=size + noise[1], n_parameters=10**size)
    table = across_models.correlations(models, 0)
    given = table[table["models"] == "all"].set_index("given")
    names = "depth, log n_parameters, n_layers, log n_features"
    assert list(given.index) == ["nothing", *names.split(", "), names]
    assert given.loc[["nothing", "depth", "n_layers"], "r"].min() > 0.8
    without = given.loc["log n_parameters"]
    left = [np.polynomial.Polynomial.fit(size, models[name], 1) for name in ("top1", "score")]
    expected = np.corrcoef(models["top1"] - left[0](size), models["score"] - left[1](size))[0, 1]
    assert without["r"] == pytest.approx(expected)
    assert without["r_low"] < expected < without["r_high"]
    assert without["p_value"] > 0.05 > given.loc["depth", "p_value"]
    assert set(given["method"][1:]) == {"partial pearson"}


def test_too_few_models_for_what_is_held_fixed_are_unknown() -> None:
    table = across_models.correlations(_headline(5), 0)
    given = table[table["models"] == "all"].set_index("given")
    assert np.isfinite(given["r"][:-1]).all()
    assert given[["r", "r_low", "r_high", "p_value"]].iloc[-1].isna().all()  # 5 models, 4 fixed
    assert (given["n_models"] == 5).all()
    assert across_models.correlations(_headline(2), 0).empty


def test_a_depth_that_no_layer_has_is_unknown() -> None:
    """As that of all layers together."""
    table = across_models.correlations(_headline(9, depth=np.full(9, np.nan)), 0)
    given = table.set_index(["models", "given"]).loc["all"]
    assert np.isnan(given.loc["depth", "r"])
    assert given.loc["depth", "n_models"] == 0
    assert np.isfinite(given.loc["n_layers", "r"])


def test_contrasts_pair_twins_only(tmp_path: Path) -> None:
    study = Synthetic(tmp_path, ("IT",), ("ridge",), n_layers=1, own_noise=0.001)
    untrained = {"training": "untrained"}
    paths = [
        study.add("good", 90.0, _constant(study, 0.5)),
        study.add("fair", 50.0, _constant(study, 0.3)),
        study.add("twin", 10.0, _constant(study, 0.2), **untrained),
        study.add("stranger", 10.0, _constant(study, 0.0), architecture="other", **untrained),
        study.add("larger", 10.0, _constant(study, 0.0), preprocessing="crop=128", **untrained),
    ]
    found = tables.study_tables(paths, seed=0)["contrasts"]
    pairs = zip(found["trained_model"], found["untrained_model"], strict=True)
    assert list(pairs) == [("good", "twin"), ("fair", "twin")]
    np.testing.assert_allclose(found["difference"], [0.3, 0.1])
    np.testing.assert_allclose(found["p_value"], 2 / 41)  # no draw of 40 below 0
    np.testing.assert_allclose(found["p_adjusted"], 4 / 41)
    assert set(found["correction"]) == {"holm"}
    # Draws are paired: what the stimuli share (0.03) cancels, what is left is 0.0014.
    assert ((found["difference_high"] - found["difference_low"]) < 0.01).all()


def test_every_pair_of_models_is_compared_once(tmp_path: Path) -> None:
    study = Synthetic(tmp_path, ("V1", "IT"), n_layers=1, own_noise=0.001)
    heights = {"good": 0.5, "fair": 0.3, "same": 0.3, "bad": 0.0}
    paths = [study.add(name, 50.0, _constant(study, h)) for name, h in heights.items()]
    found = tables.study_tables(paths, seed=0, correction="fdr")["model_comparisons"]
    assert len(found) == 2 * 2 * 6
    assert list(found.columns) == across_models.COMPARISONS
    here = found[(found["mapping"] == "rsa") & (found["area"] == "IT")]
    pairs = list(zip(here["first_model"], here["second_model"], strict=True))
    assert pairs[:3] == [("good", "fair"), ("good", "same"), ("good", "bad")]
    expected = [heights[a] - heights[b] for a, b in pairs]
    np.testing.assert_allclose(here["difference"], expected, atol=1e-12)
    assert (here["difference_low"] < here["difference"]).all()
    assert ((here["difference_high"] - here["difference_low"]) < 0.01).all()
    equal = here["difference"] == 0
    assert pairs[int(np.flatnonzero(equal)[0])] == ("fair", "same")
    np.testing.assert_allclose(here["p_value"][~equal], 2 / 41)
    assert here["p_value"][equal].item() > 0.05
    adjusted = stats.false_discovery_control(here["p_value"])
    np.testing.assert_allclose(here["p_adjusted"], adjusted)
    assert set(here["correction"]) == {"fdr"}


def test_of_many_models_the_best_and_twins_are_compared() -> None:
    """Each pair as if it were alone, also where a model has no score or lacks a draw."""
    random, n = np.random.default_rng(0), ALL_PAIRS + 3
    labels = {"family": "a", "preprocessing": "crop=64"}
    headline = _headline(n, **{name: np.full(n, label) for name, label in labels.items()})
    headline["architecture"] = [f"net{number // 2}" for number in range(n)]
    headline["training"] = ["untrained" if number % 2 else "trained" for number in range(n)]
    scores = headline["score"].to_numpy(copy=True)
    scores[7] = np.nan
    headline["score"] = scores
    draws = list(random.normal(size=(n, 40)))
    draws[9][3] = np.nan
    found = across_models.model_comparisons(headline, draws, "holm")
    best = int(np.nanargmax(scores))
    pairs = {tuple(sorted((best, other))) for other in range(n) if other != best}
    pairs |= {(trained, trained + 1) for trained in range(0, n - 1, 2)}
    numbers = [
        (int(first[3:]), int(second[3:]))
        for first, second in zip(found["first_model"], found["second_model"], strict=True)
    ]
    assert numbers == sorted(pairs)
    columns = ["difference_low", "difference", "difference_high", "p_value"]
    for pair, row in zip(numbers, found[columns].to_numpy(), strict=True):
        alone = compare_models(scores[list(pair)], np.stack([draws[i] for i in pair]), "holm")
        np.testing.assert_array_equal(
            row, np.ravel([alone.low, alone.difference, alone.high, alone.p])
        )


def test_hierarchy_states_the_best_depth_of_every_area(tmp_path: Path) -> None:
    """Net climbs with the areas, twin descends; layers 0, 2 and 4 of five are best."""
    study = Synthetic(tmp_path, AREAS, ("ridge",))
    best = dict(zip(AREAS, (0, 2, 4), strict=True))
    up = {("ridge", area): 0.5 * (np.arange(5) == layer) for area, layer in best.items()}
    down = {key: curve[::-1] for key, curve in up.items()}
    paths = [study.add("net", 50.0, up), study.add("twin", 50.0, down, training="untrained")]
    found = tables.study_tables(paths, seed=0, order=AREAS)["hierarchy"]
    assert list(found.columns) == across_models.HIERARCHY
    assert list(found["area"]) == [*AREAS] * 4
    rows = found.set_index(["model", "area"])
    assert list(rows.loc["net", "best_depth"]) == [0.0, 0.5, 1.0]
    assert list(rows.loc["net", "rank"]) == [1, 2, 3]
    assert list(rows.loc["twin", "best_depth"]) == [1.0, 0.5, 0.0]
    assert list(rows.loc["all models", "best_depth"]) == [0.5] * 3
    once = found.drop_duplicates("model").set_index("model")
    np.testing.assert_allclose(once["rho"], [1.0, -1.0, 0.0, 1.0], atol=1e-12)
    np.testing.assert_allclose(once["p_value"], [1 / 6, 1.0, 1.0, 1 / 6])


def test_hierarchy_without_an_order_is_a_header(tmp_path: Path) -> None:
    study = Synthetic(tmp_path, ("IT",), ("ridge",), n_layers=2)
    path = study.add("net", 50.0, _constant(study, 0.4, 0.2))
    table = tables.study_tables([path], seed=0)["hierarchy"]
    tables.write_csv(table, str(tmp_path / "hierarchy.csv"))
    header = (tmp_path / "hierarchy.csv").read_text()
    assert header == "mapping,model,area,rank,best_depth,rho,p_value\n"
    short = tables.study_tables([path], seed=0, order=["V1", "IT"])["hierarchy"]
    assert list(short["area"]) == ["IT"] * 3  # the area that was fitted, of each and of all
    assert short["rho"].isna().all()


def test_tables_of_a_zoo_repeat_to_the_bit(tmp_path: Path) -> None:
    study = zoo(tmp_path, AREAS, ("ridge", "rsa"), 6)
    paths = [model["path"] for model in study.models.values()]
    first = {name: Path(path).read_bytes() for name, path in study.write_tables(paths).items()}
    again = {name: Path(path).read_bytes() for name, path in study.write_tables(paths).items()}
    assert first == again
    hierarchy = pd.read_csv(tmp_path / "hierarchy.csv")
    assert (hierarchy[hierarchy["model"] == "trained models"]["rho"] > 0.9).all()
