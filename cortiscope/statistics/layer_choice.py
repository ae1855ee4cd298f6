"""Which layer of a model is its best, and what that one scores, without choosing by the same luck.

The highest of many noisy scores is high by luck alone. So a layer is chosen by some of the data and
scored by other data, in one of three ways:

- `by_groups`, where neuroids are predicted: for every group of stimuli, the layer whose models
  score best on the other stimuli; the score is of the held-out predictions of all groups pooled, as
  in nested cross-validation (Varma and Simon 2006, BMC Bioinformatics 7:91).
- `by_draws`, where nothing is fitted to be held out: with e a bootstrap draw's deviation from the
  scores s of the layers, s + e and s − e vary independently, about the same mean, as the scores of
  two halves of the stimuli would, each with the variance of a half (Rasines and Young 2023,
  Biometrika 110:597; Leiner, Duan, Wasserman and Ramdas 2025, J Am Stat Assoc 120:135). So a layer
  is chosen by s + e and scored by s − e, in every draw; no stimulus is lost, and nothing hangs on
  how halves fell.
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


def nested(
    score: NDArray,
    bootstrap: NDArray,
    left_out: NDArray,
    products: NDArray,
    squares: NDArray,
    subject: NDArray | None = None,
) -> tuple[Choice, float]:
    """The choice of an area by groups, and the score where every neuroid chooses its own layer.

    score (layer,), bootstrap (layer, draw) of the area; of the neuroids (layer, group, neuroid):
    left_out, scores on the stimuli outside each group, and the sums of `ridge.sums_by_group`.
    subject (neuroid,): numbers from 0, of an area whose score is the mean over subjects.
    """
    usable = np.where(np.isfinite(score)[:, None, None], left_out, np.nan)
    of_area = _mean(usable, subject)[:, :, None]  # (layer, group, 1)
    neuroids, chosen = by_groups(of_area, products, squares)
    own, _ = by_groups(usable, products, squares)
    shares = shares_of(chosen, len(score))
    choice = with_draws(float(_mean(neuroids, subject)), shares, bootstrap)
    return choice, float(_mean(own, subject))


def _mean(values: NDArray, subject: NDArray | None) -> NDArray:
    """Over neuroids (..., neuroid), or over the subjects' means; what is missing is left out."""
    if subject is None:
        return mean_of_known(values)
    own = [mean_of_known(values[..., subject == number]) for number in np.unique(subject)]
    return mean_of_known(np.stack(own, axis=-1))


def by_groups(left_out: NDArray, products: NDArray, squares: NDArray) -> tuple[NDArray, NDArray]:
    """The score of every neuroid by the layers chosen without each group, and which these are.

    left_out (layer, group, choosing): scores on the stimuli outside each group, of the whole area
    (one column), or of every neuroid, which then chooses for itself. products, squares
    (layer, group, neuroid): see `ridge.sums_by_group`. Returns scores (neuroid,), and the layers
    chosen (group, choosing), -1 where none has a score.
    """
    usable = np.where(np.isfinite(left_out), left_out, -np.inf)
    chosen = usable.argmax(axis=0)  # (group, choosing)
    chosen[usable.max(axis=0, initial=-np.inf) == -np.inf] = -1
    product, square = (
        np.where(chosen < 0, np.nan, np.take_along_axis(sums, chosen[None], axis=0)[0]).sum(axis=0)
        for sums in (products, squares)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = np.where(square == 0, 0.0, product / np.sqrt(square))
    return np.where(np.isfinite(product), scores, np.nan), chosen


def shares_of(chosen: NDArray, n_layers: int) -> NDArray:
    """(layer,): how often each layer was chosen (any shape), -1 for none, as shares of 1."""
    known = chosen[chosen >= 0]
    return np.bincount(known, minlength=n_layers) / max(len(known), 1)


def by_draws(score: NDArray, bootstrap: NDArray, reported: NDArray | None = None) -> Choice:
    """From scores (layer,) on all the data, and their draws (layer, draw) of the same stimuli.

    reported (layer, draw): those of the choice, where they are of subjects as well.
    """
    n_layers = len(score)
    deviation = bootstrap - mean_of_known(bootstrap)[:, None]
    mirrored = np.hstack([deviation, -deviation])  # (layer, 2 * draw)
    towards = score[:, None] + mirrored
    usable = np.where(np.isfinite(towards), towards, -np.inf)
    known = usable.max(axis=0, initial=-np.inf) > -np.inf
    chosen = np.where(known, usable.argmax(axis=0), -1)
    read = (score[:, None] - mirrored)[chosen[known], np.flatnonzero(known)]
    draws = bootstrap if reported is None else reported
    return with_draws(float(mean_of_known(read)), shares_of(chosen, n_layers), draws)


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
