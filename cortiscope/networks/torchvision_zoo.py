"""Torchvision's architectures, the transforms of their weights, and where these are published."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn
from torchvision import models

from cortiscope.errors import InputError
from cortiscope.networks import preprocessing
from cortiscope.networks.preprocessing import Preprocessing
from cortiscope.networks.weight_names import is_named
from cortiscope.suggestions import near

Row = Mapping[str, str]
# Heads that nothing calls in evaluation mode, and that torchvision itself drops from a network with
# weights (that of inception_v3 it keeps, and counts among its parameters).
UNUSED = {"googlenet": ("aux1", "aux2")}


def architecture(model: Row, side: int) -> nn.Module:
    """The network of a row for images of `side` pixels, with initial values as torch draws them."""
    name = _known_name(model)
    options: dict[str, Any] = {}
    if name in ("googlenet", "inception_v3"):
        # As their weights have it; set for untrained networks too, which are to see the same.
        untrained = model["weights"] == "none"
        options = {"transform_input": True, "aux_logits": True, "init_weights": untrained}
    elif name.startswith("vit_"):
        options = {"image_size": side}
    elif name.startswith("maxvit"):
        options = {"input_size": (side, side)}
    network: nn.Module = models.get_model(name, weights=None, **options)
    for head in UNUSED.get(name, ()):  # made all the same: initial values are drawn in this order
        setattr(network, head, None)
    return network


def unused(model: Row) -> tuple[str, ...]:
    """What the names of tensors begin with that a file of weights holds and the network has not."""
    return tuple(f"{head}." for head in UNUSED.get(model["architecture"], ()))


def transform(model: Row) -> Preprocessing:
    """What `preprocessing` says: words, or the name of weights, for their transforms.

    `auto`: the transforms of the row's named weights, else of the architecture's default ones.
    """
    wanted, entries = model["preprocessing"], models.get_model_weights(_known_name(model))
    if wanted != "auto" and wanted not in entries.__members__:
        where = f"models table: {model['model']}: preprocessing"
        return preprocessing.parse(wanted, where, entries.__members__)
    preset = (_entry(model) if wanted == "auto" else entries[wanted]).transforms()
    return Preprocessing(
        resize=preset.resize_size[0],
        crop=preset.crop_size[0],
        mean=tuple(preset.mean),
        std=tuple(preset.std),
        interpolation=preset.interpolation.value,
    )


def published_accuracy(model: Row) -> tuple[float, float]:
    """Top-1 and top-5 accuracy in % (0..100) on ImageNet of the row's named weights."""
    figures = _entry(model).meta["_metrics"]["ImageNet-1K"]
    return float(figures["acc@1"]), float(figures["acc@5"])


def weights_source(model: Row) -> tuple[str, str]:
    """Address of named weights, and the first digits of their SHA-256, which end the file name."""
    url = str(_entry(model).url)
    return url, Path(url).stem.rpartition("-")[2]


def _entry(model: Row) -> Any:
    """The named weights of a torchvision architecture; its default ones if the row names none."""
    entries = models.get_model_weights(_known_name(model))
    if not is_named(model["weights"]):
        return entries.DEFAULT
    if model["weights"] not in entries.__members__:
        raise InputError(
            f"models table: {model['model']}: weights",
            f"{model['architecture']} has no weights {model['weights']!r}",
            f"near: {near(model['weights'], entries.__members__)}; or none, or a file",
        )
    return entries[model["weights"]]


def _known_name(model: Row) -> str:
    known = models.list_models(module=models)
    if model["architecture"] not in known:
        raise InputError(
            f"models table: {model['model']}: architecture",
            f"torchvision has no {model['architecture']!r}",
            f"near: {near(model['architecture'], known)}",
        )
    return model["architecture"]
