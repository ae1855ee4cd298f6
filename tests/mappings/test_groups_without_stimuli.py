"""Best layers inside groups of stimuli, of neuroids that were recorded in some of the groups."""

import numpy as np
import pytest

from cortiscope.mappings.fitting import fit
from cortiscope.mappings.kinds import MAPPINGS
from cortiscope.regression.cross_validation import CrossValidation
from cortiscope.statistics.standard_errors import deletion_groups
from tests.mappings.test_dependent_stimuli import settings
from tests.synthetic_areas import area, layer

PREDICT = [name for name, kind in MAPPINGS.items() if kind.of_neuroids and not kind.joint]


@pytest.mark.parametrize("missed", [0, 9])
@pytest.mark.parametrize("mapping", PREDICT)
def test_a_group_that_a_neuroid_was_not_recorded_in_adds_nothing(mapping: str, missed: int) -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(60, 12))
    response = features @ random.normal(size=(12, 4)) + random.normal(size=(60, 4))
    given = settings(0, 3) | {"selection": {"method": "nested"}}
    validation = CrossValidation.of(given["cross_validation"], {})
    groups = deletion_groups(validation.numbers(np.arange(60)), 0, np.arange(60))
    response[groups == missed, 0] = np.nan
    found = fit(mapping, [layer(features)], area(response[:, None]), given)
    products, squares = (found[name].values[0] for name in ("group_products", "group_squares"))
    assert products[missed, 0] == squares[missed, 0] == 0
    pooled = products.sum(axis=0) / np.sqrt(squares.sum(axis=0))
    np.testing.assert_allclose(pooled, found["score"].values[0], atol=1e-5)
