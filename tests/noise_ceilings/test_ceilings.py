"""What a ceilings file holds, by either method."""

import numpy as np
import pytest

from cortiscope.noise_ceilings import ceilings, oracle
from tests.synthetic_areas import area


def test_ceilings_are_those_of_the_method_asked_for() -> None:
    random = np.random.default_rng(0)
    signal = np.sqrt(0.4) * random.normal(size=(150, 1, 40))
    brain = area(signal + np.sqrt(0.6) * random.normal(size=(150, 6, 40)))
    brain.response[:, :, 0] = random.normal(size=(150, 6))
    halves, _ = ceilings.area_ceilings(brain, 20, 0)
    found, n_unreliable = ceilings.area_ceilings(brain, 20, 0, method="oracle")
    theirs = oracle.leave_one_repetition_out(brain.response)
    for name in ("reliability", "ceiling", "ceiling_half"):
        np.testing.assert_array_equal(found[name].values, getattr(theirs.ceiling, name))
    assert n_unreliable == (theirs.score <= 0).sum()
    assert found["area_ceiling"].values == pytest.approx(np.nanmean(theirs.ceiling.ceiling))
    assert found["area_ceiling"].values != halves["area_ceiling"].values
    truth = np.sqrt(6 * 0.4 / (1 + 5 * 0.4))
    for estimate in (halves, found):
        assert estimate["ceiling"].values[1:].mean() == pytest.approx(truth, abs=0.02)
    # There are no oracles of similarities.
    for name in ("rdm_ceiling", "cka_ceiling_half"):
        assert found[name].values == halves[name].values


def test_noise_is_counted_by_either_method() -> None:
    brain = area(np.random.default_rng(1).normal(size=(60, 4, 200)))
    for method in ("split_half", "oracle"):
        found, n_unreliable = ceilings.area_ceilings(brain, 10, 0, method=method)
        reliability = found["reliability"].values
        assert n_unreliable == (reliability <= 0).sum() == np.isnan(found["ceiling"].values).sum()
        assert n_unreliable > 50
