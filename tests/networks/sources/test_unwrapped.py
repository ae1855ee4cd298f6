"""What compiles, distributes or scripts a network of one's own."""

import sys

import pytest
import torch

from cortiscope.errors import InputError
from cortiscope.layers import traced
from cortiscope.networks import layer_tables, networks


def row(architecture, **changes):
    basis = {"model": "net", "source": "file", "architecture": architecture}
    return layer_tables.DEFAULTS | basis | changes


WRAPPED = """
import torch
from torch import nn

def plain():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Sequential(nn.ReLU(), nn.Conv2d(4, 4, 3)))

def compiled(): return torch.compile(plain())
def in_place():
    network = plain()
    network.compile()
    return network
def parallel(): return nn.DataParallel(plain())
def both(): return torch.compile(nn.DataParallel(plain()))
def inside():
    network = plain()
    network[1][1] = torch.compile(network[1][1])
    network[1] = torch.compile(network[1])
    return network
def script(): return torch.jit.script(plain())
"""


@pytest.mark.parametrize("function", ["compiled", "in_place", "parallel", "both", "inside"])
def test_what_compiles_or_distributes_a_network_is_taken_off(tmp_path, function):
    """Under its own names, whose weights a file of either kind gives."""
    (tmp_path / "own.py").write_text(WRAPPED)
    plain = networks.build(row(f"{tmp_path}/own.py:plain", seed="1"))
    model = row(f"{tmp_path}/own.py:{function}", seed="1", preprocessing="crop=8")
    network = networks.build(model)
    assert type(network) is torch.nn.Sequential
    images = torch.rand(2, 3, 8, 8)
    assert torch.equal(network(images), plain(images))
    assert [call.name for call in traced(model)[1]] == ["0", "1.0", "1.1", "1"]
    trained = getattr(sys.modules["_cortiscope_own"], function)().state_dict()
    torch.save(trained, tmp_path / "net.pth")
    loaded = networks.build(model | {"weights": "net.pth"}, str(tmp_path / "net.pth")).state_dict()
    for value, expected in zip(loaded.values(), trained.values(), strict=True):
        assert torch.equal(value, expected)


def test_a_script_is_refused_in_one_line(tmp_path):
    (tmp_path / "own.py").write_text(WRAPPED)
    with pytest.raises(InputError, match="architecture: gives TorchScript, whose layers cannot be"):
        traced(row(f"{tmp_path}/own.py:script"))
