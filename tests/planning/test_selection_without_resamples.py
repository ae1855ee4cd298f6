"""Which mappings cannot choose a best layer without resamples, before a job runs."""

import pytest
import yaml

from cortiscope.errors import InputError
from cortiscope.planning.checks.folds import check_selection
from cortiscope.planning.study import Study
from tests.running import REPOSITORY


@pytest.mark.parametrize(
    ("mapping", "method", "chooses"),
    [
        ("ridge", "nested", False),
        ("ridge", "halves", True),
        ("rsa", "nested", False),
        ("rsa_reweighted", "nested", True),  # one score of the model
    ],
)
def test_without_resamples(listed, monkeypatch, mapping, method, chooses) -> None:
    monkeypatch.chdir(listed.folder)
    config = yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text())
    config["models"]["names"] = ["shapenet5"]
    config["mappings"] = [mapping]
    config["selection"]["method"] = method
    config["statistics"]["bootstraps"] = 0
    study = Study.load(config, REPOSITORY)
    if chooses:
        check_selection(study)
    else:
        with pytest.raises(InputError, match=mapping):
            check_selection(study)
