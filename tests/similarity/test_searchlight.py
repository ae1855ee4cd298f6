"""A planted region is found; spheres and scores are those of explicit loops."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.stats import spearmanr

from cortiscope.errors import InputError
from cortiscope.similarity import rsa, searchlight
from cortiscope.statistics.resampling import permutations

N_STIMULI = 24


def volume(seed: int = 0, side: int = 9) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Voxels on a grid; those near (2, 2, 2) follow the first layer, near (6, 6, 6) the second."""
    random = np.random.default_rng(seed)
    coordinates = np.stack(np.meshgrid(*[np.arange(side)] * 3), axis=-1).reshape(-1, 3) * 3.0
    layers = random.normal(size=(2, N_STIMULI, 30))
    responses = random.normal(size=(N_STIMULI, len(coordinates)))
    for layer, corner in zip(layers, (6.0, 18.0), strict=True):
        near = np.linalg.norm(coordinates - corner, axis=1) < 6.5
        responses[:, near] += 0.5 * layer @ random.normal(size=(30, near.sum()))
    return responses, coordinates, np.stack([rsa.pearson_rdm(layer) for layer in layers]), layers


def test_planted_regions_are_found() -> None:
    responses, coordinates, models, _ = volume()
    found = searchlight.sphere_scores(responses, coordinates, models, 6.5, count=99, seed=0)
    for layer, corner in enumerate((6.0, 18.0)):
        distance = np.linalg.norm(coordinates - corner, axis=1)
        assert distance[found.score[layer].argmax()] <= 3
        significant = found.p[layer] <= 0.05
        assert significant[distance < 3.5].all()
        assert not significant[distance > 13].any()


def test_scores_are_those_of_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    responses, coordinates, models, _ = volume(side=4)
    monkeypatch.setattr(searchlight, "CELLS_AT_ONCE", 2000)
    responses[3, 7] = np.nan
    found = searchlight.sphere_scores(responses, coordinates, models, 4.0)
    known = np.isfinite(responses).all(axis=0)
    assert np.isnan(found.p).all()
    for voxel in range(len(coordinates)):
        near = (cdist(coordinates[[voxel]], coordinates)[0] <= 4.0) & known
        assert found.size[voxel] == (near.sum() if known[voxel] else 0)
        if known[voxel]:
            expected = spearmanr(models[1], rsa.pearson_rdm(responses[:, near]))[0]
            assert found.score[1, voxel] == pytest.approx(expected, rel=1e-10)
    assert np.isnan(found.score[:, 7]).all()


def test_blocks_of_permutations_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few of them are held at a time, the last of which is smaller."""
    responses, coordinates, models, _ = volume(side=4)
    responses[3, 7] = np.nan

    def found() -> searchlight.Searchlight:
        return searchlight.sphere_scores(responses, coordinates, models, 4.0, count=19, seed=0)

    whole, held = found(), []
    permuted = searchlight._permuted

    def watched(ranks: NDArray, orders: NDArray) -> NDArray:
        held.append(len(orders))
        return permuted(ranks, orders)

    monkeypatch.setattr(searchlight, "RANKS_AT_ONCE", 3 * models.size)
    monkeypatch.setattr(searchlight, "SCORES_AT_ONCE", 60)  # 10 spheres
    monkeypatch.setattr(searchlight, "_permuted", watched)
    blocks = found()
    assert held == [3] * 6 + [2]
    np.testing.assert_allclose(blocks.score, whole.score, rtol=1e-12)
    np.testing.assert_array_equal(blocks.p, whole.p)
    np.testing.assert_array_equal(blocks.size, whole.size)


def turned(degrees: float) -> NDArray:
    """Rotation about two axes."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    about_z, about_x = [[c, -s, 0], [s, c, 0], [0, 0, 1]], [[1, 0, 0], [0, c, -s], [0, s, c]]
    return np.array(about_z) @ np.array(about_x)


@pytest.mark.parametrize(
    ("size", "reach", "offset", "degrees", "dtype"),
    [
        (1.8, 3, 0.0, 0, "f8"),
        (2.2, 3, -90.3, 0, "f8"),
        (1.0, 3, 0.0, 30, "f8"),
        (2.0, 2, 0.1, 0, "f4"),
        (1.5, 4, -126.0, 17, "f4"),
        (0.001, 3, 0.3, 30, "f8"),
        (25.0, 3, 90000.0, 11, "f4"),  # micrometres
        (1, 5, 7, 0, "i4"),
    ],
)
def test_voxels_at_exactly_the_radius_are_in_the_sphere(
    size: float, reach: int, offset: float, degrees: float, dtype: str
) -> None:
    """As many as there are points of whole numbers, in whatever unit and place a grid lies."""
    side = 2 * reach + 3
    grid = np.stack(np.meshgrid(*[np.arange(side)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    places = ((grid * size) @ turned(degrees).T + offset).astype(dtype)
    inside = ((grid >= reach) & (grid < side - reach)).all(axis=1)
    expected = (np.square(grid - side // 2).sum(axis=1) <= reach**2).sum()
    found = searchlight.Spheres(places, round(reach * size, 6)).around(np.flatnonzero(inside))
    assert [len(members) for members in found] == [expected] * 27


def two_subjects(shift: float) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Responses and places of two subjects on one grid (or two), the RDM of the layer, subjects.

    The first follows the layer, the second is noise; their voxels come in turn.
    """
    random = np.random.default_rng(0)
    grid = np.stack(np.meshgrid(*[np.arange(5)] * 3), axis=-1).reshape(-1, 3) * 3.0
    layer = random.normal(size=(N_STIMULI, 30))
    signal = layer @ random.normal(size=(30, len(grid))) / 5
    responses = np.stack([signal, np.zeros_like(signal)], axis=2)
    responses += 0.7 * random.normal(size=responses.shape)
    places = np.stack([grid, grid + shift], axis=1).reshape(-1, 3)
    who = np.tile(["signal", "noise"], len(grid))
    return responses.reshape(N_STIMULI, -1), places, rsa.pearson_rdm(layer)[None], who


@pytest.mark.parametrize("shift", [0.0, 1.5])
def test_spheres_are_of_one_subject(shift: float) -> None:
    """As if each had been searched alone, wherever the voxels of the other lie."""
    responses, places, model, who = two_subjects(shift)
    found = searchlight.sphere_scores(responses, places, model, 6.5, 19, subjects=who)
    for name in ("signal", "noise"):
        own = who == name
        alone = searchlight.sphere_scores(responses[:, own], places[own], model, 6.5, 19)
        np.testing.assert_allclose(found.score[:, own], alone.score, rtol=1e-10)
        np.testing.assert_array_equal(found.p[:, own], alone.p)
        np.testing.assert_array_equal(found.size[own], alone.size)
    noise = who == "noise"
    assert abs(found.score[0, noise].mean()) < 0.05
    assert found.score[0, ~noise].mean() > 0.3
    assert (found.p[0, noise] <= 0.05).mean() < 0.05
    assert (found.p[0, ~noise] <= 0.05).all()


def test_the_mean_over_subjects_is_at_the_places_that_they_share(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whose p-values are those of the mean under the same permutations."""
    monkeypatch.setattr(searchlight, "SCORES_AT_ONCE", 600)  # blocks of 30 voxels
    responses, places, model, who = two_subjects(0.0)
    places[who == "noise"] += 1e-5  # rounded otherwise
    places[1] += 1.0  # the second subject has no voxel at the first place
    responses[3, 8] = np.nan  # nor the first subject at the fifth
    found = searchlight.sphere_scores(responses, places, model, 6.5, 19, seed=1, subjects=who)
    expected = np.array([(2 * place, 2 * place + 1) for place in range(125) if place not in (0, 4)])
    by_number = np.sort(found.place.T, axis=1)
    np.testing.assert_array_equal(by_number[np.argsort(by_number[:, 0])], expected)
    np.testing.assert_allclose(
        found.mean_score, found.score[:, found.place].mean(axis=1), rtol=1e-10
    )
    reached = np.zeros(found.mean_score.shape)
    for order in permutations(N_STIMULI, 19, 1):
        permuted = rsa.square(model[0])[np.ix_(order, order)][np.triu_indices(N_STIMULI, 1)]
        null = searchlight.sphere_scores(responses, places, permuted[None], 6.5, subjects=who)
        reached += null.mean_score.max() >= found.mean_score
    np.testing.assert_allclose(found.mean_p, (1 + reached) / 20)
    assert searchlight.sphere_scores(responses, places, model, 6.5).place.size == 0


def test_p_values_hold_for_the_whole_volume() -> None:
    random = np.random.default_rng(0)
    coordinates = np.stack(np.meshgrid(*[np.arange(3)] * 3), axis=-1).reshape(-1, 3)
    lowest = []
    for seed in range(100):
        responses = random.normal(size=(12, len(coordinates)))
        model = rsa.pearson_rdm(random.normal(size=(12, 20)))[None]
        found = searchlight.sphere_scores(responses, coordinates, model, 1.0, count=19, seed=seed)
        lowest.append(np.nanmin(found.p))
    assert np.mean(np.array(lowest) <= 0.2) == pytest.approx(0.2, abs=0.1)


def test_lonely_voxels_and_bad_input() -> None:
    responses, coordinates, models, _ = volume(side=3)
    found = searchlight.sphere_scores(responses, coordinates, models, 1.0, count=2)
    assert np.isnan(found.score).all()
    assert np.isnan(found.p).all()
    assert (found.size == 1).all()
    with pytest.raises(InputError, match="radius"):
        searchlight.Spheres(coordinates, 0.0)
    coordinates[0, 0] = np.nan
    with pytest.raises(InputError, match="x, y, z"):
        searchlight.Spheres(coordinates, 1.0)
