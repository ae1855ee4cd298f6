"""Image files as arrays."""

import hashlib
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import IO

import numpy as np
from PIL import ExifTags, Image, ImageOps

from cortiscope.errors import InputError

IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")
# Files and folders that a Mac, Windows or a storage device leaves among others, in small letters;
# beside those whose names begin with `.`, such as `.DS_Store`, `._image.png`, `.ipynb_checkpoints`.
LEFTOVERS = (
    *("__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin"),
    *("system volume information", "lost+found", "@eadir", "#recycle", "#snapshot", "@recycle"),
)
# What PIL raises for a damaged file; SyntaxError is its word for a broken PNG.
DAMAGED = (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)
ORIENTATION = ExifTags.Base.Orientation
SIDEWAYS = (5, 6, 7, 8)  # orientations that turn an image by a quarter
# Of 65535: an image of 16 bits that is darker throughout was made with 12 bits, or fewer.
DIM = 4096


def read_image(path: Path | IO[bytes], viewed: bool = True) -> np.ndarray:
    """uint8 (y, x, 3), 0..255: what a viewer shows of a file; of several frames the first.

    Turned and mirrored as its EXIF orientation says, on white where it is transparent. Without
    `viewed` it is what torchvision's ImageFolder gives, on which networks are trained and their
    accuracies published: neither turned nor laid on white. Of 16 bits a channel the upper 8 are
    kept; floating-point numbers run from 0 (black) to 1 (white). Colours of CMYK are converted
    without a colour profile.

    An InputError where the file is no image, a damaged one, or has no known white.
    """
    try:
        with Image.open(path) as stored:
            image = ImageOps.exif_transpose(stored) if viewed else stored
            deep = image.mode == "F" or image.mode.startswith("I")
            if viewed and image.has_transparency_data and not deep:
                seen = image.convert("RGBA")
                image = Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen)
            values = np.asarray(image if deep else image.convert("RGB"))
    except DAMAGED as error:
        raise InputError(str(path), "is not a readable image", "replace or remove it") from error
    return _in_8_bits(values, str(path)) if deep else values


def image_size(path: Path | IO[bytes]) -> tuple[int, int]:
    """Height and width in pixels of what `read_image` gives: of a PNG it reads all, whose
    orientation may stand behind its pixels, of other files the head.

    An InputError as there, of what it reads.
    """
    try:
        with Image.open(path) as stored:
            width, height = stored.size
            turned = stored.getexif().get(ORIENTATION, 1) in SIDEWAYS
    except DAMAGED as error:
        raise InputError(str(path), "is not a readable image", "replace or remove it") from error
    return (width, height) if turned else (height, width)


def _in_8_bits(values: np.ndarray, where: str) -> np.ndarray:
    """Grey levels (y, x) of more than 8 bits as uint8 (y, x, 3)."""
    lowest, highest = values.min(), values.max()
    if values.dtype.kind == "u" and not 0 < highest < DIM:
        grey = values >> 8
    elif values.dtype.kind == "f" and lowest >= 0 and highest <= 1:
        grey = np.rint(255 * values)
    else:
        raise InputError(
            where,
            f"has grey levels of more than 8 bits, from {lowest} to {highest}",
            "store 8 bits a channel, 16 of which 65535 is white, or numbers from 0 to 1",
        )
    return np.repeat(grey.astype(np.uint8)[:, :, None], 3, axis=2)


def found_images(folder: str | Path) -> Iterator[Path]:
    """The images below a folder, one by one as they are found, also behind links to folders.

    Without what `is_left_behind`.
    """
    for path in _walked(folder):
        if path.suffix.lower() in IMAGE_ENDINGS and not is_left_behind(path.name):
            yield path


def is_left_behind(name: str) -> bool:
    """Whether a file or folder of this name is hidden, or of LEFTOVERS: it is not looked at."""
    return name.startswith(".") or name.lower() in LEFTOVERS


def passed_over(folder: str | Path) -> str:
    """A line for a log of what below a folder is not looked at; empty where there is nothing."""
    left = [path for path in _walked(folder) if is_left_behind(path.name)]
    if not left:
        return ""
    named = ", ".join(str(path.relative_to(folder)) for path in sorted(left)[:3])
    more = f" and {len(left) - 3} more" if len(left) > 3 else ""
    return f"{folder}: passed over, as hidden or left behind by other programs: {named}{more}"


def _walked(folder: str | Path, above: tuple[str, ...] = ()) -> Iterator[Path]:
    """The files below a folder, and what of its folders is left behind, without what that holds.

    above: the folders on the way here, to which no link leads back.
    """
    here = os.path.realpath(folder)
    if here in above:
        return
    try:
        entries = list(os.scandir(folder))
    except OSError as error:
        raise InputError(str(folder), "cannot be read", "check its permissions") from error
    for entry in entries:
        if entry.is_dir() and not is_left_behind(entry.name):
            yield from _walked(entry.path, (*above, here))
        else:
            yield Path(entry.path)


def list_categories(folder: str | Path) -> list[Path]:
    """The folders of labelled images, a category each, in the order that numbers them.

    Those without images too, but none that `is_left_behind`. Sorted by name as torchvision does,
    except where all names are whole numbers, which are then the numbers of the categories.
    """
    folders = sorted(
        path for path in Path(folder).glob("*") if path.is_dir() and not is_left_behind(path.name)
    )
    if not folders:
        raise InputError(
            f"config: accuracy.images: {folder}",
            "holds no folder per category",
            "put the images of each category in a folder of their own",
        )
    if all(path.name.isdecimal() for path in folders):
        return sorted(folders, key=lambda path: int(path.name))
    return folders


def list_images(folder: str | Path) -> list[Path]:
    """The images below a folder, sorted by path."""
    images = sorted(found_images(folder))
    if not images:
        raise InputError(str(folder), "holds no images", f"use {', '.join(IMAGE_ENDINGS)}")
    return images


@cache
def folder_digest(folder: str, contents: bool) -> str:
    """Of the names of the images below a folder and all they hold, or only of how many bytes.

    Snakemake looks at a folder itself, which an image in a subfolder of it does not change.
    """
    digest = hashlib.blake2b(digest_size=8)
    for image in list_images(folder):
        digest.update(f"{image.relative_to(folder)}\n{image.stat().st_size}\n".encode())
        if contents:
            digest.update(image.read_bytes())
    return digest.hexdigest()
