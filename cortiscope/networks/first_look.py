"""What a network does with its images before its first convolution or linear map."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from cortiscope.networks.data_flow import is_convolution, is_weighted

SUBTRACTIONS = (torch.ops.aten.sub, torch.ops.aten.sub_)
SCALINGS = (
    torch.ops.aten.div,
    torch.ops.aten.div_,
    torch.ops.aten.mul,
    torch.ops.aten.mul_,
)
COLOURS = 3


@dataclass(frozen=True)
class FirstLook:
    """channels: that the network takes, 1 or 3; normalises: subtracts a mean, divides by a std."""

    channels: int
    normalises: bool


def look(network: nn.Module, size: int) -> FirstLook:
    """Show a network images of three channels and `size` pixels a side, as far as its first layer.

    It takes one channel where that layer is given three times what it takes. Of a network that
    fails before, three channels are assumed.
    """
    parameter = next(network.parameters(), torch.empty(0))
    images = torch.zeros(2, COLOURS, size, size, device=parameter.device, dtype=parameter.dtype)
    hooks = [
        module.register_forward_pre_hook(_stop)
        for module in network.modules()
        if is_weighted(module)
    ]
    channels = COLOURS
    try:
        with torch.inference_mode(), _Normalisation() as seen:
            network(images)
    except _FirstLayerError as first:
        channels = first.channels
    except Exception:  # listing the layers says why the network fails
        pass
    finally:
        for hook in hooks:
            hook.remove()
    return FirstLook(channels, seen.subtracts and seen.scales)


class _FirstLayerError(Exception):
    """Raised before the first layer: the rest of the pass is not needed."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels


def _stop(module: Any, inputs: Any) -> None:
    along, taken = (1, "in_channels") if is_convolution(module) else (-1, "in_features")
    grey = inputs[0].shape[along] == COLOURS * getattr(module, taken)
    raise _FirstLayerError(1 if grey else COLOURS)


class _Normalisation(TorchDispatchMode):
    """Whether numbers of the channels are subtracted from something, and something scaled by such.

    Numbers alone, which are no tensors, may be of anything: [0, 1] brought to [-1, 1], say.
    """

    def __init__(self) -> None:
        super().__init__()
        self.subtracts = self.scales = False

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kind = operation.overloadpacket
        if kind in (*SUBTRACTIONS, *SCALINGS) and _are_channels(args):
            self.subtracts |= kind in SUBTRACTIONS
            self.scales |= kind in SCALINGS
        return operation(*args, **(kwargs or {}))


def _are_channels(args: Any) -> bool:
    """Whether the second is a tensor of a number, or three, for each channel of the first."""
    if not all(isinstance(value, torch.Tensor) for value in args[:2]):
        return False
    image, numbers = args[0], args[1]
    return numbers.ndim > 0 and numbers.numel() in (1, COLOURS) and numbers.numel() < image.numel()
