"""Ridge regression trained on some stimuli, alpha chosen among them, for all others.

With K the kernel of the training stimuli, centred, and K = Q diag(values) Q', the residuals of the
fit are R y, R = Q diag(alpha / (values + alpha)) Q', those of leaving each stimulus out in turn
(R y) / diag R, and the prediction of another stimulus, of kernel k with the training stimuli
(centred on their means), mean(y) + k Q diag(1 / (values + alpha)) Q' y.
"""

import numpy as np
from numpy.typing import NDArray

from cortiscope.regression.nested import blocks, decompose
from cortiscope.regression.strengths import Grid, go_on


class TrainedOnce:
    """kernel (stimulus, stimulus), however centred; training (stimulus,) bool, two or more."""

    def __init__(self, kernel: NDArray, training: NDArray) -> None:
        known = kernel[np.ix_(training, training)]
        self.spectrum, self.vectors = decompose(known)
        self.squared = np.square(self.vectors)
        cross = kernel[np.ix_(~training, training)] - known.mean(axis=0)
        # (held out, training) x (training, component); the components have mean 0
        self.scores = cross @ self.vectors

    def predict(self, alphas: Grid, known: NDArray) -> tuple[NDArray, NDArray, NDArray]:
        """Responses of the other stimuli, from those of the training stimuli (training, neuroid).

        Each neuroid takes the alpha of least squared leave-one-out error, the first of ties. Gives
        (held out, neuroid), alpha (neuroid,), and the standard deviation over all stimuli of what
        the model predicts (neuroid,). NaN where a response of the training stimuli is missing.
        """
        values = np.empty((len(self.scores), known.shape[1]))
        alpha, spread = np.empty((2, known.shape[1]))
        for block in blocks(known):
            mean = known[:, block].mean(axis=0)
            # (component, training) x (training, neuroid)
            loadings = self.vectors.T.astype(known.dtype) @ known[:, block]
            alpha[block] = self._chosen(alphas, loadings)
            slopes = loadings / (self.spectrum[:, None] + alpha[block])
            held = self.scores @ slopes  # (held out, component) x (component, neuroid)
            fitted = (self.vectors * self.spectrum) @ slopes
            values[:, block] = held + mean
            spread[block] = np.vstack([fitted, held]).std(axis=0)
        return values, alpha, spread

    def _chosen(self, alphas: Grid, loadings: NDArray) -> NDArray:
        best = np.full(loadings.shape[1], np.inf)
        chosen = np.full(loadings.shape[1], np.nan)

        def attempt(alpha: float, among: NDArray) -> None:
            shrunk = alpha / (self.spectrum + alpha)
            left_in = self.squared @ shrunk  # the diagonal of R
            some = np.flatnonzero(among)
            # (training, component) x (component, neuroid)
            missed = (self.vectors * shrunk).astype(loadings.dtype) @ loadings[:, some]
            errors = np.square(missed / left_in[:, None]).sum(axis=0)
            better = errors < best[some]
            best[some[better]], chosen[some[better]] = errors[better], alpha

        for alpha in alphas.options:
            attempt(float(alpha), np.ones(len(best), dtype=bool))
        go_on(alphas, chosen, attempt)
        return chosen
