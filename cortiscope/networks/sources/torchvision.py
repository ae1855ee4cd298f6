"""Torchvision's architectures, the transforms of their weights, and where these are published.

For classification, segmentation and detection. A detector is its backbone here: what follows is
computed for boxes, whose number depends on what is shown.
"""

from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torchvision import models

from cortiscope.errors import InputError
from cortiscope.networks import preprocessing
from cortiscope.networks.preprocessing import Preprocessing
from cortiscope.networks.sources import source
from cortiscope.networks.weight_names import is_named
from cortiscope.suggestions import near

# Heads that nothing calls in evaluation mode, and that torchvision itself drops from a network with
# weights (that of inception_v3 it keeps, and counts among its parameters).
UNUSED = {"googlenet": ("aux1", "aux2")}
AUXILIARY = ("aux_classifier.",)  # of weights for segmentation, used in training alone
# Detectors whose first weights were converted from a library that adds nothing to the variances of
# batch norm.
PLAIN_VARIANCES = tuple(
    f"{name}_resnet50_fpn" for name in ("fasterrcnn", "keypointrcnn", "maskrcnn", "retinanet")
)


class Backbone(nn.Module):
    """The backbone of a detector, its feature pyramid included, for images normalised already."""

    def __init__(self, detector: nn.Module) -> None:
        super().__init__()
        self.backbone: Any = detector.backbone

    def forward(self, images: torch.Tensor) -> Any:
        return self.backbone(images)


class Source(source.Source):
    """A network of torchvision's for classification or segmentation, or a detector's backbone."""

    def architecture(self) -> nn.Module:
        """The network for images of the size that it is shown, as torch draws its values."""
        name, side = self._known_name(), self.input_shape()[1]
        options: dict[str, Any] = {}
        if self._is_of(models.detection):
            return self._backbone()
        if self._is_of(models.segmentation):
            options = {"weights_backbone": None}  # which would be fetched
        elif name in ("googlenet", "inception_v3"):
            # As their weights have it; set for untrained networks too, which are to see the same.
            untrained = self.row["weights"] == "none"
            options = {"transform_input": True, "aux_logits": True, "init_weights": untrained}
        elif name.startswith("vit_"):
            options = {"image_size": side}
        elif name.startswith("maxvit"):
            options = {"input_size": (side, side)}
        network: nn.Module = models.get_model(name, weights=None, **options)
        for head in UNUSED.get(name, ()):  # made all the same: values are drawn in this order
            setattr(network, head, None)
        return network

    def transform(self, network: nn.Module | None = None) -> Preprocessing:
        """What `preprocessing` says: words, or the name of weights, for their transforms.

        `auto`: the transforms of the row's named weights, else of the architecture's default ones.
        """
        wanted, entries = self.row["preprocessing"], models.get_model_weights(self._known_name())
        if wanted != "auto" and wanted not in entries.__members__:
            return preprocessing.parse(wanted, self.where("preprocessing"), entries.__members__)
        if self._is_of(models.detection):
            return _shown_inside(self._known_name())
        preset = (self._entry() if wanted == "auto" else entries[wanted]).transforms()
        resize = preset.resize_size[0]
        # Those for segmentation crop nothing, and stimuli are shown square.
        crop = resize if self._is_of(models.segmentation) else preset.crop_size[0]
        return Preprocessing(
            resize=resize,
            crop=crop,
            mean=tuple(preset.mean),
            std=tuple(preset.std),
            interpolation=preset.interpolation.value,
        )

    def knows_preprocessing(self) -> bool:
        return is_named(self.row["weights"])

    def published_accuracy(self) -> tuple[float, float] | None:
        """As published of the row's named weights, if they classify; those must be known."""
        if not is_named(self.row["weights"]):
            return None
        figures = self._entry().meta["_metrics"].get("ImageNet-1K")
        return (float(figures["acc@1"]), float(figures["acc@5"])) if figures else None

    def n_classes(self) -> int | None:
        """0 of what segments and detects: classes of pixels and boxes are none of images."""
        return None if self._is_of(models) else 0

    def heads(self) -> tuple[str, ...] | None:
        """None of a backbone, of which a pass shows only where it ends."""
        return () if self._is_of(models.detection) else None

    def weights_source(self) -> tuple[str, str]:
        """The first digits of the SHA-256 end the name of the file."""
        url = str(self._entry().url)
        return url, Path(url).stem.rpartition("-")[2]

    def unused(self) -> tuple[str, ...]:
        if self._is_of(models.detection):
            parts = dict(_on_meta(self._known_name()).named_children())
            return tuple(f"{part}." for part in parts if part != "backbone")
        if self._is_of(models.segmentation):
            return AUXILIARY
        return tuple(f"{head}." for head in UNUSED.get(self.row["architecture"], ()))

    def _backbone(self) -> nn.Module:
        name = self._known_name()
        network = Backbone(models.get_model(name, weights=None, weights_backbone=None))
        for part in network.modules():
            if name in PLAIN_VARIANCES and isinstance(part, nn.BatchNorm2d):
                part.eps = 0.0  # of an untrained one too, to differ in training alone
        return network

    def _is_of(self, package: Any) -> bool:
        """Whether torchvision lists the architecture there."""
        return self._known_name() in models.list_models(module=package)

    def _entry(self) -> Any:
        """The named weights of the architecture; its default ones if the row names none."""
        entries = models.get_model_weights(self._known_name())
        if not is_named(self.row["weights"]):
            return entries.DEFAULT
        if self.row["weights"] not in entries.__members__:
            raise InputError(
                self.where("weights"),
                f"{self.row['architecture']} has no weights {self.row['weights']!r}",
                f"near: {near(self.row['weights'], entries.__members__)}; or none, or a file",
            )
        return entries[self.row["weights"]]

    def _known_name(self) -> str:
        packages = (models, models.segmentation, models.detection)
        known = [name for package in packages for name in models.list_models(module=package)]
        if self.row["architecture"] not in known:
            raise InputError(
                self.where("architecture"),
                f"torchvision has no {self.row['architecture']!r}",
                f"near: {near(self.row['architecture'], known)}",
            )
        return self.row["architecture"]


@cache
def _on_meta(name: str) -> Any:
    """A detector without values, to be looked into."""
    with torch.device("meta"):
        return models.get_model(name, weights=None, weights_backbone=None)


def _shown_inside(name: str) -> Preprocessing:
    """What a detector does with images itself; those that are not square lose what is beside."""
    inside = _on_meta(name).transform
    mean, std = (tuple(map(float, values)) for values in (inside.image_mean, inside.image_std))
    if inside.fixed_size:
        side = inside.fixed_size[0]
        return Preprocessing(side, side, mean, std, aspect="squashed")
    side = inside.min_size[-1]
    return Preprocessing(side, side, mean, std)
