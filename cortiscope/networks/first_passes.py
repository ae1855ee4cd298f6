"""What a few stimuli tell of a network before all of them go by.

Where each layer has its stimuli and how large it is; and whether a stimulus has one answer, or one
that depends on chance or on what else is shown.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

from cortiscope.errors import InputError
from cortiscope.networks.devices import random_state, seeded
from cortiscope.networks.outputs import (
    Form,
    Place,
    activations,
    as_text,
    forms,
    recorded_shape,
    stimulus_place,
)
from cortiscope.networks.pooling import NONE, pooled, pooled_shape

COMPARED = 1 << 14  # activations of a stimulus that are compared, at regular distances

# Shows stimuli to the network, and tells what each layer gives: its name, its output.
Show = Callable[[torch.Tensor, Callable[[str, Any], None]], None]


@dataclass
class Seen:
    """Of each layer, by name: where its output has the stimuli, and the form of that tensor.

    random: the first layer that has other values in every pass, by random numbers; empty where
    there is none. pooling: `none`, `mean` or `cls`; see `pooling.pooled`.
    """

    places: dict[str, Place] = field(default_factory=dict)
    given: dict[str, Form] = field(default_factory=dict)
    random: str = ""
    pooling: str = NONE

    def shape(self, name: str) -> tuple[int, ...]:
        """Of a layer's activations as they are recorded, for one stimulus."""
        return pooled_shape(recorded_shape(self.given[name], self.places[name]), self.pooling)

    def take(self, name: str, output: Any, stimuli: range, where: str) -> torch.Tensor:
        """(stimulus, ...), the activations in a layer's output for these stimuli, pooled.

        Raises InputError where they are not of the size that they were before.
        """
        place, found = self.places[name], forms(output)
        expected = list(self.given[name].shape)
        expected[place.axis] = len(stimuli)
        shape = found[place.tensor].shape if place.tensor < len(found) else ()
        if shape != tuple(expected):
            raise InputError(
                f"{where}, layer {name}",
                f"gives {as_text(shape) or 'nothing'} for stimuli {stimuli.start + 1} to "
                f"{stimuli.stop}, where {as_text(expected)} belongs by the first ones",
                "choose a layer whose size does not depend on the stimuli or their number",
            )
        return pooled(activations(output, place), self.pooling)


def look(show: Show, images: torch.Tensor, where: str, pooling: str = NONE) -> Seen:
    """Show some stimuli (three, where memory allows), and the same without the first, twice.

    Raises InputError, naming the layer, where no axis of its output follows the stimuli, and where
    a stimulus gives other values among others, or when it is shown again.
    """
    seen, fewer = Seen(pooling=pooling), images[1:]
    smaller: dict[str, list[Form]] = {}
    if len(fewer):
        show(fewer, lambda name, output: smaller.update({name: forms(output)}))
    among_more: dict[str, torch.Tensor] = {}
    drawn: list[str] = []
    before = random_state(images.device)

    def find(name: str, output: Any) -> None:
        given = {len(fewer): smaller[name]} if len(fewer) else {}
        place = stimulus_place(given | {len(images): forms(output)})
        if isinstance(place, str):
            raise InputError(f"{where}, layer {name}", place, "choose another layer")
        seen.places[name], seen.given[name] = place, forms(output)[place.tensor]
        among_more[name] = sample(activations(output, place))[1:]
        if random_state(images.device) != before:
            drawn.append(name)

    show(images, find)
    among_fewer = _samples(show, fewer, seen)
    _check_alike(_samples(show, fewer, seen), among_fewer, where, AGAIN)
    other = _samples(show, fewer, seen, seed=1) if drawn else {}
    different = (name for name in drawn if not torch.equal(other[name], among_fewer[name]))
    seen.random = next(different, "")
    if not seen.random:
        _check_alike(among_more, among_fewer, where, AMONG_OTHERS)
    return seen


# What is wrong, and how to mend it.
AGAIN = (
    "gives other values when the same stimuli are shown again",
    "let each pass begin anew, and draw random numbers from the generators of torch, numpy or "
    "python",
)
AMONG_OTHERS = (
    "gives a stimulus other values where others are shown with it",
    "let the network see each alone: batch norm by running statistics",
)


def _samples(
    show: Show, images: torch.Tensor, seen: Seen, seed: int = 0
) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = {}
    if not len(images):
        return found
    with seeded(seed):
        show(
            images,
            lambda name, output: found.update(
                {name: sample(activations(output, seen.places[name]))}
            ),
        )
    return found


def sample(values: torch.Tensor) -> torch.Tensor:
    """(stimulus, feature), of (stimulus, ...): few enough to be kept for all layers."""
    rows = values.reshape(len(values), -1)
    return rows[:, :: -(-rows.shape[1] // COMPARED)].clone()


def _check_alike(
    others: dict[str, torch.Tensor],
    found: dict[str, torch.Tensor],
    where: str,
    problem: tuple[str, str],
) -> None:
    """InputError where a stimulus has other values by more than half of the digits that they have.

    Rounding, which depends on the size of the batch, takes a few.
    """
    for name, values in found.items():
        tolerance = torch.finfo(values.dtype).eps ** 0.5
        values = values.double()
        difference = (others[name].double() - values).norm(dim=1)
        if (difference > tolerance * values.norm(dim=1)).any():
            raise InputError(f"{where}, layer {name}", *problem)
