"""Ceilings that are given, in the tables."""

import numpy as np
import pandas as pd
import pytest

from cortiscope.noise_ceilings.noise import extended
from cortiscope.report.best_layers import headline
from cortiscope.report.ceilings import with_given
from tests.synthetic_scores import Synthetic

MAPPINGS = ("ridge", "variance_partition")


@pytest.fixture
def layers(tmp_path):
    """The layer table of a model by two mappings in two areas, selected on repetitions."""
    study = Synthetic(tmp_path, ("V1", "IT"), MAPPINGS, n_layers=2)
    scores = {(mapping, area): np.array([0.1, 0.3]) for mapping in MAPPINGS for area in study.areas}
    return pd.read_parquet(study.add("net", 50.0, scores))


def test_a_ceiling_that_is_given_takes_the_place_of_the_computed(layers):
    # A reliability of 0.4 between halves, made that of the whole.
    made = extended(np.array(0.4), 2.0)
    given = float(made.ceiling)
    found = with_given(layers, {mapping: {"IT": given} for mapping in MAPPINGS})
    assert (found.loc[found["area"] == "IT", "ceiling_source"] == "given").all()
    assert (found.loc[found["area"] == "V1", "ceiling_source"] == "computed").all()
    rows = found[found["area"] == "IT"].groupby("mapping").first()
    for mapping, power in (("ridge", 1), ("variance_partition", 2)):
        assert rows.loc[mapping, "ceiling"] == pytest.approx(given**power)
        assert rows.loc[mapping, "score_of_ceiling"] == pytest.approx(0.1 / given**power)
        half = float(made.ceiling_half) ** power
        assert rows.loc[mapping, "selection_ceiling"] == pytest.approx(half)
        best, _ = headline(found)
        best = best.set_index(["mapping", "area"]).loc[mapping, "IT"]
        assert best["score_of_ceiling"] == pytest.approx(0.3 / half)
        assert best["ceiling_source"] == "given"
    others = found["area"] == "V1"
    for column in ("ceiling", "selection_ceiling", "score_of_ceiling"):
        np.testing.assert_array_equal(found.loc[others, column], layers.loc[others, column])


def test_an_area_without_repetitions_has_the_ceiling_that_is_given(layers):
    unknown = ["ceiling", "selection_ceiling", "score_of_ceiling"]
    layers[unknown] = np.nan
    layers["halved"] = "stimuli"
    found = with_given(layers, {"ridge": {"IT": 0.8}})
    rows = (found["mapping"] == "ridge") & (found["area"] == "IT")
    assert (found.loc[rows, ["ceiling", "selection_ceiling"]] == 0.8).all(axis=None)
    np.testing.assert_allclose(found.loc[rows, "score_of_ceiling"], [0.1 / 0.8, 0.3 / 0.8])
    assert (found.loc[~rows, "ceiling_source"] == "unknown").all()
    assert found.loc[~rows, unknown].isna().all(axis=None)
