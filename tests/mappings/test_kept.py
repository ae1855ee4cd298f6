"""What a fit job keeps: by size, so that thousands of stimuli and hundreds of areas have room."""

import numpy as np
import pytest

from cortiscope.mappings import held_out
from cortiscope.mappings.regressions import Regressions, Sample
from cortiscope.mappings.unit_weighted import Scorer
from tests.regression_scene import layers, planted, run, settings
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


def test_areas_share_the_room_for_permuted_dissimilarities(monkeypatch):
    """What has no room is made anew for every layer, with the same scores."""
    scene = layers(30, 2)
    whole, options = planted(scene[0], 3, 2), settings("unit_weighted", n_permutations=4)
    before = held_out.HeldOutSimilarity.cells_kept
    first = Scorer(whole, options, {})
    monkeypatch.setattr(held_out, "KEPT_CELLS", before + 2 * 4 * first.n_cells - 1)
    second = Scorer(whole, options, {})
    nulls = [[scorer.score(layer).area_null for layer in scene] for scorer in (first, second)]
    np.testing.assert_array_equal(*nulls)
    assert first.kept
    assert not second.kept
    del first
    assert held_out.HeldOutSimilarity.cells_kept == before
