"""Readouts of properties against refitting by scikit-learn, planted truths and noise."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import kstest
from sklearn.linear_model import RidgeCV
from sklearn.metrics import balanced_accuracy_score

from cortiscope.regression import decoding, held_out_scores, ridge
from cortiscope.regression.cross_validation import fold_numbers
from tests.ridge_scene import scaled

ALPHAS = np.logspace(-3, 4, 8)


def readout(patterns: NDArray, folds: int = 10) -> decoding.Readout:
    numbers = fold_numbers(len(patterns), folds, seed=0)
    return decoding.Readout(decoding.readout_kernel(patterns), numbers, ALPHAS)


def objects(n: int, seed: int) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Patterns that depend on category and pose; category, position, rotation in degrees."""
    random = np.random.default_rng(seed)
    category = random.choice(["car", "face", "fruit"], size=n, p=[0.5, 0.3, 0.2])
    position, rotation = random.normal(size=n), random.uniform(0, 360, size=n)
    turn = np.deg2rad(rotation)
    latents = np.column_stack(
        [category == "car", category == "face", position, np.sin(turn), np.cos(turn)]
    )
    patterns = latents @ random.normal(size=(5, 40)) + random.normal(size=(n, 40))
    return patterns, category, position, rotation


def test_properties_are_read_out() -> None:
    patterns, category, position, rotation = objects(120, 0)
    patterns[4, 3] = np.nan  # a neuroid that misses a response is left out
    from_patterns = readout(patterns)
    kind = decoding.discrete(from_patterns, category, 99, 0)
    assert kind.accuracy > 0.9
    assert kind.chance == pytest.approx(1 / 3)
    assert kind.score == pytest.approx((kind.accuracy - 1 / 3) * 1.5)
    place = decoding.continuous(from_patterns, position, 99, 0)
    turn = decoding.angle(from_patterns, rotation, 360, 99, 0)
    assert min(place.score, turn.score) > 0.8
    assert kind.p_value == place.p_value == turn.p_value == pytest.approx(0.01)
    assert np.isnan(place.accuracy)
    # An angle has no ends, and no zero.
    again = decoding.angle(from_patterns, np.deg2rad(rotation + 200), 2 * np.pi, 0, 0)
    assert again.score == pytest.approx(turn.score, abs=0.02)


def test_discrete_is_refitting_by_scikit_learn() -> None:
    patterns, category, _, _ = objects(60, 1)
    patterns += 3 * np.random.default_rng(9).normal(size=patterns.shape)
    ours = decoding.discrete(readout(patterns, 6), category, 0, 0)
    inputs, folds = scaled(patterns), fold_numbers(60, 6, seed=0)
    classes, label = np.unique(category, return_inverse=True)
    member = label[:, None] == np.arange(3)
    size = member.sum(axis=0)
    targets = np.where(member, 60 / (2 * size), -60 / (2 * (60 - size)))
    evidence = np.empty((60, 3))
    for fold in range(6):
        held = folds == fold
        model = RidgeCV(ALPHAS, alpha_per_target=True).fit(inputs[~held], targets[~held])
        level = targets[~held].mean(axis=0)
        evidence[held] = (model.predict(inputs[held]) - level) / model.predict(inputs).std(axis=0)
    expected = balanced_accuracy_score(category, classes[evidence.argmax(axis=1)])
    assert ours.accuracy == pytest.approx(expected, rel=1e-12)
    assert 0.4 < expected < 0.95
    assert np.isnan(ours.p_value)


def test_continuous_is_the_score_of_ridge() -> None:
    patterns, _, position, _ = objects(60, 2)
    source = readout(patterns)
    predicted = ridge.predict(source.kernel, position[:, None], source.folds, ALPHAS)
    expected = held_out_scores.fold_centred_correlation(predicted, position[:, None], source.folds)
    ours = decoding.continuous(source, position, 5, 0)
    assert ours.score == pytest.approx(expected[0], rel=1e-10)
    assert ours.null.shape == (5,)


@pytest.mark.parametrize("n_classes", [2, 5])
def test_noise_scores_zero_with_uniform_p_values(n_classes: int) -> None:
    """Half of the classes are rare: a readout that prefers the frequent ones gains nothing."""
    random = np.random.default_rng(0)
    share = np.where(np.arange(n_classes) % 2, 1.0, 3.0)
    scores, nulls, p = [], [], []
    for seed in range(150):
        label = random.choice(n_classes, size=60, p=share / share.sum())
        source = readout(random.normal(size=(60, 30)) * np.arange(1, 31.0) ** -0.5, 6)
        found = decoding.discrete(source, label, 39, seed)
        scores.append(found.score)
        nulls.append(found.null.mean())
        p.append(found.p_value + random.uniform(-1 / 40, 0))  # p is a multiple of 1 / 40
    assert abs(np.mean(nulls)) < 0.01
    assert abs(np.mean(scores)) < 3 * np.std(scores) / np.sqrt(150)
    assert kstest(p, "uniform").pvalue > 0.01


def test_nothing_to_read_out() -> None:
    patterns, category, position, rotation = objects(30, 3)
    source = readout(patterns, 5)
    assert np.isnan(decoding.discrete(source, np.full(30, "car"), 4, 0).score)
    assert np.isnan(decoding.continuous(source, np.full(30, 0.1), 4, 0).p_value)
    assert np.isnan(decoding.angle(source, np.full(30, 10.0), 360, 4, 0).score)
    position[3] = np.nan
    assert np.isnan(decoding.continuous(source, position, 4, 0).score)
    flat = readout(np.ones((30, 4)), 5)
    assert np.isnan(decoding.discrete(flat, category, 4, 0).score)
    assert np.isnan(decoding.angle(flat, rotation, 360, 4, 0).score)
