"""Networks from rows of the models table: weights, seeds, files of one's own."""

import hashlib
import os
import pickle
import random
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from cortiscope.errors import InputError
from cortiscope.layers import traced
from cortiscope.networks import torchvision_zoo, zoo
from cortiscope.networks.tracing import trace

SHARED = Path(os.environ.get("CORTISCOPE_SHARED", Path(__file__).parents[3] / "shared"))


def row(architecture="squeezenet1_1", source="torchvision", **changes):
    basis = {"model": "net", "weights": "none", "checksum": "", "seed": "0", "layers": "blocks"}
    given = {"source": source, "architecture": architecture, **changes}
    return {**basis, "preprocessing": "auto", **given}


def small(**changes):
    return row("shapenet2", "zoo", **changes)


def test_seed_decides_the_untrained_values_and_leaves_torch_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, again, other = (zoo.build(small(seed=seed)) for seed in ("1", "1", "2"))
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(first.conv1.weight, again.conv1.weight)
    assert not torch.equal(first.conv1.weight, other.conv1.weight)
    assert not first.training
    assert not any(parameter.requires_grad for parameter in first.parameters())


def saved(tmp_path, kind, **changes):
    """The weights of an untrained network, changed, as a file."""
    state = zoo.build(small(seed="3")).state_dict() | changes
    state = {key: value for key, value in state.items() if value is not None}
    path = tmp_path / f"net.{kind}"
    if kind == "safetensors":
        save_file(state, path)
    else:
        torch.save(state if kind == "pth" else {"state_dict": state, "epoch": 3}, path)
    return str(path)


@pytest.mark.parametrize("kind", ["safetensors", "pth", "ckpt"])
def test_weights_files_are_loaded(tmp_path, kind):
    path = saved(tmp_path, kind)
    loaded, original = zoo.build(small(weights=path), path), zoo.build(small(seed="3"))
    for key, value in original.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], value), key


def test_half_precision_becomes_float32(tmp_path):
    half = zoo.build(small(seed="3")).conv1.weight.half()
    path = saved(tmp_path, "safetensors", **{"conv1.weight": half})
    weight = zoo.build(small(weights=path), path).conv1.weight
    assert weight.dtype == torch.float32
    assert torch.equal(weight, half.float())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"conv2.weight": None}, "lacks 1 tensors, first conv2.weight"),
        ({"conv9.weight": torch.zeros(2)}, "holds 1 unknown tensors, first conv9.weight"),
        ({"conv2.weight": torch.zeros(2)}, r"conv2.weight is \(2,\), the network's is"),
    ],
)
def test_weights_that_do_not_fit_name_model_file_and_key(tmp_path, changes, message):
    path = saved(tmp_path, "safetensors", **changes)
    with pytest.raises(InputError, match=rf"model net: weights .*net.safetensors: {message}"):
        zoo.build(small(weights=path), path)


class Harmful:
    def __reduce__(self):
        return (os.mkdir, ("harm",))


def test_a_pickle_with_code_is_refused_and_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "net.pth"
    torch.save({"conv1.weight": Harmful()}, path)
    with pytest.raises(InputError, match="holds more than tensors, or is damaged, and was not run"):
        zoo.build(small(weights=str(path)), str(path))
    assert not (tmp_path / "harm").exists()
    path.write_bytes(pickle.dumps(Harmful()))
    with pytest.raises(InputError):
        zoo.build(small(weights=str(path)), str(path))
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("name", ["net.pth", "net.safetensors"])
def test_damaged_and_missing_files_are_one_line(tmp_path, name):
    path = tmp_path / name
    with pytest.raises(InputError, match="no such file"):
        zoo.build(small(weights=name), str(path))
    for content in (
        b"",
        b"garbage of some length",
        Path(saved(tmp_path, "ckpt")).read_bytes()[:900],
    ):
        path.write_bytes(content)
        with pytest.raises(InputError, match=name) as caught:
            zoo.build(small(weights=name), str(path))
        assert "\n" not in str(caught.value)


def test_checksums_are_verified_and_both_named(tmp_path):
    path = saved(tmp_path, "safetensors")
    right = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    zoo.build(small(weights=path, checksum=right), path)
    wrong = "0" * 64
    with pytest.raises(InputError, match=rf"has SHA-256 {right}, expected {wrong}"):
        zoo.build(small(weights=path, checksum=wrong), path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architecture": "sqeezenet1_1"}, "near: squeezenet1_1"),
        ({"architecture": "shapenet12", "source": "zoo"}, "shapenet2"),
        ({"architecture": "none.py:build", "source": "file"}, "no file 'none.py'"),
    ],
)
def test_unknown_architectures_name_the_nearest(changes, message):
    with pytest.raises(InputError, match=message):
        zoo.build(row(**changes))


def test_unknown_named_weights_name_the_nearest():
    with pytest.raises(InputError, match="no weights 'IMAGENET1K_V3'; near: IMAGENET1K_V1"):
        torchvision_zoo.weights_source(row(weights="IMAGENET1K_V3"))
    with pytest.raises(InputError, match="run the weights rule first"):
        zoo.build(row(weights="IMAGENET1K_V1"))


def test_networks_of_ones_own(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "from torch import nn\ndef make(): return nn.Linear(3, 2)\nname = 3\nbad = dict\n"
    )
    built = [zoo.build(row(f"{file}:make", "file", seed=seed)).weight for seed in "112"]
    assert torch.equal(built[0], built[1])
    assert not torch.equal(built[0], built[2])
    for function, message in (("mak", "near: make"), ("bad", "gives dict"), ("name", "TypeError")):
        with pytest.raises(InputError, match=message):
            zoo.build(row(f"{file}:{function}", "file"))
    file.write_text("import there_is_no_such_module")
    with pytest.raises(InputError, match="there_is_no_such_module"):
        zoo.build(row(f"{file}:make", "file"))


OWN = """
from __future__ import annotations
import random
from dataclasses import dataclass
import numpy as np, torch
from torch import nn

@dataclass
class Options:
    kinds: int = 2

def drawn():
    network = nn.Linear(3, 1)
    values = [random.random(), np.random.random(), torch.rand(1).item()]
    network.weight = nn.Parameter(torch.tensor([values]))
    return network

def half(): return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).half()
def double(): return half().double()
def build(): return nn.Linear(3, 2)
"""


@pytest.fixture
def own(tmp_path):
    (tmp_path / "own.py").write_text(OWN)
    return lambda function, **changes: row(f"{tmp_path}/own.py:{function}", "file", **changes)


def test_files_beside_ones_own_are_found_each_in_its_folder(tmp_path):
    before = set(sys.modules), list(sys.path)
    for name, width in (("first", 3), ("second", 5)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "parts.py").write_text(f"WIDTH = {width}\n")
        text = "from torch import nn\nfrom parts import WIDTH\n"
        (tmp_path / name / "net.py").write_text(
            f"{text}def build():\n    return nn.Sequential(nn.Linear(WIDTH, 1))\n"
        )
        assert zoo.build(row(f"{tmp_path / name / 'net.py'}:build", "file"))[0].in_features == width
    assert "parts" not in set(sys.modules) - before[0]
    assert sys.path == before[1]


def test_a_dataclass_in_ones_own_file_finds_its_module(own):
    assert zoo.build(own("build")).out_features == 2


def test_whatever_an_own_network_draws_from_follows_its_seed(own):
    random.seed(5)
    np.random.seed(5)
    expected = random.random(), np.random.random()
    random.seed(5)
    np.random.seed(5)
    first, again, other = (zoo.build(own("drawn", seed=seed)).weight for seed in ("1", "1", "2"))
    assert torch.equal(first, again)
    assert (first != other).all()
    assert (random.random(), np.random.random()) == expected
    zoo.build(own("drawn", seed="9" * 18))


@pytest.mark.parametrize("function", ["half", "double"])
def test_a_network_in_another_precision_takes_stimuli(own, function):
    model = own(function, preprocessing="resize=8", layers="all")
    images = zoo.transform(model)(np.zeros((2, 8, 8, 3), np.uint8))
    network = zoo.build(model)
    assert network(images).dtype == torch.float32
    assert trace(network, (3, 8, 8)) == traced(model)[1]
    assert all(value.dtype == torch.float32 for value in traced(model)[0].parameters())


def test_densenet_weights_with_old_names(tmp_path):
    state = zoo.build(row("densenet121", seed="1")).state_dict()
    pattern = re.compile(r"(denselayer\d+\.(?:norm|conv))([12]\.)")
    kept = {key: value for key, value in state.items() if "num_batches_tracked" not in key}
    old = {pattern.sub(r"\1.\2", key): value for key, value in kept.items()}
    assert set(old) - set(state)
    torch.save(old, tmp_path / "old.pth")
    loaded = zoo.build(row("densenet121", weights="old.pth"), str(tmp_path / "old.pth"))
    name = "features.denseblock1.denselayer1.conv1.weight"
    assert torch.equal(loaded.state_dict()[name], state[name])


def test_published_accuracy_and_address():
    named = row("resnet50", weights="IMAGENET1K_V2")
    assert zoo.published_accuracy(named) == (80.858, 95.434)  # torchvision's table of weights
    assert zoo.published_accuracy(row("resnet50")) is None
    assert zoo.published_accuracy(row("resnet50", weights="some/file.pth")) is None
    assert zoo.published_accuracy(small()) is None
    url, checksum = torchvision_zoo.weights_source(named)
    assert url.endswith(f"resnet50-{checksum}.pth")
    assert len(checksum) == 8


@pytest.mark.skipif(not (SHARED / "weights").is_dir(), reason="no weights (see CORTISCOPE_SHARED)")
@pytest.mark.parametrize("architecture", ["squeezenet1_0", "squeezenet1_1", "mobilenet_v2"])
def test_real_weights_load(architecture):
    path = str(SHARED / "weights" / f"{architecture}.safetensors")
    network = zoo.build(row(architecture, weights=path), path)
    untrained = zoo.build(row(architecture))
    key = next(iter(network.state_dict()))
    assert not torch.equal(network.state_dict()[key], untrained.state_dict()[key])
    with pytest.raises(InputError, match="use the weights of this architecture"):
        zoo.build(row("resnet18", weights=path), path)
