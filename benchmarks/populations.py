"""Simulated studies whose truth is known, for the benchmark of coverage."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cortiscope.mappings.encoding import geometric_mean
from cortiscope.regression import held_out_scores, ridge
from cortiscope.similarity import rsa

ALPHAS = np.logspace(-3, 6, 10)


@dataclass(frozen=True)
class Population:
    """Neuroids that depend on features, on latents that no feature shows, and on noise of 1."""

    slopes: NDArray  # (component, neuroid)
    unseen: NDArray  # (latent, neuroid)
    decay: NDArray  # (component,) standard deviations
    heavy: bool  # stimuli of Student's distribution with 7 degrees of freedom

    def study(
        self, n_stimuli: int, random: np.random.Generator, per_category: int = 1
    ) -> tuple[NDArray, NDArray]:
        """Features (stimulus, component), responses (stimulus, neuroid).

        per_category: so many stimuli after each other share half of their variance.
        """

        def normal(count: int) -> NDArray:
            own = random.normal(size=(n_stimuli, count))
            if per_category == 1:
                return own
            shared = random.normal(size=(n_stimuli // per_category, count))
            return (own + shared.repeat(per_category, axis=0)) / np.sqrt(2)

        size = np.sqrt(5 / random.chisquare(7, size=(n_stimuli, 1))) if self.heavy else 1.0
        features = size * normal(len(self.decay)) * self.decay
        latents = size * normal(len(self.unseen))
        noise = random.normal(size=(n_stimuli, self.slopes.shape[1]))
        return features, features @ self.slopes + latents @ self.unseen + noise


def population(
    signal: float,
    heavy: bool,
    random: np.random.Generator,
    n_neuroids: int = 30,
    n_components: int = 100,
) -> Population:
    """signal: variance explained by features over that of the noise; latents have 0.6 of it."""
    decay = np.arange(1, n_components + 1) ** -0.7
    slopes = random.normal(size=(n_components, n_neuroids)) * decay[:, None]
    slopes *= np.sqrt(signal / np.square(slopes * decay[:, None]).sum(axis=0))
    unseen = random.normal(size=(20, n_neuroids)) * np.sqrt(0.6 * signal / 20)
    return Population(slopes, unseen, decay, heavy)


@dataclass(frozen=True)
class Fit:
    """One study's held-out scores, and how to fit it again on a part of the stimuli."""

    features: NDArray
    responses: NDArray
    folds: NDArray

    def predict(self) -> held_out_scores.Predictions:
        return self._regression(np.full(len(self.folds), True)).predict(self.responses)

    def refitted(self, predicted: held_out_scores.Predictions) -> Callable[[NDArray], float]:
        """The mean score of some stimuli, (stimulus,) bool, at the alphas of what was predicted."""
        alpha = ridge.nearest(ALPHAS, geometric_mean(predicted.alpha)[0])

        def score(chosen: NDArray) -> float:
            responses = self.responses[chosen]
            again = self._regression(chosen).predict_at(responses, alpha, np.float32)
            return float(
                held_out_scores.fold_centred_correlation(
                    again, responses, self.folds[chosen]
                ).mean()
            )

        return score

    def _regression(self, chosen: NDArray) -> ridge.Regression:
        return ridge.Regression(ridge.kernel(self.features[chosen]), self.folds[chosen], ALPHAS)


def true_scores(fit: Fit, predicted: held_out_scores.Predictions, neuroids: Population) -> NDArray:
    """(neuroid,): what the models of the folds score on unlimited new stimuli."""
    centred = fit.features - fit.features.mean(axis=0)
    scale = len(centred) / np.square(centred).sum()
    total = np.square(neuroids.slopes * neuroids.decay[:, None]).sum(axis=0)
    total += np.square(neuroids.unseen).sum(axis=0) + 1.0
    covariance, variance = np.zeros((2, fit.responses.shape[1]))
    for fold, spread in enumerate(predicted.spread):
        training = fit.folds != fold
        inputs = centred[training] - centred[training].mean(axis=0)
        targets = fit.responses[training] - fit.responses[training].mean(axis=0)
        values, vectors = np.linalg.eigh(scale * inputs @ inputs.T)
        shrunk = (vectors.T @ targets) / (np.maximum(values, 0)[:, None] + predicted.alpha[fold])
        slopes = scale * inputs.T @ (vectors @ shrunk) * neuroids.decay[:, None]
        covariance += (slopes * neuroids.slopes * neuroids.decay[:, None]).sum(axis=0) / spread
        variance += np.square(slopes).sum(axis=0) / spread**2
    return covariance / np.sqrt(len(predicted.spread) * variance * total)


def rsa_population(
    noise: float, random: np.random.Generator
) -> Callable[[int], tuple[NDArray, NDArray]]:
    """Draws the RDMs (cell,) of a layer and of an area for new stimuli."""
    decay = np.arange(1, 61) ** -0.5
    slopes = random.normal(size=(60, 60))
    layer = random.normal(size=(60, 200)) * np.where(np.arange(60) % 2, 1.3, 0.3)[:, None]

    def draw(n_stimuli: int) -> tuple[NDArray, NDArray]:
        latents = random.normal(size=(n_stimuli, 60)) * decay
        responses = latents @ slopes + noise * random.normal(size=(n_stimuli, 60))
        return rsa.pearson_rdm(np.tanh(latents @ layer)), rsa.pearson_rdm(responses)

    return draw
