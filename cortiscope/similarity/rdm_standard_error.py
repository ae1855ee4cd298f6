"""The standard error of the Spearman correlation of two RDMs, whose cells share stimuli.

Of Fisher's z, as all of `standard_errors`; apart from them, since encoding models ask for none.
"""

import numpy as np
from numpy.typing import NDArray

from cortiscope.similarity.rsa import ranks, square
from cortiscope.statistics.resampling import average_ranks
from cortiscope.statistics.standard_errors import HIGHEST


def spearman_error(model: NDArray, brain: NDArray) -> float:
    """Standard error, over stimuli, of the Spearman correlation of two RDMs (cell,).

    A cell's influence on the correlation, with u and v the ranks over their number, centred:

        ψ_c = (u_c v_c + mean_k [u_k ≥ u_c] v_k + mean_k [v_k ≥ v_c] u_k − mean) / √(var u var v)

    (Croux and Dehon 2010, Stat Methods Appl 19:497). Cells that share a stimulus are dependent,
    all others are not, so that the variance of their mean is the sum of ψ_c ψ_d over pairs of
    cells, alike or sharing a stimulus, over the squared number of cells (Fafchamps and Gubert
    2007, J Dev Econ 83:326; Aronow, Samii and Assenova 2015, Polit Anal 23:564), at least that of
    independent cells, and times n / (n − 2) for n stimuli. NaN where a cell is missing or nothing
    varies, and for fewer than four stimuli.
    """
    correlation = float(ranks(model) @ ranks(brain))
    if not np.isfinite(correlation):
        return np.nan
    influence = square(_influence(model, brain))  # (stimulus, stimulus), zeros on the diagonal
    n_stimuli, n_cells = len(influence), len(model)
    if n_stimuli < 4:
        return np.nan
    alike = np.square(influence).sum() / 2
    sharing = np.square(influence.sum(axis=0)).sum() - 2 * alike
    variance = (alike + max(sharing, 0.0)) / n_cells**2 * n_stimuli / (n_stimuli - 2)
    return float(np.sqrt(variance) / (1 - min(correlation**2, HIGHEST)))


def _influence(model: NDArray, brain: NDArray) -> NDArray:
    u, v = (average_ranks(cells) / len(cells) for cells in (model, brain))
    u, v = u - u.mean(), v - v.mean()
    influence = u * v + _mean_above(u, v) + _mean_above(v, u)
    return (influence - influence.mean()) / np.sqrt(u.var() * v.var())


def _mean_above(key: NDArray, values: NDArray) -> NDArray:
    """The mean over all of the values whose key is at least each cell's own, of others 0."""
    order = np.argsort(key, kind="stable")
    above = np.cumsum(values[order][::-1])[::-1] / len(key)
    first = np.searchsorted(key[order], key, side="left")
    return above[first]
