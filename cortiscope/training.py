"""Train the embedded study's networks: `python -m cortiscope.training --output FOLDER`."""

import argparse
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
from torch import nn

from cortiscope.experiment import shapes
from cortiscope.networks.sources import zoo

BATCH = 64
LEARNING_RATE = 4e-3
WEIGHT_DECAY = 1e-2
VALIDATION_STIMULI = 800


@dataclass(frozen=True)
class Rung:
    """One trained network of the ladder: every step sees a fresh batch of BATCH stimuli."""

    name: str
    architecture: str
    steps: int
    seed: int


LADDER = (
    Rung("shapenet5_brief", "shapenet5", 45, 0),
    Rung("shapenet2", "shapenet2", 900, 0),
    Rung("shapenet3", "shapenet3", 900, 0),
    Rung("shapenet4", "shapenet4", 900, 0),
    Rung("shapenet5", "shapenet5", 1600, 0),
)


def network_input(image: np.ndarray) -> torch.Tensor:
    """Stimuli (stimulus, y, x, channel) uint8 -> normalised (stimulus, channel, y, x) float32."""
    scaled = torch.from_numpy(image).permute(0, 3, 1, 2).float() / 255
    mean = torch.tensor(zoo.MEAN).view(3, 1, 1)
    return (scaled - mean) / torch.tensor(zoo.STANDARD_DEVIATION).view(3, 1, 1)


def accuracy(network: nn.Module, stimuli: shapes.Stimuli) -> float:
    """Share of stimuli whose highest logit is their label, 0..1; the network is set to eval."""
    network.eval()
    with torch.inference_mode():
        chosen = network(network_input(stimuli.image)).argmax(dim=1).numpy()
    return float(np.mean(chosen == stimuli.label))


def train(rung: Rung) -> nn.Module:
    """Train from the rung's seed; the same seed and torch give the same weights on one thread."""
    torch.manual_seed(rung.seed)
    network = zoo.build(rung.architecture).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=rung.steps)
    for step in range(rung.steps):
        batch = shapes.render(BATCH, (rung.seed, step), stream="training")
        logits = network(network_input(batch.image))
        loss = nn.functional.cross_entropy(logits, torch.from_numpy(batch.label))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return network.eval()


def weights(network: nn.Module) -> bytes:
    """The network's state as the bytes of a safetensors file, without the counter of batches."""
    kept = {
        name: tensor.contiguous()
        for name, tensor in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    return save(kept)


def main(arguments: list[str]) -> None:
    """Train every rung of LADDER and write its weights, a line of progress each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    output: Path = parser.parse_args(arguments).output
    output.mkdir(parents=True, exist_ok=True)
    # Sums over threads come in any order; one thread makes the weights repeatable.
    torch.set_num_threads(1)
    validation = shapes.render(VALIDATION_STIMULI, 0, stream="validation")
    sums = []
    for rung in LADDER:
        network = train(rung)
        content = weights(network)
        (output / f"{rung.name}.safetensors").write_bytes(content)
        sums.append(f"{sha256(content).hexdigest()}  {rung.name}.safetensors\n")
        print(f"{rung.name}: accuracy {accuracy(network, validation):.3f}", flush=True)
    (output / "SHA256SUMS").write_text("".join(sums))


if __name__ == "__main__":
    main(sys.argv[1:])
