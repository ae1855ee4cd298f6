"""The embedded study's small convolutional networks, 2 to 5 stages, for images of 64 pixels."""

from collections import OrderedDict
from itertools import pairwise

from torch import nn

from cortiscope.errors import InputError
from cortiscope.networks.preprocessing import Preprocessing
from cortiscope.networks.sources import source

INPUT_SIZE = 64
# Of pixels scaled to 0..1, the same for the three (equal) channels: near the mean and standard
# deviation over shapes.render.
MEAN = (0.37, 0.37, 0.37)
STANDARD_DEVIATION = (0.13, 0.13, 0.13)
CATEGORIES = 8

# Output channels of each stage. Every net has the same first stage, so that V1 has no reason to
# prefer one of them; what differs is how much is computed after it.
CHANNELS = {
    "shapenet2": (24, 16),
    "shapenet3": (24, 24, 24),
    "shapenet4": (24, 32, 32, 32),
    "shapenet5": (24, 32, 40, 48, 48),
}


class Source(source.Source):
    """A network of the embedded study, which has a size and a normalisation of its own."""

    def architecture(self) -> nn.Module:
        return build(self.row["architecture"])

    def transform(self, network: nn.Module | None = None) -> Preprocessing:
        if self.row["preprocessing"] == "auto":
            return Preprocessing(INPUT_SIZE, INPUT_SIZE, MEAN, STANDARD_DEVIATION)
        return super().transform(network)

    def knows_preprocessing(self) -> bool:
        return True


def build(architecture: str) -> nn.Sequential:
    """An untrained network: images (stimulus, 3, 64, 64), normalised -> logits (stimulus, 8).

    Stage i is conv{i}, norm{i}, relu{i}, pool{i}, with resolution 32, 16, 8, 4 and 4 pixels a side
    before pooling; then average and classifier. The initial weights come from torch's random
    state: seed it first. An unknown architecture is an InputError.
    """
    if architecture not in CHANNELS:
        known = ", ".join(CHANNELS)
        raise InputError("models table", f"no architecture {architecture!r}", f"use one of {known}")
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    channels = (3, *CHANNELS[architecture])
    for stage, (before, after) in enumerate(pairwise(channels), start=1):
        kernel, stride = (7, 2) if stage == 1 else (3, 1)
        layers[f"conv{stage}"] = nn.Conv2d(
            before, after, kernel, stride=stride, padding=kernel // 2, bias=False
        )
        layers[f"norm{stage}"] = nn.BatchNorm2d(after)
        layers[f"relu{stage}"] = nn.ReLU()
        if stage <= 3:
            layers[f"pool{stage}"] = nn.MaxPool2d(2)
    layers["average"] = nn.AdaptiveAvgPool2d(1)
    layers["flatten"] = nn.Flatten()
    layers["classifier"] = nn.Linear(channels[-1], CATEGORIES)
    return nn.Sequential(layers)
