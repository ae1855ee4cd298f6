"""Searchlight RSA: where in a volume of voxels the dissimilarities are those of a layer.

Kriegeskorte, Goebel and Bandettini (2006), PNAS 103:3863. Around every voxel a sphere; the RDM of
the voxels in it (1 − Pearson, see `rsa`) is compared by Spearman with those of all layers at once.
Spheres go by in blocks, so that the memory needed does not grow with the volume, and permutations
in blocks, for each of which all spheres are made again. The largest score anywhere under permuted
stimuli gives p-values for the whole volume (Nichols and Holmes 2002, Hum Brain Mapp 15:1): no more
than their level of false regions in all.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cortiscope.errors import InputError
from cortiscope.experiment.responses import Area
from cortiscope.similarity import rsa
from cortiscope.statistics.resampling import permutations

AXES = ("x", "y", "z")
CELLS_AT_ONCE = 2**21  # of the RDMs of a block of spheres: 16 MB, and as much again to rank them
RANKS_AT_ONCE = 2**28  # of the permuted RDMs of layers: 2 GB
SCORES_AT_ONCE = 2**24  # of a block of spheres with these: 128 MB


@dataclass(frozen=True)
class Searchlight:
    """score: (layer, voxel), Spearman in -1..1. p: (layer, voxel), for the whole volume.

    size: (voxel,), voxels in the sphere. NaN: a sphere too small, or a stimulus without variation
    over it; p without permutations.
    """

    score: NDArray
    p: NDArray
    size: NDArray


def spheres(coordinates: NDArray, radius: float) -> Iterator[tuple[int, NDArray]]:
    """The voxels (number,) within the radius of each voxel, itself among them.

    coordinates (voxel, axis), radius in the same unit. Raises InputError for a radius that is not
    positive or a missing coordinate.
    """
    from scipy.spatial import cKDTree  # not for whoever asks only how large a block is

    if not 0 < radius < np.inf:
        raise InputError("searchlight.radius", f"{radius} is no radius", "give one above 0")
    if not np.isfinite(coordinates).all():
        raise InputError("responses: x, y, z", "missing for some voxels", "leave these voxels out")
    tree = cKDTree(coordinates)
    for start in range(0, len(coordinates), 1024):
        found = tree.query_ball_point(coordinates[start : start + 1024], radius, return_sorted=True)
        for number, members in enumerate(found, start):
            yield number, np.array(members)


def voxel_coordinates(area: Area, where: str) -> NDArray:
    """Where the voxels of an area are: (voxel, axis). Raises InputError where it does not say."""
    missing = [axis for axis in AXES if axis not in area.metadata]
    if missing:
        raise InputError(
            f"{where}: {missing[0]}",
            f"no such coordinate of the voxels of {area.name!r}",
            "add x, y and z, or set searchlight.radius to 0",
        )
    return np.stack([np.asarray(area.metadata[axis], dtype=float) for axis in AXES], axis=1)


def sphere_scores(
    responses: NDArray,
    coordinates: NDArray,
    models: NDArray,
    radius: float,
    count: int = 0,
    seed: int = 0,
) -> Searchlight:
    """Compare the RDM of the sphere around every voxel with the RDMs of layers.

    responses (stimulus, voxel): voxels that miss a response are in no sphere, and spheres of
    fewer than two voxels have no RDM. coordinates (voxel, axis). models (layer, cell), the cells
    in the order of `rsa`. count: permutations of the stimuli of the models, each with one more
    comparison a sphere and layer, for p.
    """
    known = np.flatnonzero(np.isfinite(responses).all(axis=0))
    patterns = np.asarray(responses, dtype=np.float64).T[known]
    n_layers, n_voxels = len(models), responses.shape[1]
    ranks = rsa.ranks(models)
    # (permutation, stimulus): the stimuli as they are, then permuted
    orders = np.stack([np.arange(len(responses)), *permutations(len(responses), count, seed)])
    score, size = np.full((n_layers, n_voxels), np.nan), np.zeros(n_voxels, dtype=int)
    highest = np.full((len(orders), n_layers), -np.inf)
    at_once = permutations_at_once(len(orders), models.size)
    for start in range(0, len(orders), at_once):
        part = slice(start, start + at_once)
        compared = _permuted(ranks, orders[part])  # (permutation * layer, cell)
        for numbers, sizes, cells in _blocks(patterns, coordinates[known], radius, len(compared)):
            # (permutation * layer, cell) x (cell, sphere)
            found = (compared @ rsa.ranks(cells).T).reshape(-1, n_layers, len(numbers))
            if start == 0:
                score[:, known[numbers]], size[known[numbers]] = found[0], sizes
            # Spheres without an RDM are passed over.
            highest[part] = np.fmax(highest[part], np.fmax.reduce(found, axis=2))
    return Searchlight(score, _whole_volume_p(score, highest[1:]), size)


def permutations_at_once(count: int, n_cells: int) -> int:
    """How many of so many permutations are compared at once; n_cells: of all layers' RDMs."""
    return max(1, min(count, RANKS_AT_ONCE // max(1, n_cells)))


def _permuted(ranks: NDArray, orders: NDArray) -> NDArray:
    """The ranks (layer, cell) by each order of the stimuli: (order * layer, cell)."""
    first, second = np.triu_indices(orders.shape[1], 1)
    cell = rsa.square(np.arange(len(first))).astype(int)
    moved = np.empty((len(orders), *ranks.shape))
    for place, order in zip(moved, orders, strict=True):
        place[:] = ranks[:, cell[order[first], order[second]]]
    return moved.reshape(-1, ranks.shape[1])


def _blocks(
    patterns: NDArray, coordinates: NDArray, radius: float, n_compared: int
) -> Iterator[tuple[NDArray, NDArray, NDArray]]:
    """Blocks of spheres: their voxel numbers, sizes and RDMs (sphere, cell).

    patterns (voxel, stimulus). n_compared: the RDMs that each is compared with.
    """
    n_stimuli = patterns.shape[1]
    n_cells = n_stimuli * (n_stimuli - 1) // 2
    step = max(1, min(CELLS_AT_ONCE // max(1, n_cells), SCORES_AT_ONCE // n_compared))
    numbers: list[int] = []
    sizes: list[int] = []
    cells: list[NDArray] = []
    for number, members in spheres(coordinates, radius):
        numbers.append(number)
        sizes.append(len(members))
        cells.append(rsa.pearson_rdm(patterns[members].T))
        if len(numbers) == step:
            yield np.array(numbers), np.array(sizes), np.array(cells)
            numbers, sizes, cells = [], [], []
    if numbers:
        yield np.array(numbers), np.array(sizes), np.array(cells)


def _whole_volume_p(score: NDArray, highest: NDArray) -> NDArray:
    """(1 + permutations whose highest score anywhere reaches it) / (1 + permutations)."""
    count = len(highest)
    if not count:
        return np.full(score.shape, np.nan)
    reached = [
        count - np.searchsorted(np.sort(null), own, side="left")
        for own, null in zip(score, highest.T, strict=True)
    ]
    return np.where(np.isfinite(score), (1 + np.array(reached)) / (1 + count), np.nan)
