"""A network of the user's own, from a python file in the study's folder."""

import csv

import numpy as np
import yaml
from PIL import Image

from cortiscope.files import read
from cortiscope.report.model_tables import read_accuracy
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


HEADS = """
from torch import nn


def body():
    layers = [nn.Conv2d(3, 16, 5, stride=8), nn.BatchNorm2d(16), nn.AdaptiveAvgPool2d(1)]
    return nn.Sequential(*layers, nn.Flatten())


def eight():
    return nn.Sequential(body(), nn.Linear(16, 8))


def projected():
    return nn.Sequential(body(), nn.Linear(16, 12))
"""


def test_networks_without_a_classifier_join_a_study_that_measures_accuracy(workflow):
    """Found by how they end, or said by their row, which changes nothing but accuracy."""
    (workflow.folder / "heads.py").write_text(HEADS)
    columns = ("model", "source", "architecture", "layers", "preprocessing", "training")
    columns += ("classifier",)
    rows = [
        (name, "file", f"heads.py:{name}", "all", "resize=64 mean=0.4 std=0.1", "untrained", "")
        for name in ("body", "eight", "projected")
    ]

    def write():
        with (workflow.folder / "heads.tsv").open("w", newline="") as lines:
            csv.writer(lines, delimiter="\t").writerows([columns, *rows])

    def found(name):
        return read_accuracy(workflow.folder / f"results/shapes/accuracy/{name}.csv", name)

    labelled = workflow.folder / "labelled"
    for number in range(8):
        (labelled / str(number)).mkdir(parents=True)
        Image.new("RGB", (64, 64), (30 * number,) * 3).save(labelled / str(number) / "one.png")
    values = yaml.safe_load(SMALL.read_text()) | {
        "models": {"table": "heads.tsv", "names": "all"},
        "accuracy": {"images": "labelled"},
    }
    config = workflow.folder / "heads.yaml"
    config.write_text(yaml.safe_dump(values))
    write()
    targets = [f"results/shapes/accuracy/{row[0]}.csv" for row in rows]
    done = workflow.forked("--", *targets, "results/shapes/features/projected.nc", config=config)
    assert found("eight")["accuracy_source"] == "measured"
    assert not (workflow.folder / "resources" / "accuracy").exists()  # each time, for own code
    assert found("eight")["top1"] >= 0
    assert found("body")["accuracy_source"] == "no classifier"
    assert np.isnan([found("body")["top1"], found("body")["top5"]]).all()
    assert "where the network has 12 outputs; give each" in done.stdout
    rows[2] = (*rows[2][:-1], "none")
    write()
    done = workflow.forked("--", *targets, "results/shapes/features/projected.nc", config=config)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "rule features:" not in done.stdout
    assert found("projected")["accuracy_source"] == "no classifier"
