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
    largest = np.abs(values).max(axis=axis, initial=0.0)
    found: NDArray = np.ptp(values, axis=axis) > rounding(values) * largest
    return found


def without_rounding(values: NDArray, size: float) -> NDArray:
    """Values (...) in float64 to the digits that arithmetic keeps, so that what is equal ties.

    size: of what they were computed from.
    """
    if not 0 < size < np.inf:
        return values
    step = KEPT * 2.0 ** np.ceil(np.log2(size))  # a power of 2: to divide by it loses nothing
    return np.asarray(np.round(values / step) * step)
