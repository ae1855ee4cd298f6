"""The command that shows a network's layers, and what is said of those that are not recorded."""

import subprocess
from pathlib import Path

import pytest

from cortiscope import layers
from cortiscope.errors import InputError
from cortiscope.networks import layer_tables
from tests.forks import python

ROOT = Path(__file__).parents[1]

NETWORK = """
import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, windows):
        super().__init__()
        self.windows, self.mix = windows, nn.Linear(4, 4)

    def forward(self, values):  # (stimulus, patch, channel)
        if self.windows:
            return self.mix(values.flatten(0, 1))
        return self.mix(values)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 4, 4, 4)
        self.blocks = nn.ModuleList(Block(windows) for windows in (False, True, True))
        self.head = nn.Linear(4, 5)

    def forward(self, batch):
        values = self.patches(batch).flatten(2).transpose(1, 2)
        for block in self.blocks:
            values = block(values)
            values = values.unflatten(0, (len(batch), -1)) if block.windows else values
        return self.head(values.mean(1))


build = Net
"""
WHY = (
    "has stimuli and parts of them (patches, windows) on one axis"
    " (8x4 for 2 stimuli and 12x4 for 3 stimuli)"
)


@pytest.fixture
def table(tmp_path):
    """A models table of two networks, one of whose blocks has two that cannot be recorded."""
    (tmp_path / "net.py").write_text(NETWORK)
    own = {"source": "file", "architecture": f"{tmp_path}/net.py:build", "preprocessing": "crop=8"}
    rows = [
        {"model": "mine", "layers": "blocks.?", **own},
        {"model": "small", "source": "zoo", "architecture": "shapenet2", "layers": "conv"},
    ]
    (tmp_path / "models.tsv").write_text(layer_tables.dump_models(rows))
    return tmp_path / "models.tsv"


def command(*words):
    started = [python(), "-m", "cortiscope.layers", *map(str, words)]
    return subprocess.run(started, cwd=ROOT, capture_output=True, text=True)


def test_the_command_shows_all_layers_of_a_model(table):
    done = command("mine", "--models", table)
    assert done.returncode == 0, done.stderr
    title, head, *lines = done.stdout.splitlines()
    assert title == "mine: 1 of 8 layers (*) by 'blocks.?'"
    assert head.split() == ["layer", "class", "shape", "features", "depth"]
    assert [line.split() for line in lines if "not recorded" not in line] == [
        ["patches", "Conv2d", "4x2x2", "16", "0.000"],
        ["blocks.0.mix", "Linear", "4x4", "16", "0.250"],
        ["*", "blocks.0", "Block", "4x4", "16", "0.250"],
        ["head", "Linear", "5", "5", "1.000"],
    ]
    left_out = [line.split(maxsplit=3) for line in lines if "not recorded" in line]
    assert [words[0] for words in left_out] == [
        "blocks.1.mix", "blocks.1", "blocks.2.mix", "blocks.2"
    ]  # fmt: skip
    assert all(words[3] == f"not recorded: it {WHY}" for words in left_out)


def test_an_unknown_model_is_told_of_those_that_there_are(table):
    done = command("mnie", "--models", table)
    assert done.returncode == 1
    assert done.stderr == f"error: {table}: has no model 'mnie'; near: mine\n"
    assert command("shapenet2").stdout.startswith("shapenet2: ")  # of the embedded study
    assert "name a model, or give --output" in command().stderr


def test_what_a_selector_means_and_cannot_have_is_said(table, tmp_path):
    done = command("--models", table, "--output", tmp_path / "tables")
    assert done.returncode == 0, done.stderr
    about = f"blocks.1 is not recorded, as it {WHY}, and 1 more are not"
    assert f"warning: model mine: layer {about}\n" in done.stderr
    found = {
        row["model_unrecorded"]
        for path in (tmp_path / "tables").glob("*.csv")
        for row in layer_tables.read_table(path)
    }
    assert found == {"", about}


@pytest.mark.parametrize("selector", ["blocks.1", "blocks.[12]", "patches,blocks.2"])
def test_what_is_named_and_cannot_be_recorded_is_refused(table, selector):
    model = layer_tables.load_models(table.read_text())[0] | {"layers": selector}
    with pytest.raises(InputError) as caught:
        layers.layer_table(model)
    pattern = selector.rpartition(",")[2]
    first = "blocks.2" if pattern == "blocks.2" else "blocks.1"
    assert str(caught.value) == (
        f"models table: mine: layers: {pattern!r} gives no tensor of stimuli in a pass: {first} "
        f"{WHY}; choose another layer"
    )


def test_steps_count_only_what_is_recorded(table):
    """The linear maps are two, of which every second is taken; those that cannot be are not."""
    model = layer_tables.load_models(table.read_text())[0]
    shown = layers.layer_table(model | {"layers": "patches,*.mix,blocks.?/2"})
    assert [row["layer"] for row in shown] == ["patches", "blocks.0.mix", "blocks.0"]
