"""One forward pass over the stimuli; every layer's projected features.

Hooks consume: a layer is projected the moment it is computed, before a later module can overwrite
it in place, and nothing of its size is kept.
"""

import gc
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from cortiscope.errors import InputError
from cortiscope.networks import first_passes, projection
from cortiscope.networks.devices import choose_device, reproducible, seeded
from cortiscope.networks.features import SINGLE_PRECISION, Layer, leading_share, relative_spread
from cortiscope.networks.memory import free_memory
from cortiscope.networks.outputs import as_text
from cortiscope.networks.projection_kinds import fullest_batch, resolve
from cortiscope.networks.tracing import first_tensor, listening, module_of
from cortiscope.suggestions import near

MEMORY_SHARE = 0.5  # of the memory that is free, for the activations of a batch

LOOKED_INTO = 1 << 24  # features of a layer that are looked at for what is odd in them

LOOKED_AT = 3  # stimuli that are shown first, all of them and all but one: see `first_passes`

ALIKE = "stimuli differ by less than single precision can tell, and scores are of rounding,"
MOST_OF_IT = 0.9  # of the variance over stimuli
FEWEST = 10  # features: of few, one has the most without being odd
OF_ONE = (
    f"more than {MOST_OF_IT:.0%} of the variance over stimuli is that of one dimension, as of a "
    "unit far larger than all others, and rsa and cka see little else, in layers"
)
RANDOM = "is random in evaluation mode; stimuli are shown one at a time, each with its own seed"

# Takes a layer's name and the output of its module.
Take = Callable[[str, Any], None]


class Images(Protocol):
    """Preprocessed stimuli, made as they are asked for; a tensor will do."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> torch.Tensor:
        """float (stimulus, channel, y, x)"""


def say(message: str) -> None:
    """Report progress where a log file can catch it."""
    print(message, file=sys.stderr, flush=True)


def extract(
    network: nn.Module,
    images: Images,
    layers: Sequence[str],
    settings: Mapping[str, Any],
    model: str = "",
    report: Callable[[str], None] = say,
) -> dict[str, projection.Outcome]:
    """Project the activations of `layers` for all stimuli.

    images: `len` and slices, giving float (stimulus, channel, y, x) as the network wants them.
    layers: call names as in the layer table: a module's name, `name#2` for its second call.
    settings: `projection` (auto, exact, fold, srp, none), `components`, `seed`, `scratch`;
        `batch_size` (0 = as many stimuli as memory allows), `device` (auto, cpu, cuda);
        `memory`, the megabytes of the host that the job asked for; `noise_seed`, of what a network
        draws in its pass; `pooling` (none, mean, cls).
    model: its name, for messages.

    Returns layer -> (arrays, attributes) in the order of `layers`; see `projection.Projector`.
    Of an output that one is taken which `outputs.stimulus_place` finds. A network that draws random
    numbers is shown one stimulus at a time, with a seed for each, so that its answers do not depend
    on the size of batches. Out of memory halves the batch, and says so.
    Raises InputError for a layer that the pass does not call or that is not finite, whose output
    has no axis of stimuli, changes in size or depends on what else is shown, for an unknown device
    or projection, and where a single stimulus is too large for memory.
    """
    device = choose_device(str(settings.get("device") or "auto"))
    network = network.to(device).eval()
    run = _Run(network, images, layers, settings, model)
    with reproducible(), torch.inference_mode():
        one = run.prepare(device)
        size = int(settings.get("batch_size") or 0) or run.fitting_batch(one, device)
        if run.seen.random:
            size = 1
            report(f"warning: {run.where}, layer {run.seen.random}: {RANDOM}")
        start, began = 0, time.monotonic()
        while start < len(images):
            stop = min(start + size, len(images))
            if stop - start == 1 < size and start:
                start -= 1  # a network may drop the dimension of a lone stimulus
            if not run.advance(start, stop, device):
                size = halved(stop - start, run.where)
                report(f"{run.where}: out of memory, going on with batches of {size}")
                continue
            seconds = time.monotonic() - began
            report(f"{run.where}: {stop} of {len(images)} stimuli, {seconds:.0f} s")
            start = stop
    outcomes = run.finish()
    report(run.summary(outcomes))
    alike = [name for name, outcome in outcomes.items() if _alike(name, outcome)]
    if alike:
        report(f"warning: {run.where}: {ALIKE} in {len(alike)} layers: {', '.join(alike)}")
    single = [name for name, outcome in outcomes.items() if _of_one(name, outcome)]
    if single:
        report(f"note: {run.where}: {OF_ONE}: {', '.join(single)}")
    return outcomes


def _alike(name: str, outcome: projection.Outcome) -> bool:
    return relative_spread(_layer(name, outcome)) < SINGLE_PRECISION


def _of_one(name: str, outcome: projection.Outcome) -> bool:
    layer = _layer(name, outcome)
    return int(layer.attributes["n_features"]) >= FEWEST and leading_share(layer) > MOST_OF_IT


def _layer(name: str, outcome: projection.Outcome) -> Layer:
    """Of very many features, those of some stimuli, evenly."""
    arrays, attributes = outcome
    n_stimuli, width = arrays["features"].shape
    step = -(-n_stimuli // max(LOOKED_INTO // width, 100))
    per_stimulus = ("features", "feature_mean", "mean_product")
    some = {key: value[::step] if key in per_stimulus else value for key, value in arrays.items()}
    return Layer(name=name, attributes=attributes, **some)


class _EnoughError(Exception):
    """Raised in a hook when the last wanted layer is done: the rest of the pass is not needed."""


class _Run:
    """The projectors of all layers, and the passes that feed them."""

    def __init__(
        self,
        network: nn.Module,
        images: Images,
        layers: Sequence[str],
        settings: Mapping[str, Any],
        model: str,
    ) -> None:
        self.network = network
        self.images = images
        self.layers = list(layers)
        self.settings = settings
        self.model = model
        self.where = f"model {model}" if model else "features"
        modules = dict(network.named_modules())
        self.names = list(dict.fromkeys(module_of(layer, modules) for layer in layers))
        for name in self.names:
            if name not in modules:
                raise InputError(
                    self.where, f"has no layer {name!r}", f"near: {near(name, modules)}"
                )
        self.kind = str(settings.get("projection") or "auto")
        self.seconds = 0.0  # of all cores, to project
        self.projectors: dict[str, projection.Projector] = {}
        self.seen = first_passes.Seen()

    def prepare(self, device: torch.device) -> int:
        """Look at a few stimuli, and make the projectors; the bytes of a stimulus.

        Made between activations of a batch, they would split the memory that those leave behind.
        """
        images = self.images[0:LOOKED_AT]
        images = images[torch.arange(LOOKED_AT) % len(images)].to(device)
        held = 0

        def measure() -> None:
            nonlocal held
            held = bytes_held(self.network, self._look(images))

        while not self._has_memory(measure, device):
            images = images[: halved(len(images), self.where)]
        sizes = {name: torch.Size(self.seen.shape(name)).numel() for name in self.layers}
        self.kind = resolve(self.kind, len(self.images), sizes.values())
        for name in self.layers:
            of_layer = self.kind, len(self.images), sizes[name], self.settings, name, self.model
            self.projectors[name] = projection.make(*of_layer)
        return (held + images.nbytes) // len(images)

    def _look(self, images: torch.Tensor) -> Callable[[], None]:
        def look() -> None:
            pooling = str(self.settings.get("pooling") or "none")
            self.seen = first_passes.look(self._pass, images, self.where, pooling)

        return look

    def fitting_batch(self, one: int, device: torch.device) -> int:
        """How many stimuli a pass can take, each of so many bytes."""
        free = free_memory(device, int(self.settings.get("memory") or 0))
        fitting = int(MEMORY_SHARE * free / max(one, 1))
        return max(1, min(fullest_batch(self.kind, len(self.images)), fitting))

    def advance(self, start: int, stop: int, device: torch.device) -> bool:
        """Project one batch; False where memory ran out."""

        def project(name: str, output: Any) -> None:
            value = self.seen.take(name, output, range(start, stop), self.where)
            began = time.process_time()
            self.projectors[name].add(value.reshape(len(value), -1), start)
            self.seconds += time.process_time() - began

        def show() -> None:
            with self._steady(start):
                self._pass(self.images[start:stop].to(device), project)

        return self._has_memory(show, device)

    def _steady(self, stimulus: int) -> AbstractContextManager[None]:
        """A seed for what the network draws for a stimulus, if it does."""
        if not self.seen.random:
            return nullcontext()
        seeds = np.random.SeedSequence([int(self.settings.get("noise_seed") or 0), stimulus])
        return seeded(int(seeds.generate_state(1, np.uint64)[0]))

    def _has_memory(self, work: Callable[[], None], device: torch.device) -> bool:
        """Do it; whether memory sufficed."""
        try:
            work()
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
        else:
            return True
        # Only now, with the exception gone, are the activations of the failed pass free.
        gc.collect()
        if device.type == "cuda":
            torch.cuda.empty_cache()
        return False

    def _pass(self, batch: torch.Tensor, take: Take) -> None:
        waiting = set(self.layers)

        def consume(name: str, _module: nn.Module, _inputs: Any, output: Any) -> None:
            if name in waiting:
                waiting.remove(name)
                take(name, output)
                if not waiting:
                    raise _EnoughError

        with listening(self.network, self.names, consume):
            try:
                self.network(batch.clone())  # which it may change in place
            except _EnoughError:
                return
        if waiting:
            name = next(layer for layer in self.layers if layer in waiting)
            raise InputError(
                f"{self.where}, layer {name}",
                "is not called in a forward pass (in evaluation mode)",
                "choose layers from `python -m cortiscope.layers`",
            )

    def finish(self) -> dict[str, projection.Outcome]:
        """Empty the projectors one by one, so that two layers are never in memory twice."""
        outcomes = {}
        began = time.process_time()
        for name in self.layers:
            arrays, attributes = self.projectors.pop(name).finish()
            outcomes[name] = (arrays, {**attributes, "shape": as_text(self.seen.shape(name))})
        self.seconds += time.process_time() - began
        return outcomes

    def summary(self, outcomes: Mapping[str, projection.Outcome]) -> str:
        """How the layers were projected, at what error and cost."""
        worst = max((about["distance_error"] for _, about in outcomes.values()), default=0.0)
        error = f"squared distances within {worst:.1%} rms" if worst else "nothing lost"
        return f"{self.where}: projection {self.kind}, {error}, {self.seconds:.0f} s of a core"


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception means that memory, of host or device, ran out."""
    if isinstance(error, MemoryError | torch.cuda.OutOfMemoryError):
        return True
    message = str(error).lower()
    return any(
        words in message for words in ("not enough memory", "out of memory", "allocate memory")
    )


def halved(size: int, where: str) -> int:
    """Half of a batch; an InputError where one stimulus is too much."""
    if size <= 1:
        raise InputError(where, "one stimulus does not fit into memory", "give the job more memory")
    return size // 2


def bytes_held(network: nn.Module, run: Callable[[], object]) -> int:
    """Of passes through a network: twice the most that one module holds, inputs and output."""
    most = 0

    def measure(_name: str, _module: nn.Module, inputs: Any, output: Any) -> None:
        nonlocal most
        tensors = (first_tensor(inputs), first_tensor(output))
        most = max(most, sum(value.nbytes for value in tensors if value is not None))

    names = [
        name for name, module in network.named_modules() if name and not list(module.children())
    ]
    with listening(network, names, measure):
        run()
    return 2 * most
