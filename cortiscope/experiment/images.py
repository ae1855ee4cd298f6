"""Image files as arrays."""

import hashlib
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from cortiscope.errors import InputError

IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")
# What PIL raises for a damaged file; SyntaxError is its word for a broken PNG.
DAMAGED = (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)
# Of 65535: an image of 16 bits that is darker throughout was made with 12 bits, or fewer.
DIM = 4096


def read_image(path: Path, viewed: bool = True) -> np.ndarray:
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


def found_images(folder: str | Path, above: tuple[str, ...] = ()) -> Iterator[Path]:
    """The images below a folder, one by one as they are found, also behind links to folders.

    Without hidden files and folders, which programs leave behind, such as `.ipynb_checkpoints`.
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
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from found_images(entry.path, (*above, here))
        elif Path(entry.name).suffix.lower() in IMAGE_ENDINGS:
            yield Path(entry.path)


def list_categories(folder: str | Path) -> list[Path]:
    """The folders of labelled images, a category each, in the order that numbers them.

    Those without images too, but not those that are hidden. Sorted by name as torchvision does,
    except where all names are whole numbers, which are then the numbers of the categories.
    """
    folders = sorted(
        path for path in Path(folder).glob("*") if path.is_dir() and not path.name.startswith(".")
    )
    if not folders:
        raise InputError(str(folder), "holds no folder per category", "check accuracy.images")
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
