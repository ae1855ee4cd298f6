"""Which modules are blocks and heads, in networks built in different ways."""

import pytest
import torch
from torch import nn
from torchvision import models

from cortiscope import layers
from cortiscope.errors import InputError
from cortiscope.networks.tracing import trace

SHAPE = (3, 16, 16)


def selected(network, selector="blocks", shape=SHAPE):
    calls = trace(network.eval(), shape)
    return [call.name for call in layers.select(network, calls, selector, "net")]


class Residual(nn.Module):
    def __init__(self, width, shortcut=False):
        super().__init__()
        self.conv1, self.conv2 = (nn.Conv2d(width, width, 3, padding=1) for _ in range(2))
        self.downsample = nn.Conv2d(width, width, 1) if shortcut else nn.Identity()

    def forward(self, values):
        return self.downsample(values) + self.conv2(self.conv1(values).relu())


class Stage(nn.Module):
    """As timm's RegNet, VovNet and MaxViT have them: a class of their own with named children."""

    def __init__(self, width, depth):
        super().__init__()
        for number in range(1, depth + 1):
            self.add_module(f"b{number}", Residual(width, shortcut=number == 1))

    def forward(self, values):
        for block in self.children():
            values = block(values)
        return values


class RegNet(nn.Module):
    def __init__(self, *depths):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3)
        for number, depth in enumerate(depths, start=1):
            self.add_module(f"s{number}", Stage(4, depth))
        self.head = nn.Linear(4, 5)

    def forward(self, images):
        values = self.stem(images)
        for name, stage in self.named_children():
            values = stage(values) if name.startswith("s") and name != "stem" else values
        return self.head(values.mean((2, 3)))


def test_stages_of_a_class_of_their_own_are_gone_through():
    assert selected(RegNet(1, 2, 3)) == ["stem", "s1", "s2.b1", "s2.b2", "s3.b1", "s3.b2", "s3.b3"]


class Tree(nn.Module):
    """Of DLA: trees of trees, whose leaves are blocks."""

    def __init__(self, width, levels):
        super().__init__()
        make = Residual if levels == 1 else lambda width: Tree(width, levels - 1)
        self.tree1, self.tree2, self.root = make(width), make(width), nn.Conv2d(2 * width, width, 1)

    def forward(self, values):
        first = self.tree1(values)
        return self.root(torch.cat([self.tree2(first), first], 1))


def test_trees_are_gone_through_to_their_blocks():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), Tree(4, 2), nn.Flatten(), nn.LazyLinear(5))
    network(torch.zeros(1, *SHAPE))
    parts = ("tree1", "tree2", "root")
    inner = [f"1.{tree}.{part}" for tree in ("tree1", "tree2") for part in parts]
    assert selected(network) == ["0", *inner, "1.root"]


def test_dense_blocks_are_gone_through():
    """As many as published: 58 dense layers, three transitions and a convolution."""
    assert len(selected(models.densenet121(), shape=(3, 32, 32))) == 58 + 3 + 1


def test_a_backbone_in_a_dictionary_is_gone_through():
    network = models.segmentation.lraspp_mobilenet_v3_large(weights=None, weights_backbone=None)
    assert selected(network, shape=(3, 64, 64)) == [f"backbone.{number}" for number in range(17)]


@pytest.mark.parametrize(
    ("architecture", "number"),
    [
        ("resnet18", 9), ("vit_b_32", 13), ("convnext_tiny", 22), ("swin_t", 16),
        ("efficientnet_b0", 18), ("mobilenet_v3_small", 14), ("mnasnet0_5", 20),
        ("squeezenet1_1", 9), ("shufflenet_v2_x0_5", 18), ("googlenet", 12), ("inception_v3", 16),
        ("regnet_y_400mf", 17), ("maxvit_t", 36), ("vgg11", 7), ("vgg16_bn", 7), ("alexnet", 7),
        ("resnet50", 17),
    ],
)  # fmt: skip
def test_published_blocks_are_counted_as_drawn(architecture, number):
    row = {"model": "net", "source": "torchvision", "architecture": architecture, "seed": "0"}
    row |= {"weights": "none", "layers": "blocks", "preprocessing": "auto"}
    assert len(layers.layer_table(row)) == number


class Two(nn.Module):
    """Two linear maps, one after the other."""

    def __init__(self, width):
        super().__init__()
        self.first, self.second = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, values):
        return self.second(self.first(values).relu())


class Ghost(nn.Module):
    """Two parts of one class in a row, with a path around them."""

    def __init__(self):
        super().__init__()
        self.ghost1, self.ghost2 = Two(8), Two(8)

    def forward(self, values):
        return values + self.ghost2(self.ghost1(values))


class Nested(nn.Module):
    """As TNT's: parts of one class, each with a path around it."""

    def __init__(self):
        super().__init__()
        self.inner, self.outer = Two(8), Two(8)

    def forward(self, values):
        values = values + self.inner(values)
        return values + self.outer(values)


class Around(nn.Module):
    def __init__(self, part):
        super().__init__()
        self.part = part

    def forward(self, values):
        return values + self.part(values)


class Wrapped(nn.Module):
    """A transformer's block of wrappers: of one class, about parts that are not."""

    def __init__(self):
        super().__init__()
        self.attention = Around(Two(8))
        self.mlp = Around(nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8)))

    def forward(self, values):
        return self.mlp(self.attention(values))


class Branches(nn.Module):
    """Parts of one class side by side."""

    def __init__(self):
        super().__init__()
        self.left, self.right = Two(8), Two(8)

    def forward(self, values):
        return torch.cat([self.left(values)[:, :4], self.right(values)[:, :4]], 1)


@pytest.mark.parametrize("block", [Ghost, Nested, Wrapped, Branches])
def test_a_block_is_not_taken_apart(block):
    network = nn.Sequential(nn.Flatten(), nn.Linear(768, 8), block(), block(), nn.Linear(8, 5))
    assert selected(network) == ["1", "2", "3"]


class Heads(nn.Module):
    """A trunk of two linear maps, and heads on it; how these make the result, `ending` says."""

    def __init__(self, heads, ending):
        super().__init__()
        self.trunk = nn.Sequential(nn.Flatten(), nn.Linear(768, 5), nn.ReLU(), nn.Linear(5, 5))
        self.ending = ending
        for name, head in heads.items():
            self.add_module(name, head)

    def forward(self, images):
        return self.ending(self, self.trunk(images).relu())


def normed():
    return nn.Sequential(nn.BatchNorm1d(5), nn.Linear(5, 5))


ENDINGS = {
    "one": ({"head": nn.Linear(5, 5)}, lambda net, x: net.head(x)),
    "distilled": (
        {"head": nn.Linear(5, 5), "head_dist": nn.Linear(5, 5)},
        lambda net, x: (net.head(x) + net.head_dist(x)) / 2,
    ),
    "normed": (
        {"head": normed(), "head_dist": normed()},
        lambda net, x: torch.stack([net.head(x), net.head_dist(x)]).mean(0),
    ),
    "auxiliary": (
        {"head": nn.Linear(5, 5), "aux_head": nn.Linear(5, 5)},
        lambda net, x: net.head(x) + 0.5 * net.aux_head(x[:, None]).max(1)[0],
    ),
    "listed": (
        {"heads": nn.ModuleList([nn.Linear(5, 5), nn.Linear(5, 5)]), "softmax": nn.Softmax(1)},
        lambda net, x: net.softmax(sum(head(x) for head in net.heads)),
    ),
    "tuple": (
        {"head": nn.Linear(5, 5), "other": nn.Linear(5, 7)},
        lambda net, x: (net.head(x), {"other": net.other(x)}),
    ),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_class_scores_are_no_layers_however_many_heads_give_them(ending):
    """The trunk's linear maps are, which have as many outputs."""
    network = Heads(*ENDINGS[ending])
    assert selected(network) == ["trunk.1", "trunk.3"]
    found = selected(network, "all")
    assert found[:4] == ["trunk.0", "trunk.1", "trunk.2", "trunk.3"]
    norms = ["head.0", "head_dist.0"] if ending == "normed" else []
    assert found[4:] == norms
    named = "heads.0" if ending == "listed" else "head"
    assert selected(network, named) == [named]


class Recurrent(nn.Module):
    """Two areas in two steps of time, as in CORnet; only the second is read out."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1)
        self.decoder = nn.Linear(3, 5)

    def forward(self, images):
        low, high = self.first(images), images
        for _ in range(2):
            low, high = self.first(images + low), self.second(low)
        return self.decoder(high.mean((2, 3)))


def test_what_a_last_step_computes_for_nobody_is_no_head():
    found = selected(Recurrent())
    assert found == ["first", "first#2", "second", "first#3", "second#2"]


def test_a_selector_without_layers_names_some():
    with pytest.raises(InputError) as caught:
        selected(nn.Sequential(nn.Flatten(), nn.ReLU()), "conv")
    assert str(caught.value) == (
        "net: 'conv' matches none of the network's 2 layers; name some, such as 0, 1"
    )
