"""Gram matrices of activations too many to hold twice, and their principal coordinates."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch

CHUNK = 2048  # features centred and multiplied at a time: of 119 stimuli, 1 MB
# Up to this many features are multiplied in float64, which then costs next to nothing.
SMALL = 16_384
# Above, float32 products leave the eigenvalues uncertain by about 3e-9 of the largest.
NOISE = 1e-8
TINY = float(np.finfo(np.float64).tiny)


def chunk_products(
    chunks: Iterable[torch.Tensor],
    n_stimuli: int,
    n_features: int,
    ones: torch.Tensor | None = None,
    pivot: torch.Tensor | None = None,
) -> tuple[np.ndarray, float]:
    """Inner products, over all features, of n + 2 rows; and the pivot of the second last.

    The rows are the activations centred over stimuli (to float32 rounding), the mean over stimuli
    less a pivot (of the first chunk, unless it is given) times the last row, and that: ones, or
    what is given in their place, (feature,). Each chunk (stimulus, feature) is centred before it is
    multiplied in float32 (float64 where small): uncentred, a mean of 50 times the spread costs 3 %.
    The sum is kept in float64.
    """
    dtype = torch.float64 if n_features <= SMALL else torch.float32
    total: Any = 0.0
    begin = 0
    for chunk in chunks:
        chunk = chunk.to(dtype)
        rows = chunk.new_empty(n_stimuli + 2, chunk.shape[1])
        # First less the first stimulus: a constant feature becomes exactly zero.
        torch.sub(chunk, chunk[0], out=rows[:-2])
        shift = rows[:-2].mean(0)
        rows[:-2] -= shift
        mean = chunk[0] + shift
        pivot = mean.mean() if pivot is None else pivot
        rows[-1] = 1.0 if ones is None else ones[begin : begin + chunk.shape[1]]
        torch.sub(mean, pivot * rows[-1], out=rows[-2])
        begin += chunk.shape[1]
        total = total + _row_products(rows)
    products = total.cpu().numpy() if isinstance(total, torch.Tensor) else total
    return products, 0.0 if pivot is None else float(pivot)


def _row_products(rows: torch.Tensor) -> Any:
    if rows.device.type == "cpu":
        values = rows.numpy()
        # numpy sees that both factors are one array and computes half of the symmetric product.
        return (values @ values.T).astype(np.float64)  # (row, feature) x (feature, row)
    return (rows @ rows.T).double()


def principal_coordinates(
    products: np.ndarray, pivot: float
) -> tuple[dict[str, np.ndarray], float]:
    """Classical scaling of what `chunk_products` gives (Torgerson 1952).

    Returns features (stimulus, component), feature_mean and mean_product (stimulus,), and
    mean_square; see `projection.Exact`.
    """
    n_stimuli = len(products) - 2
    n_features = products[-1, -1]
    features, _ = _axes(products, int(min(n_stimuli - 1, n_features)))
    row_sum = products[:n_stimuli, -1] - products[:n_stimuli, -1].mean()  # sum over features
    shifted_mean = products[-2, -1] / n_features  # m̄ less the pivot
    product = products[:n_stimuli, -2] - shifted_mean * row_sum
    arrays = {
        "features": features if features.size else np.zeros((n_stimuli, 1)),
        "feature_mean": pivot + shifted_mean + row_sum / n_features,
        "mean_product": product - product.mean(),
    }
    return arrays, max(0.0, float(products[-2, -2] - n_features * shifted_mean**2))


def turned(products: np.ndarray, pivot: float, n_features: int) -> tuple[np.ndarray, np.ndarray]:
    """Linear features in n + 1 components: turned, so that no inner product changes.

    products, pivot: of `chunk_products`, with what the projection makes of ones. Axes are those of
    the features centred over stimuli, and two more, which hold what their mean and the projection
    of ones have beside those.
    Returns features (stimulus, component), not centred, and ones (component,).
    """
    n_stimuli = len(products) - 2
    centred, values = _axes(products, min(n_stimuli - 1, n_features))
    both = (
        products[-2:, :n_stimuli] @ centred / np.maximum(values, TINY)
    )  # (2, stimulus) x (stimulus, component)
    beside = products[-2:, -2:] - both @ both.T
    values, vectors = np.linalg.eigh((beside + beside.T) / 2)
    both = np.hstack([both, vectors * np.sqrt(np.maximum(values, 0.0))])
    mean, ones = both
    features = np.hstack([centred, np.zeros((n_stimuli, 2))]) + mean + pivot * ones
    return features, ones


def _axes(products: np.ndarray, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """Principal coordinates (stimulus, component) of the first n rows, and their squares' sums.

    One component stays, zero, where all stimuli are alike: no file can hold an empty dimension.
    """
    n_stimuli = len(products) - 2
    gram = products[:n_stimuli, :n_stimuli]
    column = gram.mean(0)
    gram = gram - column - column[:, None] + column.mean()  # what rounding left of the mean
    values, vectors = np.linalg.eigh((gram + gram.T) / 2)
    values, vectors = values[::-1][:rank], vectors[:, ::-1][:, :rank]
    kept = max(1, int((values > NOISE * max(values[0], 0.0)).sum())) if rank else 0
    values, vectors = np.maximum(values[:kept], 0.0), vectors[:, :kept]
    return vectors * np.sqrt(values), values
