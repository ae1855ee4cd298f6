"""Of a layer's activations the mean over places or tokens, or the class token alone.

Images are shown square, so that of three axes the two that are alike are those of space; where all
three are, the first is that of channels, as is usual. Of two axes the first is that of tokens.
"""

import math

import torch

NONE, MEAN, CLASS_TOKEN = "none", "mean", "cls"


def unpoolable(shape: tuple[int, ...], kind: str) -> str:
    """Why activations of a shape (of one stimulus) cannot be pooled so; empty where they can."""
    if kind == CLASS_TOKEN and len(shape) != 2:
        return "has no tokens, of which the first could be the class token"
    if kind == CLASS_TOKEN and math.isqrt(shape[0]) ** 2 == shape[0]:
        return f"has no class token beside the {shape[0]} that make a square"
    if kind == MEAN and len(shape) > 3:
        return f"has {len(shape)} axes, and which are of space is not known"
    return ""


def pooled_shape(shape: tuple[int, ...], kind: str) -> tuple[int, ...]:
    """Of what `pooled` gives for one stimulus."""
    return tuple(pooled(torch.empty(1, *shape, device="meta"), kind).shape[1:])


def pooled(values: torch.Tensor, kind: str) -> torch.Tensor:
    """(stimulus, channel) of (stimulus, ...); with `none`, and of vectors, what is given."""
    if kind == NONE or values.ndim == 2:
        return values
    if kind == CLASS_TOKEN:
        return values[:, 0]
    if values.ndim == 4 and values.shape[1] == values.shape[2] != values.shape[3]:
        return values.mean((1, 2))  # (stimulus, y, x, channel)
    return values.mean((2, 3)) if values.ndim == 4 else values.mean(1)
