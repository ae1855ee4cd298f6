"""The stimuli and validation images of the embedded study `shapes`, as datasets."""

from dataclasses import asdict

import xarray as xr

from cortiscope.experiment import shapes


def stimuli(count: int, seed: int, stream: str = "study") -> xr.Dataset:
    """Rendered shapes: `image (stimulus, y, x, channel)`, their latents as coordinates.

    And the coordinate `part`: see `shapes.parts`.
    """
    arrays = asdict(shapes.render(count, seed, stream=stream))
    image = (("stimulus", "y", "x", "channel"), arrays.pop("image"))
    latents = {name: ("stimulus", values) for name, values in arrays.items()}
    # Dimensions take the names x and y, so the positions of shapes need others.
    latents["position_x"], latents["position_y"] = latents.pop("x"), latents.pop("y")
    latents["part"] = ("stimulus", shapes.parts(count))
    return xr.Dataset({"image": image}, coords=latents)
