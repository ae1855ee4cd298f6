"""The stimuli as small pictures that stand in the page itself."""

import base64
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from cortiscope.experiment.stored_images import StoredImages
from cortiscope.files import opened, read_coordinate

MOST = 60  # pictures
SIDE = 96  # pixels, of the longer side
QUALITY = 70


@dataclass(frozen=True)
class Picture:
    """name: of the stimulus. source: a data URI. width, height: in pixels."""

    name: str
    source: str
    width: int
    height: int


def gallery(stimuli: str) -> tuple[list[Picture], int]:
    """Pictures of up to 60 stimuli, evenly from first to last; and how many stimuli there are."""
    names = read_coordinate(stimuli, "stimulus_id")
    with opened(stimuli) as dataset:
        images = StoredImages(dataset)
        places = np.unique(np.linspace(0, len(images) - 1, min(MOST, len(images))).astype(int))
        return [_picture(str(names[place]), images[place]) for place in places], len(images)


def _picture(name: str, image: np.ndarray) -> Picture:
    # In colour where there are enough channels; of two, the first.
    small = Image.fromarray(image[..., :3] if image.shape[-1] >= 3 else image[..., 0])
    small.thumbnail((SIDE, SIDE))
    with io.BytesIO() as written:
        small.save(written, "WEBP", quality=QUALITY)
        content = base64.b64encode(written.getvalue()).decode()
    return Picture(name, f"data:image/webp;base64,{content}", *small.size)
