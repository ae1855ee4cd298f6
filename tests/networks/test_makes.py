"""Networks of ten makes, small: what is recorded of each equals what its modules gave.

From a row of the models table through the list of layers to extraction in batches of two; the
reference shows all stimuli at once and clones every output, before anything can change it.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torchvision import models
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.rpn import AnchorGenerator

from cortiscope import layers
from cortiscope.errors import InputError
from cortiscope.networks import extraction, layer_tables, zoo

N_STIMULI, SIDE = 5, 32


class Block(nn.Module):
    """Attention within patches and between them; gives both, as TNT's blocks do."""

    def __init__(self):
        super().__init__()
        self.inner, self.joined, self.outer = nn.Linear(4, 4), nn.Linear(64, 16), nn.Linear(16, 16)

    def forward(self, pixels, patches):
        pixels = pixels + self.inner(pixels)  # (stimulus x patch, pixel, channel)
        patches = patches + self.joined(pixels.flatten(1)).unflatten(0, patches.shape[:2])
        return pixels, patches + self.outer(patches)


class TNT(nn.Module):
    def __init__(self):
        super().__init__()
        self.proj = nn.Conv2d(3, 4, 3, 2, 1)
        self.blocks = nn.ModuleList([Block() for _ in range(3)])
        self.norm, self.head = nn.LayerNorm(16), nn.Linear(16, 5)

    def forward(self, images):
        pixels = self.proj(images).unfold(2, 4, 4).unfold(3, 4, 4)
        pixels = pixels.permute(0, 2, 3, 4, 5, 1).flatten(3, 4).flatten(0, 2)
        patches = pixels.new_zeros(len(images), 16, 16)
        for block in self.blocks:
            pixels, patches = block(pixels, patches)
        return self.head(self.norm(patches).mean(1))


class Clip(nn.Module):
    """A constructor that reads values; its result is a product with a parameter, as open_clip's."""

    def __init__(self):
        super().__init__()
        rates = [rate.item() for rate in torch.linspace(0, 0.2, 2)]
        self.conv = nn.Conv2d(3, 16, 8, 8, bias=False)
        self.blocks = nn.Sequential(*(Residual(16, rate) for rate in rates))
        self.ln_post = nn.LayerNorm(16)
        self.proj = nn.Parameter(torch.randn(16, 7) / self.conv.weight.std().item())

    def forward(self, images):
        values = self.blocks(self.conv(images).flatten(2).transpose(1, 2))
        return self.ln_post(values.mean(1)) @ self.proj


class Residual(nn.Module):
    def __init__(self, width, rate=0.0):
        super().__init__()
        self.first, self.second = nn.Linear(width, width), nn.Linear(width, width)
        self.drop = nn.Dropout(rate)

    def forward(self, values):
        return values + self.drop(self.second(self.first(values).relu()))


class TokensFirst(nn.Module):
    """(token, stimulus, channel) between the layers of torch's own encoder."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 8, 8)
        layer = nn.TransformerEncoderLayer(16, 2, 32)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(16, 5)

    def forward(self, images):
        tokens = self.patches(images).flatten(2).permute(2, 0, 1)
        return self.head(self.encoder(tokens)[0])


class Noise(nn.Module):
    """Of a neuron, in evaluation mode too, as VOneNet's."""

    def forward(self, values):
        return values + torch.randn_like(values) * values.abs().sqrt()


def noisy():
    return nn.Sequential(
        nn.Conv2d(3, 4, 5, 2), nn.ReLU(), Noise(), nn.Conv2d(4, 4, 3), nn.Flatten(),
        nn.Linear(576, 5),
    )  # fmt: skip


def lenet():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(),
        nn.AvgPool2d(2), nn.Flatten(), nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 10),
    )  # fmt: skip


def detector():
    backbone = nn.Sequential(
        nn.Conv2d(3, 4, 3, 2, 1), nn.ReLU(inplace=True), nn.Conv2d(4, 4, 3, 2, 1)
    )
    backbone.out_channels = 4
    anchors = AnchorGenerator(((8, 16),), ((1.0,),))
    return FasterRCNN(
        backbone, num_classes=3, min_size=SIDE, max_size=SIDE, rpn_anchor_generator=anchors
    )


class Stage(nn.Module):
    """As timm's RegNet has them."""

    def __init__(self, depth):
        super().__init__()
        for number in range(1, depth + 1):
            self.add_module(f"b{number}", Residual(8))

    def forward(self, values):
        for block in self.children():
            values = block(values)
        return values


def regnet():
    return nn.Sequential(
        nn.Conv2d(3, 8, 8, 8), nn.Flatten(2), nn.Linear(16, 8), Stage(2), Stage(3), nn.Flatten(),
        nn.Linear(64, 5),
    )  # fmt: skip


def densenet():
    return models.DenseNet(growth_rate=4, block_config=(2, 3), num_init_features=4, num_classes=5)


class Distilled(nn.Module):
    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 8, 8)
        self.tokens = nn.Parameter(torch.randn(1, 2, 8))
        self.blocks = nn.Sequential(Residual(8), Residual(8))
        self.norm = nn.LayerNorm(8)
        self.head, self.head_dist = nn.Linear(8, 5), nn.Linear(8, 5)

    def forward(self, images):
        patches = self.patches(images).flatten(2).transpose(1, 2)
        values = torch.cat([self.tokens.expand(len(images), -1, -1), patches], 1)
        values = self.norm(self.blocks(values))
        return (self.head(values[:, 0]) + self.head_dist(values[:, 1])) / 2


class Recurrent(nn.Module):
    """As CORnet-R: in the first steps, higher areas see nothing yet."""

    def __init__(self):
        super().__init__()
        self.v1, self.it = nn.Conv2d(6, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.decoder = nn.Linear(3, 5)

    def forward(self, images):
        low = torch.zeros_like(images)
        for _ in range(2):
            high = self.relu(self.it(low))
            low = self.relu(self.v1(torch.cat([images, low], 1)))
        return self.decoder(high.mean((2, 3)))


def first(output):
    return output


def second(output):
    return output[1] if isinstance(output, tuple) else output


def along_second_axis(output):
    return output.movedim(1, 0) if output.ndim == 3 else output


# The network, the layers that `blocks` takes of it, and what of an output is (stimulus, ...).
MAKES = {
    "tnt": (TNT, "proj blocks.0 blocks.1 blocks.2", second),
    "clip": (Clip, "conv blocks.0 blocks.1", first),
    "tokens first": (TokensFirst, "patches encoder.layers.0 encoder.layers.1", along_second_axis),
    "lenet": (lenet, "0 3 7", first),
    "detector": (detector, "backbone.0 backbone.2", first),
    "regnet": (regnet, "0 2 3.b1 3.b2 4.b1 4.b2 4.b3", first),
    "densenet": (
        densenet,
        "features.conv0 features.denseblock1.denselayer1 features.denseblock1.denselayer2"
        " features.transition1 features.denseblock2.denselayer1"
        " features.denseblock2.denselayer2 features.denseblock2.denselayer3",
        first,
    ),
    "distilled": (Distilled, "patches blocks.0 blocks.1", first),
    "recurrent": (Recurrent, "v1 it#2 v1#2", first),
}  # fmt: skip


@pytest.fixture
def row(tmp_path):
    """A function that gives the row of a network of this file."""

    def make(network, selector="blocks"):
        here = Path(__file__)
        path = tmp_path / "net.py"
        path.write_text(f"import sys\nsys.path.append({str(here.parent)!r})\n")
        with path.open("a") as lines:
            lines.write(f"from {here.stem} import {network}\n")
        basis = {"model": "net", "source": "file", "architecture": f"{path}:{network}"}
        words = {"preprocessing": f"resize={SIDE} crop={SIDE}", "seed": "1", "layers": selector}
        return layer_tables.DEFAULTS | basis | words

    return make


def shown(model, words):
    images = np.random.default_rng(0).integers(0, 256, (N_STIMULI, 40, 36, 3), np.uint8)
    return zoo.transform(model | {"preprocessing": words})(images)


def recorded(model, report=lambda line: None, **settings):
    """(features by layer, layer table), in batches of two."""
    table = layers.layer_table(model)
    images = shown(model, table[0]["model_preprocessing"])
    settings = {"projection": "none", "batch_size": 2, "seed": 0, "noise_seed": "1"} | settings
    names = [line["layer"] for line in table]
    found = extraction.extract(zoo.build(model), images, names, settings, "net", report)
    return {name: arrays["features"] for name, (arrays, _) in found.items()}, table


def cloned(model, words):
    """The outputs of all calls of one pass of all stimuli, by name."""
    network, found = zoo.build(model), {}

    def attach(name, module):
        def keep(_module, _inputs, output):
            number = 1 + sum(key.partition("#")[0] == name for key in found)
            parts = output if isinstance(output, tuple) else (output,)
            copies = tuple(part.clone() for part in parts if isinstance(part, torch.Tensor))
            found[name if number == 1 else f"{name}#{number}"] = (
                copies if isinstance(output, tuple) else (*copies, None)[0]
            )

        module.register_forward_hook(keep)

    for name, module in network.named_modules():
        attach(name, module)
    with torch.inference_mode():
        network(shown(model, words))
    return {name: output for name, output in found.items() if name}


@pytest.mark.parametrize("make", MAKES)
def test_what_is_recorded_is_what_modules_gave(make, row):
    build, names, taken = MAKES[make]
    model = row(build.__name__)
    found, table = recorded(model)
    assert list(found) == names.split()
    expected = cloned(model, table[0]["model_preprocessing"])
    for line in table:
        values = taken(expected[line["layer"]])
        assert line["shape"] == "x".join(map(str, values.shape[1:]))
        np.testing.assert_allclose(
            found[line["layer"]], values.reshape(N_STIMULI, -1).numpy(), rtol=1e-4, atol=1e-5
        )


def test_a_network_with_noise_has_one_answer_to_a_stimulus(row):
    """Whatever the size of batches; the log names the first layer that is random."""
    model, said = row("noisy", "all"), []
    one, _ = recorded(model, said.append, batch_size=1)
    many, table = recorded(model, batch_size=4)
    assert any("layer 2: is random in evaluation mode" in line for line in said)
    for name, values in one.items():
        assert np.array_equal(values, many[name])
    expected = cloned(model, table[0]["model_preprocessing"])
    np.testing.assert_allclose(
        one["1"], expected["1"].reshape(N_STIMULI, -1).numpy(), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize(
    ("network", "layer", "reason"),
    [
        ("detector", "roi_heads.box_head", "gives no tensor of stimuli in a pass"),
        ("Recurrent", "it", "does not depend on the stimulus"),
        ("TNT", "blocks.0.inner", "stimuli and parts of them .* on one axis"),
    ],
)
def test_what_cannot_be_recorded_is_said_in_one_line(network, layer, reason, row):
    with pytest.raises(InputError, match=reason) as caught:
        layers.layer_table(row(network, layer))
    assert layer in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("network", "scores"),
    [("Distilled", ["head", "head_dist"]), ("detector", []), ("densenet", ["classifier"])],
)
def test_class_scores_are_recorded_only_where_named(network, scores, row):
    names = {line["layer"] for line in layers.layer_table(row(network, "all"))}
    assert not names & set(scores)
    for name in scores:
        (line,) = layers.layer_table(row(network, name))
        assert line["shape"] == "5"
