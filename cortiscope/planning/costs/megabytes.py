"""What a job holds in memory, from the sizes of what it reads: in megabytes, measured high."""

from collections.abc import Mapping, Sequence
from typing import Any

from cortiscope.planning.costs.fit_seconds import splits_in_halves
from cortiscope.similarity import searchlight
from cortiscope.statistics.resampling import NULL_COLUMNS

# Of `mappings.encoding`, which a dry run would have to import.
NEUROIDS_AT_ONCE, NUMBERS_AT_ONCE = 2048, 2**23
# Megabytes of the interpreters of a job, on a cluster those of Snakemake that start it among them.
INTERPRETER = 1000
# Matrices between stimuli, in double precision, that a comparison of these holds at a time.
COMPARED = {"rsa": 8, "cka": 10}

# Megabytes that a forward pass asks for at most.
MOST_ACTIVATIONS = 64_000


def batch_megabytes(batch: int, widest: int) -> int:
    """Megabytes of the forward pass of so many stimuli.

    widest: numbers of a stimulus in the widest call of the network, its image counted. Inputs and
    outputs, twice, go into the half of the memory that `extraction` gives them, so that a batch is
    the same here and on a cluster: of `exact`, the last bits depend on it. Beyond what many nodes
    have, the stimuli go by in smaller batches.
    """
    return min(32 * batch * widest // 10**6, MOST_ACTIVATIONS)


def features_megabytes(
    n_stimuli: int, parameters: int, kept: Sequence[int], coordinates: bool = False
) -> int:
    """Megabytes to extract the layers of a model, beside those of a forward pass.

    parameters: of the network, which its file and it hold. kept: features of a stimulus, of each
    layer. coordinates: whether these are of all stimuli, some n of n, and held until they are
    written, in double precision; others wait in a file, and one layer at a time is looked at.
    Images are read as they are shown.
    """
    held = n_stimuli * sum(kept) if coordinates else 0
    widest = max(kept, default=0)
    looked_into = min(n_stimuli * widest, max(100 * widest, 2**24))  # as `extraction` does
    numbers = parameters + held + 2 * looked_into
    return 4000 + 8 * numbers // 10**6


def fit_megabytes(
    n_stimuli: int,
    neuroids: Sequence[int],
    repetitions: float,
    kept: Sequence[int],
    settings: Mapping[str, Any],
    apart: bool = False,
    thin: bool = False,
    compared: int = 0,
) -> int:
    """Megabytes to fit areas of so many neuroids that share a job.

    apart: whether neuroids are predicted each by itself. thin: whether few components are never
    made a matrix between stimuli. compared: matrices between stimuli, of a mapping that compares
    these and learns nothing (`COMPARED`).

    repetitions: of a stimulus, as held on average (see `held_trials`). kept: of each layer that is
    held at a time, the features of a stimulus; the largest is centred and worked on in copies. Of
    areas, all are held, with the means of halves of the repetitions, permutations and draws; of one
    at a time some neuroids are worked on, with the permuted responses. Between stimuli, some tens
    of matrices, and a few of each layer; of ridge with few components, as many as its training
    parts may take (`ridge.Regression`). The thousand is for the interpreter and what is kept while
    there is room (`Regressions`, `HeldOutSimilarity`).
    """
    if compared:
        return _compared_megabytes(n_stimuli, neuroids, repetitions, kept, settings, compared)
    permutations = settings["statistics"]["permutations"]
    drawn = permutations + settings["statistics"]["bootstraps"]
    halves = 2 * splits_in_halves(settings) if repetitions > 1 else 0
    held = int(sum(neuroids) * (_held(repetitions) + halves)) + len(neuroids) * drawn
    largest = max(neuroids)
    if apart:
        largest = min(largest, NEUROIDS_AT_ONCE, max(1, NUMBERS_AT_ONCE // n_stimuli))
    if settings["statistics"].get("null_method") == "moved":
        worked = 14 * largest
    else:
        permuted = min(max(largest, NULL_COLUMNS), largest * permutations)
        worked = max(64 * largest, 12 * permuted)
    features = sum(kept) + 2 * max(kept)
    matrices, parts = (24 + 4 * len(kept)) * n_stimuli, 10
    kept_beside = 1000
    if thin and settings.get("cross_validation", {}).get("split"):
        # One training part, and of predictions the test stimuli alone.
        matrices, parts, kept_beside = 10 * n_stimuli, 1, INTERPRETER
        worked, features = 4 * largest, sum(kept) + max(kept)
    if thin and 2 * max(kept) <= n_stimuli:
        matrices = min(int(4.5 * n_stimuli), parts * max(kept)) + 4 * max(kept)
    numbers = n_stimuli * (held + worked + features + matrices)
    return kept_beside + numbers * 8 // 10**6


def _held(repetitions: float) -> float:
    """Numbers in double precision of a stimulus and neuroid: its trials in single precision, where
    more than their mean is held, the mean, and how many they were.
    """
    return 1.25 + (0.5 * repetitions if repetitions > 1 else 0.0)


def _compared_megabytes(
    n_stimuli: int,
    neuroids: Sequence[int],
    repetitions: float,
    kept: Sequence[int],
    settings: Mapping[str, Any],
    compared: int,
) -> int:
    """First of an area, then of a layer, patterns are centred in a copy; then pairs compared."""
    statistics, halves = settings["statistics"], 2 * splits_in_halves(settings)
    halves = halves if repetitions > 1 else 0
    drawn = statistics["permutations"] + statistics["bootstraps"]
    cells = len(neuroids) * (2 + halves) * n_stimuli / 2  # of the areas, kept with their ranks
    held = sum(neuroids) * _held(repetitions) + len(neuroids) * drawn + cells + 0.5 * max(kept)
    patterns = 2 * max(max(neuroids), max(kept)) + 2 * n_stimuli
    numbers = n_stimuli * (held + max(patterns, (compared - 1) * n_stimuli))
    return INTERPRETER + int(numbers * 8 / 10**6)


def subjects_megabytes(
    n_stimuli: int, n_responses: int, n_subjects: int, n_matrices: int, settings: Mapping[str, Any]
) -> int:
    """Megabytes more of areas whose subjects are fitted each by itself.

    n_responses: of a stimulus, in all repetitions, which subjects hold once more. n_subjects: with
    draws and permutations of their own. n_matrices: those of them that hold matrices between
    stimuli, some of all the data and one of each half.
    """
    statistics, halves = settings["statistics"], 2 * splits_in_halves(settings)
    drawn = n_subjects * (statistics["permutations"] + statistics["bootstraps"])
    numbers = n_stimuli * (n_responses + drawn + n_matrices * (2 + halves) * n_stimuli)
    return numbers * 8 // 10**6


def searchlight_megabytes(
    n_stimuli: int, n_voxels: int, repetitions: float, kept: Sequence[int], permutations: int
) -> int:
    """Megabytes to compare layers with the spheres of an area.

    n_voxels: of the area. repetitions: of a stimulus, as held on average. kept: of each layer, the
    features of a stimulus; one is read at a time. All layers' RDMs are held, in a few copies, and
    as many of them permuted as are compared at once; a block of spheres, with what it is compared
    with.
    """
    cells = n_stimuli * (n_stimuli - 1) // 2
    of_layers = len(kept) * cells
    ranks = searchlight.permutations_at_once(1 + permutations, of_layers) * of_layers
    spheres = 8 * max(searchlight.CELLS_AT_ONCE, cells) + 3 * searchlight.SCORES_AT_ONCE
    responses = int(n_stimuli * n_voxels * (2 * repetitions + 4)) + 4 * len(kept) * n_voxels
    matrices = n_stimuli * (3 * max(kept) + 24 * n_stimuli)
    numbers = ranks + 7 * of_layers + spheres + responses + matrices
    return 1000 + numbers * 8 // 10**6


def readout_megabytes(n_stimuli: int, kept: int) -> int:
    """Megabytes to read out of one layer or area: its features, and some tens of kernels.

    kept: features of a stimulus.
    """
    return 1000 + (3 * n_stimuli * kept + 24 * n_stimuli**2) * 8 // 10**6
