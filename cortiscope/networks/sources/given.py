"""What is asked of a row of the models table that has features, and no network that gives them.

A source of such rows is a module of this package, as one of networks is (see `source`), with a
class `Source` that derives from this one. Planning asks it for its layers, so that nothing here
imports torch.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from math import prod
from typing import NamedTuple, Protocol

import numpy as np

from cortiscope.errors import InputError
from cortiscope.suggestions import near

EVERY = ("blocks", "all")  # selectors that take every layer: the default, and the plain word
NO_PREPROCESSING = "none"


class Given(NamedTuple):
    """A layer: its name, its depth (0 to 1), and its shape for one stimulus."""

    name: str
    depth: float
    shape: tuple[int, ...]


class Stimuli(Protocol):
    """What planning knows of the stimuli, without showing them."""

    def n_values(self, coordinate: str) -> int:
        """How many values a coordinate takes; an InputError if there is none."""

    def image_size(self) -> tuple[int, int]:
        """y and x of the first image, in pixels."""


@dataclass(frozen=True)
class Source(ABC):
    """What the source of a row knows of its features."""

    row: Mapping[str, str]

    @abstractmethod
    def given(self, stimuli: Stimuli) -> list[Given]:
        """All layers that there are, in order, from headers alone."""

    @abstractmethod
    def values(self, stimuli: str, names: Sequence[str]) -> Iterator[tuple[str, np.ndarray]]:
        """Of each layer of these names its features, (stimulus, feature), floating-point.

        stimuli: the study's file of stimuli, whose order they are in.
        """

    def layers(self, stimuli: Stimuli) -> list[dict[str, str]]:
        """The layer table, its columns and text as in `layer_tables.read_table`."""
        if self.row["weights"] != "none":
            raise InputError(
                self.where("weights"), "features have no weights", "leave the cell empty"
            )
        chosen = self._selected(self.given(stimuli))
        widest = max(prod(layer.shape) for layer in chosen)
        about = {
            "kind": self.row["source"],
            "parameters": "0",
            "model_parameters": "0",
            "model_widest": str(widest),
            "model_preprocessing": NO_PREPROCESSING,
            "model_preprocessing_source": "given",
            "model_warning": "",
            "model_unrecorded": "",
        }
        return [
            {
                "layer": layer.name,
                "index": str(index),
                "depth": str(round(layer.depth, 6)),
                "shape": "x".join(map(str, layer.shape)),
                "n_features": str(prod(layer.shape)),
                **about,
            }
            for index, layer in enumerate(chosen)
        ]

    def _selected(self, layers: Sequence[Given]) -> list[Given]:
        """By names and globs with commas between; see `EVERY`."""
        selector = self.row["layers"]
        names = [layer.name for layer in layers]
        if selector in EVERY and selector not in names:
            return [*layers]
        patterns = [selector] if selector in names else selector.split(",")
        for pattern in patterns:
            if not any(pattern == name or fnmatchcase(name, pattern) for name in names):
                raise InputError(
                    self.where("layers"),
                    f"{pattern!r} matches no layer",
                    f"near: {near(pattern, names)}",
                )
        return [
            layer
            for layer in layers
            if any(
                layer.name == pattern or fnmatchcase(layer.name, pattern) for pattern in patterns
            )
        ]

    def where(self, column: str) -> str:
        """What a message calls a cell of the row."""
        return f"models table: {self.row['model']}: {column}"
