"""Partial least squares: regression on the directions of greatest covariance with the responses.

Responses are predicted as sum_k t_k (t_k' Y), with the components t_k of `regression.nipals` over
the training part (Wold 1966; Wold, Martens and Wold 1983), and those of a new stimulus by the same
steps. Neither features nor responses are scaled. All neuroids are regressed together, as published
brain scores are (PLS2), or each alone (PLS1).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cortiscope.regression import nipals
from cortiscope.regression.held_out_scores import Predictions, fold_centred_correlation
from cortiscope.regression.pcr import counts
from cortiscope.regression.precision import constant
from cortiscope.regression.principal_axes import INNER_FOLDS, Axes, Parts

COMPONENTS = 25  # Schrimpf et al. (2018)
WHERE = "pls.components"
BLOCK_COLUMNS = 8192  # neuroids of all sets that are fitted at once
NULL_BLOCK = 640  # the same in a null, which stay in the cache
NULL_STEPS = 10  # of Lanczos in a null


@dataclass(frozen=True)
class Targets:
    """Sets of responses, each regressed on its own.

    responses (set, stimulus, neuroid). reduced (set, stimulus, axis): the same with the neuroids
    rotated to no more axes than stimuli; rotation (set or 1, neuroid, axis). steps: of Lanczos in
    place of powers, see `nipals`.
    """

    responses: NDArray
    reduced: NDArray
    rotation: NDArray
    steps: int = 0


def predict(
    features: NDArray,
    responses: NDArray,
    folds: NDArray,
    components: int | Sequence[int] | NDArray = COMPONENTS,
    together: NDArray | None = None,
) -> Predictions:
    """Predict every stimulus from the stimuli of the other folds.

    features (stimulus, component), responses (stimulus, neuroid), folds (stimulus,) numbers.
    components: how many, or numbers to choose from for every neuroid inside the training part;
    more than there are, are all there are. together (neuroid,): neuroids of a label are regressed
    together; all by default, each alone with a label each. Sets of equal size, such as
    permutations, are solved at once. `alpha` of what is returned is the number of components.
    NaN where a response is missing (it takes no part), and throughout where the features do not
    vary or a training part has fewer than two stimuli. Raises InputError for a number below 1.

    Noise scores 0 for neuroids together. Each alone and with many components, which fit a training
    part without error, it scores up to 0.02 at 100 stimuli: choose the number then.
    """
    return Regression(features, folds, components).predict(responses, together)


class Regression:
    """`predict` with what depends on the features alone done once, for many responses."""

    def __init__(
        self,
        features: NDArray,
        folds: NDArray,
        components: int | Sequence[int] | NDArray = COMPONENTS,
    ) -> None:
        self.numbers = counts(components, WHERE)
        n_inner = INNER_FOLDS if len(self.numbers) > 1 else 0
        self.folds, self.parts = folds, Parts(features, folds, n_inner)

    def predict(
        self, responses: NDArray, together: NDArray | None = None, quickly: bool = False
    ) -> Predictions:
        """As the function of the same name. quickly: with the arithmetic of `null_scores`."""
        responses, mean, scale = _centred(responses)
        labels = np.zeros(responses.shape[1]) if together is None else np.asarray(together)
        values = np.full(responses.shape, np.nan)
        alpha, spread = np.full((2, len(self.parts.sizes), responses.shape[1]), np.nan)
        parts = list(self.parts)
        if parts:
            for columns in _sets(labels, np.isfinite(mean)):
                own = np.moveaxis(responses[:, columns], 1, 0)
                sets = quick(targets(own.astype(np.float32))) if quickly else targets(own)
                found, flat = _held_out(parts, sets, self.numbers), columns.ravel()
                values[:, flat], alpha[:, flat] = found.values, found.alpha
                spread[:, flat] = found.spread
        return Predictions(values * scale + mean, alpha, spread * scale)

    def null_scores(self, responses: NDArray, orders: NDArray) -> NDArray:
        """Scores of neuroids regressed together when stimuli are permuted: (permutation, neuroid).

        responses (stimulus, neuroid); orders (permutation, stimulus), as from
        `resampling.permutations`. Each row is what `fold_centred_correlation` gives the
        predictions of responses[order], in single precision and by Lanczos in place of powers:
        scores correlate by 0.997 or more with those of exact singular vectors.
        """
        still = constant(responses)
        responses, mean, _ = _centred(responses)
        complete = np.flatnonzero(np.isfinite(mean) & ~still)
        scores = np.full((len(orders), responses.shape[1]), np.nan)
        parts = list(self.parts)
        if not parts or not len(complete):
            return scores
        whole = quick(targets(responses[None, :, complete].astype(np.float32)))
        step = max(8, NULL_BLOCK // len(complete))
        for start in range(0, len(orders), step):
            block = orders[start : start + step]
            shuffled = replace(
                whole, responses=whole.responses[0][block], reduced=whole.reduced[0][block]
            )
            truth = np.moveaxis(shuffled.responses, 0, 1).reshape(len(self.folds), -1)
            found = _held_out(parts, shuffled, self.numbers)
            score = fold_centred_correlation(found, truth, self.folds)
            scores[start : start + step, complete] = score.reshape(len(block), -1)
        return scores


def targets(responses: NDArray) -> Targets:
    """Sets of responses (set, stimulus, neuroid), rotated where neuroids abound."""
    n_stimuli, n_neuroids = responses.shape[1:]
    if n_neuroids <= n_stimuli:
        return Targets(responses, responses, np.eye(n_neuroids, dtype=responses.dtype)[None])
    rotation, triangle = np.linalg.qr(np.swapaxes(responses, 1, 2))
    return Targets(responses, np.swapaxes(triangle, 1, 2), rotation)


def quick(sets: Targets) -> Targets:
    """The same, by Lanczos in place of powers."""
    return replace(sets, steps=NULL_STEPS)


@dataclass(frozen=True)
class Predicted:
    """By the model of a training part.

    held_out (set, held out, neuroid); taken (set, neuroid), numbers of components; spread
    (set, neuroid), the standard deviation of predictions of all stimuli.
    """

    held_out: NDArray
    taken: NDArray
    spread: NDArray


def part_predictions(parts: Sequence[Axes], sets: Targets, numbers: NDArray) -> Iterator[Predicted]:
    """What the model of each training part predicts.

    numbers (option,) of components, ascending, to choose from inside the training part.
    """
    for axes, (scores, loadings) in zip(parts, _fit(parts, sets, int(numbers[-1])), strict=True):
        known = sets.responses[:, axes.training]
        taken = np.full((len(known), known.shape[2]), numbers[0])
        if len(numbers) > 1:
            taken = numbers[_chosen(axes, sets, numbers)]
        count = min(loadings.shape[1], len(axes.values))
        loadings[:] *= np.arange(loadings.shape[1])[:, None] < taken[:, None]
        # Neuroids that do not vary here have the rounding of the others.
        loadings[:] *= ~constant(known)[:, None]
        # (set, held out, component) x (set, component, neuroid)
        held_out = scores @ loadings
        # Scores of training stimuli are orthonormal and of mean 0.
        squares = np.square(loadings).sum(axis=1) + np.square(held_out).sum(axis=1)
        n_stimuli = len(axes.training)
        variance = squares / n_stimuli - np.square(held_out.sum(axis=1) / n_stimuli)
        spread = np.sqrt(np.maximum(variance, 0.0))
        mean = known.mean(axis=1, keepdims=True)
        yield Predicted(held_out + mean, np.minimum(taken, count), spread)


def _fit(parts: Sequence[Axes], sets: Targets, count: int) -> Iterator[tuple[NDArray, NDArray]]:
    """Scores (set, held out, component), loadings of responses (set, component, neuroid)."""
    reduced = [sets.reduced[:, axes.training] for axes in parts]
    centred = [known - known.mean(axis=1, keepdims=True) for known in reduced]
    back = np.swapaxes(sets.rotation, 1, 2)
    for scores, loadings in nipals.fit(parts, centred, sets.rotation, count, sets.steps):
        yield scores, loadings @ back  # (set, component, axis) x (set or 1, axis, neuroid)


def _chosen(axes: Axes, sets: Targets, numbers: NDArray) -> NDArray:
    """The number of least inner squared error, the first of ties, by its place: (set, neuroid)."""
    known = Targets(sets.responses[:, axes.training], sets.reduced[:, axes.training], sets.rotation)
    errors = np.zeros((len(numbers), len(known.responses), known.responses.shape[2]))
    parts = axes.inner
    for part, (scores, loadings) in zip(parts, _fit(parts, known, int(numbers[-1])), strict=True):
        missed = known.responses[:, ~part.training]
        missed = missed - known.responses[:, part.training].mean(axis=1, keepdims=True)
        first = 0
        for option, last in enumerate(numbers):
            new = slice(first, last)
            # (set, held out, component) x (set, component, neuroid)
            missed -= scores[:, :, new] @ loadings[:, new]
            errors[option] += np.square(missed).sum(axis=1)
            first = last
    return errors.argmin(axis=0)


def _held_out(parts: Sequence[Axes], sets: Targets, numbers: NDArray) -> Predictions:
    """Predictions of the sets, side by side: values (stimulus, set * neuroid)."""
    n_sets, n_stimuli, n_neuroids = sets.responses.shape
    values = np.full((n_stimuli, n_sets * n_neuroids), np.nan)
    alpha, spread = np.empty((2, len(parts), n_sets * n_neuroids))
    for row, found in enumerate(part_predictions(parts, sets, numbers)):
        held = np.moveaxis(found.held_out, 0, 1)
        values[~parts[row].training] = held.reshape(len(held), -1)
        alpha[row], spread[row] = found.taken.ravel(), found.spread.ravel()
    return Predictions(values, alpha, spread)


def _sets(labels: NDArray, complete: NDArray) -> Iterator[NDArray]:
    """Columns (set, neuroid) that are regressed together, sets of equal size at once."""
    group = np.unique(labels[complete], return_inverse=True)[1]
    order = np.flatnonzero(complete)[np.argsort(group, kind="stable")]
    sizes = np.bincount(group)
    ends = np.cumsum(sizes)
    for size in np.unique(sizes):
        columns = order[ends[sizes == size][:, None] - np.arange(size, 0, -1)]
        step = max(1, BLOCK_COLUMNS // size)
        for start in range(0, len(columns), step):
            yield columns[start : start + step]


def _centred(responses: NDArray) -> tuple[NDArray, NDArray, float]:
    """Responses of mean 0 and of one scale for all, so that squares neither vanish nor overflow."""
    responses = np.asarray(responses, dtype=np.float64)
    mean = responses.mean(axis=0)
    centred = responses - mean
    largest = float(np.nanmax(np.abs(centred), initial=0.0))
    scale = largest if largest > 0 else 1.0
    return centred / scale, mean, scale
