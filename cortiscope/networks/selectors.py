"""Which layers of a network a selector of the models table takes."""

from collections.abc import Callable, Collection, Iterable, Sequence
from fnmatch import fnmatchcase

from torch import nn

from cortiscope.errors import InputError
from cortiscope.networks.data_flow import count_weighted, is_convolution
from cortiscope.networks.tracing import Call
from cortiscope.suggestions import near


def select(network: nn.Module, calls: Sequence[Call], selector: str, where: str) -> list[Call]:
    """The calls that a selector names and that can be recorded, in execution order; see `meant`."""
    return [call for call in meant(network, calls, selector, where) if not call.unrecorded]


def meant(network: nn.Module, calls: Sequence[Call], selector: str, where: str) -> list[Call]:
    """The calls that a selector names, in execution order, also those that cannot be recorded.

    selector: comma-separated, each `conv` (every convolution), `blocks` (see `blocks`), `all`
        (every module without children), a glob (`features.*`), or the name of a call; `/3` after
        any of them takes every third. Classifier heads (convolutions and linear maps after which
        nothing with parameters comes, and all that is computed from theirs) are left out unless a
        name names them.
    where: for messages. Raises InputError for an unknown name, with the nearest ones, and where
    nothing that is meant can be recorded.
    """
    body = [call for call in calls if not call.of_head]
    chosen: set[str] = set()
    for item in selector.split(","):
        pattern, _, step = item.strip().partition("/")
        if step and not (step.isdigit() and int(step) > 0):
            raise InputError(where, f"{item.strip()!r} has no step", "write a number: conv/3")
        found = matching(network, calls, body, pattern, where)
        chosen.update(call.name for call in found if call.unrecorded)
        recorded = [call.name for call in found if not call.unrecorded]
        chosen.update(recorded[:: int(step or 1)])
    return [call for call in calls if call.name in chosen]


def matching(
    network: nn.Module, calls: Sequence[Call], body: Sequence[Call], pattern: str, where: str
) -> list[Call]:
    """The calls that one part of a selector means, in execution order."""
    modules = dict(network.named_modules())
    kinds: dict[str, Callable[[], Iterable[Call]]] = {
        "conv": lambda: (call for call in body if is_convolution(modules[call.module])),
        "all": lambda: (call for call in body if call.leaf),
        "blocks": lambda: blocks(network, body),
    }
    if pattern in kinds:
        found = list(kinds[pattern]())
    elif any(sign in pattern for sign in "*?["):
        found = [call for call in body if fnmatchcase(call.name, pattern)]
    else:
        found = [call for call in calls if call.name == pattern]
    if not all(call.unrecorded for call in found):
        return found
    if found or pattern in modules:
        why = "".join(f": {call.name} {call.unrecorded}" for call in found[:1])
        raise InputError(
            where, f"{pattern!r} gives no tensor of stimuli in a pass{why}", "choose another layer"
        )
    if pattern in kinds:
        raise InputError(
            where,
            f"{pattern!r} matches none of the network's {len(calls)} layers",
            f"name some, such as {', '.join(call.name for call in calls[:3])}",
        )
    names = [*(call.name for call in calls), *kinds]
    raise InputError(where, f"{pattern!r} matches no layer", f"near: {near(pattern, names)}")


def blocks(network: nn.Module, calls: Sequence[Call]) -> list[Call]:
    """The units that architectures are drawn with: residual, fire, dense, transformer blocks.

    Going down from the network, a module with children is a block if it holds a convolution or
    linear map; but plain sequences of several, and modules that hold a sequence of several blocks
    (see `is_stage`, and `DataFlow.in_sequence` for those that only the pass shows), are stages and
    gone through. Convolutions and linear maps met on the way (the stem, or all
    layers of a plain network) count as well.
    """
    sequences = {call.module.rpartition(".")[0] for call in calls if call.in_sequence}
    wanted = set(_block_names(network, "", sequences))
    return [call for call in calls if call.module in wanted]


def _block_names(module: nn.Module, prefix: str, sequences: Collection[str]) -> list[str]:
    names: list[str] = []
    for name, child in module.named_children():
        path = f"{prefix}{name}"
        weighted = count_weighted(child)
        if weighted == 0:
            continue
        below = {other for other in sequences if f"{other}.".startswith(f"{path}.")}
        if not list(child.children()) or weighted == 1 or not (below or is_stage(child)):
            names.append(path)
        else:
            names.extend(_block_names(child, f"{path}.", below))
    return names


def is_stage(module: nn.Module) -> bool:
    """A plain sequence, or a module that holds a sequence of at least two blocks."""
    if type(module) in (nn.Sequential, nn.ModuleList):
        return True
    sequences = (
        part for part in module.modules() if isinstance(part, nn.Sequential | nn.ModuleList)
    )
    return any(
        sum(count_weighted(child) > 1 for child in part.children()) > 1 for part in sequences
    )
