"""The study of macaque V4 is set up for its data; benchmarks/macaque_v4.py runs it."""

import pytest
import yaml

from cortiscope.planning.checks import agreement
from cortiscope.planning.study import Study
from tests.running import REPOSITORY, SHARED

STUDY = REPOSITORY / "config" / "studies" / "macaque_v4.yaml"


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the shared recordings and weights")
def test_stimuli_and_recordings_agree():
    study = Study.load(yaml.safe_load(STUDY.read_text()) | {"data_root": str(SHARED)}, REPOSITORY)
    agreement.check_sections(study)
    agreement.check_stimuli(study)
    assert study.neuroids == {"V4": 50}
    assert (study.n_stimuli, study.repetitions) == (640, 10)
    assert {study.models[name]["training"] for name in study.models} == {"trained", "untrained"}
    assert study.weights_file("mobilenet_v2") == [f"{SHARED}/weights/mobilenet_v2.safetensors"]
