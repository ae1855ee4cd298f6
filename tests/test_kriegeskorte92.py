"""Real networks and real brains: a trained network beats its untrained twin in IT."""

import re

import pandas as pd
import pytest

from cortiscope.mappings.kinds import MAPPINGS
from tests.running import REPOSITORY, SHARED

STUDY = REPOSITORY / "config" / "studies" / "kriegeskorte92.yaml"
EVERY_MAPPING = STUDY.with_name("kriegeskorte92_mappings.yaml")
SMALLER = REPOSITORY / "tests" / "config" / "photographs.yaml"


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the shared recordings and weights")
def test_a_trained_network_beats_its_untrained_twin(workflow):
    targets = ("--config", f"data_root={SHARED}", "--", "tables", "decoding_table")
    done = workflow.forked(str(SMALLER), *targets, config=STUDY)
    assert done.returncode == 0, done.stdout[-4000:]
    tables = workflow.folder / "results" / "kriegeskorte92" / "tables"
    contrasts = pd.read_csv(tables / "contrasts.csv")
    assert set(contrasts["area"]) == {"human_IT", "monkey_IT"}
    assert set(contrasts["mapping"]) == {"ridge", "rsa"}
    assert (contrasts["difference"] > 0).all()
    # 92 photographs are few to train ridge on: its intervals count that others would have trained
    # other models (docs/intervals.md), and one pair of networks is not enough to be sure.
    assert contrasts["p_value"].between(0, 1).all()
    assert (contrasts.loc[contrasts["mapping"] == "rsa", "p_value"] < 0.05).all()
    scores = pd.read_csv(tables / "accuracy_vs_brain.csv")
    known = scores[(scores["mapping"] == "rsa") & (scores["area"] == "human_IT")]
    assert known["ceiling"].between(0.2, 1).all()  # four subjects; monkeys were pooled
    assert scores[scores["area"] == "monkey_IT"]["ceiling"].isna().all()
    assert set(scores["accuracy_source"]) == {"unknown"}
    check_animacy(pd.read_csv(tables / "decoding.csv"))
    check_plan_of_every_mapping(workflow)


def check_animacy(decoding):
    """It decodes better from the late layers of the trained network than from any untrained one."""
    animate = decoding[decoding["property"] == "animate"]
    accuracy = animate.set_index(["name", "depth"])["accuracy"].sort_index()
    late = accuracy["squeezenet1_1"].iloc[-2:]
    assert late.min() > accuracy["squeezenet1_1_untrained"].max() + 0.1
    areas = animate[animate["source"] == "area"]
    assert set(areas["name"]) == {"human_IT", "monkey_IT"}
    assert (areas["accuracy"] > 0.85).all()


def check_plan_of_every_mapping(workflow):
    """The other study of the same photographs; where layers are listed already, that is quick."""
    every = f"mappings=[{','.join(MAPPINGS)}]"
    arguments = ("--dry-run", "--config", f"data_root={SHARED}", every)
    shown = workflow.forked(str(SMALLER), *arguments, config=EVERY_MAPPING)
    assert shown.returncode == 0, shown.stdout[-4000:]
    planned = re.findall(r"results/kriegeskorte92_mappings/scores/(\w+)/", shown.stdout)
    assert set(planned) == set(MAPPINGS)
    assert "rule decode_model" in shown.stdout
