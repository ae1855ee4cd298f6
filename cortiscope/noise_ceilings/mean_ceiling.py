"""The mean ceiling of neuroids whose reliabilities are known with error.

The root of an estimated reliability is 0 at least, so that the mean of the roots is far above 0 for
noise (0.15 to 0.2), and roots with the sign of what they are of are far too low where signals are
weak. So the distribution of the true reliabilities is estimated first, of all neuroids together,
by nonparametric maximum likelihood (Kiefer and Wolfowitz 1956, Ann Math Stat 27:887; Koenker and
Mizera 2014, J Am Stat Assoc 109:674), and the mean of the root is taken over it.
"""

import numpy as np
from numpy.typing import NDArray

from cortiscope.noise_ceilings.noise import Ceiling, extended

STEPS = 300  # of expectation and maximisation, from a flat distribution: more change little
GRID = np.linspace(0.0, 0.99, 100)  # true correlations of halves


def mean_ceilings(found: Ceiling, n_stimuli: NDArray, n_repetitions: int) -> tuple[float, float]:
    """Of all the data and of half of it; NaN without a neuroid whose reliability is known.

    found: of each neuroid; n_stimuli (neuroid,), those on which its halves were compared.

    Fisher's z of the correlation r of halves has variance 1 / (n − 1) by one split, and of all
    splits of R repetitions 2 h² / (R (R − 1)) of that, h = R // 2: halves are compared by h² of the
    R (R − 1) / 2 pairs of repetitions.
    """
    known = np.isfinite(found.half) & (n_stimuli > 3)
    if not known.any():
        return np.nan, np.nan
    size = n_repetitions // 2
    pairs = 2 * size**2 / (n_repetitions * (n_repetitions - 1))
    z = np.arctanh(np.clip(found.half[known], -GRID[-1], GRID[-1]))
    likelihood = np.exp(
        -0.5 * (z[:, None] - np.arctanh(GRID)) ** 2 * (n_stimuli[known, None] - 1) / pairs
    )
    likelihood /= likelihood.max(axis=1, keepdims=True)
    prior = np.full(len(GRID), 1 / len(GRID))
    for _ in range(STEPS):
        prior *= (1 / (likelihood @ prior)) @ likelihood / known.sum()
    growth = np.broadcast_to(found.growth, known.shape)[known]
    of_grid = extended(GRID, float(np.median(growth)))
    whole, half = (prior @ np.nan_to_num(each) for each in (of_grid.ceiling, of_grid.ceiling_half))
    return float(whole), float(half)
