"""The standard error of what two RDMs share, whose cells share stimuli.

Of Fisher's z, as all of `standard_errors`; apart from them, since encoding models ask for none.
"""

import numpy as np
from numpy.typing import NDArray

from cortiscope.similarity import kendall
from cortiscope.similarity.rsa import ranks, square
from cortiscope.statistics.rounding import varies
from cortiscope.statistics.standard_errors import HIGHEST, student_over_normal

LEVELS = 256  # of Kendall's tau-a
ROUNDING = 1e-9  # of a leverage: of a stimulus without which nothing varies, it is 1


def comparison_error(
    model: NDArray,
    brain: NDArray,
    method: str,
    units: NDArray | None = None,
    counted: NDArray | None = None,
    ranked: bool = False,
) -> float:
    """Standard error, over stimuli, of the comparison of two RDMs (cell,) by a method.

    From the influence ψ_c of each cell on the score (see `_influence`), whose mean is 0. Cells that
    share a stimulus are dependent, all others are not, so that the variance of the mean of N cells
    is Σ ψ_c ψ_d / N² over pairs of cells, alike or sharing a stimulus (Fafchamps and Gubert 2007, J
    Dev Econ 83:326; Aronow, Samii and Assenova 2015, Polit Anal 23:564). With r_i the sum of the
    influences of stimulus i's cells, and h_i its leverage, the share of both systems' squares that
    is in its cells:

        variance = max(Σ_i (r_i / (1 − h_i))² − a, a) / N²,   a = (n / (n − 2))² Σ_c ψ_c²

    The leverage, of 2 / n on average, makes up for a score that is fitted to the same stimuli
    (HC3; MacKinnon and White 1985, J Econom 29:305). Times Student's quantile of n − 2 degrees of
    freedom over the normal one. units: (stimulus,) numbers, of stimuli that are drawn together;
    then i are these, and c the sums over all cells between two. counted: (cell,) bool, the cells
    that are compared, where not all are. ranked: whether the cells are `rsa.ranks`. NaN
    where a cell is missing, where nothing varies, or nothing without one of the stimuli, and for
    fewer than four stimuli or units.
    """
    n_all, cells = len(model), slice(None) if counted is None else np.flatnonzero(counted)
    systems = np.stack([model[cells], brain[cells]], axis=1).T  # (system, cell)
    model, brain = systems
    if not (np.isfinite(systems).all() and varies(systems).all()) or len(model) < 6:
        return np.nan
    if method in ("spearman", "kendall"):
        systems = systems if ranked else ranks(systems)
    elif method != "cosine":
        systems = systems - systems.mean(axis=1, keepdims=True)
    shares = np.square(systems)
    shares /= shares.sum(axis=1, keepdims=True)
    leverage = _between(shares.mean(axis=0), cells, n_all, units).sum(axis=0)
    if not (leverage < 1 - ROUNDING).all():
        return np.nan
    del shares  # of thousands of stimuli a gigabyte, as all of these
    score, influence = _influence(model, brain, systems, method)
    together = _between(influence, cells, n_all, units)
    of_stimulus = together.sum(axis=0) / (1 - leverage)
    n_stimuli = len(of_stimulus)
    if n_stimuli < 4:
        return np.nan
    of_pairs = influence if units is None else together[np.triu_indices(n_stimuli, 1)]
    alike = np.square(of_pairs).sum() * (n_stimuli / (n_stimuli - 2)) ** 2
    variance = max(np.square(of_stimulus).sum() - alike, alike) / len(model) ** 2
    error = np.sqrt(variance) / (1 - min(score**2, HIGHEST))
    return float(error * student_over_normal(n_stimuli - 2))


def _between(values: NDArray, cells: NDArray | slice, n_all: int, units: NDArray | None) -> NDArray:
    """Sums of values (cell,) of some cells, by the two units between which they lie: (unit, unit).

    Cells within a unit do not count, and are 0.
    """
    whole = np.zeros(n_all)
    whole[cells] = values
    matrix = square(whole)
    if units is None:
        return matrix
    member = (np.arange(units.max() + 1)[:, None] == units).astype(float)  # (unit, stimulus)
    together: NDArray = member @ matrix @ member.T
    np.fill_diagonal(together, 0.0)
    return together


def _influence(
    model: NDArray, brain: NDArray, systems: NDArray, method: str
) -> tuple[float, NDArray]:
    """The score of two RDMs (cell,) by a method, and the influence of each cell on it (cell,).

    With u and v the cells, or ranks, centred but for cosine (systems), over the root of their mean
    square, and s = mean u v:

        pearson, cosine   u_c v_c − s (u_c² + v_c²) / 2
        spearman          u_c v_c + mean_k [u_k ≥ u_c] v_k / σ + mean_k [v_k ≥ v_c] u_k / σ − their
                          mean, σ the spread of ranks over their number
        kendall           2 (mean_k sign(x_c − x_k) sign(y_c − y_k) − s), of LEVELS levels

    (Croux and Dehon 2010, Stat Methods Appl 19:497). Spearman's is not that of the ranks' Pearson
    correlation, since other stimuli would change the ranks too. The systems are changed in place.
    """
    if method == "kendall":
        agreement = kendall.agreement(model, brain, LEVELS)
        tau = float(agreement.mean())
        return tau, 2 * (agreement - tau)
    systems /= np.sqrt(np.square(systems).mean(axis=1))[:, None]
    u, v = systems
    influence = u * v
    score = float(influence.mean())
    if method == "spearman":
        influence += _mean_above(u, v)
        influence += _mean_above(v, u)
        influence -= influence.mean()
        return score, influence
    return score, influence - score * (u * u + v * v) / 2


def _mean_above(ranked: NDArray, values: NDArray) -> NDArray:
    """mean_k [u_k ≥ u_c] v_k / σ of values v (cell,), from average ranks less their mean (cell,).

    Whatever their unit is: without it, they are told by how many cells have the lowest and highest.
    """
    n_cells, low, high = len(ranked), ranked.min(), ranked.max()
    lowest = 1 + np.count_nonzero(ranked == low)  # twice a rank, as all of these
    highest = 2 * n_cells + 1 - np.count_nonzero(ranked == high)
    unit = (high - low) / (highest - lowest)
    place = ranked - low
    place /= unit
    place += lowest
    rank = np.rint(place, out=place).astype(np.int64)
    spread = np.sqrt(np.square(ranked, out=place).mean()) / unit / 2 / n_cells
    del place
    above: NDArray = np.cumsum(np.bincount(rank, weights=values)[::-1])[::-1]
    above /= n_cells * spread
    return above[rank]
