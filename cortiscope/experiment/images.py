"""Image files as arrays."""

import hashlib
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
    """uint8 (y, x, 3), 0..255. An InputError where the file is no image, or a damaged one."""
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except DAMAGED as error:
        raise InputError(str(path), "is not a readable image", "replace or remove it") from error


def found_images(folder: str | Path) -> Iterator[Path]:
    """The images below a folder, one by one as they are found."""
    return (path for path in Path(folder).rglob("*") if path.suffix.lower() in IMAGE_ENDINGS)


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
