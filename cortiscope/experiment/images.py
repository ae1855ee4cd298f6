"""Image files as arrays."""

import hashlib
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from cortiscope.errors import InputError

IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")
# What PIL raises for a damaged file; SyntaxError is its word for a broken PNG.
DAMAGED = (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)


def read_image(path: Path) -> np.ndarray:
    """uint8 (y, x, 3), 0..255; transparency is ignored, as by torchvision.

    An InputError where the file is no image, a damaged one, or one of more than 8 bits a channel.
    """
    try:
        with Image.open(path) as image:
            mode = image.mode
            if mode != "F" and not mode.startswith("I"):
                return np.asarray(image.convert("RGB"))
    except DAMAGED as error:
        raise InputError(str(path), "is not a readable image", "replace or remove it") from error
    # PIL would cut these grey levels off at 255. Of colours it keeps the upper 8 bits.
    problem = f"has grey levels of more than 8 bits (mode {mode})"
    raise InputError(str(path), problem, "store 8 bits a channel")


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
    """The folders of labelled images, a category each, sorted by name as torchvision does.

    Their order numbers them, those without images too, but not those that are hidden.
    """
    folders = sorted(
        path for path in Path(folder).glob("*") if path.is_dir() and not path.name.startswith(".")
    )
    if not folders:
        raise InputError(str(folder), "holds no folder per category", "check accuracy.images")
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
