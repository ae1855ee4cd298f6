"""From stimuli as stored (uint8) to what a network was trained to see."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from operator import mul
from typing import Any, Protocol

import numpy as np
import torch

from cortiscope.errors import InputError
from cortiscope.suggestions import near

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
INTERPOLATIONS = ("nearest", "bilinear", "bicubic")
ASPECTS = ("kept", "squashed")
LUMA = (19595, 38470, 7471)  # of red, green and blue in grey, in 1/65536: ITU-R 601, as PIL has it
Colour = tuple[float, ...]


@dataclass(frozen=True)
class Preprocessing:
    """Resize the shorter side (or both), crop the centre, scale to 0..1, normalise by mean and std.

    resize: pixels of the shorter side (0: leave as it is); crop: pixels a side (0: none; where
    the image is smaller, black is added); mean and std: of each channel, in units of 0..1;
    channels: that the network takes, 1 or 3; aspect: `kept`, or `squashed`: both sides are resized.
    """

    resize: int
    crop: int
    mean: Colour
    std: Colour
    interpolation: str = "bilinear"
    channels: int = 3
    aspect: str = "kept"

    @property
    def size(self) -> int:
        """Pixels a side of what the network sees; 0 where that is the image's own size."""
        return self.crop or self.resize

    def pads(self, y: int, x: int) -> bool:
        """Whether images of y by x pixels get a black rim."""
        return not self.resize and min(y, x) < self.crop

    @property
    def words(self) -> str:
        """As `parse` reads it, and the models table has it."""
        return " ".join(
            f"{field.name}={_text(getattr(self, field.name))}"
            for field in fields(self)
            if (field.name, self.aspect) != ("aspect", "kept")  # as for all but a few networks
        )

    def grey(self) -> "Preprocessing":
        """The same for a network of one channel: its mean and std are those of grey."""
        mean, std = (
            (round(sum(map(mul, LUMA, values)) / sum(LUMA), 6),) for values in (self.mean, self.std)
        )
        return replace(self, mean=mean, std=std, channels=1)

    def __call__(self, images: np.ndarray) -> torch.Tensor:
        """uint8 (stimulus, y, x, channel), 1 or 3 channels -> float (stimulus, channel, y, x).

        A grey image is given to all channels of the network; for a network of one channel, images
        in colour are turned to grey (ITU-R 601), rounded as by PIL. Resizing filters out what the
        smaller image cannot hold, as PIL does, and rounds to whole grey levels, as it was in
        training.
        """
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] not in (1, 3):
            raise InputError(
                "stimuli",
                f"images are {images.dtype} {images.shape}",
                "give uint8 (stimulus, y, x, channel) with 1 or 3 channels",
            )
        pixels = torch.from_numpy(np.array(images)).permute(0, 3, 1, 2)
        if pixels.shape[1] > self.channels:
            pixels = _grey(pixels)
        sides = pixels.shape[-2:]
        resized = {min(sides)} if self.aspect == "kept" else {*sides}
        resizes = self.resize and resized != {self.resize}
        if resizes or (self.crop and pixels.shape[-2:] != (self.crop, self.crop)):
            pixels = self._resample(pixels)
        mean, std = (torch.tensor(values).view(1, -1, 1, 1) for values in (self.mean, self.std))
        values = pixels.expand(-1, self.channels, -1, -1).float().div_(255)
        return values.sub_(mean).div_(std)

    def _resample(self, pixels: torch.Tensor) -> torch.Tensor:
        # Here, since importing torchvision doubles the start-up of a job that needs none of it.
        from torchvision.transforms import InterpolationMode, functional

        if self.resize:
            # What torch calls nearest takes other pixels than PIL.
            exact = {"nearest": "nearest-exact"}
            mode = InterpolationMode(exact.get(self.interpolation, self.interpolation))
            sides = [self.resize] * (1 if self.aspect == "kept" else 2)
            pixels = self._resized(pixels, sides, mode)
        if self.crop:
            pixels = functional.center_crop(pixels, [self.crop])
        return pixels

    def _resized(self, pixels: torch.Tensor, sides: list[int], mode: Any) -> torch.Tensor:
        from torchvision.transforms import functional

        resized: torch.Tensor = functional.resize(pixels, sides, mode, antialias=True)
        return resized


class ByPil(Preprocessing):
    """The same, resized by PIL itself, for networks of which that is part of the definition.

    torch's differs by up to 1 grey level (bilinear) or 7 (bicubic, at edges), since PIL rounds
    between the two axes.
    """

    def _resized(self, pixels: torch.Tensor, sides: list[int], mode: Any) -> torch.Tensor:
        from torchvision.transforms import functional

        pictures = (functional.to_pil_image(picture) for picture in pixels)
        resized = (functional.resize(picture, sides, mode) for picture in pictures)
        return torch.stack([functional.pil_to_tensor(picture) for picture in resized])


def _grey(pixels: torch.Tensor) -> torch.Tensor:
    """uint8 (stimulus, 3, y, x) -> uint8 (stimulus, 1, y, x)"""
    luma = torch.tensor(LUMA, dtype=torch.int32).view(1, 3, 1, 1)
    return ((pixels * luma).sum(1, keepdim=True) + 2**15 >> 16).byte()


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


def remarks(
    shown: Preprocessing, about: Mapping[str, str], weights: str, image: tuple[int, int]
) -> Iterator[str]:
    """What the log of a job says of how stimuli are shown, and of what is not recorded.

    about: a row of the layer table; weights: as in the models table; image: y, x in pixels.
    """
    source = about["model_preprocessing_source"]
    yield f"images are shown with {shown.words} ({source})"
    if about["model_warning"]:
        yield f"warning: {about['model_warning']}"
    if about["model_unrecorded"]:
        yield f"warning: layer {about['model_unrecorded']}"
    if source == "assumed" and weights != "none":
        yield (
            f"warning: this is assumed: {weights} may have been trained with another preprocessing,"
            " which the models table can say"
        )
    if shown.pads(*image):
        size = " x ".join(map(str, image))
        yield f"warning: images of {size} pixels get a black rim by crop={shown.crop}; add resize="


def parse(text: str, where: str, names: Iterable[str] = ()) -> Preprocessing:
    """`imagenet`, or words such as `resize=64 crop=64 mean=0.5 std=0.25 interpolation=bicubic`.

    mean and std: one number, or three with commas (default 0 and 1); a missing resize or crop is
    not done; channels: 1 or 3 (default); aspect: kept (default) or squashed. Raises InputError,
    with `where`, for anything else, and for a crop that is larger than what it is cut from; names:
    what else might have been meant.
    """
    if text == "imagenet":
        return Preprocessing(256, 224, IMAGENET_MEAN, IMAGENET_STD)
    words = dict(word.partition("=")[::2] for word in text.split())
    known = tuple(field.name for field in fields(Preprocessing))
    for word in words:
        if word not in known:
            choices = ("auto", "imagenet", *(f"{name}=" for name in known), *names)
            raise InputError(where, f"unknown word {word!r}", f"near: {near(word, choices)}")
    try:
        channels = int(words.get("channels", 3))
        found = Preprocessing(
            resize=int(words.get("resize", 0)),
            crop=int(words.get("crop", 0)),
            mean=_colour(words.get("mean", "0"), channels),
            std=_colour(words.get("std", "1"), channels),
            interpolation=words.get("interpolation", "bilinear"),
            channels=channels,
            aspect=words.get("aspect", "kept"),
        )
    except ValueError as error:
        raise InputError(where, f"{text!r}: {error}", "write whole pixels and numbers") from error
    numbers = (found.resize, found.crop, *found.mean, *found.std)
    in_range = min(found.resize, found.crop) >= 0 and min(found.std) > 0
    known_words = found.interpolation in INTERPOLATIONS and found.aspect in ASPECTS
    if not (in_range and np.isfinite(numbers).all() and known_words):
        raise InputError(
            where,
            f"{text!r} is out of range",
            f"std > 0; resize, crop >= 0; interpolation in {INTERPOLATIONS}; aspect in {ASPECTS}",
        )
    if 0 < found.resize < found.crop:
        raise InputError(
            where,
            f"{text!r} crops more than there is, and would pad with black",
            f"write resize={found.crop} or more, or a smaller crop",
        )
    return found


def _colour(text: str, channels: int) -> Colour:
    values = tuple(float(part) for part in text.split(","))
    if channels not in (1, 3):
        raise ValueError(f"channels={channels} is neither 1 nor 3")
    if len(values) not in (1, channels):
        known = "neither one number nor three" if channels == 3 else "not the one of one channel"
        raise ValueError(f"{text!r} is {known}")
    return values * (channels // len(values))


def _text(value: Any) -> str:
    if not isinstance(value, tuple):
        return str(value)
    return ",".join(f"{number:.12g}" for number in (value[:1] if len(set(value)) == 1 else value))
