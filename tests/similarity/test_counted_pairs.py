"""Comparisons over some of the pairs of stimuli: those of the pairs alone, and unbiased."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import kendalltau, pearsonr, spearmanr

from cortiscope.similarity import cka
from cortiscope.similarity.comparison import bootstrap_scores, compare, permutation_null
from cortiscope.similarity.rdm_standard_error import comparison_error
from cortiscope.similarity.rsa import pearson_rdm

N = 24
UNITS = np.repeat(np.arange(8), 3)
APART = UNITS[:, None] != UNITS
UPPER = np.triu_indices(N, 1)
COUNTED = APART[UPPER]
BY_SCIPY = {"pearson": pearsonr, "spearman": spearmanr}


def cells(seed: int) -> NDArray:
    return pearson_rdm(np.random.default_rng(seed).normal(size=(N, 9)))


@pytest.mark.parametrize("method", list(BY_SCIPY))
def test_scores_and_draws_are_those_of_the_pairs_alone(method: str) -> None:
    model, brain = cells(0), cells(1) + 0.5 * cells(0)
    expected = BY_SCIPY[method](model[COUNTED], brain[COUNTED])[0]
    assert compare(model, brain, method, COUNTED) == pytest.approx(expected)
    weights = np.ones((1, N))
    weights[0, UNITS == 0], weights[0, UNITS == 1] = 2, 0
    found = bootstrap_scores(
        model, brain, np.vstack([np.ones(N), weights]), method, counted=COUNTED
    )
    assert found[0] == pytest.approx(expected)
    if method == "pearson":
        pairs = np.repeat(
            np.flatnonzero(COUNTED), np.outer(weights, weights)[UPPER][COUNTED].astype(int)
        )
        assert found[1] == pytest.approx(pearsonr(model[pairs], brain[pairs])[0])


@pytest.mark.parametrize("method", ["pearson", "spearman", "kendall", "cosine"])
def test_permutations_of_units_compare_the_same_pairs(method: str) -> None:
    model, brain = cells(0), cells(1)
    unit = np.random.default_rng(0).permutation(8)
    order = (3 * unit[:, None] + np.arange(3)).ravel()
    full = np.zeros((N, N))
    full[UPPER] = brain
    full += full.T
    moved = full[np.ix_(order, order)][UPPER]
    expected = compare(model, moved, method, COUNTED)
    null = permutation_null(model, brain, order[None], method, COUNTED)
    assert null[0] == pytest.approx(expected, abs=0.02 if method == "kendall" else 1e-12)
    if method == "kendall":
        assert expected == pytest.approx(kendalltau(model[COUNTED], moved[COUNTED])[0])


def test_kendall_draws_move_around_the_score_of_the_pairs() -> None:
    model, brain = cells(0), cells(1) + cells(0)
    score = compare(model, brain, "kendall", COUNTED)
    draws = bootstrap_scores(model, brain, np.ones((1, N)), "kendall", counted=COUNTED)
    assert draws[0] == pytest.approx(score)


def test_all_pairs_are_the_usual_centring() -> None:
    gram = cka.gram(np.random.default_rng(0).normal(size=(N, 9)))
    every = np.ones((N, N), dtype=bool)
    np.testing.assert_allclose(cka.prepared(gram, counted=every), cka.prepared(gram), atol=1e-11)


def test_some_pairs_are_centred_by_least_squares() -> None:
    """What is left of K after a_i + a_j is fitted to the pairs that count, by a general solver."""
    gram = cka.gram(np.random.default_rng(0).normal(size=(N, 9)))
    first, second = UPPER
    design = (np.arange(N) == first[:, None]) + 1.0 * (np.arange(N) == second[:, None])
    effects = np.linalg.lstsq(design[COUNTED], gram[UPPER][COUNTED], rcond=None)[0]
    left = np.where(COUNTED, gram[UPPER] - design @ effects, 0.0)
    found = cka.prepared(gram, counted=APART)[UPPER]
    np.testing.assert_allclose(found, left / np.linalg.norm(left) / np.sqrt(2), atol=1e-10)


def test_two_groups_leave_something_and_one_group_nothing() -> None:
    gram = cka.gram(np.random.default_rng(0).normal(size=(N, 9)))
    two = np.arange(N) < 10
    assert np.isfinite(cka.prepared(gram, counted=two[:, None] != two)).all()
    assert np.isnan(cka.prepared(gram, counted=np.zeros((N, N), dtype=bool))).all()


def test_noise_of_copies_scores_nothing_by_cka() -> None:
    random = np.random.default_rng(0)
    picture = np.concatenate([np.zeros(6, int), np.arange(1, 9).repeat(2), np.arange(9, 14)])
    apart, scores = picture[:, None] != picture, []
    for _ in range(400):
        model, brain = (random.normal(size=(14, 8))[picture] for _ in range(2))
        scores.append(cka.cka(cka.gram(model), cka.gram(brain), counted=apart))
    assert abs(np.mean(scores)) < 3 * np.std(scores) / np.sqrt(400)


@pytest.mark.parametrize("method", ["pearson", "spearman", "cosine"])
def test_the_error_of_single_stimuli_is_the_usual_one(method: str) -> None:
    model, brain = cells(0), cells(1) + cells(0)
    single = comparison_error(model, brain, method, np.arange(N), np.ones(len(model), dtype=bool))
    assert single == pytest.approx(comparison_error(model, brain, method))


def test_the_error_of_units_is_that_of_other_units() -> None:
    """Copies of pictures: as many digits as the pictures themselves have, within chance."""
    found, scores = [], []
    random = np.random.default_rng(0)
    for _ in range(200):
        pattern = random.normal(size=(2, 8, 9)).repeat(3, axis=1) + 0.2 * random.normal(
            size=(2, N, 9)
        )
        model, brain = (pearson_rdm(one) for one in pattern)
        scores.append(compare(model, brain, "pearson", COUNTED))
        found.append(comparison_error(model, brain, "pearson", UNITS, COUNTED))
    z = np.arctanh(scores)
    assert np.mean(np.abs(z) < 1.96 * np.array(found)) == pytest.approx(0.95, abs=0.05)
