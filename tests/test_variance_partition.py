"""Commonality against textbook formulas, planted shares and noise."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.linear_model import LinearRegression

from cortiscope import ridge, rsa, variance_partition
from cortiscope.cross_validation import fold_numbers
from cortiscope.errors import InputError
from tests.ridge_scene import one_thread, scene

__all__ = ["one_thread"]

ALPHAS = np.logspace(-2, 5, 8)


def test_parts_are_those_of_the_textbook() -> None:
    a, b, c, ab, ac, bc, abc = 0.3, 0.25, 0.2, 0.4, 0.45, 0.35, 0.5
    ours = variance_partition.commonality(np.array([0, a, b, ab, c, ac, bc, abc]))
    expected = {
        1: abc - bc,
        2: abc - ac,
        4: abc - ab,
        3: ac + bc - c - abc,
        5: ab + bc - b - abc,
        6: ab + ac - a - abc,
        7: a + b + c - ab - ac - bc + abc,
    }
    for subset, part in expected.items():
        assert ours.parts[subset] == pytest.approx(part)
    assert ours.parts.sum() == pytest.approx(abc)
    assert ours.unique(2) == pytest.approx(abc - ab)
    assert ours.shared == pytest.approx(abc - (abc - bc) - (abc - ac) - (abc - ab))


def planted(seed: int, n: int = 40) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """RDMs: of a common part with own parts of two models, of the brain, of noise."""
    random = np.random.default_rng(seed)
    common, own, other, noise = random.normal(size=(4, n, 15))
    model = rsa.pearson_rdm(np.hstack([common, own]))
    low = rsa.pearson_rdm(np.hstack([common, other]))
    brain = rsa.pearson_rdm(np.hstack([common, own, 0.5 * random.normal(size=(n, 15))]))
    return model, low, brain, rsa.pearson_rdm(noise)


def test_rdms_regress_on_ranks_and_noise_adds_nothing() -> None:
    noise_parts, unique, shared, raw = [], [], [], []
    for seed in range(40):
        model, low, brain, noise = planted(seed)
        ours = variance_partition.partition_rdms([model, noise], brain, 40, seed)
        noise_parts.append(ours.unique(1))
        ranks = [rankdata(cells) for cells in (model, noise, brain)]
        both, alone = (
            LinearRegression().fit(np.stack(some, 1), ranks[2]).score(np.stack(some, 1), ranks[2])
            for some in (ranks[:2], ranks[:1])
        )
        raw.append(both - alone)
        ours = variance_partition.partition_rdms([model, low], brain, 40, seed)
        unique.append((ours.unique(0), ours.unique(1)))
        shared.append(ours.shared)
        assert ours.explained[3] < 1
    assert abs(np.mean(noise_parts)) < 0.002
    assert np.mean(raw) > 2 * abs(np.mean(noise_parts))
    by_model, by_low = np.mean(unique, axis=0)
    assert by_model > 0.2
    assert abs(by_low) < 0.02
    assert np.mean(shared) > 0.1


def test_adjusted_for_what_the_brain_permuted_explains() -> None:
    model, low, brain, noise = planted(0)
    sets = [np.stack([model, noise]), low]
    ours = variance_partition.partition_rdms(sets, brain, 30, 3)
    x = np.stack([rankdata(cells) for cells in (model, noise)], axis=1)
    square = rsa.square(rankdata(brain))
    first, second = np.triu_indices(40, 1)
    null = []
    for order in variance_partition.permutations(40, 30, 3):
        moved = square[order[first], order[second]]
        null.append(LinearRegression().fit(x, moved).score(x, moved))
    raw = LinearRegression().fit(x, rankdata(brain)).score(x, rankdata(brain))
    expected = 1 - (1 - raw) / (1 - np.mean(null))
    assert ours.explained[1] == pytest.approx(expected, rel=1e-9)
    copies = variance_partition.partition_rdms([model, np.stack([model, low])], brain, 10, 0)
    assert copies.unique(0) == pytest.approx(0, abs=1e-9)


def features(seed: int) -> tuple[list[NDArray], NDArray]:
    """Sets: common and own; common; noise. Responses to common and own, 40 % noise."""
    random = np.random.default_rng(seed)
    common, own = random.normal(size=(2, 150, 4))
    responses = 0.5 * common @ random.normal(size=(4, 40)) / 2
    responses += 0.6 * own @ random.normal(size=(4, 40)) / 2
    responses += np.sqrt(0.4) * random.normal(size=responses.shape)
    sets = [np.hstack([common, own]), common, random.normal(size=(150, 8))]
    return [ridge.kernel(x) for x in sets], responses


def test_features_are_partitioned_held_out() -> None:
    noise, unique, shared = [], [], []
    for seed in range(3):
        (model, low, irrelevant), responses = features(seed)
        folds = fold_numbers(150, 10, seed)
        ours = variance_partition.partition_features([model, low], responses, folds, ALPHAS)
        unique.append([ours.unique(0).mean(), ours.unique(1).mean()])
        shared.append(ours.shared.mean())
        ours = variance_partition.partition_features([low, irrelevant], responses, folds, ALPHAS)
        noise.append(ours.unique(1).mean())
    assert np.mean(unique, axis=0)[0] == pytest.approx(0.36, abs=0.1)
    assert abs(np.mean(unique, axis=0)[1]) < 0.01
    assert np.mean(shared) == pytest.approx(0.25, abs=0.1)
    assert abs(np.mean(noise)) < 0.01


def test_one_band_is_ridge_and_noise_explains_nothing() -> None:
    patterns, responses = scene(40, 60, 5)
    responses[3, 2] = np.nan
    responses[:, 4] = 2.0
    folds = fold_numbers(40, 6, seed=0)
    kernel = ridge.kernel(patterns)
    ours = variance_partition.banded_predict([kernel], responses, folds, ALPHAS)
    theirs = ridge.predict(kernel, responses, folds, ALPHAS)
    np.testing.assert_allclose(ours.values[:, :4], theirs.values[:, :4], rtol=1e-9)
    np.testing.assert_allclose(ours.spread[:, :4], theirs.spread[:, :4], rtol=1e-9)
    np.testing.assert_array_equal(ours.alpha[:, :4], theirs.alpha[:, :4])
    flat = variance_partition.banded_predict([kernel, 0 * kernel], responses, folds, ALPHAS)
    # Half of a kernel is the same kernel at twice the alpha: only the grid of alphas is finer.
    assert np.corrcoef(flat.values[:, 0], theirs.values[:, 0])[0, 1] > 0.99
    parts = variance_partition.partition_features([kernel, kernel], responses, folds, ALPHAS).parts
    assert np.array_equal(np.isnan(parts[1:]).all(axis=0), [False, False, True, False, True])
    random = np.random.default_rng(0)
    sets = [ridge.kernel(random.normal(size=(80, 30)) * np.arange(1, 31) ** -0.5) for _ in range(2)]
    noise = random.normal(size=(80, 1500))
    folds = fold_numbers(80, 10, seed=0)
    explained = variance_partition.partition_features(sets, noise, folds, ALPHAS).explained
    assert np.abs(explained.mean(axis=1)).max() < 0.01


def test_bad_input() -> None:
    model, low, brain, _ = planted(0)
    for sets, count in (([model], 5), ([model] * 5, 5), ([model, low], 0)):
        with pytest.raises(InputError, match="variance_partition"):
            variance_partition.partition_rdms(sets, brain, count, 0)
    low[5] = np.nan
    ours = variance_partition.partition_rdms([model, low], brain, 5, 0)
    assert np.isnan(ours.unique(0))
    assert np.isfinite(ours.explained[1])
