"""Torch allows everything but a dot in the name of a module: selectors find them all."""

import pytest
from torch import nn

from cortiscope import layers
from cortiscope.errors import InputError
from cortiscope.networks.tracing import trace

CONVOLUTIONS = ("5x5/reduce", "5x5/red", "1/3", "1", "/abs", "a,b", "a", "x[0]", "x0", "y#b", "z#2")


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)

    def forward(self, x):
        return x + self.second(self.first(x))


class Odd(nn.Module):
    """Convolutions of odd names, and modules named as the words of selectors are."""

    def __init__(self):
        super().__init__()
        self.parts = nn.ModuleDict({name: nn.Conv2d(3, 3, 1) for name in CONVOLUTIONS})
        self.all = nn.Sequential(nn.ReLU(), nn.Conv2d(3, 3, 1))
        self.conv = nn.Sequential(nn.Conv2d(3, 3, 1), nn.ReLU(), nn.Conv2d(3, 3, 1), nn.ReLU())
        self.blocks = nn.Sequential(Residual(), Residual())
        self.head = nn.Linear(3, 2)

    def forward(self, x):
        for part in self.parts.values():
            x = part(x)
        x = self.parts["1"](x)
        return self.head(self.blocks(self.conv(self.all(x))).mean((2, 3)))


@pytest.fixture(scope="module")
def take():
    network = Odd().eval()
    calls = trace(network, (3, 4, 4))

    def take(selector):
        return [call.name for call in layers.select(network, calls, selector, "net: layers")]

    return take


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_a_layer_is_found_by_its_name(take, name):
    assert take(f"parts.{name}") == [f"parts.{name}"]
    for other in ("parts.x0", "parts.1"):
        found = take(f"head,parts.{name} , {other}")
        assert sorted(found) == sorted({f"parts.{name}", other, "head"})


def test_convolutions_of_any_name_are_among_all(take):
    for selector in ("conv", "all"):
        assert set(take(selector)) >= {f"parts.{name}" for name in CONVOLUTIONS}


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("parts.1/3", ["parts.1/3"]),  # no third of `parts.1`
        ("parts.1/2", ["parts.1"]),
        ("parts.1#2", ["parts.1#2"]),
        ("parts.1#1", ["parts.1"]),
        ("parts.z#2", ["parts.z#2"]),
        ("parts.a, parts.x0", ["parts.a", "parts.x0"]),
        ("parts.a,b,parts.a", ["parts.a,b", "parts.a"]),
        ("parts.[ax]*", ["parts.a,b", "parts.a", "parts.x[0]", "parts.x0"]),
        ("parts.a,*", ["parts.a,b"]),
        ("parts.5x5/*", ["parts.5x5/reduce", "parts.5x5/red"]),
        ("parts.5x5/*/2", ["parts.5x5/reduce"]),
        ("conv#1", ["conv"]),
        ("all#1,blocks#1", ["all", "blocks"]),
    ],
)
def test_selectors_with_odd_names(take, selector, expected):
    assert take(selector) == expected


def test_words_stay_selectors_where_modules_have_their_names(take):
    """As a vision transformer's `blocks`, which an empty cell of the models table means."""
    assert {"blocks.0", "blocks.1"} <= set(take("blocks"))
    assert {"conv.0", "conv.2", "blocks.0.first"} <= set(take("conv"))
    assert "conv" not in take("conv")
    assert "blocks" not in take("blocks")
    assert "all" not in take("all")


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        ("parts.5x5/reduc", "'parts.5x5/reduc' matches no layer; near: parts.5x5/reduce, "),
        ("parts.a,c", "'c' matches no layer; near: "),
        ("parts.x[1]", r"'parts.x\[1\]' matches no layer; near: parts.x\[0\]"),
        ("conv/x", "'conv/x' has no step; write a number: conv/3"),
        ("parts.1/0", "'parts.1/0' has no step"),
        ("parts", "'parts' gives no tensor of stimuli in a pass"),
    ],
)
def test_what_means_nothing_is_said(take, selector, message):
    with pytest.raises(InputError, match=message):
        take(selector)
