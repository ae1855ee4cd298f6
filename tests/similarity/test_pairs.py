"""Sums over pairs in blocks are the direct formulae, in single precision to 1e-7."""

import numpy as np
import pytest

from cortiscope.noise_ceilings.noise import different
from cortiscope.similarity import pairs, rdm_standard_error, rsa
from cortiscope.statistics.halves import halves
from cortiscope.statistics.resampling import average_ranks, bootstrap_weights, permutations


@pytest.mark.parametrize(("single", "tolerance"), [(False, 1e-13), (True, 1e-6)])
def test_sums_in_blocks(single: bool, tolerance: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "CELLS_AT_ONCE", 300)
    monkeypatch.setattr(pairs, "ROWS", 7)
    monkeypatch.setattr(pairs, "MOST_IN_DOUBLE", 10 if single else 100)
    cells = np.random.default_rng(0).normal(size=(3, 435))
    cells /= np.linalg.norm(cells, axis=1, keepdims=True)
    squares = [rsa.square(row) for row in cells]
    orders, weights = permutations(30, 5, 0), bootstrap_weights(30, 6, 0)
    expected = [[(m * squares[2][np.ix_(o, o)]).sum() / 2 for m in squares[:2]] for o in orders]
    found = pairs.permuted_sums(cells[:2], squares[2], orders)
    np.testing.assert_allclose(found, expected, atol=tolerance)
    expected = [[w @ m @ w / 2 for m in squares] for w in weights]
    np.testing.assert_allclose(pairs.pair_sums(weights, cells), expected, atol=1e-12)


def test_ranks_and_what_lies_above_with_and_without_ties() -> None:
    cells = np.random.default_rng(0).normal(size=(2, 300))
    for values in (cells, np.round(cells, 1)):
        ranked = average_ranks(values)
        ranked -= ranked.mean(axis=1, keepdims=True)
        ranked /= np.linalg.norm(ranked, axis=1, keepdims=True)
        np.testing.assert_allclose(rsa.ranks(values), ranked, atol=1e-15)
        above = (values[0] >= values[0][:, None]) @ values[1] / 300
        spread = np.std(average_ranks(values[0])) / 300
        found = rdm_standard_error._mean_above(ranked[0], values[1])
        np.testing.assert_allclose(found, above / spread, atol=1e-10)


@pytest.mark.parametrize(("repetitions", "count"), [(2, 1), (3, 3), (4, 3), (6, 10)])
def test_splits_that_differ(repetitions: int, count: int) -> None:
    chosen = halves(repetitions, 100, 0)
    some, number = different(chosen)
    assert len(some) == count
    again = some[number]
    same = (again == chosen).all(axis=(1, 2)) | (again[:, ::-1] == chosen).all(axis=(1, 2))
    assert same.all()
