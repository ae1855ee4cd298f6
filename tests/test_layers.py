"""Layer tables, selectors, and the digest that finds them."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from torch import nn
from torchvision import models

from cortiscope import layers
from cortiscope.errors import InputError
from cortiscope.networks import layer_tables, networks
from cortiscope.networks.tracing import trace
from cortiscope.planning.models import read_models
from tests.forks import python

ROOT = Path(__file__).parents[1]


def row(architecture="alexnet", source="torchvision", **changes):
    return {
        "model": "net",
        "source": source,
        "architecture": architecture,
        **layer_tables.DEFAULTS,
        **changes,
    }


def names(architecture, selector, **changes):
    return [
        line["layer"] for line in layers.layer_table(row(architecture, layers=selector, **changes))
    ]


def test_alexnet_table():
    first, *_, last = layers.layer_table(row(layers="conv"))
    assert first == {
        "layer": "features.0",
        "index": 0,
        "depth": 0.0,
        "kind": "Conv2d",
        "shape": "64x55x55",
        "n_features": 64 * 55 * 55,
        "parameters": 64 * 3 * 121 + 64,
        "model_parameters": 61_100_840,  # as published with the weights
        "model_widest": 64 * 55 * 55 + 3 * 224**2,
        "model_unrecorded": "",
        "model_preprocessing": "resize=256 crop=224 mean=0.485,0.456,0.406 std=0.229,0.224,0.225"
        " interpolation=bilinear channels=3",
        "model_preprocessing_source": "assumed",
        "model_warning": "",
    }
    assert last["layer"] == "features.10"
    assert last["depth"] == pytest.approx(10 / 20, abs=1e-6)  # 21 operations, dropout's included


@pytest.mark.parametrize(
    ("architecture", "selector", "expected"),
    [
        ("alexnet", "conv", "features.0 features.3 features.6 features.8 features.10"),
        ("alexnet", "conv/3", "features.0 features.8"),
        ("alexnet", "classifier.6", "classifier.6"),
        ("alexnet", "classifier.[125]", "classifier.1 classifier.2 classifier.5"),
        ("alexnet", "features.10, features.0,conv/3", "features.0 features.8 features.10"),
        ("resnet18", "blocks/2", "conv1 layer1.1 layer2.1 layer3.1 layer4.1"),
        ("resnet18", "layer1.0.relu,layer1.0.relu#2", "layer1.0.relu layer1.0.relu#2"),
        ("squeezenet1_1", "blocks/4", "features.0 features.7 features.12"),
        ("mobilenet_v2", "blocks/6", "features.0 features.6 features.12 features.18"),
        ("vit_b_16", "blocks/12", "conv_proj encoder.layers.encoder_layer_11"),
        ("densenet121", "features.conv0,*denseblock4", "features.conv0 features.denseblock4"),
    ],
)  # fmt: skip
def test_selectors(architecture, selector, expected):
    assert names(architecture, selector) == expected.split()


def test_the_widest_call_counts_where_it_is_not_recorded():
    """It is in memory all the same, with the image: the expansion in MobileNet's second block."""
    (last,) = layers.layer_table(row("mobilenet_v2", layers="features.18"))
    assert (last["n_features"], last["model_widest"]) == (1280 * 7 * 7, 96 * 112**2 + 3 * 224**2)


class Projection(nn.Linear):
    """Not called after what it is."""


class LinearlySeparable(nn.Conv2d):
    """Called after what it is not."""


def test_conv_is_what_is_a_convolution_by_whatever_name():
    network = nn.Sequential(
        LinearlySeparable(3, 4, 3), nn.Flatten(), Projection(16, 8), nn.ReLU(), nn.Linear(8, 2)
    ).eval()
    calls = trace(network, (3, 4, 4))
    assert [call.name for call in layers.select(network, calls, "conv", "")] == ["0"]


@pytest.mark.parametrize("architecture", ["googlenet", "inception_v3", "mnasnet0_5", "vit_b_16"])
def test_parameters_are_as_many_as_published(architecture):
    """Without GoogLeNet's auxiliary heads, that is."""
    (*_, last) = layers.layer_table(row(architecture))
    published = models.get_model_weights(architecture).DEFAULT.meta["num_params"]
    assert last["model_parameters"] == published


def test_all_takes_every_operation_before_the_head():
    found = names("squeezenet1_1", "all")
    assert found[0] == "features.0"
    assert found[-1] == "classifier.0"  # dropout; the convolution after it gives the logits
    network = networks.architecture(row("squeezenet1_1"))
    leaves = [module for module in network.modules() if not list(module.children())]
    assert len(found) == len(set(found)) == len(leaves) - 3  # convolution, ReLU, pooling


@pytest.mark.parametrize("architecture", ["shapenet2", "shapenet5"])
def test_blocks_of_a_plain_network_are_its_convolutions(architecture):
    depth = int(architecture[-1])
    assert names(architecture, "blocks", source="zoo") == [f"conv{i + 1}" for i in range(depth)]


class Trunk(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())


@pytest.mark.parametrize("network", ["nn.Conv2d(3, 4, 3)", "nn.Identity()"])
def test_a_network_without_layers_is_answered_in_one_line(tmp_path, network):
    (tmp_path / "net.py").write_text(f"from torch import nn\ndef build(): return {network}\n")
    with pytest.raises(InputError) as caught:
        layers.layer_table(row(f"{tmp_path}/net.py:build", "file", layers="all"))
    assert str(caught.value) == (
        "models table: net: architecture: no module in the network gives a tensor of stimuli in a"
        " pass; return one that holds its layers as modules, such as nn.Sequential"
    )


def test_a_trunk_has_no_head_to_leave_out():
    calls = trace(Trunk().eval(), (3, 8, 8))
    assert [call.name for call in layers.select(Trunk(), calls, "all", "")] == ["0", "1", "2"]


class Odd(nn.Module):
    """Outputs that are tuples, dicts, and without a stimulus dimension."""

    class Two(nn.Module):
        def forward(self, values):
            return {"first": values[:, :1], "second": values}, 3

    class Whole(nn.Module):
        def forward(self, values):
            return values.flatten(0, 1)

    def __init__(self):
        super().__init__()
        self.conv, self.two, self.whole = nn.Conv2d(3, 4, 3), self.Two(), self.Whole()

    def forward(self, images):
        found, _ = self.two(self.conv(images))
        return self.whole(found["second"])


def test_other_outputs():
    calls = {call.name: call for call in trace(Odd().eval(), (3, 8, 8))}
    assert calls["two"].shape == (1, 6, 6)
    assert calls["whole"].unrecorded
    with pytest.raises(InputError, match="'whole' gives no tensor of stimuli"):
        layers.select(Odd(), list(calls.values()), "whole", "net")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layers": "featurs.3"}, "net: layers: 'featurs.3' matches no layer; near: features.3"),
        ({"layers": "block"}, "near: blocks"),
        ({"layers": "nothing*"}, "matches no layer"),
        ({"layers": "conv/x"}, "'conv/x' has no step"),
        ({"architecture": "alexnt"}, "torchvision has no 'alexnt'; near: alexnet"),
        ({"preprocessing": "crop=4"}, "an image .3, 4, 4. does not pass through"),
        ({"preprocessing": "mean=0.5"}, "sets no size"),
    ],
)  # fmt: skip
def test_bad_rows_are_answered_in_one_line(changes, message):
    with pytest.raises(InputError, match=message) as caught:
        layers.layer_table(row(**changes))
    assert "\n" not in str(caught.value)


def test_digest_follows_what_the_table_depends_on(tmp_path):
    same = {"weights": "nets/own.pth", "seed": "7", "model": "other"}
    assert layer_tables.digest(row(**same)) == layer_tables.digest(row())
    changes = [
        {"architecture": "resnet18"},
        {"layers": "conv"},
        {"preprocessing": "crop=64"},
        {"preprocessing": "crop=64 std=0"},  # refused where a table is made, and so only there
        {"weights": "IMAGENET1K_V1"},
        {"source": "zoo"},
    ]
    digests = {layer_tables.digest(row(**change)) for change in ({}, *changes)}
    assert len(digests) == len(changes) + 1
    file = tmp_path / "net.py"
    file.write_text("one = 1")
    before = layer_tables.digest(row(f"{file}:one", "file"))
    file.write_text("one = 2")
    assert layer_tables.digest(row(f"{file}:one", "file")) != before


def test_an_edit_of_a_source_lists_the_layers_of_its_own_networks_anew(tmp_path, monkeypatch):
    copied = shutil.copytree(ROOT / "cortiscope", tmp_path / "cortiscope")
    monkeypatch.setattr(layer_tables, "__file__", str(copied / "networks" / "layer_tables.py"))
    sources = ("torchvision", "zoo")

    def digests():
        layer_tables._code.cache_clear()
        return [layer_tables.digest(row(source=source)) for source in sources]

    before = digests()
    with (copied / "networks" / "sources" / "zoo.py").open("a") as module:
        module.write("\nEDITED = True\n")
    after = digests()
    layer_tables._code.cache_clear()
    assert [new == old for new, old in zip(after, before, strict=True)] == [True, False]


def test_named_weights_choose_the_size():
    assert networks.input_shape(row("vit_b_16", weights="IMAGENET1K_SWAG_E2E_V1")) == (3, 384, 384)
    assert networks.input_shape(row("vit_b_16")) == (3, 224, 224)


def test_the_command_writes_missing_tables(tmp_path):
    models = [row(), row("shapenet2", "zoo", model="small")]
    command = [python(), "-m", "cortiscope.layers", "--output", str(tmp_path)]
    given = layer_tables.dump_models(models)
    done = subprocess.run(command, input=given, text=True, cwd=ROOT, capture_output=True)
    assert done.returncode == 0, done.stderr
    for model in models:
        table = layer_tables.read_table(tmp_path / f"{layer_tables.digest(model)}.csv")
        expected = layers.layer_table(model)
        assert table == [{key: str(value) for key, value in line.items()} for line in expected]


def test_the_command_shows_an_untrained_network_what_its_trained_twin_sees(tmp_path):
    """As a study does, which then finds the table."""
    models = [
        row("resnet50", model="untrained"),
        row("resnet50", weights="IMAGENET1K_V1", model="trained"),
    ]
    (tmp_path / "models.tsv").write_text(layer_tables.dump_models(models))
    command = ["-m", "cortiscope.layers", "--models", str(tmp_path / "models.tsv")]
    command += ["--output", str(tmp_path)]
    subprocess.run([python(), *command], cwd=ROOT, check=True)
    schema = ROOT / "workflow" / "schemas" / "models.schema.yaml"
    for model in read_models(tmp_path / "models.tsv", "all", schema).values():
        assert (tmp_path / f"{layer_tables.digest(model)}.csv").is_file()


def test_a_misspelt_name_of_weights_is_told_of_the_row_that_has_it(tmp_path):
    """Not of its twin above, which takes its preprocessing from there."""
    named = row("resnet50", weights="IMAGENET1K_V9", model="trained")
    twin = row("resnet50", preprocessing="IMAGENET1K_V9", model="untrained")
    with pytest.raises(InputError, match=r"models table: trained: weights: .* no weights"):
        layers.write_tables([twin, named], tmp_path)


def test_layer_tables_need_no_torch():
    code = "import sys, cortiscope.networks.layer_tables; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_bad_tables_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such layer table"):
        layer_tables.read_table(tmp_path / "none.csv")
    (tmp_path / "bad.csv").write_text("layer,depth\nconv1,0\n")
    with pytest.raises(InputError, match="is not a layer table"):
        layer_tables.read_table(tmp_path / "bad.csv")
