"""Intervals of bootstrap draws."""

import numpy as np

from cortiscope.statistics.resampling import INTERVAL


def interval(draws: np.ndarray) -> tuple[float, float]:
    """95 % interval of bootstrap draws; NaN without any."""
    finite = draws[np.isfinite(draws)]
    low, high = np.percentile(finite, INTERVAL) if finite.size else (np.nan, np.nan)
    return float(low), float(high)
