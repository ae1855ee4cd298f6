"""timm's architectures, what their weights were trained to see, and where these are published.

Names are timm's: an architecture (`vit_base_patch16_224`), with or without a tag after a dot; the
name of weights is a tag (`augreg_in21k`).
"""

import math
import re
from pathlib import Path
from typing import Any

import timm
from torch import nn

from cortiscope.errors import InputError
from cortiscope.networks import preprocessing, weights
from cortiscope.networks.preprocessing import ByPil, Preprocessing
from cortiscope.networks.sources import source
from cortiscope.networks.weight_names import is_named
from cortiscope.suggestions import near

CHECKSUM = re.compile(r"-([0-9a-f]{8})\.pth$")  # at the end of some addresses


class Source(source.Source):
    """A network of timm's, with the head that its weights have; built without the internet."""

    def architecture(self) -> nn.Module:
        return self._made()

    def trained(self, path: str | Path) -> nn.Module:
        """Names and sizes go through timm's own filter of the architecture, then strictly."""
        where = f"model {self.row['model']}: weights {path}"
        # Not timm's reader, which would run what a pickle holds.
        found = weights.tensors(path, where, self.place())
        try:
            network = self._made(pretrained=True, pretrained_cfg_overlay={"state_dict": found})
        except InputError:
            raise
        except Exception as error:  # whatever a filter does with tensors of another network
            said = " ".join(str(error).split())[:300]
            problem = f"does not fit ({type(error).__name__}: {said})"
            raise InputError(where, problem, "use the weights of this architecture") from error
        # Else it would hold its weights twice.
        vars(network)["pretrained_cfg"].pop("state_dict", None)
        return network

    def transform(self, network: nn.Module | None = None) -> ByPil:
        """What `preprocessing` says: words, or the name of weights, for what these were shown.

        `auto`: that of the row's named weights, else of the architecture's default ones.
        """
        wanted, tags = self.row["preprocessing"], self._tags()
        if wanted != "auto" and wanted not in tags:
            given = preprocessing.parse(wanted, self.where("preprocessing"), tags)
            return ByPil(**vars(given))
        shown = timm.data.resolve_data_config(pretrained_cfg=self._entry(wanted).to_dict())
        _, y, x = shown["input_size"]
        if y != x:
            problem = f"was trained on images of {y} x {x} pixels, and stimuli are shown square"
            raise InputError(self.where("preprocessing"), problem, "choose another network")
        return ByPil(
            resize=math.floor(y / shown["crop_pct"]),
            crop=y,
            mean=tuple(shown["mean"]),
            std=tuple(shown["std"]),
            interpolation=shown["interpolation"],
            aspect="squashed" if shown["crop_mode"] == "squash" else "kept",
        )

    def knows_preprocessing(self) -> bool:
        return is_named(self.row["weights"])

    def warning(self, network: nn.Module, shown: Preprocessing) -> str:
        """Of weights that were trained on whole images in a frame."""
        if self.row["preprocessing"] != "auto" or self._entry().crop_mode != "border":
            return ""
        return "its weights were shown whole images in a frame; here they are cropped instead"

    def published_accuracy(self) -> None:
        """timm's package has no figures; an unknown name of weights is an InputError."""
        self._entry()

    def n_classes(self) -> int:
        return int(self._entry(self.row["preprocessing"]).num_classes)

    def heads(self) -> tuple[str, ...]:
        named = self._entry(self.row["preprocessing"]).classifier if self.n_classes() else None
        return (named,) if isinstance(named, str) else tuple(named or ())

    def weights_source(self) -> tuple[str, str]:
        """On the hub, where weights have timm's names, or where their authors put them."""
        entry = self._entry()
        if entry.hf_hub_id:
            return f"{weights.hub()}/{entry.hf_hub_id}/resolve/main/model.safetensors", ""
        if not entry.url:
            problem = f"timm names no place to fetch {self.row['weights']!r} from"
            raise InputError(self.where("weights"), problem, "give the path of a file")
        ending = CHECKSUM.search(entry.url)
        return str(entry.url), ending[1] if ending else ""

    def _made(self, **options: Any) -> nn.Module:
        """The network for images of the size that it is shown."""
        entry, side = self._entry(self.row["preprocessing"]), self.input_shape()[1]
        if entry.fixed_input_size and side != entry.input_size[1]:
            options["img_size"] = side
        name = ".".join(filter(None, (self._name(), entry.tag)))
        network: nn.Module = timm.create_model(name, **options)
        return network

    def _entry(self, shown: str = "") -> Any:
        """What timm knows of the row's named weights.

        If it names none: of those whose preprocessing is `shown`, as a trained twin's is; else of
        those that its architecture names, or that are timm's default.
        """
        tags, asked = self._tags(), self.row["weights"]
        if is_named(asked) and asked not in tags:
            raise InputError(
                self.where("weights"),
                f"{self._name()} has no weights {asked!r}",
                f"near: {near(asked, tags)}; or none, or a file",
            )
        named = self.row["architecture"].partition(".")[2]
        tag = next((name for name in (asked, shown, named) if name in tags), "")
        if not tag and named:
            raise InputError(
                self.where("architecture"),
                f"{self._name()} has no weights {named!r}",
                f"near: {near(named, tags)}",
            )
        return timm.get_pretrained_cfg(".".join(filter(None, (self._name(), tag))))

    def _tags(self) -> list[str]:
        """The names of the architecture's weights."""
        found = timm.list_pretrained(f"{self._name()}.*")
        return [name.partition(".")[2] for name in found]

    def _name(self) -> str:
        """The architecture without a tag."""
        name = self.row["architecture"].partition(".")[0]
        if not timm.is_model(name):
            known = timm.list_models()
            raise InputError(
                self.where("architecture"), f"timm has no {name!r}", f"near: {near(name, known)}"
            )
        return name
