"""Torchvision's networks: their weights by name and in files, and what is published of them."""

import re

import pytest
import torch

from cortiscope.errors import InputError
from cortiscope.networks import networks
from tests.running import SHARED


def row(architecture="squeezenet1_1", **changes):
    basis = {"model": "net", "source": "torchvision", "weights": "none", "checksum": ""}
    shown = {"seed": "0", "layers": "blocks", "preprocessing": "auto"}
    return {**basis, **shown, "architecture": architecture, **changes}


def test_unknown_named_weights_name_the_nearest():
    with pytest.raises(InputError, match="no weights 'IMAGENET1K_V3'; near: IMAGENET1K_V1"):
        networks.source(row(weights="IMAGENET1K_V3")).weights_source()
    with pytest.raises(InputError, match="run the weights rule first"):
        networks.build(row(weights="IMAGENET1K_V1"))


def test_densenet_weights_with_old_names(tmp_path):
    state = networks.build(row("densenet121", seed="1")).state_dict()
    pattern = re.compile(r"(denselayer\d+\.(?:norm|conv))([12]\.)")
    kept = {key: value for key, value in state.items() if "num_batches_tracked" not in key}
    old = {pattern.sub(r"\1.\2", key): value for key, value in kept.items()}
    assert set(old) - set(state)
    torch.save(old, tmp_path / "old.pth")
    loaded = networks.build(row("densenet121", weights="old.pth"), str(tmp_path / "old.pth"))
    name = "features.denseblock1.denselayer1.conv1.weight"
    assert torch.equal(loaded.state_dict()[name], state[name])


def test_published_accuracy_and_address():
    named = row("resnet50", weights="IMAGENET1K_V2")
    assert networks.published_accuracy(named) == (80.858, 95.434)  # torchvision's table of weights
    assert networks.published_accuracy(row("resnet50")) is None
    assert networks.published_accuracy(row("resnet50", weights="some/file.pth")) is None
    untrained = row("shapenet2", source="zoo")
    assert networks.published_accuracy(untrained) is None
    url, checksum = networks.source(named).weights_source()
    assert url.endswith(f"resnet50-{checksum}.pth")
    assert len(checksum) == 8


@pytest.mark.skipif(not (SHARED / "weights").is_dir(), reason="no weights (see CORTISCOPE_SHARED)")
@pytest.mark.parametrize("architecture", ["squeezenet1_0", "squeezenet1_1", "mobilenet_v2"])
def test_real_weights_load(architecture):
    path = str(SHARED / "weights" / f"{architecture}.safetensors")
    network = networks.build(row(architecture, weights=path), path)
    untrained = networks.build(row(architecture))
    key = next(iter(network.state_dict()))
    assert not torch.equal(network.state_dict()[key], untrained.state_dict()[key])
    with pytest.raises(InputError, match="use the weights of this architecture"):
        networks.build(row("resnet18", weights=path), path)
