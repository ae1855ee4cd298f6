"""Where a network is built and traced: on torch's meta device, and else on the CPU."""

import pytest

from cortiscope import layers
from cortiscope.errors import InputError
from cortiscope.networks import layer_tables, networks
from cortiscope.networks.tracing import trace


def row(architecture="alexnet", source="torchvision", **changes):
    basis = {"model": "net", "source": source, "architecture": architecture}
    return layer_tables.DEFAULTS | basis | changes


@pytest.mark.parametrize("architecture", ["resnet18", "regnet_y_400mf"])
def test_the_meta_trace_equals_a_real_pass(architecture):
    """regnet cannot be built on the meta device, only moved there."""
    model = row(architecture)
    network, calls = layers.traced(model)
    assert next(network.parameters()).device.type == "meta"
    assert calls == trace(networks.build(model), networks.input_shape(model))


def test_a_network_that_needs_values_is_traced_on_the_cpu(tmp_path):
    (tmp_path / "net.py").write_text(NEEDS_VALUES)
    model = row(f"{tmp_path}/net.py:build", "file", preprocessing="crop=16", layers="all")
    table = layers.layer_table(model)
    assert [line["layer"] for line in table] == ["conv", "relu", "relu#2"]
    assert [line["depth"] for line in table] == [
        0,
        pytest.approx(1 / 3, abs=1e-6),
        pytest.approx(2 / 3, abs=1e-6),
    ]


NEEDS_VALUES = """
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.relu, self.head = nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Linear(4, 2)
        self.unused = nn.Linear(2, 2)

    def forward(self, images):
        values = self.relu(self.relu(self.conv(images)))
        if values.sum().item() < 0:
            return values
        return self.head(values.mean((2, 3)))

build = Net
"""


READS_VALUES = """
import torch
from torch import nn

def build(wrong=False):
    rates = [rate.item() for rate in torch.linspace(0, 0.1, 2)]  # as DINO's constructor does
    kernel = nn.Parameter(torch.empty(3, 3))
    kernel.data.copy_(torch.from_numpy(torch.ones(3, 3).numpy()))  # as VOneNet's does
    conv = nn.Conv2d(3, 4, 3)
    conv.weight.data[:] = kernel / kernel.norm().item()
    if wrong:
        raise ValueError("no such width")
    return nn.Sequential(conv, *map(nn.Dropout, rates), nn.Flatten(), nn.Linear(144, 2))

def wrong(): return build(True)
"""


def test_a_constructor_that_reads_values_is_run_on_the_cpu(tmp_path):
    (tmp_path / "net.py").write_text(READS_VALUES)
    model = row(f"{tmp_path}/net.py:build", "file", preprocessing="crop=8", layers="all")
    network, calls = layers.traced(model)
    assert next(network.parameters()).device.type == "meta"  # moved there once it is built
    assert [call.name for call in calls] == ["0", "1", "2", "3", "4"]
    assert calls == trace(networks.build(model), (3, 8, 8))


def test_a_constructor_that_fails_is_answered_by_what_the_cpu_says(tmp_path):
    (tmp_path / "net.py").write_text(READS_VALUES)
    with pytest.raises(
        InputError, match=r"net.py:wrong fails \(ValueError: no such width\)"
    ) as caught:
        layers.traced(row(f"{tmp_path}/net.py:wrong", "file", preprocessing="crop=8"))
    assert "\n" not in str(caught.value)
