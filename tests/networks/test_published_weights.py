"""Weights in files of the layouts in which they are published; docs/networks.md has the rows."""

import argparse

import pytest
import torch

from cortiscope.errors import InputError
from cortiscope.networks import networks


def row(**changes):
    basis = {"model": "net", "source": "torchvision", "architecture": "resnet18", "checksum": ""}
    basis |= {"weights": "own.pth", "seed": "0", "layers": "blocks", "preprocessing": "auto"}
    return basis | changes


@pytest.fixture(scope="module")
def state():
    """Of ResNet-18, which stands for ResNet-50 here; each of its values is another."""
    torch.manual_seed(5)
    return networks.architecture(row(weights="none")).state_dict()


def body(state):
    return {key: value for key, value in state.items() if not key.startswith("fc.")}


def at(prefix, state):
    return {prefix + key: value for key, value in state.items()}


def projection(prefix):
    return {f"{prefix}{i}.weight": torch.ones(3, 3) for i in (0, 2)}


def other(state):
    return {key: value + 1 for key, value in state.items()}


def moco(state):
    """The training's own: the encoder, one that follows it, a queue, the options."""
    encoder, follower = (s | projection("fc.") for s in (body(state), other(body(state))))
    names = at("module.encoder_q.", encoder) | at("module.encoder_k.", follower)
    names |= {"module.queue": torch.ones(4, 4)}
    return {"epoch": 200, "arch": "resnet50", "state_dict": names, "optimizer": {"state": {}}}


def simclr(state):
    """As VISSL saves it."""
    trunk, heads = at("_feature_blocks.", body(state)), projection("0.clf.")
    model = {"model": {"trunk": trunk, "heads": heads}, "meters": {}}
    return {"phase_idx": 999, "classy_state_dict": {"base_model": model, "train": True}}


def barlow_twins(state):
    """The training's own: of data parallel parts, with a projector."""
    model = at("module.backbone.", body(state)) | projection("module.projector.")
    return {"epoch": 1000, "model": model}


def dino(state):
    teacher = at("backbone.", body(state)) | projection("head.mlp.")
    student = at("module.backbone.", other(body(state)))
    return {"student": student, "teacher": teacher, "args": argparse.Namespace(arch="resnet50")}


def madry(state):
    """The network twice, once in its attacker, with the mean and deviation that it subtracts."""
    attacked = at("module.attacker.model.", state) | at("module.model.", state)
    normalizer = {"module.normalizer.new_mean": torch.ones(3, 1, 1)}
    return {"epoch": 100, "model": normalizer | attacked, "optimizer": {"state": {0: {}}}}


def vicreg(state):
    return body(state)


@pytest.mark.parametrize("layout", [moco, simclr, barlow_twins, dino, vicreg])
def test_a_network_without_a_classifier_is_found_in_its_file(tmp_path, state, layout):
    path = tmp_path / "published.pth.tar"
    torch.save(layout(state), path)
    network = networks.build(row(), str(path))
    found = network.state_dict()
    assert found.keys() == body(state).keys()
    assert all(torch.equal(value, state[key]) for key, value in found.items())
    assert network(torch.zeros(2, 3, 64, 64)).shape == (2, 512)  # what the classifier was given


def test_what_is_left_unused_and_left_out_is_said(tmp_path, state, capsys):
    path = tmp_path / "moco.pth"
    torch.save(moco(state), path)
    networks.build(row(), str(path))
    said = capsys.readouterr().err.splitlines()
    assert said == [
        f"model net: weights {path}: has no such classifier; fc is left out",
        f"model net: weights {path}: left unused: module.encoder_q.fc (2),"
        f" module.encoder_k ({len(body(state)) + 2}), module.queue",
    ]
    with pytest.raises(InputError, match="layers: 'fc' is not in the weights"):
        networks.build(row(layers="conv1,fc"), str(path))


def test_a_network_that_a_file_has_twice_is_found_with_its_classifier(tmp_path, state, capsys):
    path = tmp_path / "resnet50_l2_eps3.ckpt"
    torch.save(madry(state), path)
    found = networks.build(row(), str(path)).state_dict()
    assert found.keys() == state.keys()
    assert all(torch.equal(value, state[key]) for key, value in found.items())
    assert f"module.normalizer, module.attacker ({len(state)})" in capsys.readouterr().err


CORNET = """
from torch import nn

class Area(nn.Sequential):
    def __init__(self, given, taken):
        super().__init__(nn.Conv2d(given, taken, 3, 2, 1), nn.BatchNorm2d(taken), nn.ReLU())

def cornet_s():
    areas = {"V1": Area(3, 4), "V2": Area(4, 4), "V4": Area(4, 4), "IT": Area(4, 4)}
    network = nn.Sequential()
    for name, area in areas.items():
        network.add_module(name, area)
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 9))
    network.add_module("decoder", head)
    return network
"""


def test_a_network_of_ones_own_code_as_cornets(tmp_path):
    (tmp_path / "cornet.py").write_text(CORNET)
    of = row(source="file", architecture=f"{tmp_path}/cornet.py:cornet_s")
    saved = networks.build(of | {"weights": "none", "seed": "3"}).state_dict()
    path = tmp_path / "cornet_s-1d3f7974.pth"
    torch.save({"epoch": 43, "state_dict": at("module.", saved), "loss": 1.5}, path)
    found = networks.build(of, str(path)).state_dict()
    assert found.keys() == saved.keys()
    assert all(torch.equal(value, saved[key]) for key, value in found.items())


def test_of_two_networks_the_table_says_which(tmp_path, state):
    path = tmp_path / "both.pth"
    torch.save({"model": state, "model_ema": at("net.", other(state))}, path)
    with pytest.raises(InputError) as caught:
        networks.build(row(), str(path))
    assert str(caught.value) == (
        f"model net: weights {path}: holds such a network at weights_key='model' weights_prefix=''"
        " and at weights_key='model_ema' weights_prefix='net.'; name its place in the columns"
        " weights_key and weights_prefix"
    )
    for columns, values in (
        ({"weights_key": "model"}, state),
        ({"weights_key": "model_ema", "weights_prefix": "net."}, other(state)),
        ({"weights_prefix": "net."}, other(state)),
    ):
        found = networks.build(row(**columns), str(path)).state_dict()
        assert all(torch.equal(value, values[key]) for key, value in found.items())


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"weights_key": "ema"}, "has no tensors at key 'ema'; keys: model"),
        (
            {"weights_prefix": "encoder_q."},
            "holds none of the network's tensors, but such as conv1",
        ),
        ({"architecture": "squeezenet1_1"}, "use the weights of this architecture"),
        ({"architecture": "resnet34"}, "lacks .* tensors, first layer1.2.conv1.weight"),
    ],
)
def test_what_does_not_match_is_one_line(tmp_path, state, columns, message):
    path = tmp_path / "own.pth"
    torch.save({"model": state}, path)
    with pytest.raises(InputError, match=message) as caught:
        networks.build(row(**columns), str(path))
    assert "\n" not in str(caught.value)


def test_more_of_a_part_that_the_network_has_is_refused(tmp_path, state):
    """Else a network with attention in its blocks would pass for one without."""
    path = tmp_path / "se.pth"
    more = body(state) | {"layer1.0.se.fc.weight": torch.ones(2)}
    torch.save({"model": at("module.encoder_q.", more)}, path)
    with pytest.raises(InputError, match=r"1 unknown tensors, first layer1\.0\.se\.fc\.weight"):
        networks.build(row(), str(path))


def test_a_classifier_of_other_classes_is_left_out(tmp_path, state):
    path = tmp_path / "ten.pth"
    torch.save(state | {"fc.weight": torch.ones(10, 512), "fc.bias": torch.ones(10)}, path)
    network = networks.build(row(), str(path))
    assert not [key for key in network.state_dict() if key.startswith("fc.")]
    assert network(torch.zeros(2, 3, 64, 64)).shape == (2, 512)
