"""What a fit job keeps: by size, so that thousands of stimuli and hundreds of areas have room."""

import numpy as np
import pytest

from cortiscope.mappings import held_out, regressions
from cortiscope.mappings.regressions import Regressions, Sample
from cortiscope.mappings.ridge import Scorer as RidgeScorer
from cortiscope.mappings.unit_weighted import Scorer
from tests.regression_scene import layers, planted, settings
from tests.synthetic_areas import area


def sample(stimuli):
    return Sample(stimuli, stimuli % 10)


@pytest.mark.parametrize(("n_stimuli", "kept"), [(119, 15), (240, 15), (5000, 1)])
def test_sets_of_stimuli_are_kept_by_their_size(n_stimuli, kept):
    """All stimuli, halves of them, and those of the jackknife; of thousands all alone."""
    kept_of = Regressions(lambda features, folds: object(), np.zeros((n_stimuli, 1)))
    number = np.arange(n_stimuli)
    halves = [np.random.default_rng(i).permutation(n_stimuli)[: n_stimuli // 2] for i in range(4)]
    sets = [number, *halves, *(number[number % 10 != left_out] for left_out in range(10))]
    first = [kept_of.on(sample(stimuli)) for stimuli in sets]
    again = [kept_of.on(sample(stimuli)) for stimuli in sets]
    assert sum(one is other for one, other in zip(first, again, strict=True)) == kept
    assert again[0] is first[0]


def test_permutations_of_neuroids_with_missing_responses_prepare_nothing_anew(monkeypatch):
    """Neither where the preparation of the observed responses is kept, nor where it has no room."""
    scene = layers(40, 2)[:1]
    response = planted(scene[0], 3, 2).response
    response[30:, :, 1] = np.nan
    response[::3, :, 2] = np.nan
    prepare, prepared = RidgeScorer.prepare, []

    def counted(self, features, folds):
        prepared.append(len(features))
        return prepare(self, features, folds)

    monkeypatch.setattr(RidgeScorer, "prepare", counted)
    for room, expected in ((regressions.ROOM, 3), (0, 3 + 2)):  # the first is always kept
        monkeypatch.setattr(regressions, "ROOM", room)
        for n_permutations in (8, 40):
            prepared.clear()
            scene[0].made.clear()
            scorer = RidgeScorer(area(response), settings("ridge", n_permutations), {})
            monkeypatch.setattr(scorer, "_selection", lambda _: np.zeros((0, 2)))
            scorer.score(scene[0])
            assert len(prepared) == expected


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
