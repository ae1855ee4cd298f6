"""Trained weights: fetched, verified, and loaded without running anything from the file."""

import argparse
import hashlib
import os
import pickle
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import IO, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from cortiscope.errors import InputError
from cortiscope.networks.state_dicts import PARALLEL, Place, dictionaries, fitted, grouped

ANYWHERE = Place()
BLOCK = 1 << 20  # bytes read at a time
HUB = "https://huggingface.co"
PATIENCE = 60  # seconds without an answer
SAFE = "save it with safetensors.torch.save_file(network.state_dict(), path)"


class NoHead(nn.Module):
    """In the place of what tells classes apart, of which a file of weights has no values."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return values


def load(
    network: nn.Module,
    path: str | Path,
    model: str,
    unused: tuple[str, ...] = (),
    given: Place = ANYWHERE,
    heads: Callable[[], Collection[str]] = tuple,
) -> tuple[str, ...]:
    """Copy the weights of a file into a network, strictly: the same names and shapes.

    Reads safetensors, or what torch saved, in which the network is found as `fitted` says;
    half-precision values become float32. unused, given, heads: see there. Modules that tell
    classes apart, of which the file has not all or others, are taken out of the network, and
    returned; the log names these, and what of the file is unused.
    Raises InputError naming model, file and the first key that is missing, unexpected or of another
    shape, and for a pickle that holds code.
    """
    where = f"model {model}: weights {path}"
    wanted = network.state_dict()
    found = fitted(read(path, where), wanted, where, given, unused, heads)
    # Of all that is in the network's own, since that says what version of a module it is of.
    wanted.update(found.tensors)
    network.load_state_dict(wanted)
    for head in found.without:
        above, _, name = head.rpartition(".")
        setattr(network.get_submodule(above), name, NoHead())
        _say(f"{where}: has no such classifier; {head} is left out")
    if found.unused:
        _say(f"{where}: left unused: {grouped(found.unused, found.prefix)}")
    return found.without


def read(path: str | Path, where: str) -> Mapping[str, Any]:
    """What a weights file holds: tensors by name, possibly in dictionaries of dictionaries."""
    if not Path(path).is_file():
        raise InputError(where, "no such file", "check the path, or let the weights rule fetch it")
    try:
        if str(path).endswith(".safetensors") or _begins_as_safetensors(path):
            return load_file(path)
        # The options of a training, which hold nothing that runs.
        with torch.serialization.safe_globals([argparse.Namespace]):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise InputError(
            where, "holds more than tensors, or is damaged, and was not run", SAFE
        ) from error
    except (SafetensorError, RuntimeError, EOFError, ValueError, KeyError, OSError) as error:
        line = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(where, f"cannot be read ({line})", "fetch or save it again") from error
    if not any(True for _ in dictionaries(content)):
        raise InputError(where, "is not a state_dict", SAFE)
    return dict(content)


def tensors(path: str | Path, where: str, given: Place = ANYWHERE) -> dict[str, torch.Tensor]:
    """The tensors of a weights file by name, at the place that is given, or else the only one."""
    held = dict(dictionaries(read(path, where)))
    key = given.key or ("state_dict" if "state_dict" in held else next(iter(held)))
    if key not in held or (not given.key and key != "state_dict" and len(held) > 1):
        keys = ", ".join(map(repr, held))
        raise InputError(where, f"has tensors at the keys {keys}", "name one in weights_key")
    prefix = given.prefix or PARALLEL
    found = {name.removeprefix(prefix): value for name, value in held[key].items()}
    if given.prefix:
        found = {k.removeprefix(prefix): v for k, v in held[key].items() if k.startswith(prefix)}
    if not found:
        raise InputError(where, f"has no tensor {prefix}...", "correct weights_prefix")
    return found


def _begins_as_safetensors(path: str | Path) -> bool:
    """Whether a file, whatever its name, begins with the length of a header in JSON."""
    with Path(path).open("rb") as content:
        return content.read(9)[8:] == b"{"


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
