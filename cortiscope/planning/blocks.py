"""How many layers share a fit job, and what it and other large jobs need."""

from collections.abc import Mapping, Sequence
from typing import Any

from cortiscope.regression.cross_validation import number_of_paired_folds
from cortiscope.similarity import searchlight
from cortiscope.statistics.resampling import NULL_COLUMNS
from cortiscope.statistics.standard_errors import DELETED_GROUPS

# A job should work about this long: its start-up then costs a percent on a laptop, some on SLURM.
SECONDS_PER_JOB = 120.0
# What a core does in the products of a ridge fit, and in the gathers of an RSA, measured low.
PRODUCTS_PER_SECOND = 1e10
CELLS_PER_SECOND = 1.5e8
# Of as many stimuli, cubed: a decomposition and what ridge makes of it for each alpha.
SECONDS_PER_DECOMPOSITION = 1.5e-9
# What a fit costs beside those: a layer of its own, and each decomposition of a training part.
SECONDS_PER_LAYER = 0.15
SECONDS_PER_PART = 7e-4
# Of a cell and fold, for what a ridge fit makes of each fold's model.
SECONDS_PER_PREDICTION = 5e-9
FOLDS = 10  # of the following measurements
# Core-seconds of the others for 240 stimuli, 64 neuroids and 100 permutations, measured.
SECONDS = {"ols": 0.5, "pcr": 0.8, "lasso": 1.3, "pls": 1.8, "stacked": 0.8}
# And of each fold, however few the stimuli.
SECONDS_PER_FOLD = {"ols": 0.0, "pcr": 0.0, "lasso": 0.02, "pls": 0.04, "stacked": 0.015}
KEPT_BYTES = 2**28  # of `principal_axes`, which every dry run would have to import
INNER_PARTS = {"ols": 0, "pcr": 5, "lasso": 5, "pls": 0, "stacked": 0}  # within a training part
# Of those that compare similarities between stimuli; the neuroids cost next to nothing.
SIMILARITY_SECONDS = {
    "cka": 0.1,
    "rsa_remixed": 0.8,
    "rsa_reweighted": 0.5,
    "unit_weighted": 0.9,
    "variance_partition": 0.2,
}
# And of each pair of folds, of those that hold these out.
SECONDS_PER_PAIR = {"rsa_remixed": 0.02, "rsa_reweighted": 0.005, "unit_weighted": 0.005}
# Of a sphere, to find it, and for each cell to make its RDM and rank it.
SECONDS_PER_SPHERE = 5e-5
SECONDS_PER_CELL = 5e-8
# Megabytes that a forward pass asks for at most.
MOST_ACTIVATIONS = 64_000


def seconds_per_layer(
    mapping: str, n_stimuli: int, n_neuroids: int, settings: Mapping[str, Any]
) -> float:
    """Rough core-seconds to score one layer against one area, in all its folds."""
    permutations = settings["statistics"]["permutations"]
    splits = splits_in_halves(settings)
    refits = DELETED_GROUPS if settings["statistics"]["bootstraps"] or not splits else 0
    if settings.get("cross_validation", {}).get("split"):
        permutations = refits = 0  # of the test stimuli, without further fits
    if mapping == "rsa":
        passes = 2 + permutations + settings["statistics"]["bootstraps"] / 10
        slow = 10 if settings["rsa"]["comparison"] == "kendall" else 1
        return slow * passes * n_stimuli**2 / 2 / CELLS_PER_SECOND
    share = (20 + permutations) / 120  # of what was measured
    if mapping in SIMILARITY_SECONDS:
        slow = 5 if settings.get("rsa", {}).get("comparison") == "kendall" else 1
        seconds = SIMILARITY_SECONDS[mapping] * slow * share * (n_stimuli / 240) ** 2.5
        if mapping in SECONDS_PER_PAIR:
            pairs = fold_pairs(n_stimuli, settings)
            seconds = pairs * (seconds / (FOLDS * (FOLDS - 1) // 2) + SECONDS_PER_PAIR[mapping])
        return SECONDS_PER_LAYER + seconds
    folds, cells = fold_count(n_stimuli, settings), n_stimuli * n_neuroids
    if mapping in SECONDS:
        products = SECONDS[mapping] * share * n_stimuli * cells / (240**2 * 64)
        of_fold = products / FOLDS + SECONDS_PER_FOLD[mapping]
        if mapping == "stacked":  # half of it is ridge, which serves all folds at once
            return SECONDS_PER_LAYER + products / 2 + folds * (of_fold - products / (2 * FOLDS))
        parts = _decompositions(mapping, n_stimuli, n_neuroids, settings) + refits
        of_part = SECONDS_PER_PART + SECONDS_PER_DECOMPOSITION * n_stimuli**3
        return SECONDS_PER_LAYER + folds * (of_fold + parts * of_part)
    # Fits of the same targets: all data, and at half the precision each half and the null.
    fits = 1 + splits + permutations / 2
    alphas = len(settings["ridge"]["alphas"])
    # Two matrix products an alpha serve all folds (see `ridge`), a product and a sum a cell; of all
    # but a tenth of the stimuli there are two at half the precision, whatever the alphas.
    products = (fits * alphas + refits) * 4 * n_stimuli * cells / PRODUCTS_PER_SECOND
    predictions = (fits + refits) * folds * cells * SECONDS_PER_PREDICTION
    decompositions = (1 + refits) * SECONDS_PER_DECOMPOSITION * n_stimuli**3
    return SECONDS_PER_LAYER + products + predictions + decompositions


def splits_in_halves(settings: Mapping[str, Any]) -> int:
    """How many times the data are halved: never, where layers are chosen otherwise."""
    selection = settings["selection"]
    return int(selection["splits"]) if selection["method"] == "halves" else 0


def fold_count(n_stimuli: int, settings: Mapping[str, Any]) -> int:
    """How many training parts there are; of groups left out one by one, as many as of stimuli."""
    validation = settings.get("cross_validation", {"folds": FOLDS})
    if validation.get("split"):
        return 1
    return n_stimuli if validation["folds"] == "loo" else int(validation["folds"])


def fold_pairs(n_stimuli: int, settings: Mapping[str, Any]) -> int:
    """How many pairs of folds are held out, where two are at a time."""
    validation = settings["cross_validation"]
    if validation.get("split"):
        return 1
    folds = number_of_paired_folds(validation["folds"], n_stimuli, n_stimuli)
    return max(1, folds * (folds - 1) // 2)


def _decompositions(
    mapping: str, n_stimuli: int, n_neuroids: int, settings: Mapping[str, Any]
) -> int:
    """How many a fold needs of its training part and the parts within, for all but the jackknife.

    Once, where they are kept; else anew for each set of responses (see `principal_axes.Parts`).
    """
    parts = 1 + INNER_PARTS[mapping]
    if 2 * parts * fold_count(n_stimuli, settings) * n_stimuli**2 * 8 <= KEPT_BYTES:
        return parts
    return parts * (2 + -(-settings["statistics"]["permutations"] * n_neuroids // NULL_COLUMNS))


def batch_megabytes(batch: int, widest: int) -> int:
    """Megabytes of the forward pass of so many stimuli.

    widest: numbers of a stimulus in the widest call of the network, its image counted. Inputs and
    outputs, twice, go into the half of the memory that `extraction` gives them, so that a batch is
    the same here and on a cluster: of `exact`, the last bits depend on it. Beyond what many nodes
    have, the stimuli go by in smaller batches.
    """
    return min(32 * batch * widest // 10**6, MOST_ACTIVATIONS)


def features_megabytes(n_stimuli: int, pixels: int, parameters: int, kept: Sequence[int]) -> int:
    """Megabytes to extract the layers of a model, beside those of a forward pass.

    pixels: bytes of a stimulus. parameters: of the network, which its file and it hold. kept:
    features of a stimulus, of each layer: all are held until they are written.
    """
    numbers = 2 * parameters + 2 * n_stimuli * sum(kept)
    return 4000 + (n_stimuli * pixels + 4 * numbers) // 10**6


def fit_megabytes(
    n_stimuli: int,
    neuroids: Sequence[int],
    repetitions: float,
    kept: Sequence[int],
    settings: Mapping[str, Any],
) -> int:
    """Megabytes to fit areas of so many neuroids that share a job.

    repetitions: of a stimulus, as held on average (see `held_trials`). kept: of each layer that is
    held at a time, the features of a stimulus; the largest is centred and worked on in copies. Of
    areas, all are held, with the means of halves of the repetitions, permutations and draws; one at
    a time is worked on, with the permuted responses. Between stimuli, some tens of matrices, and a
    few of each layer. The thousand is for the interpreter and what is kept while there is room
    (`Regressions`, `HeldOutSimilarity`).
    """
    permutations = settings["statistics"]["permutations"]
    drawn = permutations + settings["statistics"]["bootstraps"]
    halves = 2 * splits_in_halves(settings) if repetitions > 1 else 0
    held = int(sum(neuroids) * (2 * repetitions + halves + 2)) + len(neuroids) * drawn
    largest = max(neuroids)
    permuted = min(max(largest, NULL_COLUMNS), largest * permutations)
    worked = max(64 * largest, 12 * permuted)
    features = sum(kept) + 2 * max(kept)
    numbers = n_stimuli * (held + worked + features + (24 + 4 * len(kept)) * n_stimuli)
    return 1000 + numbers * 8 // 10**6


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


def searchlight_seconds(n_stimuli: int, n_voxels: int, n_layers: int, permutations: int) -> float:
    """Rough core-seconds of the same; n_voxels: of the area."""
    cells = n_stimuli * (n_stimuli - 1) // 2
    at_once = searchlight.permutations_at_once(1 + permutations, n_layers * cells)
    passes = -(-(1 + permutations) // at_once)
    products = 2 * (1 + permutations) * n_layers * cells / PRODUCTS_PER_SECOND
    return n_voxels * (products + passes * (SECONDS_PER_SPHERE + SECONDS_PER_CELL * cells))


def readout_megabytes(n_stimuli: int, kept: int) -> int:
    """Megabytes to read out of one layer or area: its features, and some tens of kernels.

    kept: features of a stimulus.
    """
    return 1000 + (3 * n_stimuli * kept + 24 * n_stimuli**2) * 8 // 10**6


def readout_minutes(n_stimuli: int, n_readouts: int, permutations: int) -> int:
    """Minutes to allow so many readouts, of a property from a layer: ten times what they took."""
    seconds = 3e-9 * n_stimuli**3 + 1e-8 * n_stimuli**2 * permutations
    return 10 + int(n_readouts * seconds / 6)


def name_blocks(layers: Sequence[str], layers_per_job: int) -> dict[str, list[str]]:
    """Cut the layers of a model into blocks named by their first and last index (`00-19`)."""
    width = max(2, len(str(len(layers) - 1)))
    starts = range(0, len(layers), layers_per_job)
    blocks = [(start, layers[start : start + layers_per_job]) for start in starts]
    return {
        f"{start:0{width}d}-{start + len(block) - 1:0{width}d}": list(block)
        for start, block in blocks
    }
