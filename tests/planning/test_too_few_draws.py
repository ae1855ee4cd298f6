"""What is said of the number of draws is what the tables' own p-values and corrections do."""

import re

import numpy as np
import pandas as pd
import pytest
import yaml

from cortiscope.planning.checks.notes import corrected_together, too_few_draws
from cortiscope.planning.study import Study
from cortiscope.report.across_models import model_comparisons, twins
from cortiscope.statistics.multiple_comparisons import adjust
from cortiscope.statistics.resampling import p_value, paired_p_value
from tests.running import REPOSITORY

MODELS = ["shapenet5_untrained", "shapenet5_brief", "shapenet5"]


@pytest.fixture
def study(listed, monkeypatch):
    """Three models, of which two are twins of the third, in three areas."""
    monkeypatch.chdir(listed.folder)

    def load(**statistics):
        config = yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text())
        config["models"]["names"] = MODELS
        config["statistics"] = statistics
        return Study.load(config, REPOSITORY)

    return load


def enough(line):
    return int(re.search(r"give (\d+) or more", line)[1])


@pytest.mark.parametrize("correction", ["holm", "fdr"])
def test_so_many_resamples_are_just_enough(study, correction):
    """When all tests have the smallest p-value that there is."""
    lines = too_few_draws(study(bootstraps=10, correction=correction))
    assert [re.search(r"in (\S+) can", line)[1] for line in lines] == list(
        corrected_together(study())
    )
    for line, n_tests in zip(lines, corrected_together(study()).values(), strict=True):
        for count, below in ((enough(line), True), (enough(line) - 1, False)):
            smallest = paired_p_value(np.ones(count), np.zeros(count))
            assert (adjust(np.full(n_tests, smallest), correction).min() < 0.05) == below


def test_so_many_permutations_are_just_enough(study):
    (line,) = too_few_draws(study(permutations=5, bootstraps=0))
    assert p_value(1.0, np.zeros(enough(line))) < 0.05
    assert p_value(1.0, np.zeros(enough(line) - 1)) >= 0.05


def test_nothing_is_said_where_p_values_can_be_small_or_are_not_asked_for(study):
    assert not too_few_draws(study(permutations=100, bootstraps=500))
    assert not too_few_draws(study(permutations=0, bootstraps=0))


def test_tests_are_counted_as_the_tables_have_them(study):
    asked = study()
    rows = [
        {"mapping": "ridge", "area": area, "model": model, "score": 0.1} | asked.labels(model)
        for area in asked.areas
        for model in asked.models
    ]
    headline = pd.DataFrame(rows)
    pairs = model_comparisons(headline, [np.zeros(3)] * len(rows), "holm")
    assert corrected_together(asked) == {
        "contrasts.csv": len(twins(headline)),
        "model_comparisons.csv": len(pairs[pairs["area"] == "IT"]),
    }
    assert len(twins(headline)) == 6


def test_it_is_said_when_a_run_begins(listed, tmp_path):
    shown = listed.forked("-n", "--quiet", "rules", "host")  # 20 permutations, 50 bootstraps
    assert "note: config: statistics.bootstraps: with 50 none of 6 p_adjusted" in shown.stdout
