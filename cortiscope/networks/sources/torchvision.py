"""Torchvision's architectures, the transforms of their weights, and where these are published."""

from pathlib import Path
from typing import Any

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


class Source(source.Source):
    """A network of torchvision's for classification."""

    def architecture(self) -> nn.Module:
        """The network for images of the size that it is shown, as torch draws its values."""
        name, side = self._known_name(), self.input_shape()[1]
        options: dict[str, Any] = {}
        if name in ("googlenet", "inception_v3"):
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
        preset = (self._entry() if wanted == "auto" else entries[wanted]).transforms()
        return Preprocessing(
            resize=preset.resize_size[0],
            crop=preset.crop_size[0],
            mean=tuple(preset.mean),
            std=tuple(preset.std),
            interpolation=preset.interpolation.value,
        )

    def knows_preprocessing(self) -> bool:
        return is_named(self.row["weights"])

    def published_accuracy(self) -> tuple[float, float] | None:
        """As published of the row's named weights."""
        if not is_named(self.row["weights"]):
            return None
        figures = self._entry().meta["_metrics"]["ImageNet-1K"]
        return float(figures["acc@1"]), float(figures["acc@5"])

    def weights_source(self) -> tuple[str, str]:
        """The first digits of the SHA-256 end the name of the file."""
        url = str(self._entry().url)
        return url, Path(url).stem.rpartition("-")[2]

    def unused(self) -> tuple[str, ...]:
        return tuple(f"{head}." for head in UNUSED.get(self.row["architecture"], ()))

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
        known = models.list_models(module=models)
        if self.row["architecture"] not in known:
            raise InputError(
                self.where("architecture"),
                f"torchvision has no {self.row['architecture']!r}",
                f"near: {near(self.row['architecture'], known)}",
            )
        return self.row["architecture"]
