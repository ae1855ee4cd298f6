"""Centred kernel alignment against direct formulae, explicit resampling, and noise."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import pdist
from scipy.stats import kstest

from cortiscope.similarity import cka, pairs
from cortiscope.statistics.resampling import bootstrap_weights, p_value, permutations


def song_hsic(k: NDArray, m: NDArray) -> float:
    """Song et al. (2012), equation 5, as written."""
    n = len(k)
    k, m = k - np.diag(np.diag(k)), m - np.diag(np.diag(m))
    one = np.ones(n)
    trace = np.trace(k @ m)
    sums = (one @ k @ one) * (one @ m @ one) / ((n - 1) * (n - 2))
    return (trace + sums - 2 / (n - 2) * (one @ k @ m @ one)) / (n * (n - 3))


def patterns(n_stimuli: int = 18, seed: int = 0) -> list[NDArray]:
    random = np.random.default_rng(seed)
    shared = random.normal(size=(n_stimuli, 5))
    mixed = [shared @ random.normal(size=(5, p)) for p in (40, 7, 100)]
    return [m + 2 * random.normal(size=m.shape) + 3 for m in mixed]


def test_debiased_is_that_of_song() -> None:
    x, y, _ = patterns()
    k, m = x @ x.T, y @ y.T
    expected = song_hsic(k, m) / np.sqrt(song_hsic(k, k) * song_hsic(m, m))
    np.testing.assert_allclose(cka.cka(k, m), expected, rtol=1e-10)
    np.testing.assert_allclose(cka.cka(cka.gram(x), cka.gram(y)), expected, rtol=1e-10)


def test_biased_is_that_of_kornblith() -> None:
    """|Y'X|^2 / (|X'X| |Y'Y|) of centred features, Frobenius norms."""
    x, y, _ = (p - p.mean(axis=0) for p in patterns())
    norm = np.linalg.norm
    expected = norm(y.T @ x) ** 2 / (norm(x.T @ x) * norm(y.T @ y))
    np.testing.assert_allclose(cka.cka(x @ x.T, y @ y.T, debiased=False), expected, rtol=1e-10)


def test_many_at_once_and_what_does_not_matter() -> None:
    x, y, z = patterns()
    models = np.stack([cka.gram(x), cka.gram(y)])
    brains = np.stack([cka.gram(z), cka.gram(x), cka.gram(y)])
    scores = cka.cka(models, brains)
    assert scores.shape == (2, 3)
    np.testing.assert_allclose(scores[1, 0], cka.cka(models[1], brains[0]), rtol=1e-12)
    np.testing.assert_allclose([scores[0, 1], scores[1, 2]], 1)
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(40, 40)))[0]
    np.testing.assert_allclose(cka.cka(cka.gram(1e3 * x @ turn), brains), scores[0], rtol=1e-10)
    distances = cka.distance_gram(pdist(z, "sqeuclidean"))
    np.testing.assert_allclose(distances, brains[0], atol=1e-9)


def test_undefined_is_nan() -> None:
    x, y, z = patterns()
    constant = cka.gram(np.full((18, 5), 0.1))
    missing = cka.gram(z)
    missing[3, 4] = missing[4, 3] = np.nan
    for debiased in (True, False):
        scores = cka.cka(np.stack([constant, missing, cka.gram(x)]), cka.gram(y), debiased)
        np.testing.assert_array_equal(np.isnan(scores), [True, True, False])
    assert np.isnan(cka.cka(cka.gram(x[:3]), cka.gram(y[:3])))
    x[2, 1] = np.nan
    np.testing.assert_array_equal(cka.gram(x), cka.gram(np.delete(x, 1, axis=1)))


def test_permutations_move_rows_and_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "CELLS_AT_ONCE", 100)
    x, y, z = (cka.gram(p) for p in patterns())
    orders = permutations(18, 8, seed=2)
    for debiased in (True, False):
        models, brain = cka.prepared(np.stack([x, y]), debiased), cka.prepared(z, debiased)
        null = cka.permutation_null(models, brain, orders)
        expected = [
            cka.cka(np.stack([x, y]), z[np.ix_(order, order)], debiased) for order in orders
        ]
        np.testing.assert_allclose(null, expected, rtol=1e-10)
    assert cka.permutation_null(models[0], brain, orders).shape == (8,)


def test_bootstrap_counts_pairs() -> None:
    x, y, z = (cka.prepared(cka.gram(p)) for p in patterns())
    np.testing.assert_allclose(
        cka.bootstrap_scores(x, y, np.ones((1, 18)))[0], cka.products(x, y), rtol=1e-12
    )
    weights = bootstrap_weights(18, 5, seed=0)
    scores = cka.bootstrap_scores(np.stack([x, y]), z, weights)
    for draw, weight in enumerate(weights):
        rows = np.repeat(np.arange(18), weight.astype(int))
        a, b = (m[np.ix_(rows, rows)] for m in (y, z))  # zeros between copies
        expected = np.vdot(a, b) / np.sqrt(np.vdot(a, a) * np.vdot(b, b))
        np.testing.assert_allclose(scores[draw, 1], expected, rtol=1e-10)


def test_fixed_centring_is_the_bootstrap_to_first_order() -> None:
    """Where every draw is centred anew, draws of 150 stimuli spread alike."""
    x, y, _ = (cka.gram(p) for p in patterns(150))
    weights = bootstrap_weights(150, 200, seed=0)
    fixed = cka.bootstrap_scores(cka.prepared(x, False), cka.prepared(y, False), weights)
    rows = [np.repeat(np.arange(150), w.astype(int)) for w in weights]
    anew = [cka.cka(x[np.ix_(r, r)], y[np.ix_(r, r)], debiased=False) for r in rows]
    assert np.corrcoef(fixed, anew)[0, 1] > 0.95
    assert 0.9 < np.std(fixed) / np.std(anew) < 1.1


def test_noise_scores_zero_debiased_only() -> None:
    random = np.random.default_rng(3)
    orders = permutations(16, 99, seed=0)
    scores, biased, p_values = [], [], []
    for _ in range(500):
        x, y = (cka.gram(random.normal(size=(16, p))) for p in (60, 30))
        scores.append(cka.cka(x, y))
        biased.append(cka.cka(x, y, debiased=False))
        null = cka.permutation_null(cka.prepared(x), cka.prepared(y), orders)
        p_values.append(p_value(scores[-1], null))
    assert abs(np.mean(scores)) < 0.01
    assert np.mean(biased) > 0.5
    assert kstest(p_values, "uniform").pvalue > 0.01
