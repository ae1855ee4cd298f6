"""What is no more than the rounding of values in their precision.

Measured against the size of the values themselves: a spread is compared with what it was computed
from, and equal values that were computed in other ways are made equal again.
"""

import numpy as np
from numpy.typing import NDArray

KEPT = 2.0**-40  # of the size: arithmetic in float64 loses some digits of 2^-52


def rounding(values: NDArray) -> float:
    """The size, relative to that of values in this precision, below which nothing is told."""
    precision = values.dtype if values.dtype.kind == "f" else np.dtype(np.float64)
    return 64 * float(np.finfo(precision).eps)


def varies(values: NDArray, axis: int = -1) -> NDArray:
    """Whether values differ along an axis by more than rounding: bool, without that axis.

    False for values of which one is NaN.
    """
    # The largest absolute value, without a copy of thousands of patterns.
    largest = np.maximum(values.max(axis=axis, initial=0.0), -values.min(axis=axis, initial=0.0))
    found: NDArray = np.ptp(values, axis=axis) > rounding(values) * largest
    return found


def centred(values: NDArray, axis: int = -1) -> NDArray:
    """Less their mean along an axis, in float64; 0 where values do not vary but for rounding."""
    rows: NDArray = values - values.mean(axis=axis, keepdims=True, dtype=np.float64)
    np.copyto(rows, 0.0, where=~np.expand_dims(varies(values, axis), axis))
    return rows


def without_rounding(values: NDArray, size: NDArray | float | None = None) -> NDArray:
    """Values (..., value) to the digits that arithmetic in float64 keeps, so that equal ones tie.

    size: of what they were computed from, the largest of each row by default. NaN stays.
    """
    if size is None:
        size = np.abs(values).max(axis=-1, keepdims=True, initial=0.0)
    exponent = np.frexp(size)[1] + np.log2(KEPT).astype(int)
    # A power of 2, by which to divide loses nothing.
    return np.asarray(np.ldexp(np.round(np.ldexp(values, -exponent)), exponent))
