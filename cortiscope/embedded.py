"""The embedded study `shapes` as datasets: stimuli, validation images and simulated responses."""

from dataclasses import asdict

import numpy as np
import xarray as xr

from cortiscope import shapes, simulated_brain


def stimuli(count: int, seed: int, stream: str = "study") -> xr.Dataset:
    """Rendered shapes: `image (stimulus, y, x, channel)`, their latents as coordinates."""
    arrays = asdict(shapes.render(count, seed, stream=stream))
    image = (("stimulus", "y", "x", "channel"), arrays.pop("image"))
    latents = {name: ("stimulus", values) for name, values in arrays.items()}
    # Dimensions take the names x and y, so the positions of shapes need others.
    latents["position_x"], latents["position_y"] = latents.pop("x"), latents.pop("y")
    return xr.Dataset({"image": image}, coords=latents)


def responses(shown: xr.Dataset, seed: int, repetitions: int, neuroids: int) -> xr.Dataset:
    """Simulated `response (stimulus, repetition, neuroid)` of V1, V4 and IT to rendered shapes."""
    latents = {str(name): shown[name].values for name in shown.coords if shown[name].ndim == 1}
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
