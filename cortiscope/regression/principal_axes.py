"""The principal axes of each training part: what regressions on few components share.

With the training stimuli's features, centred on their mean, X = U S V' (singular values S in
descending order), every linear regression that depends on inner products only is a rule for the
coefficients c of the scores X V: a response is predicted as its mean over the training part plus
(x - mean) V c. U, S and the scores of all stimuli follow from the centred Gram matrix alone, so
that the number of features costs nothing. Nothing of a held-out stimulus enters its training part.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from cortiscope.regression.cross_validation import held_out_folds
from cortiscope.regression.held_out_scores import Predictions
from cortiscope.regression.precision import precisely
from cortiscope.regression.ridge import kernel, standardised

INNER_FOLDS = 5
BLOCK = 1024  # neuroids that are solved at once: their products stay in the cache
KEPT_BYTES = 2**28  # of decompositions


@dataclass(frozen=True)
class Axes:
    """One training part. rank: how many of its principal axes have variance above rounding.

    training: (stimulus,) bool. vectors: (training, rank) = U, orthonormal, each of mean 0.
    values: (rank,) = S, descending. scores: (stimulus, rank) = X V of all stimuli, centred on the
    mean of the training part. kernel: (training, training), as given. folds: (training,).
    """

    training: NDArray
    vectors: NDArray
    values: NDArray
    scores: NDArray
    kernel: NDArray
    folds: NDArray

    def predict(self, coefficients: NDArray) -> tuple[NDArray, NDArray]:
        """Predictions (held out, neuroid), less the mean over the training part, and the standard
        deviation (neuroid,) of those of all stimuli, from coefficients (axis, neuroid) of the first
        axes in units of their scores' length in training: U' y for least squares.
        """
        count, n_stimuli = len(coefficients), len(self.training)
        scores = self.scores[~self.training, :count] / self.values[:count]
        # (held out, axis) x (axis, neuroid)
        held = scores.astype(coefficients.dtype) @ coefficients
        # U has orthonormal columns of mean 0: predictions of training stimuli need not be made.
        squares = sum(np.einsum("an,an->n", each, each) for each in (coefficients, held))
        variance = squares / n_stimuli - np.square(held.sum(axis=0) / n_stimuli)
        return held, np.sqrt(np.maximum(variance, 0.0))

    @cached_property
    def inner(self) -> "list[Axes]":
        """The parts of a cross-validation within this one, for choosing a strength."""
        return list(outer(self.kernel, inner_numbers(self.folds)))


def principal_axes(kernel: NDArray, training: NDArray, folds: NDArray) -> Axes:
    """Decompose one training part.

    kernel (stimulus, stimulus), the Gram matrix of the features, however centred; training
    (stimulus,) bool; folds (stimulus,) numbers, kept for an inner cross-validation.
    """
    known = kernel[np.ix_(training, training)]
    mean = known.mean(axis=0)
    centred = known - mean - mean[:, None] + mean.mean()
    eigenvalues, vectors = np.linalg.eigh(centred)
    rounding = len(kernel) * np.finfo(np.float64).eps * np.trace(kernel)
    kept = np.flatnonzero(eigenvalues > rounding)[::-1]
    vectors, values = vectors[:, kept], np.sqrt(eigenvalues[kept])
    # (stimulus, training) x (training, rank); the mean over the training part cancels in vectors
    scores = (kernel[:, training] - mean) @ (vectors / values)
    return Axes(training, vectors, values, scores, known, folds[training])


def outer(kernel: NDArray, folds: NDArray) -> Iterator[Axes]:
    """The training part of each fold, in ascending order of fold numbers; folds (stimulus,)."""
    for number in held_out_folds(folds)[0]:
        yield principal_axes(kernel, folds != number, folds)


def inner_numbers(folds: NDArray) -> NDArray:
    """Fold numbers for a cross-validation within a training part, from its own (training,).

    Whole outer folds are dealt to at most `INNER_FOLDS` inner ones, so that what is held out
    together outside is held out together inside. With a single outer fold left to train on, its
    stimuli are dealt at random.
    """
    number = np.unique(folds, return_inverse=True)[1]
    if number.max() == 0:
        number = np.random.default_rng(0).permutation(len(number))
    return number % INNER_FOLDS


@dataclass(frozen=True)
class Solved:
    """held_out: predictions of the held-out stimuli, less the mean (held out, neuroid). alpha,
    spread, end: (neuroid,), as of `held_out_scores.Predictions`.
    """

    held_out: NDArray
    alpha: NDArray
    spread: NDArray
    end: NDArray | None = None


# From responses of a training part, of mean 0 (training, neuroid).
Solve = Callable[[NDArray], Solved]
# From responses of an inner training part, what gives the coefficients (axis, neuroid) of the first
# axes, in the units of `Axes.predict`, under an option.
Shrink = Callable[[NDArray], Callable[[int], NDArray]]
# From responses (stimulus, neuroid), and the precision of the arithmetic.
Predict = Callable[[NDArray, type], Predictions]


class Parts:
    """The training parts of a cross-validation, decomposed once for all responses.

    features (stimulus, component), folds (stimulus,) numbers. There are none where the features do
    not vary or a training part has fewer than two stimuli. Where all that there are would keep more
    than KEPT_BYTES, each is decomposed anew for each set of responses.
    """

    bytes_kept = 0

    @classmethod
    def _forget(cls, size: int) -> None:
        cls.bytes_kept -= size

    def __init__(self, features: NDArray, folds: NDArray, n_inner: int = INNER_FOLDS) -> None:
        """n_inner: how many parts within each will be asked for, 0 where nothing is chosen."""
        self.gram, self.folds = kernel(features), np.asarray(folds)
        self.sizes = held_out_folds(folds)[1]
        enough = len(self.sizes) > 0 and len(folds) - self.sizes.max() >= 2
        self.usable = np.trace(self.gram) > 0 and enough
        needed = 2 * (1 + n_inner) * len(self.sizes) * self.gram.nbytes
        self.kept: list[Axes] | None = None
        if Parts.bytes_kept + needed <= KEPT_BYTES:
            Parts.bytes_kept += needed
            finalize(self, Parts._forget, needed)
            self.kept = list(self._made())

    def __iter__(self) -> Iterator[Axes]:
        return self._made() if self.kept is None else iter(self.kept)

    def _made(self) -> Iterator[Axes]:
        return outer(self.gram, self.folds) if self.usable else iter(())

    def predict(
        self, responses: NDArray, solver: Callable[[Axes, type], Solve], dtype: type = np.float64
    ) -> Predictions:
        """Predict every stimulus from the stimuli of the other folds.

        responses (stimulus, neuroid). solver: of a training part, in a precision. NaN where a
        response is missing, and throughout where there are no parts.
        """
        return precisely(partial(self._predict, solver), responses, self.folds, dtype)

    def _predict(
        self, solver: Callable[[Axes, type], Solve], responses: NDArray, dtype: type
    ) -> Predictions:
        """The same, in this precision throughout."""
        targets, mean, scale = standardised(responses, dtype)
        values = np.full(targets.shape, np.nan)
        alpha, spread, end = np.full((3, len(self.sizes), targets.shape[1]), np.nan)
        ends = False
        for row, axes in enumerate(self):
            solve = solver(axes, dtype)
            for start in range(0, targets.shape[1], BLOCK):
                block = slice(start, start + BLOCK)
                known = targets[axes.training, block]
                centre = known.mean(axis=0)
                known -= centre
                found = solve(known)
                alpha[row, block], spread[row, block] = found.alpha, found.spread
                if found.end is not None:
                    end[row, block], ends = found.end, True
                # The sum is in float64, which keeps the digits of small predictions.
                values[~axes.training, block] = found.held_out
                values[~axes.training, block] += centre
        unknown = ~np.isfinite(mean)
        alpha[:, unknown] = spread[:, unknown] = end[:, unknown] = np.nan
        return Predictions(values * scale + mean, alpha, spread * scale, end if ends else None)


def choose(axes: Axes, known: NDArray, shrinks: Sequence[Shrink], options: int) -> NDArray:
    """The option of least squared error within a training part, the first of ties: (neuroid,).

    As `inner_errors`, of all options.
    """
    return inner_errors(axes, known, shrinks, range(options)).argmin(axis=0)


def inner_errors(
    axes: Axes, known: NDArray, shrinks: Sequence[Shrink], options: Sequence[int]
) -> NDArray:
    """Squared errors of some options within a training part: (option, neuroid).

    known (training, neuroid). shrinks: of each inner part. The responses that they are given are
    not of mean 0, since U' y is the same without it.
    """
    errors = np.zeros((len(options), known.shape[1]), dtype=known.dtype)
    for part, shrink in zip(axes.inner, shrinks, strict=True):
        rest = known[part.training]
        truth = known[~part.training] - rest.mean(axis=0)
        held = (part.scores[~part.training] / part.values).astype(known.dtype)
        shrunk = shrink(rest)
        for row, option in enumerate(options):
            coefficients = shrunk(option)
            # (held out, axis) x (axis, neuroid)
            missed = truth - held[:, : len(coefficients)] @ coefficients
            errors[row] += np.einsum("sn,sn->n", missed, missed)
    return errors
