"""Stimuli with properties of every kind, and two layers that hold some of them each."""

from typing import Any

import numpy as np

N = 60
CATEGORY = np.array(["car", "face", "fruit"])[np.random.default_rng(0).permutation(N) % 3]
PLACE = np.random.default_rng(1).normal(size=N)
TURN = np.random.default_rng(2).uniform(0, 180, size=N)
IDS = np.array([f"image{number:02d}" for number in range(N)])
CONFIG: dict[str, Any] = {
    "stimuli": {"source": "stimuli.nc"},
    "decoding": {"properties": ["category", "place", {"turn": 180.0}]},
    "ridge": {"alphas": [0.01, 1.0, 100.0], "protocol": "nested"},
    "statistics": {"permutations": 19, "bootstraps": 3, "seed": 0},
    "cross_validation": {"folds": 6, "group": "", "split": "", "seed": 0},
}


def patterns(*columns: np.ndarray) -> np.ndarray:
    """(stimulus, component): what is in them, mixed, with some noise."""
    random = np.random.default_rng(3)
    latents = np.column_stack(columns)
    return latents @ random.normal(size=(latents.shape[1], 12)) + random.normal(size=(N, 12)) / 9


EARLY = patterns(PLACE, np.sin(TURN * np.pi / 90), np.cos(TURN * np.pi / 90))
LATE = patterns(CATEGORY == "car", CATEGORY == "face")
