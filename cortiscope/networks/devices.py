"""Where networks run, and the same results each time they do.

Apart from `extraction`, so that an edit of how features are kept measures no accuracy anew.
"""

import pickle
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from cortiscope.errors import InputError


def choose_device(name: str) -> torch.device:
    """`auto`: CUDA where there is one. A device that is not there is an InputError."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise InputError("device", f"unknown device {name!r}", "use auto, cpu or cuda") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise InputError("device", f"{name} is not available here", "use auto or cpu")
    return device


@contextmanager
def reproducible() -> Iterator[None]:
    """Full float32 and fixed algorithms on CUDA; nothing to do on a CPU."""
    with torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    ):
        before = torch.backends.cuda.matmul.allow_tf32
        torch.backends.cuda.matmul.allow_tf32 = False
        try:
            yield
        finally:
            torch.backends.cuda.matmul.allow_tf32 = before


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Lets all that a network may draw random numbers with follow a seed, for a while."""
    pythons, numpys = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed % 2**32)  # all that it takes
        try:
            yield
        finally:
            random.setstate(pythons)
            np.random.set_state(numpys)


def random_state(device: torch.device) -> Any:
    """Of the generators that `seeded` seeds: another where random numbers were drawn."""
    states = [torch.get_rng_state()]
    if device.type == "cuda":
        states.append(torch.cuda.get_rng_state(device))
    others = pickle.dumps([np.random.get_state(), random.getstate()])
    return [bytes(state.numpy()) for state in states], others
