"""From a row of the models table to a network, what it wants to see, and how well it classifies."""

import importlib
from pathlib import Path
from typing import Any

from torch import nn

from cortiscope.errors import InputError
from cortiscope.networks import weights
from cortiscope.networks.devices import seeded
from cortiscope.networks.preprocessing import Preprocessing
from cortiscope.networks.sources.given import Source as Given
from cortiscope.networks.sources.source import Row, Source


def source(model: Row) -> Source:
    """What the source of a row knows of its network; no module of another source is imported."""
    found: Source = _of_source(model)
    return found


def given(model: Row) -> Given | None:
    """Likewise of a row that has features and no network; None for a network."""
    found = _of_source(model)
    return found if isinstance(found, Given) else None


def _of_source(model: Row) -> Any:
    module = importlib.import_module(f"cortiscope.networks.sources.{model['source']}")
    return module.Source(model)


def build(model: Row, weights_path: str | None = None) -> nn.Module:
    """The network of a row of the models table, in evaluation mode, on the CPU, without gradients.

    weights_path: the file to load; None where the row's weights are `none`: then the initial
    values follow from the row's seed alone, and the random states are left as they were.
    Raises InputError for an unknown architecture, weights that do not fit, or a wrong checksum.
    """
    of = source(model)
    if weights_path is None and model["weights"] != "none":
        raise InputError(of.where("weights"), "no file given", "run the weights rule first")
    if weights_path is not None and model.get("checksum") and Path(weights_path).is_file():
        weights.verify(weights_path, model["checksum"], f"model {model['model']}: {weights_path}")
    with seeded(int(model.get("seed") or 0)):
        network = of.architecture() if weights_path is None else of.trained(weights_path)
    return network.eval().requires_grad_(False)


def architecture(model: Row) -> nn.Module:
    """The network of a row, in float32, with whatever initial values the random states give."""
    return source(model).architecture()


def transform(model: Row, network: nn.Module | None = None) -> Preprocessing:
    """What turns stimuli into the network's input; see `Preprocessing`.

    `auto`: what the row's source says. That an untrained network is to see what its trained twin
    sees, its row says (`read_models`).
    network: of a source that looks into it for what no words say.
    """
    return source(model).transform(network)


def shown(model: Row, network: nn.Module) -> dict[str, str]:
    """How stimuli are shown to a network, as the columns of its layer table say it."""
    of = source(model)
    wanted = of.transform(network)
    automatic = "own" if of.knows_preprocessing() else "assumed"
    return {
        "model_preprocessing": wanted.words,
        "model_preprocessing_source": automatic if model["preprocessing"] == "auto" else "given",
        "model_warning": of.warning(network, wanted),
    }


def input_shape(model: Row, network: nn.Module | None = None) -> tuple[int, int, int]:
    """Channel, y and x of the network's input."""
    return source(model).input_shape(network)


def published_accuracy(model: Row) -> tuple[float, float] | None:
    """Top-1 and top-5 accuracy in % (0..100) on ImageNet, where they are published."""
    return source(model).published_accuracy()
