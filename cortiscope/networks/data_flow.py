"""What a pass computes from what: which maps come last, and which modules follow another."""

from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from functools import reduce
from operator import or_
from typing import Any, Self

import torch
from torch import nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode

from cortiscope.networks.outputs import tensors

ADDITIONS = (torch.ops.aten.add, torch.ops.aten.add_)
IMAGE = 1  # the bit of the stimuli; those of finished calls follow, in order


class DataFlow(TorchDispatchMode):
    """While it lasts, follows the numbers of a pass through a network from module to module.

    Works on torch's meta device too; not in inference mode, where `expand_as` is one operation, of
    which values both tensors are. Of several passes it tells of the last. A tensor's origins are
    bits of an integer: the stimuli, and all calls that it was computed from. They are kept by
    storage, so that views and changes in place have those of all that shares it.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.modules = dict(network.named_modules())
        self._begin()

    def _begin(self) -> None:
        # By a weak reference, which keeps the place of a storage from being used for another.
        self.origins: dict[StorageWeakRef | int, int] = {}
        self.counts: Counter[str] = Counter()
        self.running: list[tuple[str, int]] = []  # name, origins of what it was given
        self.calls: dict[str, tuple[str, int, int]] = {}  # module, origins of inputs and of output
        self.adding: set[str] = set()
        self.followed = 0
        self.result = 0

    def __enter__(self) -> Self:
        self.hooks = ExitStack()
        for name, module in self.modules.items():
            for handle in (
                module.register_forward_pre_hook(self._before(name), with_kwargs=True),
                module.register_forward_hook(self._after(name)),
            ):
                self.hooks.callback(handle.remove)
        return super().__enter__()

    def __exit__(self, *error: Any) -> None:
        self.hooks.close()
        super().__exit__(*error)

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        given = [self._origins(value) for value in (*args, *(kwargs or {}).values())]
        result = operation(*args, **(kwargs or {}))
        self._mark(result, 0 if _takes_only_shape(operation) else _union(given))
        for argument, value in zip(operation._schema.arguments, args, strict=False):
            if argument.alias_info is not None and argument.alias_info.is_write:
                self._mark(value, _union(given))
        if operation.overloadpacket in ADDITIONS and all(given[:2]) and self.running:
            self.adding.add(self.running[-1][0])
        return result

    def _before(self, name: str) -> Any:
        # Its own: a norm may hold the activation that follows it.
        parametric = any(True for _ in self.modules[name].parameters(recurse=False))

        def hook(_module: nn.Module, args: Any, kwargs: Any) -> None:
            if not name:
                self._begin()
                self._mark((args, kwargs), IMAGE)
            given = self._origins((args, kwargs))
            self.running.append((name, given))
            if parametric:
                self.followed |= given

        return hook

    def _after(self, name: str) -> Any:
        def hook(_module: nn.Module, _args: Any, output: Any) -> None:
            _, given = self.running.pop()
            self.counts[name] += 1
            number = self.counts[name]
            call_bit = IMAGE << (len(self.calls) + 1)
            for tensor in tensors(output):
                self._mark(tensor, self._origins(tensor) | call_bit)
            self.result = self._origins(output)
            call = name if number == 1 else f"{name}#{number}"
            self.calls[call] = (name, given, self.result)

        return hook

    def _origins(self, value: Any) -> int:
        return _union(self.origins.get(_storage(tensor), 0) for tensor in tensors(value))

    def _mark(self, value: Any, origins: int) -> None:
        for tensor in tensors(value):
            self.origins[_storage(tensor)] = origins

    def depends_on_image(self, value: torch.Tensor, n_stimuli: int) -> bool:
        """Whether a tensor of the running pass is computed from the stimuli.

        Where there are values, rows that differ are proof as well: a network may take a number out
        of torch and back.
        """
        if self._origins(value) & IMAGE:
            return True
        axes = [axis for axis, size in enumerate(value.shape) if size == n_stimuli]
        return value.device.type != "meta" and any(
            not torch.equal(value.select(axis, 0), value.select(axis, 1)) for axis in axes
        )

    def from_head(self) -> set[str]:
        """The calls that the classes are computed in: the heads, and all that is made of theirs.

        Heads are the convolutions and linear maps that the result comes from, with nothing that has
        parameters after them.
        """
        heads = _union(
            IMAGE << number
            for number, (name, _, _) in enumerate(self.calls.values(), start=1)
            if is_weighted(self.modules[name])
        )
        heads &= self.result & ~self.followed
        return {call for call, (_, _, origins) in self.calls.items() if origins & heads}

    def in_sequence(self) -> set[str]:
        """The calls of parts that follow another part of the same make, in a module that only holds
        them: a stage.

        Parts: children with several convolutions or linear maps. A module that adds activations
        itself is a block, with a path around what it is made of, and holds no stages.
        """
        bits: Counter[str] = Counter()  # of the calls of a module
        for number, (name, _, _) in enumerate(self.calls.values(), start=1):
            bits[name] |= IMAGE << number
        siblings = {name: self._siblings(name) for name in bits}
        return {
            call
            for call, (name, given, _) in self.calls.items()
            if any(given & bits[other] for other in siblings[name])
        }

    def _siblings(self, name: str) -> list[str]:
        """Where a module is a part, the other parts of its make beside it."""
        above, dot, _ = name.rpartition(".")
        part = self.modules[name]
        if not name or count_weighted(part) < 2:
            return []
        if any(f"{above}.".startswith(f"{other}.") for other in self.adding):
            return []
        return [
            other
            for child, module in self.modules[above].named_children()
            if (other := f"{above}{dot}{child}") != name and _alike(module, part)
        ]


def heads_of(network: nn.Module, images: torch.Tensor) -> tuple[str, ...]:
    """The modules that the classes are told apart by; see `DataFlow.from_head`."""
    flow = DataFlow(network)
    with torch.no_grad(), flow:
        network(images)
    last = (flow.calls[call][0] for call in flow.from_head())
    return tuple(dict.fromkeys(name for name in last if is_weighted(flow.modules[name])))


def _alike(one: nn.Module, other: nn.Module) -> bool:
    """Whether two parts are of one class, and made of the same classes, but for a shortcut."""
    if type(one) is not type(other) or min(count_weighted(one), count_weighted(other)) < 2:
        return False
    made_of, others = (
        {type(child) for child in part.children() if count_weighted(child)} for part in (one, other)
    )
    return made_of <= others or others <= made_of


def is_weighted(module: nn.Module) -> bool:
    """Whether a module is a convolution or a linear map."""
    return isinstance(module, nn.Linear) or is_convolution(module)


def is_convolution(module: nn.Module) -> bool:
    return isinstance(module, nn.modules.conv._ConvNd)


def count_weighted(module: nn.Module) -> int:
    """The convolutions and linear maps in a module."""
    return sum(is_weighted(part) for part in module.modules())


def _takes_only_shape(operation: Any) -> bool:
    name = operation.overloadpacket.__name__
    return name.endswith("_like") or name.startswith("new_")


def _storage(tensor: torch.Tensor) -> StorageWeakRef | int:
    if tensor.layout != torch.strided:
        return id(tensor)
    return StorageWeakRef(tensor.untyped_storage())


def _union(bits: Iterable[int]) -> int:
    return reduce(or_, bits, 0)
