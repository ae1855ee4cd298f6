"""Shares of what is explained, from score files to tables."""

from pathlib import Path

import numpy as np
import pytest

from cortiscope.files import Variable
from cortiscope.report import tables
from tests.synthetic_scores import Synthetic

SHARES = {"explained_layer": 0.5, "explained_low_level": 0.25, "explained_shared": 0.2}


class Divided(Synthetic):
    """Scores of `variance_partition` that are shares of variance."""

    def _variables(self, part, score, half, area, mapping):
        variables = super()._variables(part, score, half, area, mapping)
        if mapping == "variance_partition":
            for name, share in SHARES.items():
                values = np.full((len(part), 4), share, dtype=np.float32)
                variables[name] = Variable(("layer", "neuroid"), values)
        return variables


def test_shares_are_columns_and_ceilings_are_squared(tmp_path: Path) -> None:
    mappings = ("ridge", "rsa", "variance_partition")
    study = Divided(tmp_path, ("IT",), mappings, n_layers=2)
    scores = {(mapping, "IT"): np.array([0.1, 0.3]) for mapping in mappings}
    found = tables.study_tables([study.add("net", 50.0, scores)], seed=0)
    layers = found["layers"].groupby("mapping").first()
    best = found["accuracy_vs_brain"].set_index("mapping")
    # Of Synthetic: 0.8 for neuroids, 0.6 for RDMs, less 0.1 on half of the repetitions.
    for mapping, whole, half in (
        ("ridge", 0.8, 0.7),
        ("rsa", 0.6, 0.5),
        ("variance_partition", 0.36, 0.25),
    ):
        assert layers.loc[mapping, "ceiling"] == pytest.approx(whole)
        assert best.loc[mapping, "ceiling"] == pytest.approx(half)
        assert best.loc[mapping, "score_of_ceiling"] == pytest.approx(0.3 / half)
        assert layers.loc[mapping, "score_of_ceiling"] == pytest.approx(0.1 / whole)
    for name, share in SHARES.items():
        assert layers.loc["variance_partition", name] == pytest.approx(share)
        assert layers.loc[["ridge", "rsa"], name].isna().all()
