"""The simulated responses of the embedded study `shapes`, as a dataset.

Apart from `embedded`, so that an edit of the simulated brain renders no stimuli anew.
"""

import numpy as np
import xarray as xr

from cortiscope.experiment import shapes, simulated_brain
from cortiscope.experiment.pictures import PICTURE


def responses(shown: xr.Dataset, seed: int, repetitions: int, neuroids: int) -> xr.Dataset:
    """Simulated `response (stimulus, repetition, neuroid)` of V1, V4 and IT to rendered shapes."""
    latents = {str(name): shown[name].values for name in shown.coords if shown[name].ndim == 1}
    for name in ("part", PICTURE):  # which the simulated brain does not see
        latents.pop(name, None)
    latents["x"], latents["y"] = latents.pop("position_x"), latents.pop("position_y")
    recording = simulated_brain.responses(
        shapes.Stimuli(image=shown["image"].values, **latents), seed, repetitions, neuroids
    )
    return xr.Dataset(
        {
            "response": (
                ("stimulus", "repetition", "neuroid"),
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
