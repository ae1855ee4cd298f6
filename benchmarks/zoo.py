"""Architectures of torchvision and timm, untrained: is what is recorded what their modules gave?

    python benchmarks/zoo.py [--only PATTERN] [--sample N] [--output TSV]

Of each: the layer table is made; every layer of `blocks` is recorded in batches of two, equals one
of the tensors that plain hooks cloned in a pass of all stimuli, and equals what a stimulus gives
when it is shown alone. Each in a process of its own, which is ended where it takes too long or too
much memory. Prints a line for each, then what failed, and why.
"""

import argparse
import contextlib
import fnmatch
import itertools
import json
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from torch import nn
from torchvision import models

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cortiscope import layers
from cortiscope.networks import extraction, networks
from cortiscope.networks.layer_tables import DEFAULTS
from cortiscope.networks.outputs import tensors
from cortiscope.networks.tracing import listening

N_STIMULI = 3
SIDES = (64, 112, 128, 224)  # pixels, of which the first that an architecture takes is shown
# Rounding depends on the size of a batch, and grows from layer to layer.
TOLERANCE = 1e-3
PRESETS = {"torchvision": (models, models.segmentation, models.detection)}


def architectures() -> dict[str, list[str]]:
    """Of every family, named after its source and module, the architectures `source:name`.

    In the order of their source code, where small ones mostly come first.
    """
    families: dict[str, list[tuple[int, str]]] = {}
    for package in PRESETS["torchvision"]:
        for name in models.list_models(module=package):
            builder = models.get_model_builder(name)
            family = "torchvision." + builder.__module__.removeprefix("torchvision.models.")
            line = builder.__wrapped__.__code__.co_firstlineno
            families.setdefault(family, []).append((line, f"torchvision:{name}"))
    for module in timm.list_modules():
        for name in timm.list_models(module=module):
            line = timm.model_entrypoint(name).__code__.co_firstlineno
            families.setdefault(f"timm.{module}", []).append((line, f"timm:{name}"))
    return {family: [name for _, name in sorted(found)] for family, found in families.items()}


def sampled(families: dict[str, list[str]], number: int) -> list[str]:
    """The first of every family, then the second of every one that has it, and so on."""
    rounds = itertools.chain(*itertools.zip_longest(*families.values()))
    return list(itertools.islice(filter(None, rounds), number))


def check(architecture: str) -> dict[str, Any]:
    """What is said of an architecture `source:name`: layers, side, and why it failed, if it did."""
    failures = []
    for side in (*SIDES, 0):
        row = row_of(architecture, side)
        try:
            table = layers.layer_table(row)
        except Exception as error:
            failures.append(f"{type(error).__name__}: {error}")
            continue
        said: dict[str, Any] = {"side": networks.input_shape(row)[1], "layers": len(table)}
        said["kinds"] = ", ".join(dict.fromkeys(str(line["kind"]) for line in table))
        return said | {"problem": compare(row, [str(line["layer"]) for line in table])}
    return {"problem": failures[-1]}


def row_of(architecture: str, side: int) -> dict[str, str]:
    """A row of the models table; side: of what is shown, in pixels, 0 for the network's own."""
    source, _, name = architecture.partition(":")
    row = {"model": name, "source": source, "architecture": name, "checksum": "", **DEFAULTS}
    shown = f"resize={side} crop={side} mean=0.5 std=0.25"
    return row | ({"preprocessing": shown} if side else {})


def compare(row: dict[str, str], names: Sequence[str]) -> str:
    """What is wrong with what is recorded of an architecture's layers; empty where nothing is."""
    network = networks.build(row)
    shape = networks.input_shape(row, network)
    images = torch.randn(N_STIMULI, *shape, generator=torch.Generator().manual_seed(1))
    given = cloned(network, images)
    found, alone = (recorded(network, images, names, size) for size in (2, 1))
    for name in names:
        # (stimulus, feature) of each tensor that the call gave, along each of its axes
        references = [
            tensor.movedim(axis, 0).reshape(N_STIMULI, -1)
            for tensor in given[name]
            for axis, length in enumerate(tensor.shape)
            if length == N_STIMULI
        ]
        if not any(equal(found[name], reference.numpy()) for reference in references):
            return f"layer {name} is not what its module gave"
        if not equal(found[name], alone[name]):
            return f"layer {name} of a stimulus depends on what else is shown"
    return ""


def cloned(network: nn.Module, images: torch.Tensor) -> dict[str, list[torch.Tensor]]:
    """The floating-point tensors of every call in a pass, before a later one changes them."""
    given: dict[str, list[torch.Tensor]] = {}

    def clone(name: str, _module: nn.Module, _inputs: Any, output: Any) -> None:
        given[name] = [value.clone() for value in tensors(output) if value.is_floating_point()]

    with torch.inference_mode(), listening(network, [*dict(network.named_modules())][1:], clone):
        network(images.clone())
    return given


def recorded(
    network: nn.Module, images: torch.Tensor, names: Sequence[str], size: int
) -> dict[str, np.ndarray]:
    """(stimulus, feature) of each layer, as the workflow records it in batches of `size`."""
    settings = {"projection": "none", "batch_size": size, "device": "cpu"}
    found = extraction.extract(network, images, names, settings, report=lambda line: None)
    return {name: arrays["features"] for name, (arrays, _) in found.items()}


def equal(found: np.ndarray, reference: np.ndarray) -> bool:
    """Whether each stimulus has the same values, but for rounding."""
    if found.shape != reference.shape:
        return False
    difference = np.linalg.norm(found - reference, axis=1)
    return bool((difference <= TOLERANCE * np.linalg.norm(reference, axis=1)).all())


def checked_apart(architecture: str, seconds: float, megabytes: int) -> dict[str, Any]:
    """As `check` says it, in a process of its own."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        resource.setrlimit(resource.RLIMIT_DATA, (megabytes << 20,) * 2)
        with contextlib.redirect_stderr(None), contextlib.redirect_stdout(None):
            try:
                said = check(architecture)
            except Exception as error:
                said = {"problem": f"{type(error).__name__}: {error}"}
        with os.fdopen(write, "w") as answer:
            answer.write(json.dumps(said))
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        ready, _, _ = select.select([answer], [], [], seconds)
        if not ready:
            os.kill(child, signal.SIGKILL)
        text = answer.read()
    os.waitpid(child, 0)
    if not ready:
        return {"problem": f"takes more than {seconds:.0f} s"}
    return json.loads(text) if text else {"problem": "its process died, perhaps of memory"}


def reports(names: Sequence[str], seconds: float, megabytes: int) -> Iterator[dict[str, Any]]:
    for name in names:
        began = time.monotonic()
        said = checked_apart(name, seconds, megabytes)
        yield {"architecture": name, "seconds": f"{time.monotonic() - began:.0f}"} | said


COLUMNS = ("architecture", "side", "layers", "seconds", "problem", "kinds")


def line_of(said: dict[str, Any]) -> str:
    return "\t".join(" ".join(str(said.get(column, "")).split()) for column in COLUMNS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="*", help="a pattern of names: timm:vit_*")
    parser.add_argument("--sample", type=int, default=0, help="so many, of all families")
    parser.add_argument("--skip", type=int, default=0, help="so many of these, checked before")
    parser.add_argument("--seconds", type=float, default=120, help="that one may take")
    parser.add_argument("--memory", type=int, default=4000, help="megabytes that one may take")
    parser.add_argument("--output", type=Path, help="a file for the table as well")
    options = parser.parse_args()
    families = {
        family: fnmatch.filter(names, options.only) for family, names in architectures().items()
    }
    names = sampled(families, options.sample or sum(map(len, families.values())))[options.skip :]
    torch.set_num_threads(1)  # before it forks
    failed = []
    lines = ["\t".join(COLUMNS)]
    print(lines[0])
    for said in reports(names, options.seconds, options.memory):
        lines.append(line_of(said))
        print(lines[-1], flush=True)
        if options.output:
            options.output.write_text("\n".join(lines) + "\n")
        if said["problem"]:
            failed.append(said)
    print(f"\n{len(names)} architectures, {len(failed)} failed")
    for said in failed:
        print(f"{said['architecture']}: {said['problem']}")


if __name__ == "__main__":
    main()
