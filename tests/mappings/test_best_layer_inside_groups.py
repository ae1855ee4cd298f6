"""What score files keep to choose the best layer by: sums of groups, and scores without each."""

import numpy as np
import pytest
from numpy.typing import NDArray

from cortiscope.mappings.fitting import fit
from cortiscope.mappings.kinds import MAPPINGS
from cortiscope.mappings.scores import BY_GROUP
from cortiscope.regression.cross_validation import fold_numbers
from cortiscope.statistics import standard_errors
from tests.regression_scene import CONFIG, layers, planted, settings
from tests.synthetic_areas import area

NESTED = CONFIG["selection"]
N = 90
KINDS = [name for name, kind in MAPPINGS.items() if kind.of_neuroids and not kind.joint]


def values(kind: str, scene: list, of, **sections) -> dict[str, NDArray]:
    asked = settings(kind, **({"selection": NESTED} | sections))
    coordinates = {"part": np.where(np.arange(N) % 3, "train", "test")}
    return {name: one.values for name, one in fit(kind, scene, of, asked, coordinates).items()}


@pytest.mark.parametrize("kind", KINDS)
def test_groups_add_up_to_the_score(kind: str) -> None:
    scene = layers(N)
    recorded = planted(scene[1]).response
    recorded[60:, :, 3] = np.nan
    recorded[:, :, 4] = 1.0
    found = values(kind, scene, area(recorded), n_draws=5)
    left_out, products, squares = (found[name].astype(float) for name in BY_GROUP)
    assert left_out.shape == products.shape == (3, 10, 12)
    whole = products.sum(axis=1) / np.sqrt(squares.sum(axis=1))
    np.testing.assert_allclose(whole, found["score"], atol=2e-6)
    assert np.isnan(found["score"][:, 4]).all()
    assert "selection_score" not in found
    # The layer that holds the code is chosen for every group, by all neuroids.
    assert (np.nanmean(left_out, axis=2).argmax(axis=0) == 1).all()


def test_without_draws_and_with_halves() -> None:
    scene = layers(N)
    recorded = planted(scene[1])
    none = values("ridge", scene, recorded)
    drawn = values("ridge", scene, recorded, n_draws=5)
    for name in BY_GROUP:
        np.testing.assert_array_equal(none[name], drawn[name])
    halves = values("ridge", scene, recorded, selection=NESTED | {"method": "halves"})
    assert not set(BY_GROUP) & set(halves)
    assert "selection_score" in halves
    np.testing.assert_array_equal(halves["score"], none["score"])


def test_a_group_has_no_part_in_the_score_without_it() -> None:
    """Its responses change nothing of that, but through the strength that all stimuli chose."""
    scene = layers(N)
    recorded = planted(scene[1], 6, 1).response
    groups = standard_errors.deletion_groups(fold_numbers(N, 10, 0), 0)
    other = recorded.copy()
    other[groups == 4] = np.random.default_rng(9).normal(size=other[groups == 4].shape)
    single = {"ridge": CONFIG["ridge"] | {"alphas": [1.0]}}
    before, after = (
        values("ridge", scene, area(one), **single)["left_out_score"] for one in (recorded, other)
    )
    np.testing.assert_allclose(after[:, 4], before[:, 4], atol=1e-5)
    assert np.abs(after[:, 3] - before[:, 3]).min() > 1e-3


def test_of_a_given_split_layers_are_chosen_on_the_training_stimuli() -> None:
    scene = layers(N)
    recorded = planted(scene[1], 6, 1).response
    split = {"cross_validation": CONFIG["cross_validation"] | {"split": "part"}}
    found = values("ridge", scene, area(recorded), n_draws=5, **split)
    left_out, products, squares = (found[name].astype(float) for name in BY_GROUP)
    assert left_out.shape == (3, 1, 6)
    np.testing.assert_allclose(products[:, 0] / np.sqrt(squares[:, 0]), found["score"], atol=2e-6)
    trained = np.arange(N) % 3 != 0
    alone = [type(one)(one.name, one.features[trained], one.feature_mean[trained], one.attributes,
                       ones=one.ones) for one in scene]  # fmt: skip
    expected = fit("ridge", alone, area(recorded[trained]), settings("ridge", selection=NESTED))
    np.testing.assert_allclose(left_out[:, 0], expected["score"].values, atol=1e-6)


@pytest.mark.parametrize("kind", ["rsa", "cka", "unit_weighted", "stacked"])
def test_nothing_is_kept_where_nothing_is_held_out_or_chosen(kind: str) -> None:
    scene = layers(30)
    found = fit(kind, scene, planted(scene[0]), settings(kind, n_draws=5, selection=NESTED))
    assert not {*BY_GROUP, "selection_score"} & set(found)
