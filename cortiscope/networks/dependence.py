"""Which tensors of a pass are computed from its images, on torch's meta device too.

A recurrent network's first steps, or a position embedding that is repeated for every stimulus, have
a row for each stimulus and say nothing about it.
"""

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Following(TorchDispatchMode):
    """Follows some tensors through all operations while the context lasts.

    By the memory that tensors share, so that views and what is written in place count.
    """

    def __init__(self, *sources: torch.Tensor) -> None:
        super().__init__()
        self.reached = {_memory(source) for source in sources}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        given, made = _memories((args, kwargs)), _memories(output)
        if self.reached & given and not _takes_only_shape(func):
            written = [
                value
                for argument, value in zip(func._schema.arguments, args, strict=False)
                if argument.alias_info is not None and argument.alias_info.is_write
            ]
            self.reached |= made | _memories(written)
        else:
            # Memory that was freed may be given out again.
            self.reached -= made - given
        return output

    def reaches(self, value: torch.Tensor, n_stimuli: int) -> bool:
        """Whether a tensor is computed from the sources.

        Where there are values, rows that differ are proof as well: a network may take a number out
        of torch and back.
        """
        if _memory(value) in self.reached:
            return True
        axes = [axis for axis, size in enumerate(value.shape) if size == n_stimuli]
        return value.device.type != "meta" and any(
            not torch.equal(value.select(axis, 0), value.select(axis, 1)) for axis in axes
        )


def _takes_only_shape(func: Any) -> bool:
    name = func.overloadpacket.__name__
    return name.endswith("_like") or name.startswith("new_")


def _memory(value: torch.Tensor) -> int:
    if value.layout != torch.strided:
        return id(value)
    return value.untyped_storage()._cdata


def _memories(values: Any) -> set[int]:
    return {_memory(value) for value in tree_leaves(values) if isinstance(value, torch.Tensor)}
