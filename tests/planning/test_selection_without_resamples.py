"""Which mappings cannot choose a best layer without resamples, before a job runs."""

import pytest
import yaml

from cortiscope.errors import InputError
from cortiscope.planning.checks.folds import check_selection
from cortiscope.planning.study import Study
from tests.running import REPOSITORY


@pytest.mark.parametrize(
    ("mapping", "protocol", "chooses"),
    [
        ("ridge", "folds", True),
        ("rsa", "folds", False),
        ("pls", "folds", True),
        ("pls", "brainscore", False),  # whose splits are no groups of stimuli
        ("rsa_reweighted", "folds", True),  # one score of the model
    ],
)
def test_without_resamples(listed, monkeypatch, mapping, protocol, chooses) -> None:
    monkeypatch.chdir(listed.folder)
    config = yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text())
    config["models"]["names"] = ["shapenet5"]
    config["mappings"] = [mapping]
    config["pls"]["protocol"] = protocol
    config["statistics"]["bootstraps"] = 0
    study = Study.load(config, REPOSITORY)
    if chooses:
        check_selection(study)
    else:
        with pytest.raises(InputError, match=mapping):
            check_selection(study)
