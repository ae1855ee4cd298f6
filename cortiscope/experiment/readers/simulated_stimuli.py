"""The stimuli and validation images of the embedded study `shapes`, which are rendered."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cortiscope.experiment import shapes
from cortiscope.experiment.formats import IMAGE_DIMS, Array, Arrays

if TYPE_CHECKING:
    import xarray as xr

FORMAT = "simulated stimuli"
RANK = 0
READS = {"stimuli": ("count", "seed")}
# What they are made of: what they show, and what is orthogonal to that.
PROPERTIES = ("category", "position_x", "position_y", "size", "rotation")
# Dimensions take the names x and y, so the positions of shapes need others.
RENAMED = {"x": "position_x", "y": "position_y"}


def recognises(path: Path | None) -> bool:
    return path is None


@contextmanager
def opened(source: Sequence[str], section: Mapping[str, Any]) -> Iterator[Arrays]:
    """Without rendering: of numbers that are drawn later only that they differ."""
    count, size = int(section["count"]), shapes.IMAGE_SIZE
    label = shapes.labels(count, shapes.generator(section["seed"], "study"))
    names = [RENAMED.get(field.name, field.name) for field in fields(shapes.Stimuli)]
    differing: dict[str, np.ndarray] = dict.fromkeys(names, np.arange(count, dtype=float))
    known = {
        "stimulus_id": shapes.names("study", label),
        "category": np.array(shapes.CATEGORIES)[label],
        "label": label,
        "part": shapes.parts(count),
    }
    arrays = {name: Array(("stimulus",), values) for name, values in (differing | known).items()}
    image = np.broadcast_to(np.uint8(0), (count, size, size, 3))
    yield Arrays("simulated stimuli", arrays | {"image": Array(IMAGE_DIMS, image)})


def read(
    source: Sequence[str], section: Mapping[str, Any], shown: "xr.Dataset | None" = None
) -> "xr.Dataset":
    return render(section["count"], section["seed"])


def render(count: int, seed: int, stream: str = "study") -> "xr.Dataset":
    """Rendered shapes: `image (stimulus, y, x, channel)`, their latents as coordinates.

    And the coordinate `part`: see `shapes.parts`.
    """
    import xarray as xr  # not at the top: see `formats`

    arrays = asdict(shapes.render(count, seed, stream=stream))
    image = (IMAGE_DIMS, arrays.pop("image"))
    latents = {name: ("stimulus", values) for name, values in arrays.items()}
    for name, other in RENAMED.items():
        latents[other] = latents.pop(name)
    latents["part"] = ("stimulus", shapes.parts(count))
    return xr.Dataset({"image": image}, coords=latents)
