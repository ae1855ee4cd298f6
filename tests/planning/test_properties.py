"""What a study decodes, and what a readout depends on and asks for."""

import json
from typing import Any

import pytest

from cortiscope.errors import InputError
from cortiscope.experiment.readers.simulated_stimuli import PROPERTIES
from cortiscope.planning.costs.jobs import readout_minutes
from cortiscope.planning.costs.megabytes import readout_megabytes
from cortiscope.planning.settings import decoding_settings, properties

CONFIG: dict[str, Any] = {
    "stimuli": {"source": "stimuli.nc"},
    "decoding": {"properties": ["category", "place", {"turn": 180}]},
    "ridge": {"alphas": [0.01, 1.0, 100.0], "protocol": "nested"},
    "statistics": {"permutations": 19, "bootstraps": 3, "seed": 0},
    "cross_validation": {"folds": 6, "group": "", "seed": 0},
}


def test_properties_of_a_config() -> None:
    def of(source: str, asked: Any) -> dict[str, Any]:
        return properties({"stimuli": {"source": source}, "decoding": {"properties": asked}})

    assert tuple(of("shapes", "auto")) == PROPERTIES
    assert of("stimuli.nc", "auto") == of("shapes", []) == {}
    named = of("stimuli.nc", ["face", {"turn": 180}, {"age": "continuous"}])
    assert json.dumps(named) == '{"face": "by value", "turn": 180, "age": "continuous"}'
    with pytest.raises(InputError, match=r"decoding\.properties: 'turn' stands twice"):
        of("stimuli.nc", ["turn", {"turn": 360}])


def test_a_readout_depends_on_the_options_it_reads() -> None:
    settings = json.dumps(decoding_settings(CONFIG))
    unread = CONFIG | {
        "statistics": CONFIG["statistics"] | {"bootstraps": 99},
        "ridge": CONFIG["ridge"] | {"protocol": "conwell2021"},
    }
    assert json.dumps(decoding_settings(unread)) == settings
    for section, change in (
        ("statistics", {"permutations": 5}),
        ("ridge", {"alphas": [1.0]}),
        ("cross_validation", {"folds": "loo"}),
        ("decoding", {"properties": ["place"]}),
    ):
        edited = CONFIG | {section: CONFIG[section] | change}
        assert json.dumps(decoding_settings(edited)) != settings


def test_large_studies_ask_for_more() -> None:
    assert readout_megabytes(240, 4096) < 1100
    assert readout_megabytes(2000, 4096) > 1700  # it took 700 megabytes in all
    assert readout_megabytes(2000, 800_000) > 3 * 2000 * 800_000 * 8 / 1e6  # without projection
    assert readout_minutes(240, 100, 100) < 15
    assert readout_minutes(2000, 100, 100) > 100 * 20 / 60  # it took 20 seconds each
