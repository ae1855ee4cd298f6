"""Every mapping that predicts neuroids keeps a gap, whatever a neuroid was recorded on."""

import numpy as np
import pytest

from cortiscope.mappings.fitting import fit
from cortiscope.mappings.kinds import MAPPINGS
from tests.mappings.test_dependent_stimuli import drifting, settings
from tests.synthetic_areas import area, layer

PREDICT = [name for name, kind in MAPPINGS.items() if kind.of_neuroids]


@pytest.mark.parametrize("mapping", PREDICT)
def test_a_neuroid_with_nothing_to_train_on_beside_the_gap_has_no_score(mapping: str) -> None:
    """The others have the scores that they have without it."""
    features, _ = drifting(0, 60)
    response = features[:, :5] + 0.1 * np.random.default_rng(1).normal(size=(60, 5))
    response[:, 0] = np.where(np.arange(60) < 8, response[:, 0], np.nan)
    given = settings(3, 3, block=6, gap=6) | {"selection": {"method": "nested"}}
    every, others = (
        fit(mapping, [layer(features)], area(of[:, None]), given)
        for of in (response, response[:, 1:])
    )
    score = every["score"].values[0]
    assert np.isnan(score[0])
    assert (score[1:] > 0.2).all()
    np.testing.assert_allclose(score[1:], others["score"].values[0], atol=1e-5)
    assert np.isfinite(every["area_null"].values).all()
    assert every["area_score"].values[0] == pytest.approx(others["area_score"].values[0], abs=1e-5)
