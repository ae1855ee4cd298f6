"""The tables: nothing is scored on the data that chose it, and every number has a known answer."""

from pathlib import Path

import netCDF4
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from scipy import stats
from synthetic_scores import PROVENANCE, Synthetic, zoo

from cortiscope.errors import InputError
from cortiscope.experiment.responses import Area
from cortiscope.noise_ceilings import ceilings
from cortiscope.report import model_tables, tables
from cortiscope.report.best_layers import highest, interval
from cortiscope.statistics.layer_choice import by_halves
from cortiscope.statistics.resampling import p_value


def _constant(study: Synthetic, *heights: float) -> dict[tuple[str, str], np.ndarray]:
    """Scores of each layer, the same for every mapping and area."""
    return {(m, a): np.array(heights) for m in study.mappings for a in study.areas}


def test_best_layer_of_nothing_is_unknown() -> None:
    best = by_halves(np.full((3, 2, 2), np.nan), np.zeros((3, 0)))
    assert np.isnan(best.score)
    assert np.isnan(interval(best.draws)).all()


def test_p_value_pays_for_the_choice_of_a_layer(tmp_path: Path) -> None:
    study = Synthetic(tmp_path, ("IT",), ("ridge",), n_layers=5)
    heights = np.array([0.0, 0.02, 0.1, 0.06, np.nan])
    path = study.add("net", 50.0, _constant(study, *heights))
    row = tables.study_tables([path], seed=0)["accuracy_vs_brain"].iloc[0]
    assert row["best_layer"] == "layer2"
    highest = study.null.max(axis=0)  # (permutation,)
    assert row["p_value"] == pytest.approx((1 + (highest >= 0.1).sum()) / 100)
    alone = (1 + (study.null[2] >= 0.1).sum()) / 100
    assert alone < row["p_value"] < 1


def test_p_values_of_the_best_of_many_layers_of_noise_are_uniform() -> None:
    """Layers are alike, so that their number does not count in full; the best one is reported."""
    random = np.random.default_rng(0)
    found, alone = [], []
    for _ in range(500):
        scores = random.normal(size=(20, 100)) + 2 * random.normal(size=100)
        best = scores[:, 0].argmax()
        found.append(float(p_value(scores[best, 0], highest(list(scores[:, 1:])))))
        alone.append(float(p_value(scores[best, 0], scores[best, 1:])))
    assert stats.kstest(found, "uniform").pvalue > 0.01
    assert stats.kstest(alone, "uniform").pvalue < 1e-6


def test_scores_without_their_null_have_no_p_value(tmp_path: Path) -> None:
    study = Synthetic(tmp_path, ("IT",), ("ridge",), n_layers=2)
    scores = _constant(study, 0.4, 0.2)
    halves = {key: value[:, None, None] * np.ones((1, 2, 2)) for key, value in scores.items()}
    paths = study.write_scores("net", scores, halves, blocks=2)
    with netCDF4.Dataset(paths[1], "a") as dataset:
        dataset.renameVariable("area_null", "of_another_version")
    table = tables.study_tables([study.tabulate("net", 50.0, paths)], seed=0)
    assert table["accuracy_vs_brain"]["p_value"].isna().all()
    assert "null" not in table["layers"]


def test_headline_states_the_layer_and_the_ceiling_of_the_same_data(tmp_path: Path) -> None:
    study = Synthetic(tmp_path, ("IT",), n_layers=3)
    path = study.add("net", 50.0, _constant(study, 0.1, 0.4, 0.2))
    table = tables.study_tables([path], seed=0)["accuracy_vs_brain"].set_index("mapping")
    assert list(table["best_layer"]) == ["layer1", "layer1"]
    assert list(table["depth"]) == [0.5, 0.5]
    assert list(table["n_neuroids"]) == [7, 7]  # as recorded
    assert list(table["n_selected"]) == [4, 4]
    np.testing.assert_allclose(table["score"], 0.4)
    np.testing.assert_allclose(table["ceiling"], [0.7, 0.5])  # of half the repetitions
    np.testing.assert_allclose(table["score_of_ceiling"], [0.4 / 0.7, 0.4 / 0.5])
    assert (table["score_low"] < 0.4).all()
    assert (table["score_high"] > 0.4).all()
    assert table.loc["ridge", "selection"].startswith("best layer on half the repetitions")
    assert "2 splits, both ways" in table.loc["ridge", "selection"]


@pytest.mark.parametrize(("p", "above"), [(0.05, True), (0.051, False), (np.nan, True)])
def test_a_ceiling_that_noise_reaches_is_none(tmp_path: Path, p: float, above: bool) -> None:
    study = Synthetic(tmp_path, ("IT",), n_layers=2)
    study.ceiling_p = p
    found = tables.study_tables([study.add("net", 50.0, _constant(study, 0.1, 0.4))], seed=0)
    for name in ("layers", "accuracy_vs_brain"):
        assert (found[name]["score_of_ceiling"].notna() == above).all()
        assert (found[name]["ceiling"].notna() == above).all()
        source = "computed" if above else "not above chance"
        assert (found[name]["ceiling_source"] == source).all()
        np.testing.assert_array_equal(found[name]["ceiling_p"], p)


def test_where_no_half_has_a_score_no_layer_is_the_best(tmp_path: Path) -> None:
    study = Synthetic(tmp_path, ("IT",), ("rsa",), n_layers=3)
    scores = _constant(study, 0.1, 0.4, 0.2)
    halves = {key: np.full((3, 2, 2), np.nan) for key in scores}
    paths = study.write_scores("net", scores, halves)
    with netCDF4.Dataset(paths[0], "a") as dataset:
        dataset["complete"][:] = [1, 1, 0, 1]
    found = tables.study_tables([study.tabulate("net", 50.0, paths)], seed=0)
    row = found["accuracy_vs_brain"].iloc[0]
    assert row["best_layer"] == ""
    assert np.isnan([row["depth"], row["score"]]).all()
    assert found["layers"]["n_scored"].tolist() == [3, 3, 3]


def test_halves_of_the_stimuli_have_the_full_ceiling(tmp_path: Path) -> None:
    study = Synthetic(tmp_path, ("IT",), n_layers=1, halved="stimuli")
    path = study.add("net", 50.0, _constant(study, 0.4))
    table = tables.study_tables([path], seed=0)["accuracy_vs_brain"]
    np.testing.assert_allclose(table["ceiling"], [0.8, 0.6])
    assert table["selection"].str.contains("half the stimuli").all()


def test_blocks_of_layers_give_the_same_tables(tmp_path: Path) -> None:
    found = []
    for blocks in (1, 5):
        study = Synthetic(tmp_path / str(blocks), ("V1", "IT"))
        scores = _constant(study, 0.1, 0.2, 0.5, 0.3, 0.2)
        halves = {key: np.tile(value[:, None, None], (1, 2, 2)) for key, value in scores.items()}
        paths = study.write_scores("net", scores, halves, blocks)
        layer_file = study.tabulate("net", 50.0, paths)
        written = study.write_tables([layer_file])
        found.append({name: Path(path).read_bytes() for name, path in written.items()})
        found[-1]["neuroids"] = (study.folder / "net.neuroids.parquet").read_bytes()
    assert found[0] == found[1]


def test_neuroids_and_their_join(tmp_path: Path) -> None:
    study = zoo(tmp_path, ("V1", "IT"), ("ridge", "rsa"), 3)
    parts = [str(tmp_path / f"{model}.neuroids.parquet") for model in study.models]
    joined = tmp_path / "scores.parquet"
    tables.join_parquet(parts, str(joined), PROVENANCE)
    file = pq.ParquetFile(joined)
    assert file.num_row_groups == 3
    assert b"synthetic" in file.schema_arrow.metadata[b"cortiscope"]
    frame = file.read().to_pandas()
    assert len(frame) == 3 * 2 * 8 * 4  # models, areas, layers, neuroids; of ridge only
    assert frame["score"].dtype == np.float32
    assert isinstance(frame["layer"].dtype, pd.CategoricalDtype)
    one = frame[(frame["model"] == "net0a") & (frame["area"] == "IT")]
    assert list(one["neuroid_id"][:4]) == ["IT-0", "IT-1", "IT-2", "IT-3"]
    assert list(one["layer"].unique()) == [f"layer{i}" for i in range(8)]
    np.testing.assert_allclose(one["score"][1::4].to_numpy() - one["score"][::4], 0.2, atol=1e-6)
    again = tmp_path / "again.parquet"
    tables.join_parquet(parts, str(again), PROVENANCE)
    assert again.read_bytes() == joined.read_bytes()


@pytest.mark.parametrize("attribute", ["model", "mapping", "area"])
def test_scores_of_another_job_are_refused(tmp_path: Path, attribute: str) -> None:
    study = Synthetic(tmp_path, ("IT",), ("ridge",), n_layers=1)
    scores = _constant(study, 0.4)
    halves = {key: value[:, None, None] * np.ones((1, 2, 2)) for key, value in scores.items()}
    [path] = study.write_scores("net", scores, halves)
    with netCDF4.Dataset(path, "a") as dataset:
        dataset.setncattr(attribute, "another")
    with pytest.raises(InputError, match=f"{attribute}: is 'another' where .* belongs; delete"):
        study.tabulate("net", 50.0, [path])


def test_missing_and_doubled_layers_are_refused(tmp_path: Path) -> None:
    study = Synthetic(tmp_path, ("IT",), ("ridge",), n_layers=2)
    scores = _constant(study, 0.4, 0.2)
    halves = {key: value[:, None, None] * np.ones((1, 2, 2)) for key, value in scores.items()}
    paths = study.write_scores("net", scores, halves, blocks=2)
    with pytest.raises(InputError, match="cover 1 of 2 layers in 1 rows"):
        study.tabulate("net", 50.0, paths[:1])
    with pytest.raises(InputError, match="cover 2 of 2 layers in 3 rows"):
        study.tabulate("net", 50.0, [*paths, paths[0]])
    with pytest.raises(InputError, match="'layer1' is not a layer of the model"):
        model_tables.model_tables(
            paths, study.write_ceilings(), study.write_accuracy("net", 1.0), "net",
            study.labels() | {"layers": study.labels()["layers"][:1]},
        )  # fmt: skip


def test_accuracy_of_another_model_is_refused(tmp_path: Path) -> None:
    study = Synthetic(tmp_path, ("IT",))
    path = study.write_accuracy("net", 50.0)
    with pytest.raises(InputError, match="does not hold one row, of model 'other'"):
        model_tables.read_accuracy(path, "other")


def _area(response: np.ndarray, dissimilarity: np.ndarray | None = None) -> Area:
    n_neuroids = response.shape[2]
    ids = np.array([f"n{i}" for i in range(n_neuroids)])
    stimuli = np.array([f"s{i}" for i in range(len(response))])
    return Area("IT", stimuli, ids, response, {}, dissimilarity)


def test_ceilings_recover_the_planted_reliability() -> None:
    random = np.random.default_rng(0)
    signal = random.normal(size=(400, 1, 20))
    noise = random.normal(scale=2.0, size=(400, 8, 20))
    response = signal + noise
    response[:, :, 0] = noise[:, :, 0]
    variables, n_unreliable = ceilings.area_ceilings(_area(response), splits=20, seed=0)
    reliability = 1 / (1 + 4 / 8)  # signal variance over that of the mean of eight
    assert variables["reliability"].values[1:].mean() == pytest.approx(reliability, abs=0.03)
    assert float(variables["area_ceiling"].values) == pytest.approx(reliability**0.5, abs=0.05)
    assert float(variables["area_ceiling_half"].values) == pytest.approx(0.5**0.5, abs=0.05)
    assert 0 < float(variables["rdm_ceiling_half"].values) < float(variables["rdm_ceiling"].values)
    unknown = ~np.isfinite(variables["ceiling"].values)
    assert n_unreliable == unknown.sum() <= 1
    assert not unknown[1:].any()


def test_ceilings_of_averages_and_of_subjects() -> None:
    random = np.random.default_rng(0)
    averaged = _area(random.normal(size=(20, 1, 3)))
    variables, n_unreliable = ceilings.area_ceilings(averaged, splits=2, seed=0)
    assert n_unreliable == 0  # not measured is not unreliable
    assert all(np.isnan(variables[name].values).all() for name in ("ceiling", "rdm_ceiling"))
    true = np.abs(random.normal(size=(1, 20, 20)))
    for spread, low, high in ((0.1, 0.9, 1.0), (3.0, 0.0, 0.8)):
        rdms = true + random.normal(scale=spread, size=(4, 20, 20))
        rdms = rdms + rdms.swapaxes(1, 2)
        area = _area(random.normal(size=(20, 1, 3)), rdms)
        variables, _ = ceilings.area_ceilings(area, splits=10, seed=0)
        assert low <= float(variables["rdm_ceiling"].values) <= high
        assert np.isnan(variables["area_ceiling"].values)
