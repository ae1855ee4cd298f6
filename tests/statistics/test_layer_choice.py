"""Layers are chosen by some data and scored by other data: noise scores 0, the best is found."""

import numpy as np
import pytest

from cortiscope.statistics.layer_choice import by_draws, by_halves, own_layers, with_draws


def test_noise_is_not_taken_for_a_score_by_halves() -> None:
    random = np.random.default_rng(0)
    reported, highest = [], []
    for _ in range(300):
        selection = random.normal(scale=0.1, size=(40, 2, 2))  # 40 layers of pure noise
        best = by_halves(selection, np.zeros((40, 10)))
        reported.append(best.score)
        highest.append(selection.mean(axis=(1, 2)).max())
    standard_error = np.std(reported) / np.sqrt(len(reported))
    assert abs(np.mean(reported)) < 3 * standard_error < 0.02
    assert np.mean(highest) > 0.08  # what picking on all the data would have reported


def test_the_best_layer_is_chosen_on_one_half_and_read_on_the_other() -> None:
    selection = np.array(
        [
            [[0.9, 0.1], [0.1, 0.8]],
            [[0.2, 0.7], [0.6, 0.3]],
            [[np.nan, 0.0], [0.0, 0.0]],
        ]
    )
    # split 0: half 0 chooses layer 0 (0.1 on half 1); half 1 chooses layer 1 (0.2 on half 0)
    # split 1: half 0 chooses layer 1 (0.3 on half 1); half 1 chooses layer 0 (0.1 on half 0)
    bootstrap = np.array([[0.0, 1.0], [4.0, 7.0], [100.0, 100.0]])
    best = by_halves(selection, bootstrap)
    assert best.score == pytest.approx((0.1 + 0.2 + 0.3 + 0.1) / 4)
    assert best.layer(np.array([0.3, 0.2, 0.1])) == 0  # both twice; it scores more
    np.testing.assert_allclose(best.draws, best.score + np.array([-1.0, 1.0]))


def test_a_half_without_scores_chooses_no_layer() -> None:
    selection = np.array([[[np.nan, 0.1], [0.2, 0.3]], [[np.nan, 0.5], [0.6, 0.7]]])
    bootstrap = np.array([[0.0, 2.0], [4.0, 8.0]])
    best = by_halves(selection, bootstrap)
    # Split 0 chooses layer 1 on half 1, which has no score on half 0; split 1 chooses it on both.
    assert best.score == pytest.approx((0.7 + 0.6) / 2)
    assert best.layer(np.array([0.3, 0.2])) == 1
    np.testing.assert_allclose(best.draws, best.score + np.array([-2.0, 2.0]))


def test_noise_is_not_taken_for_a_score_by_draws() -> None:
    """Of 20 layers whose scores are as uncertain as their draws say; by the highest, 0.19."""
    random = np.random.default_rng(0)
    truth = np.zeros(20)
    found, highest = [], []
    for _ in range(300):
        score = truth + random.normal(scale=0.1, size=20)
        best = by_draws(score, score[:, None] + random.normal(scale=0.1, size=(20, 200)))
        found.append(best.score - best.shares @ truth)
        highest.append(score.max())
    standard_error = np.std(found) / np.sqrt(len(found))
    assert abs(np.mean(found)) < 3 * standard_error < 0.015
    assert np.mean(highest) > 0.15


def test_by_draws_the_score_of_a_layer_far_above_the_others_is_its_own() -> None:
    random = np.random.default_rng(1)
    score = np.array([0.1, 0.6, np.nan])
    draws = score[:, None] + random.normal(scale=0.02, size=(3, 100))
    best = by_draws(score, draws)
    assert best.score == pytest.approx(0.6)
    np.testing.assert_array_equal(best.shares, [0, 1, 0])
    np.testing.assert_allclose(best.draws, draws[1] - draws[1].mean() + 0.6)
    # Nothing hangs on how many draws there are.
    assert by_draws(score, draws[:, :7]).score == pytest.approx(0.6)


def test_by_draws_two_alike_are_chosen_as_often_and_neither_gains() -> None:
    random = np.random.default_rng(2)
    deviation = random.normal(scale=0.05, size=(2, 4000))
    best = by_draws(np.array([0.4, 0.4]), 0.4 + deviation)
    assert best.shares == pytest.approx([0.5, 0.5], abs=0.03)
    # Of two scores that are equal by chance, the expected maximum of two draws is taken off.
    assert best.score == pytest.approx(0.4 - 0.05 / np.sqrt(np.pi), abs=0.003)


def test_without_a_score_or_draws_nothing_is_chosen() -> None:
    for score, draws in ((np.full(2, np.nan), np.zeros((2, 9))), (np.ones(2), np.zeros((2, 0)))):
        best = by_draws(score, draws)
        assert np.isnan(best.score)
        assert not best.shares.any()
        assert np.isnan(best.draws).all()


def test_neuroids_choose_their_own_layers_as_areas_do() -> None:
    random = np.random.default_rng(3)
    score = random.normal(scale=0.1, size=(5, 7))
    draws = score[:, None] + random.normal(scale=0.1, size=(5, 20, 7))
    draws -= draws.mean(axis=1, keepdims=True) - score[:, None]
    score[2, 3] = score[:, 5] = np.nan
    found = own_layers(score, draws)
    alone = [by_draws(*pair).score for pair in zip(score.T, np.moveaxis(draws, 2, 0), strict=True)]
    np.testing.assert_allclose(found, alone)
    assert np.isnan(found[5])
    assert np.isfinite(np.delete(found, 5)).all()


def test_noise_is_not_taken_for_a_score_of_neuroids_own_layers() -> None:
    """With the few draws that are kept of every neuroid; by the highest, 0.19."""
    random = np.random.default_rng(5)
    score = random.normal(scale=0.1, size=(20, 3000))
    draws = score[:, None] + random.normal(scale=0.1, size=(20, 20, 3000))
    found = own_layers(score, draws)
    assert abs(found.mean()) < 3 * found.std() / np.sqrt(3000) < 0.006
    assert score.max(axis=0).mean() > 0.18


def test_draws_of_several_layers_are_as_wide_as_theirs() -> None:
    random = np.random.default_rng(4)
    draws = random.normal(scale=0.1, size=(2, 5000))
    found = with_draws(0.3, np.array([0.5, 0.5]), draws).draws
    assert found.mean() == pytest.approx(0.3)
    assert found.std() == pytest.approx(0.1, rel=0.03)  # their mean has 0.07
