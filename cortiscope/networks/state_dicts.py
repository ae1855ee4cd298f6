"""Trained weights from a file into a network, without running anything from the file.

Files hold the tensors of a network by name. As they are published, these lie under a key
(`state_dict`, `teacher`), something stands before the network's own names (`module.encoder_q.`),
and heads are missing, or are others.
"""

import pickle
import re
import sys
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from cortiscope.errors import InputError

Tensors = dict[str, torch.Tensor]
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


def load(
    network: nn.Module,
    path: str | Path,
    model: str,
    unused: tuple[str, ...] = (),
    key: str = "",
    prefix: str = "",
) -> None:
    """Copy the weights of a file into a network: every tensor, but for those of its head.

    Reads safetensors, or state dicts saved by torch; half-precision values become float32. unused:
    what the names of tensors begin with that a file may hold and the network has not. key, prefix:
    where in the file the state dict is (`ema.model`), and what stands before the names that are the
    network's; "" = found where there is one answer. Of a head that is missing, or another, all
    weights are NaN, so that nothing is taken for an answer (see `lacks_head`); standard error says
    so, and what else of the file is not used. Raises InputError naming model, file and the first
    tensor that is missing, unexpected or of another shape, and for a pickle that holds code.
    """
    where = f"model {model}: weights {path}"
    wanted, tensors = network.state_dict(), read(path, where, key)
    found = _under(prefix, tensors, wanted, unused)
    if not prefix and _missing(wanted, found):
        prefix = _prefix(tensors, wanted, where)
        found = _under(prefix, tensors, wanted, unused)
    if prefix and not found:
        begin = ", ".join(_beginnings(tensors, 1))
        problem = f"no tensor's name begins with {prefix!r}"
        raise InputError(where, problem, f"they begin with {begin}")
    head = _missing_head(wanted, found)
    taken = {name: value for name, value in found.items() if not (head and name.startswith(head))}
    _check(wanted, taken, head, where)
    if prefix or head:
        others = [name for name in tensors if not name.startswith(prefix)]
        _report(where, prefix, head, len(taken), [*sorted(found.keys() - taken.keys()), *others])
    # Of all that is in the network's own, since that says what version of a module it is of.
    empty = {name: torch.full_like(wanted[name], torch.nan) for name in _missing(wanted, taken)}
    wanted.update(taken | empty)
    network.load_state_dict(wanted)


def lacks_head(network: nn.Module) -> bool:
    """Whether a file of weights held no head of the network, as `load` leaves it."""
    return any(bool(weight.isnan().all()) for weight in network.parameters())


def _under(
    prefix: str, tensors: Tensors, wanted: Container[str], unused: tuple[str, ...]
) -> Tensors:
    """By the network's names those tensors of a file whose names begin with the prefix."""
    named = (
        (_name(name.removeprefix(prefix), wanted), value)
        for name, value in tensors.items()
        if name.startswith(prefix)
    )
    return {name: value for name, value in named if not name.startswith(unused)}


def _missing(wanted: Tensors, found: Container[str]) -> list[str]:
    """Counters of batches seen in training are of no use here, and old files lack them."""
    return [name for name in wanted if name not in found and "num_batches_tracked" not in name]


def _head(wanted: Tensors) -> tuple[str, list[str]]:
    """What the names of the network's last module begin with, and these names.

    The last of its state dict, if it is a convolution or linear map; else "" and none.
    """
    last = next(reversed(wanted), "").rpartition(".")[0]
    weight = wanted.get(f"{last}.weight")
    if weight is None or weight.ndim < 2:
        return "", []
    return f"{last}.", [name for name in wanted if name.rpartition(".")[0] == last]


def _missing_head(wanted: Tensors, found: Tensors) -> str:
    """What its names begin with, where all that is missing, or of another shape, is the head."""
    fits = {name for name in found if name in wanted and wanted[name].shape == found[name].shape}
    head, names = _head(wanted)
    return head if names and set(_missing(wanted, fits)) == set(names) else ""


def _check(wanted: Tensors, taken: Tensors, head: str, where: str) -> None:
    remedy = "use the weights of this architecture"
    missing, unexpected = _missing(wanted, taken), [name for name in taken if name not in wanted]
    if missing and not head:
        raise InputError(where, f"lacks {len(missing)} tensors, first {missing[0]}", remedy)
    if unexpected:
        raise InputError(
            where, f"holds {len(unexpected)} unknown tensors, first {unexpected[0]}", remedy
        )
    for name, value in taken.items():
        given, own = tuple(value.shape), tuple(wanted[name].shape)
        if given != own:
            raise InputError(where, f"{name} is {given}, the network's is {own}", remedy)


def _prefix(tensors: Tensors, wanted: Tensors, where: str) -> str:
    """What stands before names that are all the network's but its head's; "" where nothing does.

    Errors: InputError where several networks of it fit as well, and are not equal.
    """
    counts: Counter[str] = Counter()
    for name, value in tensors.items():
        parts = name.split(".")
        for start in range(len(parts)):
            own = ".".join(parts[start:])
            if own in wanted and wanted[own].shape == value.shape:
                counts[name.removesuffix(own)] += 1
    body = len(_missing(wanted, {})) - len(_head(wanted)[1])
    most = max([body, *counts.values()])
    best = sorted((prefix for prefix in counts if counts[prefix] == most), key=len)
    if len(best) > 1 and not all(_equal(tensors, best[0], other, wanted) for other in best[1:]):
        raise InputError(
            where,
            f"holds several such networks: names begin with {' or '.join(map(repr, best[:4]))}",
            "say which in the column weights_prefix of the models table",
        )
    return best[0] if best else ""


def _equal(tensors: Tensors, one: str, other: str, wanted: Tensors) -> bool:
    pairs = [(tensors.get(one + name), tensors.get(other + name)) for name in wanted]
    return all(a is b or (a is not None and b is not None and torch.equal(a, b)) for a, b in pairs)


def _beginnings(names: Iterable[str], depth: int) -> dict[str, int]:
    """What names begin with, of so many parts, and how many do."""
    return dict(Counter(".".join(name.split(".")[:depth]) for name in names))


def _report(where: str, prefix: str, head: str, n_taken: int, unused: Sequence[str]) -> None:
    depth = max(1, prefix.count("."))
    rest = ", ".join(f"{name} ({n})" for name, n in _beginnings(unused, depth).items())
    named = f" named {prefix}*" if prefix else ""
    without = f"; without its head {head}*, so that its answers are not known" if head else ""
    line = f"{where}: {n_taken} tensors{named}{without}; not used: {rest or 'none'}"
    print(line, file=sys.stderr, flush=True)


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


def read(path: str | Path, where: str, key: str = "") -> Tensors:
    """The tensors of a weights file by name; key: of the state dict in it, "" = the only one."""
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
    return {str(name): value for name, value in _state_dict(content, where, key).items()}


def _state_dict(content: Any, where: str, key: str) -> Mapping[Any, Any]:
    """What a file holds under a key, or the only state dict in it; `state_dict` before others."""
    for name in filter(None, key.split(".")):
        if not isinstance(content, Mapping) or name not in content:
            known = ", ".join(map(str, content)) if isinstance(content, Mapping) else "no keys"
            raise InputError(where, f"has no key {key!r}", f"correct weights_key; there: {known}")
        content = content[name]
    if _is_state_dict(content):
        return content
    inner = content if isinstance(content, Mapping) else {}
    held = [name for name, value in inner.items() if value and _is_state_dict(value)]
    if len(held) > 1 and "state_dict" not in held:
        raise InputError(
            where,
            f"holds several state dicts: {', '.join(map(str, held))}",
            "say which in the column weights_key of the models table",
        )
    if not held:
        raise InputError(where, "is not a state_dict", SAFE)
    return inner["state_dict" if "state_dict" in held else held[0]]


def _is_state_dict(content: Any) -> bool:
    return isinstance(content, Mapping) and all(
        isinstance(value, torch.Tensor) for value in content.values()
    )


def _begins_as_safetensors(path: str | Path) -> bool:
    """Whether a file, whatever its name, begins with the length of a header in JSON."""
    with Path(path).open("rb") as content:
        return content.read(9)[8:] == b"{"
