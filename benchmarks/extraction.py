"""Extraction of all blocks with the projection `auto` against a bare forward pass.

    python benchmarks/extraction.py [--quick] [--networks resnet18 ...] [--stimuli 119 640 3200]

Processor time of one thread: both in turn in one process, medians; the bare pass in batches of 64.
Memory: the peak resident size above that of a bare pass of the same batches, each in a process of
its own. Weights are random: what is computed costs the same.
"""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
import torchvision
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cortiscope import layers
from cortiscope.networks.extraction import extract
from cortiscope.networks.layer_tables import DEFAULTS
from cortiscope.networks.projection_kinds import fullest_batch, resolve

NETWORKS = ("squeezenet1_1", "resnet18", "vit_b_16")
STIMULI = (119, 640)
BATCH = 64
TIME_AIM, MEMORY_AIM = 1.2, 300
SIDE = 224


class Made:
    """Stimuli of random pixels, made as they are asked for, as those of a study are read."""

    def __init__(self, n_stimuli: int) -> None:
        self.n_stimuli = n_stimuli

    def __len__(self) -> int:
        return self.n_stimuli

    def __getitem__(self, part: slice) -> torch.Tensor:
        numbers = range(*part.indices(self.n_stimuli))
        images = torch.empty(len(numbers), 3, SIDE, SIDE)
        for image, number in zip(images, numbers, strict=True):
            image.uniform_(generator=torch.Generator().manual_seed(number))
        return images


def blocks(network: str) -> dict[str, int]:
    """The layers that are recorded by default, and their features."""
    row = {"model": network, "source": "torchvision", "architecture": network, **DEFAULTS}
    return {str(line["layer"]): int(str(line["n_features"])) for line in layers.layer_table(row)}


def bare(network: nn.Module, images: Made, batch: int) -> None:
    with torch.inference_mode():
        for start in range(0, len(images), batch):
            network(images[start : start + batch])


def with_layers(network: nn.Module, images: Made, names: list[str]) -> None:
    settings = {"projection": "auto", "device": "cpu"}
    extract(network, images, names, settings, report=lambda message: None)


def peak(name: str, n_stimuli: int, batch: int, names: list[str]) -> None:
    """Print the peak resident size, in MB, of one kind of pass in this process."""
    network, images = torchvision.models.get_model(name).eval(), Made(n_stimuli)
    if names:
        with_layers(network, images, names)
    else:
        bare(network, images, batch)
    # Not getrusage, whose peak a process inherits from the one that started it.
    lines = Path("/proc/self/status").read_text().splitlines()
    print(next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")))


def peak_elsewhere(name: str, n_stimuli: int, batch: int, names: list[str]) -> float:
    command = [sys.executable, __file__, "--peak", name, str(n_stimuli), str(batch), *names]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])


def compare(name: str, n_stimuli: int, rounds: int) -> None:
    network, images = torchvision.models.get_model(name).eval(), Made(n_stimuli)
    sizes = blocks(name)
    kind = resolve("auto", n_stimuli, sizes.values())
    batch = fullest_batch(kind, n_stimuli)
    bare(network, Made(BATCH), BATCH)  # warms up
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        began = time.process_time()
        bare(network, images, BATCH)
        middle = time.process_time()
        with_layers(network, images, list(sizes))
        times[0].append(middle - began)
        times[1].append(time.process_time() - middle)
    ratio = statistics.median(times[1]) / statistics.median(times[0])
    memory = [peak_elsewhere(name, n_stimuli, batch, chosen) for chosen in ([], list(sizes))]
    print(
        f"{name}: {n_stimuli} stimuli, {len(sizes)} layers of {sum(sizes.values()):,} features, "
        f"{kind}: {statistics.median(times[0]):.1f} s bare, {ratio:.2f} times that with layers "
        f"(aim {TIME_AIM}); in batches of {batch} {memory[0]:.0f} MB bare, "
        f"{memory[1] - memory[0]:+.0f} MB with layers (aim {MEMORY_AIM})",
        flush=True,
    )


def main() -> None:
    if sys.argv[1:2] == ["--peak"]:
        torch.set_num_threads(1)
        name, stimuli, batch, *names = sys.argv[2:]
        return peak(name, int(stimuli), int(batch), names)
    parser = argparse.ArgumentParser(description="Extraction against a bare forward pass.")
    parser.add_argument("--quick", action="store_true", help="32 stimuli, one round")
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    parser.add_argument("--stimuli", nargs="+", type=int, default=STIMULI)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name in options.networks:
        for n_stimuli in [32] if options.quick else options.stimuli:
            compare(name, n_stimuli, 1 if options.quick else options.rounds)
    return None


if __name__ == "__main__":
    main()
