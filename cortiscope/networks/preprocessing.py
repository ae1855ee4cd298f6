"""From stimuli as stored (uint8) to what a network was trained to see."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from cortiscope.errors import InputError
from cortiscope.suggestions import near

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
INTERPOLATIONS = ("nearest", "bilinear", "bicubic")
Colour = tuple[float, ...]


@dataclass(frozen=True)
class Preprocessing:
    """Resize the shorter side, crop the centre, scale to 0..1, subtract mean, divide by std.

    resize: pixels of the shorter side (0: leave as it is); crop: pixels a side (0: none; where
    the image is smaller, black is added); mean and std: of each channel, in units of 0..1.
    """

    resize: int
    crop: int
    mean: Colour
    std: Colour
    interpolation: str = "bilinear"

    def __call__(self, images: np.ndarray) -> torch.Tensor:
        """uint8 (stimulus, y, x, channel), 1 or 3 channels -> float (stimulus, 3, y, x).

        A grey image is given to all three channels. Resizing filters out what the smaller image
        cannot hold, as PIL does, and rounds to whole grey levels, as it was in training.
        """
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] not in (1, 3):
            raise InputError(
                "stimuli",
                f"images are {images.dtype} {images.shape}",
                "give uint8 (stimulus, y, x, channel) with 1 or 3 channels",
            )
        pixels = torch.from_numpy(np.array(images)).permute(0, 3, 1, 2)
        resizes = self.resize not in (0, min(pixels.shape[-2:]))
        if resizes or (self.crop and pixels.shape[-2:] != (self.crop, self.crop)):
            pixels = self._resample(pixels)
        mean, std = (torch.tensor(values).view(1, -1, 1, 1) for values in (self.mean, self.std))
        values = pixels.expand(-1, 3, -1, -1).float().div_(255)
        return values.sub_(mean).div_(std)

    def _resample(self, pixels: torch.Tensor) -> torch.Tensor:
        # Here, since importing torchvision doubles the start-up of a job that needs none of it.
        from torchvision.transforms import InterpolationMode, functional

        if self.resize:
            mode = InterpolationMode(self.interpolation)
            pixels = functional.resize(pixels, [self.resize], mode, antialias=True)
        if self.crop:
            pixels = functional.center_crop(pixels, [self.crop])
        return pixels


class Pictures(Protocol):
    """Images that may differ in size; an array (stimulus, y, x, channel) will do."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> np.ndarray:
        """uint8 (y, x, channel)"""


class Preprocessed:
    """Stimuli that are preprocessed as they are sliced, so that memory holds one batch.

    Each as if alone, whatever the size of the others.
    """

    def __init__(self, images: Pictures, transform: Callable[[np.ndarray], torch.Tensor]) -> None:
        self.images = images
        self.transform = transform
        self.shape: torch.Size | None = None

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, part: slice) -> torch.Tensor:
        made = (self.transform(self.images[i][None]) for i in range(*part.indices(len(self))))
        batch = batch_of(made, self.shape)
        self.shape = batch[:1].shape
        return batch


def batch_of(pictures: Iterable[torch.Tensor], shape: torch.Size | None = None) -> torch.Tensor:
    """Preprocessed images (1, channel, y, x) as one batch (stimulus, channel, y, x).

    An InputError unless all are of one shape, that of earlier ones where it is given.
    """
    together = list(pictures)
    wanted = shape or together[0].shape
    for picture in together:
        if picture.shape != wanted:
            sizes = " and ".join(f"{y} x {x}" for _, _, y, x in (wanted, picture.shape))
            raise InputError(
                "models table: preprocessing",
                f"leaves images of unlike sizes, such as {sizes} pixels",
                "add crop= in pixels",
            )
    return torch.cat(together)


def parse(text: str, where: str, names: Iterable[str] = ()) -> Preprocessing:
    """`imagenet`, or words such as `resize=64 crop=64 mean=0.5 std=0.25 interpolation=bicubic`.

    mean and std: one number, or three with commas (default 0 and 1); a missing resize or crop is
    not done. Raises InputError, with `where`, for anything else; names: what else might have been
    meant.
    """
    if text == "imagenet":
        return Preprocessing(256, 224, IMAGENET_MEAN, IMAGENET_STD)
    words = dict(word.partition("=")[::2] for word in text.split())
    known = ("resize", "crop", "mean", "std", "interpolation")
    for word in words:
        if word not in known:
            choices = ("auto", "imagenet", *(f"{name}=" for name in known), *names)
            raise InputError(where, f"unknown word {word!r}", f"near: {near(word, choices)}")
    try:
        found = Preprocessing(
            resize=int(words.get("resize", 0)),
            crop=int(words.get("crop", 0)),
            mean=_colour(words.get("mean", "0")),
            std=_colour(words.get("std", "1")),
            interpolation=words.get("interpolation", "bilinear"),
        )
    except ValueError as error:
        raise InputError(where, f"{text!r}: {error}", "write whole pixels and numbers") from error
    if found.interpolation not in INTERPOLATIONS or min(found.std) <= 0:
        raise InputError(
            where, f"{text!r} is out of range", f"std > 0; interpolation in {INTERPOLATIONS}"
        )
    return found


def _colour(text: str) -> Colour:
    values = tuple(float(part) for part in text.split(","))
    if len(values) not in (1, 3):
        raise ValueError(f"{text!r} is neither one number nor three")
    return values * (3 // len(values))
