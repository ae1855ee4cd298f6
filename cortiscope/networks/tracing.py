"""What a forward pass calls, in order: the names that layers go by everywhere."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from cortiscope.networks.data_flow import DataFlow, is_weighted
from cortiscope.networks.outputs import Form, forms, recorded_shape, stimulus_place, tensors

SHOWN = (2, 3)  # stimuli in the two passes that tell which axis follows their number
CONSTANT = "does not depend on the stimulus"


@dataclass(frozen=True)
class Call:
    """One call of one module in a forward pass.

    name: the module's name, with `#2`, `#3` for later calls of it; module: the name alone.
    shape: of what is recorded of its output for one stimulus; see `outputs.activations`.
    position: how many modules without children had finished before it, itself not counted.
    parameters: of the module, its children's included.
    of_head, in_sequence: see `DataFlow.from_head` and `DataFlow.in_sequence`.
    unrecorded: why its output cannot be recorded (its shape is then empty); empty where it can.
    """

    name: str
    module: str
    kind: str
    shape: tuple[int, ...]
    position: int
    parameters: int
    leaf: bool
    weighted: bool
    of_head: bool = False
    in_sequence: bool = False
    unrecorded: str = ""

    @property
    def n_features(self) -> int:
        return torch.Size(self.shape).numel()


def module_of(name: str, modules: Collection[str]) -> str:
    """Of a call its module, in whose own name there may be a `#`."""
    return name if name in modules else name.rpartition("#")[0] or name


# Told of every finished call: call name, module, inputs, output.
Listener = Callable[[str, nn.Module, Any, Any], None]


def first_tensor(output: Any) -> torch.Tensor | None:
    """The first tensor of a module's output: of a tuple or dict, the first found, depth first."""
    return next(tensors(output), None)


@contextmanager
def listening(network: nn.Module, names: Sequence[str], listener: Listener) -> Iterator[Counter]:
    """Tell `listener` of every finished call of the modules `names`, while the context lasts.

    Gives the counts of calls, to be cleared before every further pass.
    """
    counts: Counter[str] = Counter()

    def attach(name: str, module: nn.Module) -> Any:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            counts[name] += 1
            number = counts[name]
            listener(name if number == 1 else f"{name}#{number}", module, inputs, output)

        return module.register_forward_hook(hook)

    modules = dict(network.named_modules())
    handles = [attach(name, modules[name]) for name in names]
    try:
        yield counts
    finally:
        for handle in handles:
            handle.remove()


@dataclass(frozen=True)
class _Finished:
    """What one pass shows of one call, of each tensor that it gives."""

    position: int
    given: list[Form]
    depends: list[bool]  # of the stimuli


def trace(network: nn.Module, shape: Sequence[int]) -> list[Call]:
    """The calls of a forward pass, in order of completion, and which of them can be recorded.

    shape: of one stimulus, (channel, y, x). Passes of two and of three stimuli, drawn at random,
    tell which axis of an output has the stimuli. They run on the device of the network's
    parameters; on torch's meta device they cost no arithmetic and no memory.
    """
    flow = DataFlow(network)
    fewer = _finished(network, shape, SHOWN[0], flow)
    more = _finished(network, shape, SHOWN[1])
    of_head, in_sequence = flow.from_head(), flow.in_sequence()
    modules = dict(network.named_modules())
    calls = []
    for name, finished in fewer.items():
        module = modules[module_of(name, modules)]
        unrecorded, recorded = _recorded(finished, more.get(name))
        calls.append(
            Call(
                name=name,
                module=module_of(name, modules),
                kind=type(module).__name__,
                shape=recorded,
                position=finished.position,
                parameters=sum(parameter.numel() for parameter in module.parameters()),
                leaf=not list(module.children()),
                weighted=is_weighted(module),
                unrecorded=unrecorded,
                of_head=name in of_head,
                in_sequence=name in in_sequence,
            )
        )
    return calls


def _recorded(fewer: _Finished, more: _Finished | None) -> tuple[str, tuple[int, ...]]:
    """Why a call's output cannot be recorded, or its shape for one stimulus."""
    if more is None:
        return "is called less often where more stimuli are shown", ()
    given = dict(zip(SHOWN, (fewer.given, more.given), strict=True))
    place = stimulus_place(given)
    if isinstance(place, str):
        return place, ()
    if not fewer.depends[place.tensor]:
        return CONSTANT, ()
    return "", recorded_shape(fewer.given[place.tensor], place)


def _finished(
    network: nn.Module, shape: Sequence[int], n_stimuli: int, flow: DataFlow | None = None
) -> dict[str, _Finished]:
    """The calls of one pass by name, in order of completion.

    flow: follows what they compute from what, which takes as long as the pass; without it nothing
    is known to depend on the stimuli.
    """
    found: dict[str, _Finished] = {}
    names = [name for name, _ in network.named_modules() if name]
    finished = 0

    def record(name: str, module: nn.Module, _inputs: Any, output: Any) -> None:
        nonlocal finished
        leaf = not list(module.children())
        position = finished if leaf else max(0, finished - 1)
        depends = [
            flow is not None and flow.depends_on_image(value, n_stimuli)
            for value in tensors(output)
        ]
        found[name] = _Finished(position, forms(output), depends)
        finished += leaf

    parameter = next(network.parameters(), torch.empty(0))
    # Not in inference mode, where `expand_as` is one operation, of which values both tensors are.
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        images = torch.randn(n_stimuli, *shape, device=parameter.device, dtype=parameter.dtype)
        with listening(network, names, record), flow or nullcontext():
            network(images)
    return found
