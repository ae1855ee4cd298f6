"""A planted region is found; spheres and scores are those of explicit loops."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.stats import spearmanr

from cortiscope.errors import InputError
from cortiscope.similarity import rsa, searchlight

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
        next(searchlight.spheres(coordinates, 0.0))
    coordinates[0, 0] = np.nan
    with pytest.raises(InputError, match="x, y, z"):
        next(searchlight.spheres(coordinates, 1.0))
