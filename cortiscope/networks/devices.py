"""Where networks run, and the same results each time they do.

Apart from `extraction`, so that an edit of how features are kept measures no accuracy anew.
"""

from collections.abc import Iterator
from contextlib import contextmanager

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
