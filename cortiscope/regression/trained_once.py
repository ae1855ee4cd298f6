"""Ridge regression trained on some stimuli, alpha chosen among them, for all others.

With K the kernel of the training stimuli, centred, and K = Q diag(values) Q', the residuals of the
fit are R y, R = I - 11'/n - Q diag(values / (values + alpha)) Q', those of leaving each stimulus
out in turn (R y) / diag R, and the prediction of another stimulus, of kernel k with the training
stimuli (centred on their means), mean(y) + k Q diag(1 / (values + alpha)) Q' y.

The squared error of leaving out is between |R y|^2 / max(diag R)^2 and |R y|^2 / min(diag R)^2,
where |R y|^2 follows from Q'y without a product over stimuli. An alpha whose error is at the least
more than that of another at the most is not tried, and none where one is left: with many more
stimuli than components few are.
"""

import numpy as np
from numpy.typing import NDArray

from cortiscope.regression.decomposition import decompose_part
from cortiscope.regression.strengths import Grid, go_on

SLACK = 1e4  # of the rounding of a number: what sums of squares may be wrong by, relative
LEAST_LEFT = 1e-2  # of a stimulus, below which the rest of float32 is too little


class TrainedOnce:
    """kernel (stimulus, stimulus), however centred, or a thin factor of it (see `decomposition`);
    training (stimulus,) bool, two or more.
    """

    def __init__(self, kernel: NDArray, training: NDArray) -> None:
        self.spectrum, self.vectors, self.scores = decompose_part(kernel, training)
        # Whether vectors and the constant span all responses: then R = Q diag(...) Q' alone.
        self.whole = len(self.spectrum) == len(self.vectors) - 1
        self.left: dict[float, NDArray] = {}  # the diagonal of R, by alpha

    @property
    def nbytes(self) -> int:
        return self.vectors.nbytes + self.scores.nbytes

    def predict(self, alphas: Grid, known: NDArray) -> tuple[NDArray, NDArray, NDArray]:
        """Responses of the other stimuli, from those of the training stimuli (training, neuroid).

        Each neuroid takes the alpha of least squared leave-one-out error, the first of ties. Gives
        (held out, neuroid), alpha (neuroid,), and the standard deviation over all stimuli of what
        the model predicts (neuroid,). NaN where a response of the training stimuli is missing.
        """
        self._leave([*alphas.options, alphas.ends[0]])
        if not self.whole and self.left[alphas.ends[0]].min() < LEAST_LEFT:
            known = known.astype(np.float64)
        targets = _Targets(self, known)
        alpha = targets.choose(alphas)
        held, spread = targets.predict(alpha)
        return held, alpha, spread

    def at(self, alpha: float, known: NDArray) -> tuple[NDArray, NDArray]:
        """The squared leave-one-out errors (neuroid,), and the predictions (held out, neuroid)."""
        self._leave([alpha])
        targets = _Targets(self, known)
        return targets.errors(alpha), targets.predict(np.full(known.shape[1], alpha))[0]

    def _leave(self, alphas: list[float]) -> None:
        """Make what is left of each stimulus by these alphas, in one product."""
        missing = [alpha for alpha in dict.fromkeys(alphas) if alpha not in self.left]
        if not missing:
            return
        shrunk = missing / (self.spectrum[:, None] + missing)  # (component, alpha)
        if self.whole:
            found = np.square(self.vectors) @ shrunk  # (training, component) x (component, alpha)
        else:
            found = 1 - 1 / len(self.vectors) - np.square(self.vectors) @ (1 - shrunk)
        self.left.update(zip(missing, found.T, strict=True))


class _Targets:
    """Responses of the training stimuli (training, neuroid), seen from the model."""

    def __init__(self, model: TrainedOnce, known: NDArray) -> None:
        self.model, self.mean = model, known.mean(axis=0)
        self.centred = known - self.mean
        self.vectors = model.vectors.astype(known.dtype, copy=False)
        # (component, training) x (training, neuroid)
        self.loadings = self.vectors.T @ self.centred

    def choose(self, alphas: Grid) -> NDArray:
        """(neuroid,): the alpha of least error, the first of ties; NaN for a missing response."""
        options = alphas.options
        at_least, at_most = self._bounds(options)
        possible = at_least <= at_most.min(axis=0)
        # Whoever may take an end has to know its error, to go on from there.
        inside = (options > options.min()) & (options < options.max())
        sure = (possible.sum(axis=0) == 1) & inside[possible.argmax(axis=0)]
        errors = np.full(at_least.shape, np.inf)
        for number, tried in enumerate(possible & ~sure):
            some = slice(None) if tried.all() else np.flatnonzero(tried)
            errors[number, some] = self.errors(float(options[number]), some)
        best = errors.min(axis=0)
        chosen = np.where(best < np.inf, options[errors.argmin(axis=0)], np.nan)
        chosen[sure] = options[possible.argmax(axis=0)[sure]]

        def attempt(alpha: float, among: NDArray) -> None:
            some = np.flatnonzero(among)
            found = self.errors(alpha, some)
            better = found < best[some]
            best[some[better]], chosen[some[better]] = found[better], alpha

        go_on(alphas, chosen, attempt)
        return chosen

    def _bounds(self, options: NDArray) -> tuple[NDArray, NDArray]:
        """(option, neuroid): what the errors are at the least, and at the most."""
        model, squares = self.model, np.square(self.loadings)
        shrunk = options[:, None] / (model.spectrum + options[:, None])
        # (option, component) x (component, neuroid)
        missed = np.square(shrunk).astype(squares.dtype) @ squares
        doubt = SLACK * np.finfo(squares.dtype).eps
        if model.whole:
            doubt = doubt * missed
        else:
            total = np.einsum("sn,sn->n", self.centred, self.centred)
            missed += total - squares.sum(axis=0)
            doubt = doubt * total
        left = np.array([model.left[alpha] for alpha in options])
        with np.errstate(divide="ignore", invalid="ignore"):
            return (
                np.maximum(missed - doubt, 0.0) / np.square(left.max(axis=1))[:, None],
                (missed + doubt) / np.square(left.min(axis=1))[:, None],
            )

    def errors(self, alpha: float, some: NDArray | slice = slice(None)) -> NDArray:
        """Squared leave-one-out errors of some neuroids; infinite where they are none."""
        model = self.model
        model._leave([alpha])
        shrunk = (alpha if model.whole else model.spectrum) / (model.spectrum + alpha)
        # (training, component) x (component, neuroid)
        missed = self.vectors @ (self.loadings[:, some] * shrunk[:, None].astype(self.mean.dtype))
        if not model.whole:
            np.subtract(self.centred[:, some], missed, out=missed)
        with np.errstate(divide="ignore", invalid="ignore"):
            missed /= model.left[alpha][:, None].astype(self.mean.dtype)
            found = np.einsum("sn,sn->n", missed, missed)
        return np.where(np.isnan(found), np.inf, found)

    def predict(self, alpha: NDArray) -> tuple[NDArray, NDArray]:
        """Predictions (held out, neuroid), and their spread (neuroid,) over all stimuli."""
        model = self.model
        slopes = self.loadings / (model.spectrum[:, None] + alpha)
        held = model.scores @ slopes  # (held out, component) x (component, neuroid)
        slopes *= model.spectrum[:, None]  # predictions of the training stimuli, along the vectors
        n_stimuli = len(model.vectors) + len(held)
        squares = sum(np.einsum("cn,cn->n", each, each) for each in (slopes, held)) / n_stimuli
        spread = np.sqrt(np.maximum(squares - np.square(held.sum(axis=0) / n_stimuli), 0.0))
        return held + self.mean, spread
