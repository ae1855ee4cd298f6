"""A network of the user's own, from a python file in the study's folder."""

import csv

import yaml

from cortiscope.files import read
from tests.running import SMALL

MODULE = """
from parts import first
from torch import nn


def build():
    layers = [first(), nn.ReLU(inplace=True), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(4 * 15 * 15, {outputs}))
"""

PARTS = """
from torch import nn


def first():
    return nn.Conv2d(3, 4, 5, stride=4, bias={bias})
"""


def test_a_network_of_ones_own(workflow):
    (workflow.folder / "nets").mkdir()
    (workflow.folder / "nets" / "mine.py").write_text(MODULE.format(outputs=8))
    (workflow.folder / "nets" / "parts.py").write_text(PARTS.format(bias=True))
    columns = ("model", "source", "architecture", "layers", "preprocessing", "training")
    row = ("mine", "file", "nets/mine.py:build", "all", "resize=64 mean=0.4 std=0.1", "untrained")
    with (workflow.folder / "mine.tsv").open("w", newline="") as lines:
        csv.writer(lines, delimiter="\t").writerows([columns, row])
    config = workflow.folder / "mine.yaml"
    values = yaml.safe_load(SMALL.read_text()) | {"models": {"table": "mine.tsv", "names": "all"}}
    config.write_text(yaml.safe_dump(values))
    target = ("--", "results/shapes/features/mine.nc")
    done = workflow.forked(*target, config=config)
    assert done.returncode == 0, done.stdout[-3000:]
    words = "resize=64 crop=0 mean=0.4 std=0.1 interpolation=bilinear channels=3"
    features = read(workflow.folder / target[1])
    assert features.attributes["preprocessing"] == words
    log = (workflow.folder / "logs" / "shapes" / "features" / "mine.log").read_text()
    assert f"model mine: images are shown with {words} (given)" in log
    # The same said otherwise reruns nothing.
    text = (workflow.folder / "mine.tsv").read_text()
    (workflow.folder / "mine.tsv").write_text(text.replace("resize=64", "resize=64 channels=3"))
    again = workflow.forked("--dry-run", *target, config=config)
    assert "Nothing to be done" in again.stdout
    # An edit of the user's file extracts anew, as one of ours does.
    (workflow.folder / "nets" / "mine.py").write_text(MODULE.format(outputs=10))
    edited = workflow.forked("--dry-run", *target, config=config)
    assert "rule features:" in edited.stdout
    # So does one of what that imports.
    (workflow.folder / "nets" / "mine.py").write_text(MODULE.format(outputs=8))
    restored = workflow.forked("--dry-run", *target, config=config)
    assert "Nothing to be done" in restored.stdout
    (workflow.folder / "nets" / "parts.py").write_text(PARTS.format(bias=False))
    edited = workflow.forked("--dry-run", *target, config=config)
    assert "rule features:" in edited.stdout
