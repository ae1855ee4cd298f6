"""Weights of components against scikit-learn's ridge on explicit pairs, and on noise."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import kstest
from sklearn.linear_model import Ridge

from cortiscope.errors import InputError
from cortiscope.regression.cross_validation import fold_numbers
from cortiscope.similarity import comparison, held_out_cells, rsa, unit_weighted
from cortiscope.similarity.held_out_cells import pairs_of_folds
from cortiscope.statistics.resampling import p_value, permutations


def scene(n_stimuli: int, n_components: int, noise: float) -> tuple[NDArray, NDArray, NDArray]:
    """Features, a brain that weights them anew, and these weights."""
    random = np.random.default_rng(0)
    features = random.normal(size=(n_stimuli, n_components)) * np.linspace(2, 1, n_components)
    weights = random.uniform(0, 1, size=n_components) ** 4
    first, second = np.triu_indices(n_stimuli, 1)
    similarity = (features[first] * features[second]) @ weights
    return features, 3 - similarity + noise * random.normal(size=len(first)), weights


@pytest.mark.parametrize(("n_folds", "rounds", "n_components"), [(5, None, 12), (8, 2, 300)])
def test_predictions_are_those_of_refitting(
    n_folds: int, rounds: int | None, n_components: int
) -> None:
    """Every pair of stimuli a row, every component a column; alpha chosen on other stimuli."""
    features, brain, _ = scene(26, n_components, noise=8.0)
    random = np.random.default_rng(1)
    brains = np.stack([brain, random.normal(size=len(brain))])
    held_out = pairs_of_folds(fold_numbers(26, n_folds, seed=0), rounds)
    result = unit_weighted.predict(features, brains, held_out)
    first, second = np.triu_indices(26, 1)
    design = features[first] * features[second]

    def fitted(left_out: NDArray, alpha: float, brain: NDArray) -> Ridge:
        rows = ~np.isin(first, left_out) & ~np.isin(second, left_out)
        spread = (design[rows] - design[rows].mean(axis=0)).var(axis=0).mean()
        return Ridge(alpha=alpha * spread * rows.sum()).fit(design[rows], -brain[rows])

    for fit, partner in enumerate(held_out.partner):
        both = np.union1d(held_out.stimuli[fit], held_out.stimuli[partner])
        inner = held_out.cells[partner]
        for number, values in enumerate(brains):
            errors = [
                np.square(fitted(both, a, values).predict(design[inner]) + values[inner]).sum()
                for a in unit_weighted.ALPHAS
            ]
            alpha = unit_weighted.ALPHAS[int(np.argmin(errors))]
            assert result.alpha[number, fit] == alpha
            model = fitted(held_out.stimuli[fit], alpha, values)
            np.testing.assert_allclose(
                result.predicted[fit][number],
                -model.predict(design[held_out.cells[fit]]),
                rtol=1e-8,
                atol=1e-8,
            )
            if number == 0:
                np.testing.assert_allclose(result.weights[fit], model.coef_, rtol=1e-6, atol=1e-9)
    assert len(np.unique(result.alpha)) > 1


def test_planted_weights_are_found_and_beat_equal_ones() -> None:
    features, brain, planted = scene(60, 20, noise=4.0)
    held_out = pairs_of_folds(fold_numbers(60, 10, seed=0))
    result = unit_weighted.predict(features, brain[None], held_out)
    assert np.corrcoef(result.weights.mean(axis=0), planted)[0, 1] > 0.95
    score = held_out_cells.score(result.predicted, brain[None], held_out, "pearson")[0]
    first, second = np.triu_indices(60, 1)
    equal = comparison.compare(-(features[first] * features[second]).sum(axis=1), brain, "pearson")
    assert score > equal + 0.1


def test_units_do_not_matter_and_nothing_leaks() -> None:
    features, brain, _ = scene(30, 10, noise=5.0)
    held_out = pairs_of_folds(fold_numbers(30, 5, seed=0))
    plain = unit_weighted.predict(features, brain[None], held_out)
    scaled = unit_weighted.predict(1e5 * features, brain[None], held_out)
    np.testing.assert_allclose(scaled.weights * 1e10, plain.weights, rtol=1e-8)
    np.testing.assert_allclose(scaled.predicted[0], plain.predicted[0], rtol=1e-8)
    touched = np.zeros((30, 30), dtype=bool)
    touched[held_out.stimuli[3]] = True
    cells = (touched | touched.T)[np.triu_indices(30, 1)]
    changed = brain + 50 * cells * np.random.default_rng(0).normal(size=len(brain))
    after = unit_weighted.predict(features, changed[None], held_out)
    np.testing.assert_allclose(after.predicted[3], plain.predicted[3], rtol=1e-9)
    assert after.alpha[0, 3] == plain.alpha[0, 3]
    assert not np.allclose(after.predicted[0], plain.predicted[0])


def test_principal_axes_keep_inner_products() -> None:
    features = np.random.default_rng(0).normal(size=(15, 80)) + 2
    axes = unit_weighted.onto_principal_axes(features)
    centred = features - features.mean(axis=0)
    assert axes.shape == (15, 14)
    np.testing.assert_allclose(axes @ axes.T, centred @ centred.T, atol=1e-10)


def test_missing_cells_constant_features_and_refusals() -> None:
    features, brain, _ = scene(30, 6, noise=1.0)
    brains = np.stack([brain, brain])
    brains[0, 4] = np.nan
    held_out = pairs_of_folds(fold_numbers(30, 5, seed=0))
    result = unit_weighted.predict(features, brains, held_out)
    assert np.isnan(result.weights).all()
    assert np.isnan(result.alpha[0]).all()
    scores = held_out_cells.score(result.predicted, brains, held_out, "spearman")
    np.testing.assert_array_equal(np.isnan(scores), [True, False])
    nothing = unit_weighted.predict(np.zeros((30, 3)), brains[1:], held_out)
    assert held_out_cells.score(nothing.predicted, brains[1:], held_out, "spearman")[0] == 0
    with pytest.raises(InputError, match="folds"):
        unit_weighted.predict(features, brains, pairs_of_folds(fold_numbers(30, 4, seed=0)))
    with pytest.raises(InputError, match=r"^unit_weighted\.alphas: .* positive"):
        unit_weighted.predict(features, brains, held_out, alphas=(0.0,))


def test_noise_scores_zero_with_uniform_p_values() -> None:
    random = np.random.default_rng(5)
    orders = permutations(40, 99, seed=0)
    held_out = pairs_of_folds(fold_numbers(40, 5, seed=0))
    scores, p_values = [], []
    for _ in range(150):
        features = random.normal(size=(40, 20)) * random.uniform(0.5, 2, (40, 1))
        brain = rsa.pearson_rdm(random.normal(size=(40, 15)))
        brains = np.vstack([brain, comparison.permuted(brain, orders)])
        predicted = unit_weighted.predict(features, brains, held_out).predicted
        all_scores = held_out_cells.score(predicted, brains, held_out, "pearson")
        scores.append(all_scores[0])
        p_values.append(p_value(all_scores[0], all_scores[1:]))
    assert np.std(scores) / np.sqrt(150) < 0.005
    assert abs(np.mean(scores)) < 0.01
    assert kstest(p_values, "uniform").pvalue > 0.01
