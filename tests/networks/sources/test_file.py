"""Networks of one's own: what python files may hold, and what is made of them."""

import random
import sys

import numpy as np
import pytest
import torch

from cortiscope.errors import InputError
from cortiscope.layers import traced
from cortiscope.networks import layer_tables, networks, own_code
from cortiscope.networks.tracing import trace


def row(architecture, **changes):
    basis = {"model": "net", "source": "file", "weights": "none", "checksum": "", "seed": "0"}
    shown = {"layers": "blocks", "preprocessing": "auto"}
    return {**basis, **shown, "architecture": architecture, **changes}


def test_networks_of_ones_own(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "from torch import nn\ndef make(): return nn.Linear(3, 2)\nname = 3\nbad = dict\n"
    )
    built = [networks.build(row(f"{file}:make", seed=seed)).weight for seed in "112"]
    assert torch.equal(built[0], built[1])
    assert not torch.equal(built[0], built[2])
    for function, message in (("mak", "near: make"), ("bad", "gives dict"), ("name", "TypeError")):
        with pytest.raises(InputError, match=message):
            networks.build(row(f"{file}:{function}"))
    file.write_text("import there_is_no_such_module")
    with pytest.raises(InputError, match="there_is_no_such_module"):
        networks.build(row(f"{file}:make"))


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
    return lambda function, **changes: row(f"{tmp_path}/own.py:{function}", **changes)


def test_files_beside_ones_own_are_found_each_in_its_folder(tmp_path):
    before = set(sys.modules), list(sys.path)
    for name, width in (("first", 3), ("second", 5)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "parts.py").write_text(f"WIDTH = {width}\n")
        text = "from torch import nn\nfrom parts import WIDTH\n"
        (tmp_path / name / "net.py").write_text(
            f"{text}def build():\n    return nn.Sequential(nn.Linear(WIDTH, 1))\n"
        )
        assert networks.build(row(f"{tmp_path / name / 'net.py'}:build"))[0].in_features == width
    assert "parts" not in set(sys.modules) - before[0]
    assert sys.path == before[1]


def test_a_dataclass_in_ones_own_file_finds_its_module(own):
    assert networks.build(own("build")).out_features == 2


def test_whatever_an_own_network_draws_from_follows_its_seed(own):
    random.seed(5)
    np.random.seed(5)
    expected = random.random(), np.random.random()
    random.seed(5)
    np.random.seed(5)
    first, again, other = (networks.build(own("drawn", seed=seed)).weight for seed in "112")
    assert torch.equal(first, again)
    assert (first != other).all()
    assert (random.random(), np.random.random()) == expected
    networks.build(own("drawn", seed="9" * 18))


@pytest.mark.parametrize("function", ["half", "double"])
def test_a_network_in_another_precision_takes_stimuli(own, function):
    model = own(function, preprocessing="resize=8", layers="all")
    images = networks.transform(model)(np.zeros((2, 8, 8, 3), np.uint8))
    network = networks.build(model)
    assert network(images).dtype == torch.float32
    assert trace(network, (3, 8, 8)) == traced(model)[1]
    assert all(value.dtype == torch.float32 for value in traced(model)[0].parameters())


def test_a_network_of_an_installed_package(tmp_path, monkeypatch):
    """Whose modules import each other; planning finds its file without importing it."""
    package = tmp_path / "lab_networks" / "nets"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "parts.py").write_text("from torch import nn\ndef part(): return nn.Linear(3, 2)\n")
    (package / "mine.py").write_text("from .parts import part\ndef make(): return part()\n")
    monkeypatch.syspath_prepend(tmp_path)
    wanted = row("lab_networks.nets.mine:make")
    assert own_code.file_of(wanted["architecture"]) == str(package / "mine.py")
    before = layer_tables.digest(wanted)
    assert not [name for name in sys.modules if name.startswith("lab_networks")]
    assert isinstance(networks.build(wanted), torch.nn.Linear)
    own_code.with_imports.cache_clear()
    (package / "parts.py").write_text("from torch import nn\ndef part(): return nn.Linear(3, 4)\n")
    assert layer_tables.digest(wanted) != before
    with pytest.raises(InputError, match=r"has no 'made'; near: make"):
        networks.build(row("lab_networks.nets.mine:made"))
    with pytest.raises(InputError, match=r"no file 'lab_networks\.none'; write path/to/"):
        networks.build(row("lab_networks.none:make"))


def test_a_file_and_a_package_are_told_apart():
    assert own_code.module_of("nets/mine.py:make") == own_code.module_of("mine.py:make") == ""
    assert own_code.module_of("timm.models:resnet18") == "timm.models"
    assert own_code.file_of("no_such_package.nets:make") == "no_such_package.nets"
