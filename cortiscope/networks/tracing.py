"""What a forward pass calls, in order: the names that layers go by everywhere."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from cortiscope.networks.data_flow import DataFlow, is_weighted


@dataclass(frozen=True)
class Call:
    """One call of one module in a forward pass.

    name: the module's name, with `#2`, `#3` for later calls of it.
    shape: of its output (its first tensor), without the stimulus dimension.
    position: how many modules without children had finished before it, itself not counted.
    parameters: of the module, its children's included.
    of_head, in_sequence: see `DataFlow.from_head` and `DataFlow.in_sequence`.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    position: int
    parameters: int
    leaf: bool
    weighted: bool
    of_head: bool = False
    in_sequence: bool = False

    @property
    def module(self) -> str:
        return self.name.partition("#")[0]

    @property
    def n_features(self) -> int:
        return torch.Size(self.shape).numel()


# Told of every finished call: call name, module, inputs, output.
Listener = Callable[[str, nn.Module, Any, Any], None]


def first_tensor(output: Any) -> torch.Tensor | None:
    """The first tensor of a module's output: of a tuple or dict, the first found, depth first."""
    if isinstance(output, torch.Tensor):
        return output
    parts: Sequence[Any] = ()
    if isinstance(output, Mapping):
        parts = list(output.values())
    elif isinstance(output, Sequence) and not isinstance(output, str):
        parts = output
    return next((found for part in parts if (found := first_tensor(part)) is not None), None)


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


def trace(network: nn.Module, shape: Sequence[int]) -> list[Call]:
    """The calls of one forward pass whose output is a tensor of stimuli, in order of completion.

    shape: of one stimulus, (channel, y, x). The pass runs on the device of the network's
    parameters; on torch's meta device it costs no arithmetic and no memory.
    """
    calls: list[Call] = []
    finished = 0
    batch = 2
    leaves = {name for name, module in network.named_modules() if not list(module.children())}

    def record(name: str, module: nn.Module, _inputs: Any, output: Any) -> None:
        nonlocal finished
        leaf = name.partition("#")[0] in leaves
        value = first_tensor(output)
        if value is not None and value.ndim > 0 and len(value) == batch:
            parameters = sum(parameter.numel() for parameter in module.parameters())
            position = finished if leaf else max(0, finished - 1)
            calls.append(
                Call(
                    name=name,
                    kind=type(module).__name__,
                    shape=tuple(value.shape[1:]),
                    position=position,
                    parameters=parameters,
                    leaf=leaf,
                    weighted=is_weighted(module),
                )
            )
        finished += leaf

    parameter = next(network.parameters(), torch.empty(0))
    images = torch.zeros(batch, *shape, device=parameter.device, dtype=parameter.dtype)
    names = [name for name, _ in network.named_modules() if name]
    with listening(network, names, record), torch.inference_mode(), DataFlow(network) as flow:
        network(images)
    of_head, in_sequence = flow.from_head(), flow.in_sequence()
    return [
        replace(call, of_head=call.name in of_head, in_sequence=call.name in in_sequence)
        for call in calls
    ]
