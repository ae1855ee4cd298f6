"""What is kept of a layer's regressions: by size, so that thousands of stimuli fit in memory."""

import numpy as np
import pytest

from cortiscope.mappings.regressions import Regressions, Sample
from tests.regression_scene import layers, planted, run
from tests.synthetic_areas import area


def sample(stimuli):
    return Sample(stimuli, stimuli % 10)


@pytest.mark.parametrize(("n_stimuli", "kept"), [(119, 15), (240, 15), (5000, 1)])
def test_sets_of_stimuli_are_kept_by_their_size(n_stimuli, kept):
    """All stimuli, halves of them, and those of the jackknife; of thousands all alone."""
    regressions = Regressions(lambda features, folds: object(), np.zeros((n_stimuli, 1)))
    number = np.arange(n_stimuli)
    halves = [np.random.default_rng(i).permutation(n_stimuli)[: n_stimuli // 2] for i in range(4)]
    sets = [number, *halves, *(number[number % 10 != left_out] for left_out in range(10))]
    first = [regressions.on(sample(stimuli)) for stimuli in sets]
    again = [regressions.on(sample(stimuli)) for stimuli in sets]
    assert sum(one is other for one, other in zip(first, again, strict=True)) == kept
    assert again[0] is first[0]


def test_what_is_used_once_takes_no_place():
    regressions = Regressions(lambda features, folds: object(), np.zeros((20, 1)))
    whole, part = sample(np.arange(20)), sample(np.arange(10))
    known = regressions.on(whole)
    once = regressions.for_once()
    assert once.on(whole) is known
    assert once.on(part) is not once.on(part)
    assert len(regressions.kept) == 1


def test_permutations_of_neuroids_with_missing_responses_are_not_kept():
    """Each has stimuli of its own."""
    scene = layers(40, 2)[:1]
    response = planted(scene[0], 3, 2).response
    response[30:, :, 2] = np.nan
    run("ridge", scene, area(response), n_permutations=8)
    (regressions,) = scene[0].made.values()
    assert len(regressions.kept) == 2
