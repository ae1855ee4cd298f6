"""Extraction of eight layers with the fold projection against a bare forward pass.

    python benchmarks/extraction.py [--quick] [--networks alexnet ...]

Processor time: both in turn in one process, medians. Memory: the peak resident size, each in a
process of its own, with the same batches.
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

NETWORKS = ("alexnet", "resnet18", "vgg16")
BATCH = 32
N_LAYERS, TIME_AIM, MEMORY_AIM = 8, 1.10, 60


def eight_layers(network: str) -> list[str]:
    """Eight layers from first to last operation before the classifier."""
    row = {"model": network, "source": "torchvision", "architecture": network, **DEFAULTS}
    names = [str(line["layer"]) for line in layers.layer_table(row | {"layers": "all"})]
    return [names[round(i * (len(names) - 1) / (N_LAYERS - 1))] for i in range(N_LAYERS)]


def bare(network: nn.Module, images: torch.Tensor, batch: int) -> None:
    with torch.inference_mode():
        for part in images.split(batch):
            network(part)


def with_layers(network: nn.Module, images: torch.Tensor, batch: int, names: list[str]) -> None:
    settings = {"projection": "fold", "batch_size": batch, "device": "cpu"}
    extract(network, images, names, settings, report=lambda message: None)


def peak(name: str, n_stimuli: int, batch: int, names: list[str]) -> None:
    """Print the peak resident size, in MB, of one kind of pass in this process."""
    network, images = torchvision.models.get_model(name).eval(), torch.rand(n_stimuli, 3, 224, 224)
    if names:
        with_layers(network, images, batch, names)
    else:
        bare(network, images, batch)
    # Not getrusage, whose peak a process inherits from the one that started it.
    lines = Path("/proc/self/status").read_text().splitlines()
    print(next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")))


def peak_elsewhere(name: str, n_stimuli: int, batch: int, names: list[str]) -> float:
    command = [sys.executable, __file__, "--peak", name, str(n_stimuli), str(batch), *names]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])


def compare(name: str, n_stimuli: int, batch: int, rounds: int) -> None:
    network, images = torchvision.models.get_model(name).eval(), torch.rand(n_stimuli, 3, 224, 224)
    names = eight_layers(name)
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 1):
        began = time.process_time()
        bare(network, images, batch)
        middle = time.process_time()
        with_layers(network, images, batch, names)
        if number:  # the first round warms up
            times[0].append(middle - began)
            times[1].append(time.process_time() - middle)
    ratio = statistics.median(times[1]) / statistics.median(times[0])
    memory = [peak_elsewhere(name, n_stimuli, batch, chosen) for chosen in ([], names)]
    print(
        f"{name}: {n_stimuli} stimuli, {statistics.median(times[0]):.1f} s bare, "
        f"{ratio:.3f} times that with {N_LAYERS} layers (aim {TIME_AIM}); peak {memory[0]:.0f} MB "
        f"bare, {memory[1] - memory[0]:+.0f} MB with layers (aim {MEMORY_AIM})",
        flush=True,
    )


def main() -> None:
    if sys.argv[1:2] == ["--peak"]:
        name, n_stimuli, batch, *names = sys.argv[2:]
        return peak(name, int(n_stimuli), int(batch), names)
    parser = argparse.ArgumentParser(description="Extraction against a bare forward pass.")
    parser.add_argument("--quick", action="store_true", help="32 stimuli, one round")
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name in options.networks:
        compare(name, BATCH if options.quick else 119, BATCH, 1 if options.quick else 3)
    return None


if __name__ == "__main__":
    main()
