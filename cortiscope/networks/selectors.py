"""Which layers of a network a selector of the models table takes."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

from torch import nn

from cortiscope.errors import InputError
from cortiscope.networks.data_flow import count_weighted, is_convolution
from cortiscope.networks.tracing import Call
from cortiscope.suggestions import near

POOLINGS = (nn.modules.pooling._MaxPoolNd, nn.modules.pooling._AvgPoolNd)


def select(network: nn.Module, calls: Sequence[Call], selector: str, where: str) -> list[Call]:
    """The calls that a selector names and that can be recorded, in execution order; see `meant`."""
    return [call for call in meant(network, calls, selector, where) if not call.unrecorded]


def meant(network: nn.Module, calls: Sequence[Call], selector: str, where: str) -> list[Call]:
    """The calls that a selector names, in execution order, also those that cannot be recorded.

    selector: comma-separated, each `conv` (every convolution), `blocks` (see `blocks`), `all`
        (every module without children), the name of a call, or a glob (`features.*`); `/3` after
        any of them takes every third. Names may hold commas, slashes and the signs of globs: of
        what a text can mean, a name counts before a step or a glob, and the longest name. The three
        words stay selectors where a module has such a name, which is `conv#1` then (its first
        call): an empty cell of the models table is `blocks`. Classifier heads (convolutions and
        linear maps after which nothing with parameters comes, and all that is computed from theirs)
        are left out unless a name names them.
    where: for messages. Raises InputError for an unknown name, with the nearest ones, and where
    nothing that is meant can be recorded.
    """
    body = [call for call in calls if not call.of_head]
    chosen: set[str] = set()
    for pattern, step in _parts(
        selector, [*names_of(calls), *dict(network.named_modules())], where
    ):
        found = matching(network, calls, body, pattern, where)
        chosen.update(call.name for call in found if call.unrecorded)
        recorded = [call.name for call in found if not call.unrecorded]
        chosen.update(recorded[::step])
    return [call for call in calls if call.name in chosen]


def names_of(calls: Iterable[Call]) -> dict[str, Call]:
    """By all their names: the first call of a module is `relu`, and `relu#1`."""
    first = {f"{call.name}#1": call for call in calls if call.name == call.module}
    return first | {call.name: call for call in calls}


def _parts(selector: str, names: Collection[str], where: str) -> Iterator[tuple[str, int]]:
    """What a selector is made of: patterns, and of each which of its layers (1 = every) to take."""
    pieces, start = selector.split(","), 0
    # No text that means something has more commas than any name.
    most = 1 + max((name.count(",") for name in names), default=0)
    while start < len(pieces):
        for stop in range(min(start + most, len(pieces)), start, -1):
            text = ",".join(pieces[start:stop]).strip()
            part = _part(text, names)
            if part:
                break
        else:  # nothing begins here that is known
            before = text.partition("/")[0]
            if before != text and _means(before, names):
                raise InputError(where, f"{text!r} has no step", "write a number: conv/3")
            part = (text, 1)
        yield part
        start = stop


def _part(text: str, names: Collection[str]) -> tuple[str, int] | None:
    """A pattern and its step; None for a text that means nothing."""
    if _means(text, names):
        return text, 1
    pattern, _, step = text.rpartition("/")
    stepped = step.isdecimal() and int(step) > 0 and _means(pattern, names)
    return (pattern, int(step)) if stepped else None


def _means(pattern: str, names: Collection[str]) -> bool:
    return (
        pattern in KINDS
        or pattern in names
        or (_is_glob(pattern) and any(fnmatchcase(name, pattern) for name in names))
    )


def _is_glob(pattern: str) -> bool:
    return any(sign in pattern for sign in "*?[")


def matching(
    network: nn.Module, calls: Sequence[Call], body: Sequence[Call], pattern: str, where: str
) -> list[Call]:
    """The calls that one part of a selector means, in execution order."""
    modules, names = dict(network.named_modules()), names_of(calls)
    if pattern in KINDS:
        found = KINDS[pattern](network, body)
    elif pattern in names:
        found = [names[pattern]]
    elif pattern not in modules and _is_glob(pattern):
        found = [call for call in body if fnmatchcase(call.name, pattern)]
    else:
        found = []
    if not all(call.unrecorded for call in found):
        return found
    if found or pattern in modules:
        why = "".join(f": {call.name} {call.unrecorded}" for call in found[:1])
        raise InputError(
            where, f"{pattern!r} gives no tensor of stimuli in a pass{why}", "choose another layer"
        )
    if pattern in KINDS:
        raise InputError(
            where,
            f"{pattern!r} matches none of the network's {len(calls)} layers",
            f"name some, such as {', '.join(call.name for call in calls[:3])}",
        )
    known = [*(call.name for call in calls), *KINDS]
    raise InputError(where, f"{pattern!r} matches no layer", f"near: {near(pattern, known)}")


def blocks(network: nn.Module, calls: Sequence[Call]) -> list[Call]:
    """The units that architectures are drawn with: residual, fire, dense, transformer blocks.

    Going down from the network, a module with children is a block if it holds a convolution or
    linear map; but plain sequences of several, and modules that hold a sequence of several blocks
    (see `is_stage`, and `DataFlow.in_sequence` for those that only the pass shows), are stages and
    gone through. Convolutions and linear maps met on the way (the stem, or all
    layers of a plain network) count as well; but of a stack in stages (see `_stages`) the pooling
    that ends a stage counts in place of its convolutions.
    """
    sequences = {call.module.rpartition(".")[0] for call in calls if call.in_sequence}
    wanted = set(_block_names(network, "", sequences))
    return [call for call in calls if call.module in wanted]


def _convolutions(network: nn.Module, calls: Sequence[Call]) -> list[Call]:
    modules = dict(network.named_modules())
    return [call for call in calls if is_convolution(modules[call.module])]


def _leaves(_network: nn.Module, calls: Sequence[Call]) -> list[Call]:
    return [call for call in calls if call.leaf]


# Words of selectors, and which of some calls of a network each takes.
KINDS: dict[str, Callable[[nn.Module, Sequence[Call]], list[Call]]] = {
    "conv": _convolutions,
    "all": _leaves,
    "blocks": blocks,
}


def _block_names(module: nn.Module, prefix: str, sequences: Collection[str]) -> list[str]:
    names: list[str] = []
    ends = _stages(module)
    for name, child in module.named_children():
        path = f"{prefix}{name}"
        weighted = count_weighted(child)
        if name in ends:
            names.extend([path] if ends[name] == name else [])
            continue
        if weighted == 0:
            continue
        below = {other for other in sequences if f"{other}.".startswith(f"{path}.")}
        if not list(child.children()) or weighted == 1 or not (below or is_stage(child)):
            names.append(path)
        else:
            names.extend(_block_names(child, f"{path}.", below))
    return names


def _stages(module: nn.Module) -> dict[str, str]:
    """Of a stack of convolutions in stages, as VGG's, to each part the pooling that ends its stage.

    Such a stack is a plain sequence of modules without children, of which at least two poolings
    follow on several convolutions. In AlexNet one does, so that it has no stages.
    """
    parts = dict(module.named_children())
    if type(module) is not nn.Sequential or any([*part.children()] for part in parts.values()):
        return {}
    ends, stage, several = {}, [], 0
    for name, part in parts.items():
        stage.append(name)
        if isinstance(part, POOLINGS):
            ends.update(dict.fromkeys(stage, name))
            several += sum(is_convolution(parts[other]) for other in stage) > 1
            stage = []
    return ends if several > 1 else {}


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
