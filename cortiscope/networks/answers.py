"""What a network answers to images: class scores, in whatever it returns, the same in any batch."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from cortiscope.errors import InputError
from cortiscope.networks.data_flow import is_weighted
from cortiscope.networks.devices import seeded
from cortiscope.networks.outputs import tensors

NAMED = ("out", "logits")  # what libraries call class scores, among other outputs
LOOKED_AT = 4  # images of the first batch, to see whether answers are the images' own
ROUNDING = 1e-4  # of the largest score: less is no difference between answers


class NoClassifierError(Exception):
    """The network gives no class scores, such as one whose head was taken off."""


class Answers:
    """Asks a network for class scores, in parts of a batch that fit into memory.

    width: how many categories there are, to know class scores among several outputs; None: not
    known. Where scores are drawn at random, or depend on the other images of a batch, each image is
    shown alone with a seed of its own, so that accuracy is the same on a machine of other memory.
    """

    def __init__(
        self,
        network: nn.Module,
        device: torch.device | str,
        size: int,
        width: int | None,
        report: Callable[[str], None],
    ) -> None:
        self.network = network
        self.device = device
        self.size = size
        self.width = width
        self.report = report
        self.n_shown = 0
        self.alone = False
        self.is_classifier: bool | None = None  # asked of the first images

    def __call__(self, batch: torch.Tensor) -> torch.Tensor:
        """Scores (stimulus, category) of preprocessed images; to be called batch after batch."""
        if not self.n_shown:
            self._look(batch)
        found, start = [], 0
        while start < len(batch):
            # In equal parts: a network may drop the dimension of a lone image.
            n_parts = math.ceil((len(batch) - start) / self.size)
            part = batch[start : start + math.ceil((len(batch) - start) / n_parts)]
            try:
                found.append(self._scores(part, self.n_shown + start))
            except torch.OutOfMemoryError as error:  # for memory of the host, the job asked
                if len(part) == 1:
                    raise InputError(
                        "accuracy", "one image does not fit into memory", "use a larger GPU, or cpu"
                    ) from error
                self.size = len(part) // 2
                self.report(f"accuracy: out of memory, going on with batches of {self.size}")
            else:
                start += len(part)
        self.n_shown += len(batch)
        return torch.cat(found)

    def _look(self, batch: torch.Tensor) -> None:
        """Show two images twice: among others, and without them and with another seed."""
        if len(batch) < 2:
            return
        try:
            among, apart = (self._scores(batch[:n], n) for n in (LOOKED_AT, 2))
        except torch.OutOfMemoryError:  # the batches that follow find what fits
            return
        if (among[:2] - apart).abs().max() > ROUNDING * apart.abs().max():
            self.alone, self.size = True, 1
            self.report(
                "accuracy: answers are drawn at random, or depend on the batch:"
                " each image is shown alone, with a seed of its own"
            )

    def _scores(self, part: torch.Tensor, seed: int) -> torch.Tensor:
        images = part.to(self.device, copy=True)  # which a network may change in place
        try:
            with seeded(seed):
                output = self.network(images)
        except ValueError as error:
            if not self.alone:
                raise
            problem = f"answers depend on the batch, and one image does not pass alone ({error})"
            raise InputError("accuracy", problem, "give batch norm its statistics") from error
        found = class_scores(output, len(part), self.width)
        if found is not None and self.is_classifier is None:
            n_outputs = found.shape[1]
            own = self.width in (None, n_outputs)
            self.is_classifier = own or ends_in_readout(self.network, images, n_outputs)
        if found is None or not self.is_classifier:
            given = [str(tuple(value.shape)) for value in tensors(output, NAMED)]
            shapes = ", ".join(given) or "no tensor"
            raise NoClassifierError(f"outputs {shapes}, which are no class scores")
        return found.float().cpu()


def class_scores(output: Any, n_images: int, width: int | None) -> torch.Tensor | None:
    """(stimulus, category): of several such tensors the first of that width, else the first.

    None where there is none.
    """
    found = []
    for value in tensors(output, NAMED):
        if not value.is_floating_point():
            continue
        if n_images == 1 and value.ndim == 1:
            value = value[None]  # its dimension dropped
        if value.ndim >= 2 and len(value) == n_images and value[0].numel() == value.shape[1]:
            found.append(value.flatten(1))
    fitting = (value for value in found if value.shape[1] == width)
    return next(fitting, found[0] if found else None)


def ends_in_readout(network: nn.Module, images: torch.Tensor, n_outputs: int) -> bool:
    """Whether the last module with parameters that a pass calls is a classifier's.

    A convolution or linear map of as many outputs as the network has. Without its head a network
    ends in a norm, or in a layer that is pooled. Where no module has parameters: not known, true.
    """
    called: list[nn.Module] = []
    leaves = [
        module
        for module in network.modules()
        if not list(module.children()) and list(module.parameters())
    ]
    handles = [
        module.register_forward_hook(lambda module, _inputs, _output: called.append(module))
        for module in leaves
    ]
    try:
        network(images)
    finally:
        for handle in handles:
            handle.remove()
    if not called:
        return True
    last = called[-1]
    widths = (getattr(last, "out_features", None), getattr(last, "out_channels", None))
    return is_weighted(last) and n_outputs in widths
