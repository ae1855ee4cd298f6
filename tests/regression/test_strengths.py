"""Grids that go on until the choice lies inside: the scores of wide ones, and where they end."""

import numpy as np
import pytest
from numpy.typing import NDArray

from cortiscope.regression import held_out_scores, lasso, ridge, stacked, strengths
from cortiscope.regression.cross_validation import TRAINING, fold_numbers
from cortiscope.similarity import rsa_remixed, unit_weighted
from cortiscope.similarity.held_out_cells import pairs_of_folds

GRID = (0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)
N_STIMULI = 118


def _scene(large: float) -> tuple[NDArray, NDArray]:
    """One large unit beside 60 that drive 30 neuroids: features, responses."""
    random = np.random.default_rng(0)
    features = random.uniform(-np.sqrt(3), np.sqrt(3), (N_STIMULI, 61))
    responses = features[:, 1:] @ random.normal(size=(60, 30)) / np.sqrt(60)
    features[:, 0] *= large
    return features, responses + 0.5 * random.normal(size=responses.shape)


def _score(predicted: held_out_scores.Predictions, responses: NDArray, folds: NDArray) -> float:
    return float(held_out_scores.fold_centred_correlation(predicted, responses, folds).mean())


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("large", [1e2, 1e3, 1e4])
def test_one_large_unit_hides_nothing(large: float, dtype: type) -> None:
    """What the same features give with a large unit of the size of the others."""
    folds = fold_numbers(N_STIMULI, 10, seed=0)
    plain, responses = _scene(1.0)
    features, _ = _scene(large)
    without = _score(ridge.predict(ridge.kernel(plain), responses, folds, GRID), responses, folds)
    assert without > 0.7
    found = ridge.predict(ridge.kernel(features), responses, folds, GRID, dtype)
    assert _score(found, responses, folds) == pytest.approx(without, abs=0.01)
    assert found.end is not None
    assert np.abs(found.end).mean() < 0.05
    together = stacked.predict([features], responses, folds, GRID[1:6], dtype)
    assert _score(together.predictions, responses, folds) == pytest.approx(without, abs=0.01)
    few = lasso.predict(features, responses, folds, [0.03, 0.1, 0.3], dtype=dtype)
    assert _score(few, responses, folds) == pytest.approx(without, abs=0.04)


def test_of_a_given_split_too() -> None:
    features, responses = _scene(1e3)
    folds = np.where(np.arange(N_STIMULI) < 40, 0, TRAINING)
    wide = ridge.predict(ridge.kernel(features), responses, folds, np.logspace(-9, 3, 13))
    found = ridge.predict(ridge.kernel(features), responses, folds, GRID)
    np.testing.assert_allclose(found.alpha, wide.alpha)
    np.testing.assert_allclose(found.values, wide.values)


def test_what_is_chosen_inside_the_grid_is_what_a_wider_one_chooses_to_the_bit() -> None:
    features, responses = _scene(1.0)
    folds = fold_numbers(N_STIMULI, 10, seed=0)
    kernel = ridge.kernel(features)
    found = ridge.predict(kernel, responses, folds, GRID)
    assert (found.alpha > GRID[0]).all()
    alone = [ridge.predict(kernel, responses, folds, [alpha]) for alpha in GRID]
    for each, alpha in zip(alone, GRID, strict=True):
        rows = (found.alpha == alpha)[folds, np.arange(30)[None].T].T
        np.testing.assert_array_equal(found.values[rows], each.values[rows])


def test_the_choice_of_a_fold_knows_nothing_of_what_it_holds_out() -> None:
    features, responses = _scene(1e3)
    folds = fold_numbers(N_STIMULI, 10, seed=0)
    kernel, held = ridge.kernel(features), folds == 2
    before = ridge.predict(kernel, responses, folds, GRID)
    responses[held] = 100 * np.random.default_rng(1).normal(size=(held.sum(), 30))
    after = ridge.predict(kernel, responses, folds, GRID)
    np.testing.assert_array_equal(after.alpha[2], before.alpha[2])
    np.testing.assert_allclose(after.values[held], before.values[held], rtol=1e-6)


def test_grids_end_at_the_spectrum_of_the_features() -> None:
    spectrum = np.array([90.0, 1.0, 1e-4, 1e-6, 1e-5, 1e-15])
    found = strengths.grid(np.array([0.01, 1.0]), spectrum)
    np.testing.assert_allclose(found.options, [0.01, 1.0, 1e-3, 1e-4])  # 1e-4 is the median
    np.testing.assert_allclose(found.below, [1e-5, 1e-6, 1e-7])
    np.testing.assert_allclose(found.above, [10.0, 100.0])
    ordinary = strengths.grid(np.array([0.001, 1000.0]), np.linspace(0.01, 30, 50))
    assert not len(ordinary.below)
    assert not len(ordinary.above)
    alone = strengths.grid(np.array([1.0]), spectrum)
    assert alone.ends == (1.0, 1.0)
    assert not strengths.at_ends(alone, np.ones(3)).any()


def test_noise_goes_on_above_the_grid_for_a_few_strengths_only() -> None:
    """And its ends say so."""
    features, _ = _scene(1.0)
    noise = np.random.default_rng(2).normal(size=(N_STIMULI, 200))
    folds = fold_numbers(N_STIMULI, 10, seed=0)
    found = ridge.predict(ridge.kernel(features), noise, folds, [0.01, 0.1])
    assert found.alpha.max() <= 10.0  # the largest eigenvalue is 5
    assert found.end is not None
    assert (found.end == 1).mean() > 0.5


def test_unit_weights_and_readouts_reach_as_far() -> None:
    """Predictions are those of a grid that is wide from the start."""
    random = np.random.default_rng(3)
    features = random.normal(size=(60, 12))
    brain = -(features[:, 1:] @ np.diag(random.random(11)) @ features[:, 1:].T)
    brain = (brain + 0.2 * random.normal(size=brain.shape))[np.triu_indices(60, 1)][None]
    features[:, 0] *= 100
    held_out = pairs_of_folds(fold_numbers(60, 6, seed=0))
    found = unit_weighted.predict(features, brain, held_out)
    wide = unit_weighted.predict(features, brain, held_out, tuple(np.logspace(-9, 2, 12)))
    assert found.alpha.max() < min(unit_weighted.ALPHAS)
    for own, other in zip(found.predicted, wide.predicted, strict=True):
        assert np.corrcoef(own[0], other[0])[0, 1] > 0.999
    labels = rsa_remixed.categories([features[:, 1] > 0])
    kernel = ridge.kernel(features)
    readouts = rsa_remixed.read_out(kernel, labels, held_out)
    widely = rsa_remixed.read_out(kernel, labels, held_out, tuple(np.logspace(-9, 2, 12)))
    np.testing.assert_allclose(readouts.alpha, widely.alpha)
    assert readouts.alpha.max() < min(rsa_remixed.ALPHAS)
