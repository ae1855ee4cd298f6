"""Searchlight RSA: where in a volume of voxels the dissimilarities are those of a layer.

Kriegeskorte, Goebel and Bandettini (2006), PNAS 103:3863. Around every voxel a sphere; the RDM of
the voxels in it (1 − Pearson, see `rsa`) is compared by Spearman with those of all layers at once.
Spheres go by in blocks, so that the memory needed does not grow with the volume, and permutations
in blocks, for each of which all spheres are made again. The largest score anywhere under permuted
stimuli gives p-values for the whole volume (Nichols and Holmes 2002, Hum Brain Mapp 15:1): no more
than their level of false regions in all.

Spheres are within one subject, on whose voxels the others' say nothing. Where all subjects have
voxels at the same place (of one template, say), their scores there are averaged as well.
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
# Of the radius: voxels that lie at exactly the radius are in the sphere, however coordinates were
# rounded. Those of the next distance on a grid are 2 % further for a radius of 5 voxels.
ROUNDED = 1e-4


@dataclass(frozen=True)
class Searchlight:
    """score: (layer, voxel), Spearman in -1..1. p: (layer, voxel), for the whole volume.

    size: (voxel,), voxels in the sphere. NaN: a sphere too small, or a stimulus without variation
    over it; p without permutations. Of several subjects, p is for the volume of the voxel's own.
    place: (subject, place), the voxels at the places where each of several subjects has one.
    mean_score, mean_p: (layer, place), of the mean over subjects.
    """

    score: NDArray
    p: NDArray
    size: NDArray
    place: NDArray
    mean_score: NDArray
    mean_p: NDArray


class Spheres:
    """The voxels within the radius of a voxel, itself among them, all of one subject."""

    def __init__(
        self, coordinates: NDArray, radius: float, subjects: NDArray | None = None
    ) -> None:
        """coordinates (voxel, axis), radius in the same unit. subjects (voxel,); None: all of one.

        Raises InputError for a radius that is not positive or a missing coordinate.
        """
        from scipy.spatial import cKDTree  # not for whoever asks only how large a block is

        if not 0 < radius < np.inf:
            raise InputError("searchlight.radius", f"{radius} is no radius", "give one above 0")
        if not np.isfinite(coordinates).all():
            remedy = "leave these voxels out"
            raise InputError("responses: x, y, z", "missing for some voxels", remedy)
        self.reach = radius + tolerance(coordinates, radius)
        self.places = np.asarray(coordinates, dtype=float)
        if subjects is not None:  # one more axis, on which no sphere reaches the next subject
            number = np.unique(subjects, return_inverse=True)[1]
            self.places = np.column_stack([self.places, 2 * self.reach * number])
        self.tree = cKDTree(self.places)

    def around(self, voxels: NDArray) -> list[NDArray]:
        """The numbers of the voxels in the sphere around each of some voxels."""
        found = self.tree.query_ball_point(self.places[voxels], self.reach, return_sorted=True)
        return [np.array(members) for members in found]


def tolerance(coordinates: NDArray, radius: float) -> float:
    """How far apart two places may be that are the same but for rounding, in their unit.

    A share of the radius, and the last digits of single precision where coordinates (voxel, axis)
    are stored in that.
    """
    last = np.finfo(np.float32 if coordinates.dtype == np.float32 else np.float64).eps
    return ROUNDED * radius + 4 * float(last) * float(np.abs(coordinates).max(initial=0))


def shared_places(coordinates: NDArray, subjects: NDArray, radius: float) -> NDArray:
    """The voxels (subject, place) of every place where each subject has one and only one.

    Of the first subject's; none where there is one subject.
    """
    from scipy.spatial import cKDTree

    names, rounded = np.unique(subjects), tolerance(coordinates, radius)
    if len(names) < 2:
        return np.empty((len(names), 0), int)
    of_each = [np.flatnonzero(subjects == name) for name in names]
    places = coordinates[of_each[0]]
    found = np.empty((len(names), len(places)), int)
    lone = np.ones(len(places), dtype=bool)
    for row, own in zip(found, of_each, strict=True):
        near = cKDTree(coordinates[own]).query_ball_point(places, rounded)
        lone &= np.array([len(members) == 1 for members in near])
        row[:] = [own[members[0]] if members else -1 for members in near]
    return found[:, lone]


def voxel_coordinates(area: Area, where: str) -> NDArray:
    """Where the voxels of an area are: (voxel, axis), as precisely as they are stored.

    Raises InputError where the recording does not say.
    """
    missing = [axis for axis in AXES if axis not in area.metadata]
    if missing:
        raise InputError(
            f"{where}: {missing[0]}",
            f"no such coordinate of the voxels of {area.name!r}",
            "add x, y and z, or set searchlight.radius to 0",
        )
    return np.stack([np.asarray(area.metadata[axis]) for axis in AXES], axis=1)


def sphere_scores(
    responses: NDArray,
    coordinates: NDArray,
    models: NDArray,
    radius: float,
    count: int = 0,
    seed: int = 0,
    subjects: NDArray | None = None,
) -> Searchlight:
    """Compare the RDM of the sphere around every voxel with the RDMs of layers.

    responses (stimulus, voxel): voxels that miss a response are in no sphere, and spheres of
    fewer than two voxels have no RDM. coordinates (voxel, axis). models (layer, cell), the cells
    in the order of `rsa`. count: permutations of the stimuli of the models, the same for all
    subjects, each with one more comparison a sphere and layer, for p. subjects (voxel,): whose a
    voxel is; None: all of one.
    """
    known = np.flatnonzero(np.isfinite(responses).all(axis=0))
    owner = np.zeros(responses.shape[1], int)
    if subjects is not None:
        owner = np.unique(subjects, return_inverse=True)[1]
    spheres = Spheres(coordinates[known], radius, owner[known])
    patterns = np.asarray(responses, dtype=np.float64).T[known]
    shared = shared_places(coordinates[known], owner[known], radius)
    # (permutation, stimulus): the stimuli as they are, then permuted
    orders = np.stack([np.arange(len(responses)), *permutations(len(responses), count, seed)])
    ranks, n_layers = rsa.ranks(models), len(models)
    whole = _Volume(n_layers, responses.shape[1], len(orders), owner.max(initial=0) + 1)
    mean = _Volume(n_layers, shared.shape[1], len(orders), 1)
    sizes = np.zeros(responses.shape[1], int)
    at_once = permutations_at_once(len(orders), models.size)
    for start in range(0, len(orders), at_once):
        part = slice(start, start + at_once)
        compared = _permuted(ranks, orders[part])  # (permutation * layer, cell)
        for voxels, places in _blocks(shared, owner[known], _spheres_at_once(compared)):
            found: list[NDArray] = []  # of each subject, at the same places
            for own in voxels:
                members = spheres.around(own)
                sizes[known[own]] = [len(sphere) for sphere in members]
                cells = np.array([rsa.pearson_rdm(patterns[sphere].T) for sphere in members])
                # (permutation * layer, cell) x (cell, sphere)
                scores = (compared @ rsa.ranks(cells).T).reshape(-1, n_layers, len(own))
                whole.take(part, known[own], scores, owner[known[own[0]]])
                found = [scores if not found else found[0] + scores]
            if places.size:
                mean.take(part, places, found[0] / len(voxels), 0)
    p_values = whole.p_values(owner), mean.p_values(np.zeros(shared.shape[1], int))
    return Searchlight(whole.score, p_values[0], sizes, known[shared], mean.score, p_values[1])


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


class _Volume:
    """The scores of voxels, and the highest of each subject under each order of the stimuli."""

    def __init__(self, n_layers: int, n_voxels: int, n_orders: int, n_subjects: int) -> None:
        self.score = np.full((n_layers, n_voxels), np.nan)
        self.highest = np.full((n_orders, n_layers, n_subjects), -np.inf)

    def take(self, part: slice, voxels: NDArray, scores: NDArray, subject: int) -> None:
        """scores (order, layer, voxel), of the orders in `part` and some voxels of a subject."""
        if part.start == 0:  # the stimuli as they are
            self.score[:, voxels] = scores[0]
        highest = self.highest[part, :, subject]
        # Spheres without an RDM are passed over.
        np.fmax(highest, np.fmax.reduce(scores, axis=2), out=highest)

    def p_values(self, owner: NDArray) -> NDArray:
        """(layer, voxel); owner (voxel,): the subject among whose highest scores a voxel's stands.

        (1 + permutations whose highest score anywhere reaches it) / (1 + permutations); NaN without
        permutations.
        """
        null = self.highest[1:]
        found = np.full(self.score.shape, np.nan)
        if not len(null):
            return found
        for layer, subject in np.ndindex(null.shape[1:]):
            own = self.score[layer, owner == subject]
            below = np.searchsorted(np.sort(null[:, layer, subject]), own, side="left")
            p = (1 + len(null) - below) / (1 + len(null))
            found[layer, owner == subject] = np.where(np.isfinite(own), p, np.nan)
        return found


def _blocks(shared: NDArray, owner: NDArray, at_once: int) -> Iterator[tuple[NDArray, NDArray]]:
    """Blocks of voxels (subject, voxel) at the same places, then those of one subject alone.

    With the numbers of these places; none of voxels alone.
    """
    places = np.arange(shared.shape[1])
    for start in range(0, len(places), at_once):
        block = places[start : start + at_once]
        yield shared[:, block], block
    alone = np.setdiff1d(np.arange(len(owner)), shared)
    for subject in np.unique(owner[alone]):
        own = alone[owner[alone] == subject]
        for start in range(0, len(own), at_once):
            yield own[None, start : start + at_once], np.empty(0, int)


def _spheres_at_once(compared: NDArray) -> int:
    """compared (system, cell): the RDMs that each sphere is compared with."""
    n_compared, n_cells = compared.shape
    return max(1, min(CELLS_AT_ONCE // max(1, n_cells), SCORES_AT_ONCE // n_compared))
