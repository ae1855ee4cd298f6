"""Intervals over neuroids, and over the subjects in whom they were recorded.

Neuroids of a subject are alike, so that subjects are what is drawn, with all their neuroids
(Davison and Hinkley 1997, Bootstrap Methods, section 3.8: drawing neuroids within the drawn
subjects as well would count their noise twice). With few subjects a bootstrap is too narrow, by
√((s − 1) / s) in spread and by the normal quantile where Student's is due (Hesterberg 2015, Am
Stat 69:371); draws are stretched by both, so that their percentiles hold down to two subjects,
at the width that two subjects deserve.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from cortiscope.statistics.resampling import mean_of_known
from cortiscope.statistics.standard_errors import NORMAL

ROUNDING = 1e-5  # of scores that were stored in single precision


def nested_bootstrap(
    values: NDArray,
    subject: NDArray | None,
    draws: int,
    seed: int,
    copy_of: NDArray | None = None,
) -> NDArray:
    """Draws of the mean of values (neuroid,) over neuroids: (draw,).

    subject (neuroid,), any labels; None where not known, or where all neuroids are of one subject:
    then neuroids are drawn, and the interval is about this subject. copy_of (neuroid,): labels of
    neuroids that are copies of each other, which are drawn together; None where none is. NaN values
    are left out; NaN throughout for fewer than two units to draw.
    """
    known = np.isfinite(values)
    own = np.arange(len(values)) if copy_of is None else np.asarray(copy_of)
    labels = own if subject is None else np.asarray(subject)
    units, member = np.unique(labels[known], return_inverse=True)
    if len(units) == 1:
        member = np.unique(own[known], return_inverse=True)[1]
    n_units = int(member.max(initial=-1)) + 1
    if n_units < 2:
        return np.full(draws, np.nan)
    total, size = np.bincount(member, np.asarray(values)[known]), np.bincount(member)
    times = _times(n_units, draws, seed)
    means = (times @ total) / (times @ size)  # (draw, unit) x (unit,)
    centre = total.sum() / size.sum()
    return centre + (means - means.mean()) * small_sample_factor(n_units)


@lru_cache(maxsize=1)  # all layers of an area have as many
def _times(n_units: int, draws: int, seed: int) -> NDArray:
    """How often each draw takes each unit: (draw, unit)."""
    random = np.random.default_rng(seed)
    return random.multinomial(n_units, np.full(n_units, 1 / n_units), draws).astype(float)


def score_intervals(
    score: NDArray,
    area_score: NDArray,
    subject: NDArray | None,
    draws: int,
    copy_of: NDArray | None = None,
) -> NDArray:
    """95 % intervals of an area's scores over its neuroids, or over subjects: (layer, 2).

    score (layer, neuroid); area_score (layer,); subject, copy_of and draws as above. NaN
    for fewer than two units to draw, without draws, and where the score of the area is not the
    mean over its neuroids.
    """
    found = np.full((len(score), 2), np.nan)
    mean = mean_of_known(score)
    for layer in np.flatnonzero(np.isclose(mean, area_score, rtol=0, atol=ROUNDING) & (draws > 0)):
        drawn = nested_bootstrap(score[layer], subject, draws, seed=0, copy_of=copy_of)
        found[layer] = interval(drawn)
    return found


def interval(draws: NDArray) -> tuple[float, float]:
    """95 % interval of the mean of which these are draws (draw,), from `nested_bootstrap`."""
    centre, half = float(draws.mean()), NORMAL * float(draws.std())
    return centre - half, centre + half


def small_sample_factor(n_units: int) -> float:
    """√(n / (n − 1)) times Student's over the normal quantile: see above."""
    student = float(stdtrit(n_units - 1, 0.975))
    return np.sqrt(n_units / (n_units - 1)) * student / NORMAL
