"""An interval of a correlation over few points, such as models, that holds.

Percentiles of a bootstrap are too narrow for 8 to 20 models, Fisher's interval where the points are
heavy-tailed; benchmarks/coverage.py has the figures.
"""

import numpy as np
from numpy.typing import NDArray

from cortiscope.statistics.resampling import average_ranks
from cortiscope.statistics.rounding import varies
from cortiscope.statistics.standard_errors import HIGHEST, interval


def correlation_interval(x: NDArray, y: NDArray, method: str = "pearson") -> tuple[float, float]:
    """95 % interval of the correlation of x with y (point,); points missing either are left out.

    atanh r ± 1.96 s, with s the larger of 1 / √(n − 3), for normal points (Fisher 1921), and of
    the infinitesimal jackknife (Efron 1982), for points of any distribution:
    √(Σ (ψ / (1 − h))²) / (n (1 − r²)), with a and b the standard scores, their influence
    ψ = a b − r (a² + b²) / 2, and their leverage h = (a² + b²) / (2 n), which makes up for a
    correlation that is fitted to the same points (HC3; MacKinnon and White 1985, J Econom 29:305).
    method: `pearson`, or `spearman`, the same of ranks. NaN for fewer than four points or where a
    variable does not vary.
    """
    known = np.isfinite(x) & np.isfinite(y)
    pair = np.stack([np.asarray(x, dtype=float)[known], np.asarray(y, dtype=float)[known]])
    n = pair.shape[1]
    if n < 4 or not varies(np.asarray(pair)).all():
        return np.nan, np.nan
    if method == "spearman":
        pair = average_ranks(pair)
    a, b = (pair - pair.mean(axis=1, keepdims=True)) / pair.std(axis=1, keepdims=True)
    r = float(np.clip(np.mean(a * b), -HIGHEST, HIGHEST))
    squares = (a**2 + b**2) / 2
    influence = (a * b - r * squares) / (1 - squares / n)
    jackknife = np.sqrt(np.square(influence).sum()) / (n * (1 - r**2))
    low, high = interval(r, max(jackknife, 1 / np.sqrt(n - 3)))
    return float(low), float(high)
