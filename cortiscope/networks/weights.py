"""Trained weights: fetched, and verified by their checksums."""

import hashlib
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from cortiscope.errors import InputError

BLOCK = 1 << 20  # bytes read at a time
HUB = "https://huggingface.co"
PATIENCE = 60  # seconds without an answer


def verify(path: str | Path, checksum: str, where: str) -> None:
    """Compare a file's SHA-256 with the first digits of one, or all; an InputError names both."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as content:
        while block := content.read(BLOCK):
            digest.update(block)
    found = digest.hexdigest()
    if not checksum or found[: len(checksum)] != checksum.lower():
        raise InputError(
            where,
            f"has SHA-256 {found}, expected {checksum}",
            "fetch the file again, or correct the checksum",
        )


def download(
    url: str,
    path: str | Path,
    checksums: tuple[str, ...],
    report: Callable[[str], None] | None = None,
) -> None:
    """Fetch a file, going on where an earlier attempt stopped; verified before it gets its name.

    checksums: SHA-256 sums or their first digits, all of which must hold. Until then the bytes
    are in `{path}.part`; a part that turns out wrong is removed. Raises InputError.
    """
    target = Path(path)
    part = target.with_name(f"{target.name}.part")
    target.parent.mkdir(parents=True, exist_ok=True)
    _fetch(url, part, report or _say)
    try:
        for checksum in filter(None, checksums):
            verify(part, checksum, url)
    except InputError:
        part.unlink()
        raise
    part.replace(target)


def hub() -> str:
    """The address of the Hugging Face hub, or of what stands in for it."""
    return os.environ.get("HF_ENDPOINT", HUB).rstrip("/")


def _fetch(url: str, part: Path, report: Callable[[str], None]) -> None:
    have = part.stat().st_size if part.is_file() else 0
    try:
        request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
        if url.startswith(f"{hub()}/") and (token := os.environ.get("HF_TOKEN")):
            # The hub sends on to other hosts, which are not to see it.
            request.add_unredirected_header("Authorization", f"Bearer {token}")
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            resumed = answer.status == 206  # a server may ignore the range and send everything
            with part.open("ab" if resumed else "wb") as content:
                _copy(answer, content, have if resumed else 0, url, report)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # nothing is left to send: the part is whole, or not of this file
            return
        raise InputError(
            url, f"answers {error.code} {error.reason}", _remedy(url, error.code)
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise InputError(
            url,
            f"cannot be fetched ({reason})",
            f"run again to go on, or put the file at {part.with_suffix('')}",
        ) from error


def _remedy(url: str, code: int) -> str:
    if code not in (401, 403) or not url.startswith(f"{hub()}/"):
        return "check the address"
    page = url.partition("/resolve/")[0]
    return f"accept the licence at {page}, and set HF_TOKEN to a token of your account there"


def _copy(
    answer: Any, content: IO[bytes], have: int, url: str, report: Callable[[str], None]
) -> None:
    total = have + int(answer.headers.get("Content-Length") or 0)
    said = time.monotonic()
    while block := answer.read(BLOCK):
        content.write(block)
        have += len(block)
        if time.monotonic() - said > 5:
            said = time.monotonic()
            report(f"{url}: {have / 1e6:.0f} of {total / 1e6:.0f} MB")
    if have < total:
        raise OSError(f"the connection ended after {have} of {total} bytes")


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
