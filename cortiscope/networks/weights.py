"""Trained weights: fetched, verified, and loaded without running anything from the file."""

import hashlib
import os
import pickle
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Container, Mapping
from pathlib import Path
from typing import IO, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from cortiscope.errors import InputError

BLOCK = 1 << 20  # bytes read at a time
HUB = "https://huggingface.co"
PATIENCE = 60  # seconds without an answer
SAFE = "save it with safetensors.torch.save_file(network.state_dict(), path)"
PARALLEL = "module."  # what torch's wrappers for several devices begin every name with
COMPILED = re.compile(r"\b_orig_mod\.")  # what its compiler puts before the names in its part
# Checkpoints of densenet and vision transformers keep names that torchvision itself renames when it
# loads them.
LEGACY = (
    (re.compile(r"^(.*denselayer\d+\.(?:norm|conv))\.([12]\.\w+)$"), r"\1\2"),
    (re.compile(r"^(.*\.mlp)\.linear_1\.(\w+)$"), r"\1.0.\2"),
    (re.compile(r"^(.*\.mlp)\.linear_2\.(\w+)$"), r"\1.3.\2"),
)


def load(network: nn.Module, path: str | Path, model: str, unused: tuple[str, ...] = ()) -> None:
    """Copy the weights of a file into a network, strictly: the same names and shapes.

    Reads safetensors, or a state_dict saved by torch (possibly under the key `state_dict`);
    half-precision values become float32. unused: what the names of tensors begin with that a file
    may hold and the network has not. Raises InputError naming model, file and the first key
    that is missing, unexpected or of another shape, and for a pickle that holds code.
    """
    where = f"model {model}: weights {path}"
    wanted = network.state_dict()
    named = ((_name(key, wanted), value) for key, value in read(path, where).items())
    found = {key: value for key, value in named if not key.startswith(unused)}
    # Counters of batches seen in training are of no use here, and old files lack them.
    missing = [key for key in wanted if key not in found and "num_batches_tracked" not in key]
    unexpected = [key for key in found if key not in wanted]
    shapes = {
        key: (tuple(found[key].shape), tuple(wanted[key].shape)) for key in found if key in wanted
    }
    misfits = [key for key, (given, taken) in shapes.items() if given != taken]
    remedy = "use the weights of this architecture"
    if missing:
        raise InputError(where, f"lacks {len(missing)} tensors, first {missing[0]}", remedy)
    if unexpected:
        raise InputError(
            where, f"holds {len(unexpected)} unknown tensors, first {unexpected[0]}", remedy
        )
    if misfits:
        given, taken = shapes[misfits[0]]
        raise InputError(where, f"{misfits[0]} is {given}, the network's is {taken}", remedy)
    # Of all that is in the network's own, since that says what version of a module it is of.
    wanted.update(found)
    network.load_state_dict(wanted)


def _name(key: str, wanted: Container[str]) -> str:
    """What the network calls a tensor of a file."""
    for rename in (
        lambda name: COMPILED.sub("", name),
        lambda name: name.removeprefix(PARALLEL),
        _renamed,
    ):
        if key not in wanted:
            key = rename(key)
    return key


def _renamed(key: str) -> str:
    for pattern, name in LEGACY:
        key = pattern.sub(name, key)
    return key


def read(path: str | Path, where: str) -> dict[str, torch.Tensor]:
    """The tensors of a weights file by name."""
    if not Path(path).is_file():
        raise InputError(where, "no such file", "check the path, or let the weights rule fetch it")
    try:
        if str(path).endswith(".safetensors") or _begins_as_safetensors(path):
            return load_file(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise InputError(
            where, "holds more than tensors, or is damaged, and was not run", SAFE
        ) from error
    except (SafetensorError, RuntimeError, EOFError, ValueError, KeyError, OSError) as error:
        line = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(where, f"cannot be read ({line})", "fetch or save it again") from error
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not all(
        isinstance(value, torch.Tensor) for value in content.values()
    ):
        raise InputError(where, "is not a state_dict", SAFE)
    return {str(key): value for key, value in content.items()}


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
