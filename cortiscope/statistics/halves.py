"""Random halves of the data: of the repetitions, of the subjects or of the stimuli.

Apart from `noise`, so that an edit of a ceiling fits nothing anew.
"""

import numpy as np
from numpy.typing import NDArray

from cortiscope.errors import InputError


def halves(n_repetitions: int, splits: int, seed: int) -> NDArray:
    """Random halves without overlap: (split, half, repetition) bool.

    Of an odd number one repetition is left out, another each time. Raises InputError for fewer
    than two repetitions.
    """
    if n_repetitions < 2:
        raise InputError(
            "responses", f"{n_repetitions} repetition cannot be split", "give at least 2"
        )
    order = np.tile(np.arange(n_repetitions), (splits, 1))
    order = np.random.default_rng(seed).permuted(order, axis=1)
    size = n_repetitions // 2
    chosen = np.zeros((splits, 2, n_repetitions), dtype=bool)
    for half in range(2):
        members = order[:, half * size : (half + 1) * size]
        np.put_along_axis(chosen[:, half], members, True, axis=1)
    return chosen
