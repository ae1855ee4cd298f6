"""The null of who saw some of the stimuli: no order leaves them as they are, or mixes in others."""

from dataclasses import replace

import numpy as np
import pytest

from cortiscope.mappings.fitting import fit
from cortiscope.regression.cross_validation import CrossValidation
from tests.mappings.test_dependent_stimuli import settings
from tests.synthetic_areas import area, layer

N, LEAST = 100, 6
STRETCHES = CrossValidation(5, 0, None, None, block=LEAST)
SOME = {
    "one piece": np.arange(50),
    "two pieces": np.r_[:20, 70:100],
    "every second": np.arange(0, N, 2),
}


@pytest.mark.parametrize("name", list(SOME))
def test_those_of_some_are_shifted_by_as_much_of_their_ring(name: str) -> None:
    some, orders = SOME[name], STRETCHES.orders(N, 300, 0)
    own = STRETCHES.orders_among(orders, some)
    by = own[:, 0]
    np.testing.assert_array_equal(own, (np.arange(len(some)) + by[:, None]) % len(some))
    assert by.min() == LEAST
    assert by.max() == len(some) - LEAST
    np.testing.assert_allclose(by / len(some), orders[:, 0] / N, atol=0.08)


def test_those_of_all_stay_as_they_are() -> None:
    orders = STRETCHES.orders(N, 50, 0)
    np.testing.assert_array_equal(STRETCHES.orders_among(orders, np.arange(N)), orders)


def test_of_a_given_split_training_stimuli_stay_in_their_places() -> None:
    random = np.random.default_rng(0)
    test = random.random(60) < 0.4
    split = CrossValidation(5, 0, None, test)
    some = np.flatnonzero(random.random(60) < 0.7)
    places, orders = np.flatnonzero(test), np.tile(np.arange(60), (20, 1))
    orders[:, places] = random.permuted(orders[:, places], axis=1)
    own = split.orders_among(orders, some)
    np.testing.assert_array_equal(np.sort(own, axis=1), np.tile(np.arange(len(some)), (20, 1)))
    trained = np.flatnonzero(~test[some])
    np.testing.assert_array_equal(own[:, trained], np.tile(trained, (20, 1)))
    assert (own != np.arange(len(some))).any(axis=1).all()


@pytest.mark.parametrize("mapping", ["ridge", "pls", "rsa", "cka"])
def test_the_null_of_a_subject_that_saw_half_of_the_file_is_about_zero(mapping: str) -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(N, 12))
    response = features @ random.normal(size=(12, 10)) + random.normal(size=(N, 10))
    response[50:, :5] = np.nan
    of = replace(area(response[:, None]), metadata={"subject": np.repeat(["s0", "s1"], 5)})
    found = fit(mapping, [layer(features)], of, settings(60, block=LEAST))
    assert (found["subject_score"].values[0] > 0.3).all()
    assert (np.abs(found["subject_null_mean"].values[0]) < 0.05).all()
    assert (found["subject_p_value"].values[0] < 0.05).all()
