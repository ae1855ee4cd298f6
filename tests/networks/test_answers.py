"""Class scores are found in whatever a network returns, and are the same in any batch."""

from collections import OrderedDict, namedtuple
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn
from torchvision import models

from cortiscope.errors import InputError
from cortiscope.networks.accuracy import from_arrays, top_k
from cortiscope.networks.answers import NoClassifierError, class_scores, ends_in_readout

N, WIDTH = 6, 12
SCORES = torch.arange(N * WIDTH).view(N, WIDTH) / 7
HIDDEN, NARROW = torch.zeros(N, 64), torch.zeros(N, 3)
Pair = namedtuple("Pair", "features logits")


@dataclass
class Answer:
    loss: None
    hidden: torch.Tensor
    logits: torch.Tensor


@pytest.mark.parametrize(
    "output",
    [
        SCORES,
        SCORES.view(N, WIDTH, 1, 1),
        {"hidden": HIDDEN, "logits": SCORES},
        OrderedDict(aux=NARROW, out=SCORES),
        {"aux": SCORES + 1, "out": (SCORES,)},
        {"logits": HIDDEN, "scores": SCORES},  # by their width
        (SCORES, [HIDDEN, HIDDEN]),
        (None, torch.arange(N), HIDDEN, SCORES),
        Answer(None, HIDDEN, SCORES),
        Pair(SCORES + 1, SCORES),
        [HIDDEN.view(N, 8, 8), SCORES],
    ],
)
def test_class_scores_are_found(output):
    assert torch.equal(class_scores(output, N, WIDTH), SCORES)


def test_without_that_width_it_is_the_first():
    assert torch.equal(class_scores((HIDDEN, SCORES), N, 1000), HIDDEN)
    assert torch.equal(class_scores({"hidden": HIDDEN, "out": SCORES}, N, None), SCORES)
    for nothing in (None, "text", HIDDEN.view(N, 8, 8), SCORES[1:], {"out": None}):
        assert class_scores(nothing, N, WIDTH) is None


class Pixels(nn.Module):
    """Answers with the first pixels of the image; of a lone image, without its dimension."""

    def __init__(self):
        super().__init__()
        self.batches = []

    def forward(self, images):
        self.batches.append(len(images))
        return images[:, 0, 0].squeeze(0)


def as_float(images):
    return torch.tensor(images).permute(0, 3, 1, 2).float()


def pictures(n):
    random = np.random.default_rng(0)
    images = np.stack([random.permutation(256)[:WIDTH] for _ in range(n)]).astype(np.uint8)
    return images[:, None, :, None], random.integers(0, WIDTH, n)


@pytest.mark.parametrize("n", [2, 49, 51, 52, 101, 103])
def test_no_image_is_left_alone(n):
    network = Pixels()
    images, labels = pictures(n)
    found = top_k(network, as_float, from_arrays(images, labels), None)
    assert min(network.batches) >= 2
    assert max(network.batches) <= 50
    right = (images[:, 0, :, 0].argmax(1) == labels).mean()
    assert found["top1"] == pytest.approx(100 * right)


class Noisy(Pixels):
    """Adds noise, from whichever source."""

    def __init__(self, draw, most=50):
        super().__init__()
        self.draw = draw
        self.most = most

    def forward(self, images):
        if len(images) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        scores = images[:, 0, 0]
        return scores + 200 * torch.as_tensor(self.draw(tuple(scores.shape))).float()


class Competing(Noisy):
    """Answers less the mean of the batch: batch norm without running statistics."""

    def forward(self, images):
        scores = super().forward(images)
        return scores - 0.9 * scores.mean(0)


@pytest.mark.parametrize(
    "make",
    [
        lambda most: Noisy(torch.randn, most),
        lambda most: Noisy(lambda shape: np.random.normal(size=shape), most),
        lambda most: Competing(torch.zeros, most),
    ],
)
def test_an_answer_is_the_images_own(make):
    """Whatever was drawn before, whatever fits into memory, whatever stands beside it."""
    images, labels = pictures(60)
    said = []
    found = [
        top_k(make(most), as_float, from_arrays(images[order], labels[order]), None, report=say)
        for most, order, say in (
            (50, slice(None), said.append),
            (7, slice(None), lambda text: None),
        )
    ]
    assert found[0] == found[1]
    assert any("each image is shown alone" in text for text in said)


def test_images_that_a_network_changes_in_place_are_shown_as_they_are():
    class InPlace(Pixels):
        def forward(self, images):
            return -super().forward(images.sub_(128).abs_())

    (images, labels), said = pictures(60), []
    found = top_k(InPlace(), as_float, from_arrays(images, labels), None, report=said.append)
    right = (np.abs(images[:, 0, :, 0] - 128.0).argmin(1) == labels).mean()
    assert found["top1"] == pytest.approx(100 * right, abs=1)  # of 60, one tie at most
    assert not said


def test_an_answer_without_noise_is_asked_for_in_batches():
    network, said = Pixels(), []
    top_k(network, as_float, from_arrays(*pictures(60)), None, report=said.append)
    assert not said
    assert network.batches == [4, 2, 50, 10]


def test_a_network_that_needs_a_batch_and_depends_on_it_is_named():
    class Normalised(Pixels):
        def __init__(self):
            super().__init__()
            self.norm = nn.BatchNorm1d(WIDTH, track_running_stats=False)

        def forward(self, images):
            return self.norm(images[:, 0, 0])

    with pytest.raises(InputError, match="answers depend on the batch, and one image does not"):
        top_k(Normalised(), as_float, from_arrays(*pictures(60)), None)


@pytest.mark.parametrize("name", ["squeezenet1_1", "resnet18", "mobilenet_v2", "densenet121"])
def test_a_classifier_ends_in_its_readout(name):
    network = models.get_model(name, weights=None).eval()
    images = torch.zeros(1, 3, 64, 64)
    assert ends_in_readout(network, images, network(images).shape[1])


def test_without_its_head_it_ends_in_a_norm():
    network = models.resnet18(weights=None).eval()
    network.fc = nn.Identity()
    assert not ends_in_readout(network, torch.zeros(1, 3, 64, 64), 512)
    network = models.vit_b_16(weights=None).eval()
    network.heads = nn.Identity()
    assert not ends_in_readout(network, torch.zeros(1, 3, 224, 224), 768)


class Backbone(nn.Module):
    """Features of a convolution, normalised and pooled; or their map."""

    def __init__(self, pooled=True):
        super().__init__()
        self.conv = nn.Conv2d(1, 20, 1)
        self.norm = nn.BatchNorm2d(20)
        self.pooled = pooled

    def forward(self, images):
        features = self.norm(self.conv(images))
        return features.mean((2, 3)) if self.pooled else features


@pytest.mark.parametrize(("pooled", "shape"), [(True, r"\(4, 20\)"), (False, r"\(4, 20, 1, 12\)")])
def test_a_network_without_a_classifier_is_told_from_another_classifier(pooled, shape, tmp_path):
    images, labels = pictures(10)
    categories = [tmp_path / str(number) for number in range(12)]
    for category in categories:
        category.mkdir()
    for settings in ({"folders": categories, "n_classes": None}, {"n_classes": 12}):
        with pytest.raises(NoClassifierError, match=f"outputs {shape}, which are no class scores"):
            top_k(Backbone(pooled), as_float, from_arrays(images, labels), **settings)
    other = nn.Sequential(Backbone(), nn.Linear(20, 100))
    with pytest.raises(
        InputError,
        match=r"has 12 folders \(0, 1, .*, 11; .* where the network has 100 outputs; give",
    ):
        top_k(other, as_float, from_arrays(images, labels), None, folders=categories)
    own = nn.Sequential(Backbone(), nn.Linear(20, 12))
    assert (
        top_k(own, as_float, from_arrays(images, labels), None, folders=categories)["n_images"]
        == 10
    )
