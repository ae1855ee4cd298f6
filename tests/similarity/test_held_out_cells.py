"""Pairs of folds held out, and the score over held-out sets against loops."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import squareform

from cortiscope.errors import InputError
from cortiscope.regression.cross_validation import fold_numbers
from cortiscope.similarity import comparison, held_out_cells, rsa
from cortiscope.similarity.held_out_cells import HeldOut, pairs_of_folds
from cortiscope.statistics.resampling import bootstrap_weights, permutations


def noise(n_stimuli: int, seed: int) -> NDArray:
    return rsa.pearson_rdm(np.random.default_rng(seed).normal(size=(n_stimuli, 30)))


def predictions(held_out: HeldOut, brains: NDArray) -> list[NDArray]:
    """Something like the truth, another model for each fit."""
    random = np.random.default_rng(1)
    return [
        random.uniform(1, 9) * brains[:, cells] + random.normal(size=(len(brains), len(cells)))
        for cells in held_out.cells
    ]


@pytest.mark.parametrize("n_folds", [3, 4, 7, 10])
def test_training_and_test_share_no_stimulus(n_folds: int) -> None:
    folds = fold_numbers(31, n_folds, seed=0)
    held_out = pairs_of_folds(folds)
    assert {tuple(pair) for pair in held_out.pair} == {
        (a, b) for b in range(n_folds) for a in range(b)
    }
    first, second = np.triu_indices(31, 1)
    blocks = np.concatenate(held_out.blocks)
    np.testing.assert_array_equal(np.sort(blocks), np.arange(len(first)))
    for fit, (pair, stimuli) in enumerate(zip(held_out.pair, held_out.stimuli, strict=True)):
        np.testing.assert_array_equal(stimuli, np.flatnonzero(np.isin(folds, pair)))
        test = held_out.cells[fit]
        expected = squareform(np.arange(len(first)))[np.ix_(stimuli, stimuli)]
        np.testing.assert_array_equal(test, expected[np.triu_indices(len(stimuli), 1)])
        used = np.flatnonzero(held_out.trained[fit])
        training = np.concatenate([held_out.blocks[block] for block in used])
        outside = ~np.isin(first, stimuli) & ~np.isin(second, stimuli)
        np.testing.assert_array_equal(np.sort(training), np.flatnonzero(outside))
    np.testing.assert_array_equal(np.unique(np.concatenate(held_out.cells)), np.arange(len(first)))


@pytest.mark.parametrize("n_folds", [5, 6, 10, 11])
def test_rounds_meet_every_fold_once_and_partners_are_apart(n_folds: int) -> None:
    folds = fold_numbers(33, n_folds, seed=0)
    one = pairs_of_folds(folds, rounds=1)
    assert len(np.unique(one.pair)) == 2 * (n_folds // 2) == one.pair.size
    every = pairs_of_folds(folds)
    np.testing.assert_array_equal(every.pair[: len(one.pair)], one.pair)
    assert np.all(every.partner >= 0)
    for pair, partner in zip(every.pair, every.partner, strict=True):
        assert not np.isin(pair, every.pair[partner]).any()


def test_too_few_and_too_many_folds() -> None:
    for folds in (np.arange(10) % 2, np.arange(80) % 40, np.arange(10)):
        with pytest.raises(InputError, match="pairs of folds"):
            pairs_of_folds(folds)


@pytest.mark.parametrize("method", comparison.METHODS)
def test_score_and_its_null_are_means_over_sets(method: str) -> None:
    held_out = pairs_of_folds(fold_numbers(25, 4, seed=0))
    brains = comparison.permuted(noise(25, 0), permutations(25, 3, seed=0))
    predicted = predictions(held_out, brains)
    scores = held_out_cells.score(predicted, brains, held_out, method)
    for brain in range(3):
        each = [
            comparison.compare(p[brain], brains[brain, c], method)
            for p, c in zip(predicted, held_out.cells, strict=True)
        ]
        sizes = [len(c) for c in held_out.cells]
        np.testing.assert_allclose(scores[brain], np.average(each, weights=sizes))
    prepared = held_out_cells.null_brains(brains, held_out, method)
    null = held_out_cells.null_score(predicted, prepared, method)
    np.testing.assert_allclose(null, scores, atol=0.02 if method == "kendall" else 1e-12)
    # The same prediction for all brains.
    fixed = [p[0] for p in predicted]
    np.testing.assert_allclose(held_out_cells.score(fixed, brains, held_out, method)[0], scores[0])
    null = held_out_cells.null_score(fixed, prepared, method)
    np.testing.assert_allclose(null[0], scores[0], atol=0.02 if method == "kendall" else 1e-12)


@pytest.mark.parametrize("method", comparison.METHODS)
def test_constant_predictions_count_zero_and_missing_cells_nan(method: str) -> None:
    held_out = pairs_of_folds(fold_numbers(25, 4, seed=0))
    brains = np.stack([noise(25, 0), noise(25, 0)])
    brains[1, 7] = np.nan
    predicted = [p[:1].repeat(2, axis=0) for p in predictions(held_out, brains[:1])]
    whole = held_out_cells.score(predicted, brains, held_out, method)
    sizes = np.array([len(c) for c in held_out.cells])
    lost = comparison.compare(predicted[2][0], brains[0][held_out.cells[2]], method)
    predicted[2] = np.full_like(predicted[2], 4.0)
    scores = held_out_cells.score(predicted, brains, held_out, method)
    np.testing.assert_allclose(scores[0], whole[0] - lost * sizes[2] / sizes.sum())
    assert np.isnan(scores[1])
    prepared = held_out_cells.null_brains(brains, held_out, method)
    null = held_out_cells.null_score(predicted, prepared, method)
    np.testing.assert_allclose(null, scores, atol=0.02 if method == "kendall" else 1e-12)


@pytest.mark.parametrize("method", comparison.METHODS)
def test_bootstrap_counts_pairs_within_sets(method: str) -> None:
    held_out = pairs_of_folds(fold_numbers(25, 4, seed=0))
    brain = noise(25, 0)
    predicted = [p[0] for p in predictions(held_out, brain[None])]
    expected = held_out_cells.score(predicted, brain[None], held_out, method)
    ones = held_out_cells.bootstrap(predicted, brain, held_out, np.ones((1, 25)), method)
    np.testing.assert_allclose(ones, expected)
    weights = bootstrap_weights(25, 3, seed=0)
    scores = held_out_cells.bootstrap(predicted, brain, held_out, weights, method)
    for draw, weight in enumerate(weights):
        each, pairs = [], []
        for values, cells, stimuli in zip(predicted, held_out.cells, held_out.stimuli, strict=True):
            drawn = weight[None, stimuli]
            each.append(
                comparison.bootstrap_scores(values, brain[cells], drawn, method, levels=16)[0]
            )
            pairs.append(np.triu(np.outer(drawn, drawn), 1).sum())
        np.testing.assert_allclose(scores[draw], np.average(each, weights=pairs))
    # A draw of a single stimulus has no pair.
    single = 25.0 * (np.arange(25) == 3)[None]
    assert np.isnan(held_out_cells.bootstrap(predicted, brain, held_out, single, method)).all()
