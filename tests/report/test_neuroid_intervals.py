"""Intervals over neuroids nested in subjects, from score files to tables."""

from dataclasses import replace
from pathlib import Path

import netCDF4
import numpy as np
import pytest

from cortiscope.noise_ceilings import ceilings
from cortiscope.report import tables
from cortiscope.statistics.nested_bootstrap import nested_bootstrap
from tests.synthetic_areas import area
from tests.synthetic_scores import Synthetic

SCORE = np.array([0.4, 0.1])


class Recorded(Synthetic):
    """Of two subjects, two neuroids each."""

    about = ("subject", np.array(["a", "a", "b", "b"], dtype=object))

    def write_ceilings(self) -> list[str]:
        paths = super().write_ceilings()
        for path in paths:
            name, value = self.about
            with netCDF4.Dataset(path, "a") as dataset:
                if name == "subject":
                    dataset.createVariable(name, str, ("neuroid",))[...] = value
                else:
                    dataset.setncattr(name, value)
        return paths


def layers_of(study: Synthetic) -> dict:
    scores = {(m, a): SCORE for m in study.mappings for a in study.areas}
    study.n_layers = len(SCORE)
    return tables.study_tables([study.add("net", 50.0, scores)], seed=0)


@pytest.mark.parametrize("kind", [Recorded, Synthetic])
def test_intervals_are_over_subjects_where_known(tmp_path: Path, kind: type) -> None:
    found = layers_of(kind(tmp_path, ("IT",)))
    layers = found["layers"].set_index(["mapping", "layer"])
    of_neuroids = np.array([-0.1, 0.1, 0.0, 0.0])
    subject = np.array(list("aabb")) if kind is Recorded else None
    for number, score in enumerate(SCORE):
        drawn = nested_bootstrap(score + of_neuroids, subject, 40, 0)
        row = layers.loc["ridge", f"layer{number}"]
        low, high = drawn.mean() + np.array([-1, 1]) * 1.959964 * drawn.std()
        assert row["neuroid_low"] == pytest.approx(low, abs=1e-6)
        assert row["neuroid_high"] == pytest.approx(high, abs=1e-6)
    assert (layers["n_subjects"] == (2 if kind is Recorded else 0)).all()
    assert layers.loc["rsa", ["neuroid_low", "neuroid_high"]].isna().all(axis=None)
    best = found["accuracy_vs_brain"].set_index("mapping").loc["ridge"]
    assert best["neuroid_low"] == pytest.approx(layers.loc["ridge", "layer0"]["neuroid_low"])


def test_the_headline_moves_the_interval_to_its_score(tmp_path: Path) -> None:
    study = Synthetic(tmp_path, ("IT",), ("ridge",), n_layers=1)
    paths = study.write_scores("net", {("ridge", "IT"): SCORE[:1]}, {("ridge", "IT"): [[[0.3] * 2]]
                               * np.ones((1, 2, 2))})  # fmt: skip
    found = tables.study_tables([study.tabulate("net", 50.0, paths)], seed=0)
    best, layer = found["accuracy_vs_brain"].iloc[0], found["layers"].iloc[0]
    assert best["score"] == pytest.approx(0.3)
    for end in ("neuroid_low", "neuroid_high"):
        assert best[end] == pytest.approx(layer[end] - 0.1)


def test_no_interval_over_what_is_no_sample(tmp_path: Path) -> None:
    """Mixtures made of dissimilarities; scores of areas that are no means; no draws."""
    rdms = Recorded(tmp_path / "rdms", ("IT",))
    rdms.about = ("known_by", "dissimilarities")
    assert layers_of(rdms)["layers"]["neuroid_low"].isna().all()
    without = replace(Synthetic(tmp_path / "none", ("IT",)), n_draws=0)
    assert layers_of(without)["layers"]["neuroid_low"].isna().all()
    median = Synthetic(tmp_path / "median", ("IT",), ("ridge",), n_layers=1)
    paths = median.write_scores(
        "net", {("ridge", "IT"): SCORE[:1]}, {("ridge", "IT"): np.ones((1, 2, 2))}
    )
    with netCDF4.Dataset(paths[0], "a") as dataset:
        dataset["area_score"][...] += 0.01
    found = tables.study_tables([median.tabulate("net", 50.0, paths)], seed=0)
    assert found["layers"]["neuroid_high"].isna().all()


def test_ceilings_say_who_was_recorded() -> None:
    brain = area(np.random.default_rng(0).normal(size=(20, 2, 3)))
    assert "subject" not in ceilings.area_ceilings(brain, 2, 0)[0]
    known = replace(brain, metadata={"subject": np.array([1, 1, 2])})
    found, _ = ceilings.area_ceilings(known, 2, 0)
    assert found["subject"].values.tolist() == ["1", "1", "2"]
