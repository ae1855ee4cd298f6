"""Adjusted p-values against scipy and textbook formulas; pairs of models against known truths."""

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from cortiscope.errors import InputError
from cortiscope.statistics import multiple_comparisons


def test_fdr_is_that_of_scipy() -> None:
    random = np.random.default_rng(0)
    for size in (1, 2, 7, 60):
        p = random.random(size) ** 3
        expected = false_discovery_control(p)
        np.testing.assert_allclose(multiple_comparisons.benjamini_hochberg(p), expected, rtol=1e-13)


def test_holm_is_its_definition() -> None:
    """The adjusted value is the lowest level at which the procedure of 1979 rejects."""
    p = np.random.default_rng(1).random(8) ** 2
    ours = multiple_comparisons.holm(p)
    ordered = np.sort(p)
    for test, adjusted in enumerate(ours):
        if adjusted == 1:
            continue
        for level, rejected in ((adjusted - 1e-9, False), (adjusted + 1e-9, True)):
            passed = ordered <= level / (8 - np.arange(8))
            n_rejected = 8 if passed.all() else int(np.argmin(passed))
            assert (p[test] <= ordered[:n_rejected].max(initial=-1)) == rejected


def test_missing_p_values_are_no_tests() -> None:
    p = np.array([0.01, np.nan, 0.04, 0.03])
    np.testing.assert_allclose(multiple_comparisons.holm(p), [0.03, np.nan, 0.06, 0.06])
    np.testing.assert_allclose(multiple_comparisons.adjust(p, "fdr"), [0.03, np.nan, 0.04, 0.04])
    assert np.isnan(multiple_comparisons.holm(np.array([np.nan]))).all()
    assert len(multiple_comparisons.holm(np.empty(0))) == 0
    with pytest.raises(InputError, match="bonferroni"):
        multiple_comparisons.adjust(p, "bonferroni")


def test_family_wise_error_and_false_discoveries() -> None:
    random = np.random.default_rng(0)
    claimed, false_share = 0, []
    for _ in range(1000):
        p = random.random(20)
        claimed += multiple_comparisons.holm(p).min() <= 0.05
        p[:10] **= 8
        found = multiple_comparisons.benjamini_hochberg(p) <= 0.1
        false_share.append(found[10:].sum() / max(1, found.sum()))
    assert claimed / 1000 == pytest.approx(0.05, abs=0.02)
    assert np.mean(false_share) == pytest.approx(0.05, abs=0.01)  # half of the tests are null


def test_pairs_share_what_is_hard() -> None:
    random = np.random.default_rng(0)
    common = 0.2 * random.normal(size=2000)
    scores = np.array([0.6, 0.5, 0.5, np.nan])
    own = 0.01 * random.normal(size=(4, 2000))
    draws = scores[:, None] - 0.05 + common + own  # a bias that all draws share
    pairs = multiple_comparisons.compare_models(scores, draws, "holm")
    assert list(zip(pairs.first, pairs.second, strict=True)) == [
        (0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3),
    ]  # fmt: skip
    np.testing.assert_allclose(pairs.difference[[0, 3]], [0.1, 0])
    half = 1.96 * 0.01 * np.sqrt(2)
    np.testing.assert_allclose([pairs.low[0], pairs.high[0]], [0.1 - half, 0.1 + half], atol=3e-3)
    assert pairs.p[0] == pytest.approx(2 / 2001)
    assert pairs.p_adjusted[0] == pytest.approx(6 / 2001)
    assert pairs.p[3] > 0.5
    assert np.array_equal(np.isnan(pairs.p), np.array([0, 0, 1, 0, 1, 1], bool))
