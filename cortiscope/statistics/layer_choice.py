"""Which layer of a model is its best, and what that one scores, without choosing by the same luck.

The highest of many noisy scores is high by luck alone. So a layer is chosen by some of the data and
scored by other data, in one of two ways:

- `by_draws`: with e a bootstrap draw's deviation from the scores s of the layers, s + e and s − e
  vary independently, about the same mean, as the scores of two halves of the stimuli would, each
  with the variance of a half (Rasines and Young 2023, Biometrika 110:597; Leiner, Duan, Wasserman
  and Ramdas 2025, J Am Stat Assoc 120:135). So a layer is chosen by s + e and scored by s − e, in
  every draw; no stimulus is lost, and nothing hangs on how halves fell.
- `by_halves`: on one half of the repetitions, or of the stimuli, and scored on the other.

benchmarks/selection.py compares them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cortiscope.statistics.resampling import mean_of_known


@dataclass(frozen=True)
class Choice:
    """The best layer of a model for an area.

    score: as explained above. shares (layer,): of the data for which each layer was chosen, of sum
    1; 0 throughout where none could be, and then score is NaN. draws (draw,): bootstrap draws of
    the layers chosen, about the score.
    """

    score: float
    shares: NDArray
    draws: NDArray

    def layer(self, score: NDArray) -> int:
        """The row of the layer chosen most often; of several, of the highest score (layer,)."""
        most = self.shares == self.shares.max()
        return int(np.where(most & np.isfinite(score), score, -np.inf).argmax())


def shares_of(chosen: NDArray, n_layers: int) -> NDArray:
    """(layer,): how often each layer was chosen (any shape), -1 for none, as shares of 1."""
    known = chosen[chosen >= 0]
    return np.bincount(known, minlength=n_layers) / max(len(known), 1)


def by_draws(score: NDArray, bootstrap: NDArray, reported: NDArray | None = None) -> Choice:
    """From scores (layer,) on all the data, and their draws (layer, draw) of the same stimuli.

    reported (layer, draw): those of the choice, where they are of subjects as well.
    """
    read, chosen = _mirrored(score, bootstrap - mean_of_known(bootstrap)[:, None])
    draws = bootstrap if reported is None else reported
    return with_draws(float(mean_of_known(read)), shares_of(chosen, len(score)), draws)


def own_layers(score: NDArray, draws: NDArray) -> NDArray:
    """The score of every neuroid (neuroid,) by the layers that it chooses for itself, by draws.

    score (layer, neuroid), draws (layer, draw, neuroid) about these.
    """
    read, _ = _mirrored(score, draws - score[:, None])
    return mean_of_known(read, axis=0)


def _mirrored(score: NDArray, deviation: NDArray) -> tuple[NDArray, NDArray]:
    """The score that each draw reads and the layer that it chooses: (2 * draw, ...); NaN and -1
    where no layer has one. score (layer, ...), deviation (layer, draw, ...).
    """
    both = np.concatenate([deviation, -deviation], axis=1)  # (layer, 2 * draw, ...)
    towards = score[:, None] + both
    usable = np.where(np.isfinite(towards), towards, -np.inf)
    best = usable.argmax(axis=0)
    read = np.take_along_axis(score[:, None] - both, best[None], axis=0)[0]
    known = usable.max(axis=0, initial=-np.inf) > -np.inf
    return np.where(known, read, np.nan), np.where(known, best, -1)


def by_halves(selection: NDArray, bootstrap: NDArray) -> Choice:
    """From scores on halves (layer, split, half), and draws (layer, draw) on all the data.

    The score is the mean over splits, both ways, of that on the half that did not choose. A half on
    which no layer could be scored chooses none.
    """
    n_layers, n_splits, _ = selection.shape
    usable = np.where(np.isfinite(selection), selection, -np.inf)
    known = usable.max(axis=0) > -np.inf  # (split, half)
    chosen = np.where(known, usable.argmax(axis=0), -1)  # (split, half), chosen on this half
    splits = np.arange(n_splits)
    # What half 0 chose is read on half 1, and the other way round.
    read = np.stack([selection[chosen[:, 0], splits, 1], selection[chosen[:, 1], splits, 0]], 1)
    score = float(mean_of_known(np.where(known, read, np.nan).ravel()))
    return with_draws(score, shares_of(chosen, n_layers), bootstrap)


def with_draws(score: float, shares: NDArray, bootstrap: NDArray) -> Choice:
    """A choice with draws of the layers chosen (layer, draw), about the score.

    Of several layers, the draws are those of the mean by their shares, stretched to the mean of
    their spreads: which layer counts for which stimulus is part of the sample, and takes no noise
    away.
    """
    if not shares.any():
        return Choice(np.nan, shares, np.full(bootstrap.shape[1], np.nan))
    own = bootstrap[shares > 0]
    weight = shares[shares > 0]
    deviation = own - mean_of_known(own)[:, None]
    mixed = weight @ deviation  # (layer,) x (layer, draw)
    spread = float(weight @ _spread(deviation))
    size = float(_spread(mixed[None])[0])
    return Choice(score, shares, score + mixed * (spread / size if size > 0 else 1.0))


def _spread(deviation: NDArray) -> NDArray:
    """(layer,): the root mean square of deviations (layer, draw), missing ones left out."""
    return np.sqrt(mean_of_known(np.square(deviation)))
