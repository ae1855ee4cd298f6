"""How the null of a mapping that predicts neuroids is made follows the study."""

import pytest
import yaml

from cortiscope.planning.settings import mapping_settings
from cortiscope.planning.study import Study
from tests.running import REPOSITORY

PUBLISHED = {"pls": {"protocol": "brainscore"}}


@pytest.mark.parametrize(
    ("mapping", "n_stimuli", "edit", "expected"),
    [
        ("ridge", 999, {}, "refitted"),
        ("ridge", 1000, {}, "moved"),
        ("ridge", 1000, {"statistics": {"null_method": "refitted"}}, "refitted"),
        ("ridge", 60, {"statistics": {"null_method": "moved"}}, "moved"),
        ("ridge", 60, {"cross_validation": {"split": "part"}}, "moved"),
        ("pls", 1000, {}, "moved"),
        ("pls", 1000, PUBLISHED, "refitted"),
        ("ridge", 1000, PUBLISHED, "moved"),
        ("rsa", 1000, {}, None),
    ],
)
def test_the_null_of_many_stimuli_is_moved(listed, monkeypatch, mapping, n_stimuli, edit, expected):
    monkeypatch.chdir(listed.folder)
    config = yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text())
    config["mappings"], config["stimuli"]["count"] = [mapping], n_stimuli
    config["models"]["names"] = ["shapenet5"]
    for section, values in edit.items():
        config[section] = config.get(section, {}) | values
    found = mapping_settings(Study.load(config, REPOSITORY), mapping)
    assert found["statistics"].get("null_method") == expected
