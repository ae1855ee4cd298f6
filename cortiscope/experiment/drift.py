"""Whether neighbours in the file of a recording are alike beyond chance.

Responses that drift, and frames of a film, are alike where they were recorded one after the other.
Held out one by one, their neighbours are trained on, and anything else that changes slowly predicts
them. So are stimuli alike that are sorted by category, which is no fault.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DIRECTIONS = 64  # random ones, onto which more neuroids than that are projected
ORDERS = 199  # random ones
NEUROIDS_AT_ONCE = 2048
LEAST_Z = 4.0  # standard deviations over random orders, beyond which a likeness is told
LEAST_LIKENESS = 0.05  # a correlation


@dataclass(frozen=True)
class Drift:
    """likeness: correlation of stimuli next to each other, over neuroids, less its mean over random
    orders. z: in standard deviations of these; p: the share of these that reach it, one-sided,
    itself counted in. reach: the distance in places at which a fifth of it is left.
    """

    likeness: float
    z: float
    p: float
    reach: int

    @property
    def told(self) -> bool:
        return self.z >= LEAST_Z and self.likeness >= LEAST_LIKENESS


def drift(response: NDArray, labels: NDArray | None = None, seed: int = 0) -> Drift | None:
    """Of responses (stimulus, neuroid), stimuli in the order of the file, NaN = not recorded.

    The serial correlation of lag 1 over all neuroids, each of mean 0 and variance 1, compared with
    random orders of the stimuli (Wald and Wolfowitz 1943, Ann Math Stat 14:378). labels:
    (stimulus,); only stimuli of a label change places then, so that what a sorted file explains is
    no drift. None for fewer than 20 stimuli or where nothing varies.
    """
    random = np.random.default_rng(seed)
    values = _standardised(response)
    if len(values) < 20 or not values.any():
        return None
    if values.shape[1] > DIRECTIONS:
        signs = random.choice(np.array([-1.0, 1.0]), (values.shape[1], DIRECTIONS))
        values = values @ signs.astype(values.dtype)  # (stimulus, neuroid) x (neuroid, direction)
    size = float(np.vdot(values, values)) / len(values)
    found = _likeness(values, 1, size)
    orders = [_order(len(values), labels, random) for _ in range(ORDERS)]
    null = np.array([_likeness(values[order], 1, size) for order in orders])
    excess, spread = found - null.mean(), float(null.std())
    p = (1 + int((null >= found).sum())) / (1 + ORDERS)
    z = excess / spread if spread > 0 else 0.0
    reach = 1
    while reach < len(values) // 4 and _likeness(values, reach + 1, size) > found / 5:
        reach += 1
    return Drift(float(excess), float(z), p, reach)


def _likeness(values: NDArray, lag: int, size: float) -> float:
    """The mean product of stimuli so many places apart, relative to that of one with itself."""
    return float(np.vdot(values[:-lag], values[lag:])) / (len(values) - lag) / size


def _order(count: int, labels: NDArray | None, random: np.random.Generator) -> NDArray:
    if labels is None:
        return random.permutation(count)
    order = np.arange(count)
    for name in np.unique(labels):
        members = np.flatnonzero(labels == name)
        order[members] = random.permutation(members)
    return order


def _standardised(response: NDArray) -> NDArray:
    """(stimulus, neuroid) of mean 0 and variance 1, 0 where not recorded or nothing varies."""
    scaled = np.empty(response.shape, np.float32)
    for start in range(0, response.shape[1], NEUROIDS_AT_ONCE):
        some = slice(start, start + NEUROIDS_AT_ONCE)
        scaled[:, some] = _scaled(response[:, some])
    return scaled


def _scaled(response: NDArray) -> NDArray:
    known = np.isfinite(response)
    count = np.maximum(known.sum(axis=0), 1)
    values = np.where(known, response, 0.0)
    values = np.where(known, values - values.sum(axis=0) / count, 0.0)
    deviation = np.sqrt(np.square(values).sum(axis=0) / count)
    scaled: NDArray = values / np.where(deviation > 0, deviation, np.inf)
    return scaled
