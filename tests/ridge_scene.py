"""A planted truth for the tests of ridge, and refitting by scikit-learn."""

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV

ALPHAS = np.logspace(-6, 4, 11)  # all that a grid would go on to, for a reference that does not


def scene(
    n_stimuli: int, n_components: int, n_neuroids: int, noise: float = 1.0, seed: int = 0
) -> tuple[NDArray, NDArray]:
    """Correlated features with a mean, and responses that depend on some of them."""
    random = np.random.default_rng(seed)
    spectrum = np.arange(1, n_components + 1) ** -0.5
    features = random.normal(size=(n_stimuli, n_components)) * spectrum + 3
    slopes = random.normal(size=(n_components, n_neuroids)) * (spectrum**2)[:, None]
    responses = features @ slopes + noise * random.normal(size=(n_stimuli, n_neuroids)) + 5
    return features, responses


def scaled(features: NDArray) -> NDArray:
    """Features whose centred Gram matrix is `ridge.kernel`."""
    centred = features - features.mean(axis=0)
    return centred * np.sqrt(len(features) / np.sum(centred**2))


def explicit(features: NDArray, responses: NDArray, folds: NDArray) -> tuple[NDArray, NDArray]:
    """Nested cross-validation by refitting: inner leave-one-out by scikit-learn."""
    inputs = scaled(features)
    values = np.empty_like(responses)
    chosen = []
    for fold in range(folds.max() + 1):
        held = folds == fold
        model = RidgeCV(ALPHAS, alpha_per_target=True).fit(inputs[~held], responses[~held])
        values[held] = model.predict(inputs[held])
        chosen.append(model.alpha_)
    return values, np.array(chosen)
