"""What is asked of the network of a row of the models table, wherever it comes from.

A value of the column `source` is the name of a module of this package, with a class `Source` that
derives from this one and says what differs, and of a row of `kinds.SOURCES`. Only the module asked
for is imported, so that an edit of one extracts features anew of networks of that source alone.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from cortiscope.errors import InputError
from cortiscope.networks import preprocessing, weights
from cortiscope.networks.data_flow import heads_of
from cortiscope.networks.preprocessing import Preprocessing
from cortiscope.networks.state_dicts import Place

Row = Mapping[str, str]


@dataclass(frozen=True)
class Source(ABC):
    """What the source of a row knows of its network; all but the architecture has a default."""

    row: Row

    @abstractmethod
    def architecture(self) -> nn.Module:
        """The network, in float32, with whatever initial values the random states give."""

    def transform(self, network: nn.Module | None = None) -> Preprocessing:
        """What turns stimuli into the network's input: the row's words; for `auto`, `imagenet`.

        network: as `architecture` gives it, of sources that look into it.
        """
        words = self.row["preprocessing"]
        where = self.where("preprocessing")
        return preprocessing.parse("imagenet" if words == "auto" else words, where)

    def knows_preprocessing(self) -> bool:
        """Whether `auto` is what the network was trained with, and not merely assumed."""
        return False

    def warning(self, network: nn.Module, shown: Preprocessing) -> str:
        """One line on what is odd in how images are shown to the network; else empty."""
        return ""

    def published_accuracy(self) -> tuple[float, float] | None:
        """Top-1 and top-5 accuracy in % (0..100) on ImageNet; None where none is known."""
        return None

    def weights_source(self) -> tuple[str, str]:
        """Address of the row's named weights, and the first digits of their SHA-256.

        Asked only of sources of which `kinds` says that weights have names.
        """
        raise NotImplementedError

    def trained(self, path: str | Path) -> nn.Module:
        """The network with the weights of a file; an InputError where they do not fit."""
        network = self.architecture().eval()
        without = weights.load(
            network,
            path,
            self.row["model"],
            self.unused(),
            self.place(),
            lambda: self._ends(network),
        )
        for head in set(without) & {*self.row.get("layers", "").split(",")}:
            problem = f"{head!r} is not in the weights {path}"
            raise InputError(self.where("layers"), problem, "choose other layers")
        return network

    def place(self) -> Place:
        """Where in a file of weights the row says that its network is."""
        return Place(self.row.get("weights_key", ""), self.row.get("weights_prefix", ""))

    def _ends(self, network: nn.Module) -> tuple[str, ...]:
        """The modules that tell classes apart; none where an image does not pass."""
        said = self.heads()
        try:
            shape = self.input_shape(network)
            return heads_of(network, torch.zeros(2, *shape)) if said is None else said
        except Exception:  # the file is said not to fit, which is what matters
            return ()

    def n_classes(self) -> int | None:
        """How many classes its weights tell apart; 0 of a network without a classifier.

        None where nobody says.
        """
        return None

    def heads(self) -> tuple[str, ...] | None:
        """The modules that tell classes apart, none of a network without a classifier.

        None where nobody says, so that only a pass through it shows them.
        """
        return None

    def unused(self) -> tuple[str, ...]:
        """What the names of tensors begin with that a file may hold and the network has not."""
        return ()

    def input_shape(self, network: nn.Module | None = None) -> tuple[int, int, int]:
        """Channel, y and x of the network's input."""
        wanted = self.transform(network)
        if not wanted.size:
            raise InputError(
                self.where("preprocessing"), "sets no size", "add crop= or resize= in pixels"
            )
        return wanted.channels, wanted.size, wanted.size

    def where(self, column: str) -> str:
        """What a message calls a cell of the row."""
        return f"models table: {self.row['model']}: {column}"
