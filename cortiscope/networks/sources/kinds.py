"""The sources of networks there are, and what planning must know of each without importing torch.

Each is a module of this package (see `source`). No job imports this table, so that a further row
extracts nothing anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cortiscope.errors import InputError


@dataclass(frozen=True)
class Kind:
    """named_weights: weights may be a name, by which the workflow fetches them.

    full_names: that name may have the architecture before it, and a dot.

    network: whether a network gives the features; they are given otherwise, and classify nothing.

    data: the architecture is a file of features.

    own_code: the architecture is path/to/module.py:function, in a file of the user's.
    """

    named_weights: bool = False
    full_names: bool = False
    network: bool = True
    data: bool = False
    own_code: bool = False


SOURCES = {
    "torchvision": Kind(named_weights=True),
    "timm": Kind(named_weights=True, full_names=True),
    "zoo": Kind(),
    "file": Kind(own_code=True),
    "features": Kind(network=False, data=True),
    "labels": Kind(network=False),
    "low_level": Kind(network=False),
}


def kind_of(model: Mapping[str, str]) -> Kind:
    """What is known of the source of a row of the models table; an InputError if there is none."""
    if model["source"] not in SOURCES:
        raise InputError(
            f"models table: {model.get('model', '')}: source",
            f"{model['source']!r} is not valid",
            f"use one of {', '.join(SOURCES)}",
        )
    return SOURCES[model["source"]]
