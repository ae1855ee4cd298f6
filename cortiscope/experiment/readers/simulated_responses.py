"""The simulated responses of the embedded study `shapes`.

Apart from its stimuli, so that an edit of the simulated brain renders none anew.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cortiscope.experiment import shapes, simulated_brain
from cortiscope.experiment.formats import Array, Arrays
from cortiscope.experiment.pictures import PICTURE
from cortiscope.experiment.simulated_areas import AREAS

if TYPE_CHECKING:
    import xarray as xr

FORMAT = "simulated responses"
RANK = 0
READS = {"responses": ("neuroids", "repetitions", "seed")}
RESPONSE_DIMS = ("stimulus", "repetition", "neuroid")


def recognises(path: Path | None) -> bool:
    return path is None


@contextmanager
def opened(source: Sequence[str], section: Mapping[str, Any]) -> Iterator[Arrays]:
    """Without simulating: to how many stimuli is not known here, and taken for none."""
    areas = np.repeat(AREAS, int(section["neuroids"]))
    about = {
        "neuroid_id": np.arange(len(areas)).astype(str),
        "area": areas,
        "reliability": np.full(len(areas), np.nan),
    }
    arrays = {name: Array(("neuroid",), values) for name, values in about.items()}
    response = np.empty((0, int(section["repetitions"]), len(areas)), np.float32)
    yield Arrays("simulated responses", arrays | {"response": Array(RESPONSE_DIMS, response)})


def read(
    source: Sequence[str], section: Mapping[str, Any], shown: "xr.Dataset | None" = None
) -> "xr.Dataset":
    """Simulated `response (stimulus, repetition, neuroid)` of V1, V4 and IT to rendered shapes."""
    import xarray as xr  # not at the top: see `formats`

    if shown is None:
        raise ValueError("responses are simulated to stimuli")
    latents = {str(name): shown[name].values for name in shown.coords if shown[name].ndim == 1}
    for name in ("part", PICTURE):  # which the simulated brain does not see
        latents.pop(name, None)
    latents["x"], latents["y"] = latents.pop("position_x"), latents.pop("position_y")
    recording = simulated_brain.responses(
        shapes.Stimuli(image=shown["image"].values, **latents),
        section["seed"],
        section["repetitions"],
        section["neuroids"],
    )
    return xr.Dataset(
        {
            "response": (
                RESPONSE_DIMS,
                recording.response.astype(np.float32),
                {"units": recording.units},
            )
        },
        coords={
            "stimulus_id": ("stimulus", recording.stimulus_id),
            "neuroid_id": ("neuroid", recording.neuroid_id),
            "area": ("neuroid", recording.area),
            "reliability": ("neuroid", recording.reliability),
        },
    )
