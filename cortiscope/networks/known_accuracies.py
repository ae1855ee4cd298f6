"""Accuracies that studies in the same working directory share, each measured once."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cortiscope.files import read, replacing
from cortiscope.networks import networks
from cortiscope.networks.accuracy import measured, say
from cortiscope.networks.devices import choose_device
from cortiscope.versions import versions

FOLDER = Path("resources/accuracy")
COMPUTED_BY = ("torch", "torchvision")


def measured_once(
    row: networks.Row,
    weights: str | None,
    images: str,
    device: str,
    parts: Sequence[str],
    own_code: bool = False,
) -> Mapping[str, Any]:
    """As `accuracy.measured`, or what that found before of the same network and images.

    parts: what else it depends on: digests of the code, and of a folder of images.
    own_code: whether code of the user's makes the network, which may depend on anything: it is
    measured anew.
    """
    if own_code:
        return measured(row, weights, images, device)
    file = FOLDER / f"{_digest(row, weights, images, device, parts)}.json"
    if file.is_file():
        say(f"accuracy: as measured before, in {file}")
        return json.loads(file.read_text())
    found = measured(row, weights, images, device)
    with replacing(file) as temporary:
        temporary.write_text(json.dumps(found))
    return found


def _digest(
    row: networks.Row, weights: str | None, images: str, device: str, parts: Sequence[str]
) -> str:
    """Of the network, its weights, the images and what computes, not of how studies name them."""
    network = {key: value for key, value in row.items() if key not in ("model", "weights")}
    # Which follows from the name of weights, where they have one.
    shown = str(networks.transform(row))
    libraries = (*COMPUTED_BY, "timm") if row["source"] == "timm" else COMPUTED_BY
    computed_by = [choose_device(device).type, versions(libraries)]
    text = json.dumps([network, shown, computed_by, *parts], sort_keys=True)
    digest = hashlib.sha256(text.encode())
    if weights:
        with Path(weights).open("rb") as content:
            digest.update(hashlib.file_digest(content, "sha256").digest())
    if Path(images).is_dir():
        digest.update(str(Path(images).resolve()).encode())
    else:
        stored = read(images)
        for name in ("image", "label"):
            digest.update(np.ascontiguousarray(stored[name]).data)
    return digest.hexdigest()[:16]
