"""Weights of every family of torchvision's networks come back from a file, whoever wrote it."""

import re

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.models import VisionTransformer

from cortiscope.errors import InputError
from cortiscope.networks import networks, weights

# One of each family, the smallest.
FAMILIES = (
    *("alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "efficientnet_v2_s"),
    *("googlenet", "inception_v3", "maxvit_t", "mnasnet0_5", "mobilenet_v2", "mobilenet_v3_small"),
    *("regnet_y_400mf", "resnet18", "resnext50_32x4d", "shufflenet_v2_x0_5", "squeezenet1_1"),
    *("swin_t", "swin_v2_t", "vgg11", "vit_b_32", "wide_resnet50_2"),
)


def row(architecture, **changes):
    basis = {"model": "net", "source": "torchvision", "checksum": "", "seed": "0"}
    return {**basis, "preprocessing": "auto", "architecture": architecture, **changes}


def numbered(state):
    """A tensor of one number, another for each, in the place of all of theirs on disk."""
    return {
        key: torch.full((), number % 100 + 1).to(value.dtype).expand(value.shape)
        for number, (key, value) in enumerate(state.items())
    }


@pytest.mark.parametrize("architecture", FAMILIES)
def test_a_state_dict_of_every_family_is_loaded(tmp_path, architecture):
    named = networks.architecture(row(architecture, weights="file.pth"))
    state, path = numbered(named.state_dict()), str(tmp_path / "file.pth")
    torch.save(state, path)
    loaded = networks.build(row(architecture, weights=path), path).state_dict()
    assert loaded.keys() == state.keys()
    for key, value in loaded.items():
        assert torch.equal(value, state[key]), key


@pytest.mark.parametrize("kind", ["pth", "safetensors"])
def test_a_network_comes_back_as_it_was_saved(tmp_path, kind):
    """MNASNet refuses a state_dict that does not say what version of the network it is of."""
    saved = networks.build(row("mnasnet0_5", weights="none", seed="3"))
    path = tmp_path / f"net.{kind}"
    (torch.save if kind == "pth" else save_file)(saved.state_dict(), path)
    loaded = networks.build(row("mnasnet0_5", weights=str(path)), str(path))
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    assert torch.equal(loaded(images), saved(images))


def transformer(seed):
    torch.manual_seed(seed)
    return VisionTransformer(32, 16, num_layers=2, num_heads=2, hidden_dim=8, mlp_dim=16).eval()


@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_vision_transformer_with_old_names(tmp_path, prefix):
    """As torchvision named its blocks before version 0.14."""
    saved, loaded, numbers = transformer(1), transformer(2), {"0": "1", "3": "2"}
    old = {
        prefix + re.sub(r"mlp\.([03])\.", lambda m: f"mlp.linear_{numbers[m[1]]}.", key): value
        for key, value in saved.state_dict().items()
    }
    assert f"{prefix}encoder.layers.encoder_layer_0.mlp.linear_2.bias" in old
    torch.save(old, tmp_path / "old.pth")
    weights.load(loaded, tmp_path / "old.pth", "net")
    for key, value in saved.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], value), key


class Wrapping(nn.Module):
    """Has a module of the name that torch's wrappers use, and one that torchvision's had."""

    def __init__(self):
        super().__init__()
        self.module = nn.Module()
        self.module.mlp = nn.Module()
        self.module.mlp.linear_1 = nn.Linear(2, 3)


@pytest.mark.parametrize("kind", ["pth", "safetensors"])
@pytest.mark.parametrize("prefix", ["", "module."])
@pytest.mark.parametrize("network", [Wrapping, lambda: nn.Sequential(nn.Linear(2, 3))])
def test_names_that_wrappers_give_are_known_in_files_of_either_kind(
    tmp_path, kind, prefix, network
):
    saved, loaded, path = network().state_dict(), network(), tmp_path / f"net.{kind}"
    renamed = {prefix + key: value for key, value in saved.items()}
    (torch.save if kind == "pth" else save_file)(renamed, path)
    weights.load(loaded, path, "net")
    for key, value in saved.items():
        assert torch.equal(loaded.state_dict()[key], value), key


@pytest.mark.parametrize("heads", [True, False])
def test_googlenet_is_loaded_with_or_without_its_auxiliary_heads(tmp_path, heads):
    """They are in the published file."""
    state = networks.architecture(row("googlenet", weights="file.pth")).state_dict()
    assert not any(key.startswith("aux") for key in state)
    unused = {"aux1.fc2.bias": torch.zeros(1000), "aux2.conv.bn.weight": torch.ones(128)}
    path = str(tmp_path / "net.pth")
    torch.save(numbered(state | unused if heads else state), path)
    network = networks.build(row("googlenet", weights=path), path)
    assert network(torch.zeros(2, 3, 64, 64)).shape == (2, 1000)
    torch.save(numbered(state | {"auxiliary.bias": torch.zeros(1)}), path)
    with pytest.raises(InputError, match=r"unknown tensors, first auxiliary\.bias"):
        networks.build(row("googlenet", weights=path), path)


def test_dropping_heads_changes_no_initial_value():
    """Drawn as before they were dropped: in the order of torchvision's own network."""
    from torchvision.models import googlenet

    torch.manual_seed(3)
    whole = googlenet(transform_input=True, aux_logits=True, init_weights=True).state_dict()
    state = networks.build(row("googlenet", weights="none", seed="3")).state_dict()
    for key, value in state.items():
        assert torch.equal(value, whole[key]), key
