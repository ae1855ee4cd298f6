"""Readouts of categories against scikit-learn, and what they tell of features without any."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import pdist
from sklearn.linear_model import Ridge, RidgeCV

from cortiscope.errors import InputError
from cortiscope.regression import ridge
from cortiscope.regression.cross_validation import fold_numbers
from cortiscope.similarity import comparison, held_out_cells, rsa, rsa_remixed
from cortiscope.similarity.held_out_cells import pairs_of_folds
from cortiscope.statistics.resampling import permutations
from tests.ridge_scene import scaled


def scene(n_stimuli: int, signal: float, random: np.random.Generator) -> tuple[NDArray, NDArray]:
    """Features in which a few of many dimensions tell four categories apart, and labels."""
    labels = random.permutation(np.arange(n_stimuli) % 4)
    features = 2 * random.normal(size=(n_stimuli, 100)) * np.arange(1, 101) ** -0.3
    features[:, 60:64] += signal * (labels[:, None] == np.arange(4))
    return features, labels


@pytest.mark.parametrize("method", ["euclidean", "pearson"])
def test_outputs_are_those_of_refitting(method: str) -> None:
    features, labels = scene(36, 2.0, np.random.default_rng(0))
    membership = rsa_remixed.categories([labels, labels < 2])
    assert membership.shape == (36, 6)
    held_out = pairs_of_folds(fold_numbers(36, 5, seed=0))
    readouts = rsa_remixed.read_out(ridge.kernel(features), membership, held_out)
    cells = rsa_remixed.predicted_cells(readouts, method)
    inputs = scaled(features)
    for fit, held in enumerate(held_out.stimuli):
        training = np.delete(np.arange(36), held)
        chosen = RidgeCV(rsa_remixed.ALPHAS).fit(inputs[training], membership[training])
        np.testing.assert_allclose(readouts.alpha[fit], chosen.alpha_)
        model = Ridge(alpha=chosen.alpha_).fit(inputs[training], membership[training])
        expected = model.predict(inputs[held])
        np.testing.assert_allclose(readouts.outputs[fit], expected, rtol=1e-9, atol=1e-11)
        metric = {"pearson": "correlation"}.get(method, method)
        expected = pdist(expected, metric) / (np.sqrt(6) if method == "euclidean" else 1)
        np.testing.assert_allclose(cells[fit], expected, rtol=1e-7)
    assert len(np.unique(readouts.alpha)) > 1


def test_remixing_reveals_categories_that_few_dimensions_hold() -> None:
    random = np.random.default_rng(0)
    features, labels = scene(80, 3.0, random)
    brain = rsa.pearson_rdm(3 * np.eye(4)[labels] + random.normal(size=(80, 4)))
    held_out = pairs_of_folds(fold_numbers(80, 8, seed=0))
    readouts = rsa_remixed.read_out(
        ridge.kernel(features), rsa_remixed.categories([labels]), held_out
    )
    predicted = rsa_remixed.predicted_cells(readouts)
    score = held_out_cells.score(predicted, brain[None], held_out, "spearman")[0]
    assert score > comparison.compare(rsa.pearson_rdm(features), brain, "spearman") + 0.1


def test_noise_scores_zero_with_a_brain_of_categories() -> None:
    """Readouts know the labels, and the brain is made of these: only held-out stimuli are fair."""
    random = np.random.default_rng(0)
    held_out = pairs_of_folds(fold_numbers(40, 5, seed=0))
    scores, seen, null = [], [], []
    for run in range(100):
        features, labels = scene(40, 0.0, random)
        brain = rsa.pearson_rdm(np.eye(4)[labels] + 0.3 * random.normal(size=(40, 4)))
        membership = rsa_remixed.categories([labels])
        readouts = rsa_remixed.read_out(ridge.kernel(features), membership, held_out)
        predicted = rsa_remixed.predicted_cells(readouts)
        scores.append(held_out_cells.score(predicted, brain[None], held_out, "spearman")[0])
        fitted = Ridge(alpha=1.0).fit(scaled(features), membership).predict(scaled(features))
        seen.append(comparison.compare(pdist(fitted), brain, "spearman"))
        moved = comparison.permuted(brain, permutations(40, 5, seed=run))
        prepared = held_out_cells.null_brains(moved, held_out, "spearman")
        null.extend(held_out_cells.null_score(predicted, prepared, "spearman"))
    assert np.std(scores) / np.sqrt(100) < 0.005
    assert abs(np.mean(scores)) < 0.01
    assert abs(np.mean(null)) < 0.005
    assert np.mean(seen) > 0.5  # what readouts of their own training stimuli would claim


def test_constant_features_and_single_categories() -> None:
    held_out = pairs_of_folds(fold_numbers(20, 4, seed=0))
    membership = rsa_remixed.categories([np.arange(20) % 3])
    readouts = rsa_remixed.read_out(np.zeros((20, 20)), membership, held_out)
    cells = rsa_remixed.predicted_cells(readouts)
    brain = rsa.pearson_rdm(np.random.default_rng(0).normal(size=(20, 5)))[None]
    assert np.isnan(held_out_cells.score(cells, brain, held_out, "spearman")).all()
    with pytest.raises(InputError, match="alike"):
        rsa_remixed.categories([np.arange(4), np.zeros(4)])
