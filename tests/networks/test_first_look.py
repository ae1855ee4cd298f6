"""What networks of one's own want to see, as found by showing them something."""

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.rpn import AnchorGenerator
from torchvision.transforms import Normalize

from cortiscope import layers
from cortiscope.errors import InputError
from cortiscope.networks import extraction, layer_tables, networks
from cortiscope.networks.first_look import FirstLook, look


class Wrapped(nn.Module):
    """A network with something before it."""

    def __init__(self, before, network):
        super().__init__()
        self.before, self.network = before, network

    def forward(self, images):
        return self.network(self.before(images))


class Function(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, images):
        return self.function(images)


class InputNormalize(nn.Module):
    """As in the library `robustness`."""

    def __init__(self):
        super().__init__()
        self.register_buffer("new_mean", torch.rand(3)[..., None, None])
        self.register_buffer("new_std", torch.rand(3)[..., None, None])

    def forward(self, images):
        return (images.clamp(0, 1) - self.new_mean) / self.new_std


def lenet():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(),
        nn.AvgPool2d(2), nn.Flatten(), nn.Linear(256, 120), nn.ReLU(), nn.Linear(120, 10),
    )  # fmt: skip


def colour():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 26**2, 5))


def detector():
    backbone = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.ReLU(), nn.Conv2d(4, 4, 3, 2, 1))
    backbone.out_channels = 4
    anchors = AnchorGenerator(((8, 16),), ((1.0,),))
    return FasterRCNN(
        backbone, num_classes=3, min_size=32, max_size=64, rpn_anchor_generator=anchors
    )


NETWORKS = {
    "colour": (colour, FirstLook(3, False)),
    "lenet": (lenet, FirstLook(1, False)),
    "made grey inside": (
        lambda: Wrapped(Function(lambda images: images.mean(1, keepdim=True)), lenet()),
        FirstLook(3, False),
    ),
    "perceptron": (
        lambda: nn.Sequential(nn.Flatten(), nn.Linear(28**2, 9), nn.Linear(9, 2)),
        FirstLook(1, False),
    ),
    "transforms": (
        lambda: Wrapped(Normalize((0.4, 0.5, 0.6), (0.2, 0.2, 0.2)), colour()),
        FirstLook(3, True),
    ),
    "one number": (lambda: Wrapped(Normalize((0.5,), (0.2,)), colour()), FirstLook(3, True)),
    "robustness": (lambda: Wrapped(InputNormalize(), colour()), FirstLook(3, True)),
    "detector": (detector, FirstLook(3, True)),
    "-1 to 1": (
        lambda: Wrapped(Function(lambda images: 2 * images - 1), colour()),
        FirstLook(3, False),
    ),
    "batch norm": (lambda: Wrapped(nn.BatchNorm2d(3), colour()), FirstLook(3, False)),
    "without layers": (lambda: nn.Sequential(nn.Flatten(), nn.ReLU()), FirstLook(3, False)),
}  # fmt: skip


READ_VALUES = ("transforms", "one number")  # of their std: on the meta device they fail


@pytest.mark.parametrize("name", NETWORKS)
def test_what_a_network_wants(name):
    make, expected = NETWORKS[name]
    assert look(make().eval(), 28) == expected
    if name not in READ_VALUES:
        assert look(make().eval().to("meta"), 28) == expected


def test_an_attribute_that_nothing_uses_normalises_nothing():
    """As open_clip leaves them on its networks, for whoever preprocesses."""
    network = colour()
    network.image_mean, network.image_std = (0.5, 0.5, 0.5), (0.2, 0.2, 0.2)
    assert not look(network, 28).normalises


@pytest.fixture
def own(tmp_path):
    """A function that gives the row of a network of this file."""
    path = tmp_path / "net.py"
    path.write_text(f"from {__name__} import *\nscaled = lambda: NETWORKS['transforms'][0]()\n")

    def make(function, preprocessing):
        basis = {"model": "net", "source": "file", "architecture": f"{path}:{function}"}
        return layer_tables.DEFAULTS | basis | {"preprocessing": preprocessing, "layers": "all"}

    return make


@pytest.mark.parametrize("preprocessing", ["resize=28 crop=28", "resize=28 crop=28 channels=1"])
def test_a_network_of_one_channel_is_listed_and_shown_grey(own, preprocessing):
    row = own("lenet", preprocessing)
    table = layers.layer_table(row)
    assert [line["layer"] for line in table] == [str(number) for number in range(9)]
    assert table[0]["shape"] == "6x24x24"
    assert table[0]["model_widest"] == 6 * 24**2 + 28**2  # with an image of one channel
    words = table[0]["model_preprocessing"]
    assert words == "resize=28 crop=28 mean=0 std=1 interpolation=bilinear channels=1"
    # What a job is told is these words alone.
    transform = networks.transform(row | {"preprocessing": words})
    images = np.random.default_rng(0).integers(0, 256, (4, 30, 30, 3), np.uint8)
    network = networks.build(row)
    settings = {"projection": "none", "batch_size": 3, "seed": 0}
    found = extraction.extract(network, transform(images), ["0"], settings)["0"][0]["features"]
    expected = network[0](transform(images)).flatten(1)
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-5, atol=1e-6)


def test_a_network_of_one_channel_has_the_mean_of_grey(own):
    (first, *_) = layers.layer_table(own("lenet", "resize=28 crop=28 mean=0.2,0.4,0.6 std=0.5"))
    mean = 0.299 * 0.2 + 0.587 * 0.4 + 0.114 * 0.6
    words = dict(word.split("=") for word in first["model_preprocessing"].split())
    assert float(words["mean"]) == pytest.approx(mean, abs=1e-4)
    assert words["std"] == "0.5"


@pytest.mark.parametrize("function", ["scaled", "detector"])
def test_what_normalises_itself_is_not_normalised_before(own, function):
    """By `auto`; otherwise it is said."""
    auto = networks.architecture(own(function, "auto")).eval()
    assert networks.transform(own(function, "auto"), auto).words.split()[2:4] == ["mean=0", "std=1"]
    assert networks.shown(own(function, "auto"), auto)["model_warning"] == ""
    for words in ("imagenet", "resize=28 crop=28 mean=0.5 std=0.5"):
        warning = networks.shown(own(function, words), auto)["model_warning"]
        assert warning.startswith(f"images are normalised twice, by preprocessing {words!r} and by")
        assert "\n" not in warning
    plain = own(function, "resize=28 crop=28")
    assert networks.shown(plain, auto)["model_warning"] == ""


def test_the_table_is_made_with_a_warning(own, tmp_path, capsys):
    layers.write_tables([own("scaled", "resize=28 crop=28 mean=0.5")], tmp_path)
    assert "warning: model net: images are normalised twice, by" in capsys.readouterr().err


def test_other_numbers_of_channels_are_refused_in_one_line(own, tmp_path):
    (tmp_path / "net.py").write_text(
        "from torch import nn\ndef build(): return nn.Sequential(nn.Conv2d(6, 4, 3), nn.ReLU())\n"
    )
    with pytest.raises(InputError, match=r"an image \(3, 28, 28\) does not pass through") as caught:
        layers.layer_table(own("build", "resize=28 crop=28"))
    assert "channels=1" in str(caught.value)
    assert "\n" not in str(caught.value)
