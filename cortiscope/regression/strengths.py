"""A grid of strengths that goes on below and above until what is chosen lies inside it.

Strengths are relative to the mean eigenvalue of the features. Where one unit is a thousand times
as large as all others, that is the large one's alone, and a grid around it shrinks all else to
nothing. So the grid reaches down to the median eigenvalue, for everyone; and whoever takes an end
of it looks one strength further, and goes on while that predicts its training stimuli better. It
ends where no more can be had: below where the smallest dimension is hardly shrunk or rounding
begins, from where predictions are those of least squares of minimum norm; above where even the
largest is shrunk to half, from where predictions keep their direction, by which they are scored,
and only come nearer to the mean. The eigenvalues are of the features alone, no responses.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STEP = 10.0
LEAST = 1e-12  # of the largest eigenvalue: what is smaller is rounding
MOST = 1e6  # of the mean eigenvalue: of more stimuli than there are


@dataclass(frozen=True)
class Grid:
    """options (option,): what everyone is tried with, in the order in which ties are decided.
    below, above: what an end of these may go on to, the nearest first.
    """

    options: NDArray
    below: NDArray
    above: NDArray

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the largest strength of all; the same where there is no choice."""
        return (
            float(self.below[-1] if len(self.below) else self.options.min()),
            float(self.above[-1] if len(self.above) else self.options.max()),
        )


def grid(options: NDArray, spectrum: NDArray) -> Grid:
    """What strengths (option,) may go on to, for features of these eigenvalues (component,).

    Below as far as a tenth of the smallest, above as far as the largest.

    A single strength is no grid, but what someone wants.
    """
    values = spectrum[spectrum > LEAST * spectrum.max(initial=0.0)]
    if not len(values):
        values = np.array([options.min(), options.max()])
    return between(options, np.median(values), values.min() / STEP, values.max(), STEP)


def between(options: NDArray, shared: float, least: float, most: float, step: float) -> Grid:
    """Options that go on in steps to `shared` for everyone, and from there to the least or the most
    there is.
    """
    options, none = np.asarray(options, dtype=float), np.empty(0)
    if len(options) < 2:
        return Grid(options, none, none)
    below = options.min() / _powers(options.min() / least, step)
    everyone = below > shared / step
    return Grid(
        np.concatenate([options, below[everyone]]),
        below[~everyone],
        options.max() * _powers(most / options.max(), step),
    )


def _powers(ratio: float, step: float) -> NDArray:
    """Of a step, from the first to the one that is the ratio or more; none for a ratio up to 1."""
    count = int(np.ceil(np.log(ratio) / np.log(step) - 1e-9))
    powers: NDArray = step ** np.arange(1.0, count + 1)
    return powers


def go_on(strengths: Grid, chosen: NDArray, attempt: Callable[[float, NDArray], None]) -> None:
    """Go on from the ends of a grid for those who took one.

    chosen (...): the strength of each, NaN for none. attempt: tries a strength for those of
    a mask (...), and puts it into `chosen` for those of them that do better with it.
    """
    options = strengths.options
    for end, further in (options.min(), strengths.below), (options.max(), strengths.above):
        last = float(end)
        for strength in further:
            at_end = chosen == last
            if not at_end.any():
                break
            last = float(strength)
            attempt(last, at_end)


def at_ends(strengths: Grid, chosen: NDArray) -> NDArray:
    """-1 where the least strength of all was chosen, 1 where the largest was, else 0: (...)."""
    least, most = strengths.ends
    if least == most:
        return np.zeros(chosen.shape)
    return np.where(chosen == least, -1.0, np.where(chosen == most, 1.0, 0.0))


def reached(
    options: NDArray | Sequence[float], least: float = LEAST, most: float = MOST, step: float = STEP
) -> NDArray:
    """All strengths (strength,) that a grid of options may go on to, whatever the features are.

    By default relative to a mean eigenvalue of 1, of which the largest is no more than the number
    of stimuli.
    """
    options = np.unique(np.asarray(options, dtype=float))
    found = between(options, options[0], least / step, most, step)
    return np.sort(np.concatenate([found.options, found.below, found.above]))
