"""What is held out can be held out: splits, folds, groups, stretches and pairs of folds."""

import numpy as np
from numpy.typing import NDArray

from cortiscope.errors import InputError
from cortiscope.mappings.kinds import MAPPINGS, Kind
from cortiscope.planning.checks.coordinates import coordinates, count_groups, unknown, words
from cortiscope.planning.settings import properties
from cortiscope.planning.study import Study
from cortiscope.regression.brainscore import check_categories
from cortiscope.regression.cross_validation import number_of_paired_folds, read_split
from cortiscope.similarity.comparison import check_cosine
from cortiscope.similarity.dissimilarity import check_repetitions
from cortiscope.similarity.held_out_cells import check_comparison
from cortiscope.similarity.variance_partition import check as check_partition
from cortiscope.statistics.halves import halves

FOLDS = "config: cross_validation.folds"
BLOCK, GAP = "config: cross_validation.block", "config: cross_validation.gap"
SPLIT = "cross_validation.split"
FEWEST_TO_TRAIN = 3  # stimuli: two leave nothing to choose a strength of regularisation on


def check_split(study: Study) -> None:
    """A given split says of every stimulus whether it is trained or tested on."""
    name = study.config["cross_validation"]["split"]
    if not name:
        return
    where = f"config: {SPLIT}"
    if study.config["cross_validation"]["group"]:
        raise InputError(
            where, "stands beside cross_validation.group, which deals folds", "leave one empty"
        )
    check_protocols(study, SPLIT)
    counts = coordinates(study)
    if name not in counts:
        raise unknown(where, name, counts)
    source = study.source("stimuli")
    read_split(words(study, name), f"{source[0] if source else 'simulated stimuli'}: {name}")


def check_stretches(study: Study) -> None:
    """Raise an InputError where they stand beside what knows nothing of them, or leave too few."""
    validation = study.config["cross_validation"]
    block, gap, n_stimuli = validation["block"], validation["gap"], study.n_stimuli
    if gap and not block:
        raise InputError(GAP, "stands without cross_validation.block", "give both, or none")
    if not block:
        return
    for other in ("group", "split"):
        if validation[other]:
            problem = f"stands beside cross_validation.{other}, which says otherwise what is drawn"
            raise InputError(BLOCK, problem, "keep one of them")
    check_protocols(study, "cross_validation.block")
    for name in study.config["mappings"]:
        if gap and MAPPINGS[name].paired_folds:
            problem = f"{gap}, where {name} learns from pairs of stimuli and knows none"
            raise InputError(GAP, problem, "set it to 0, or leave that mapping out")
    # The order is shifted by as much either way, pairs so far apart are compared, and where half
    # of the stimuli is held out, a quarter is left to train on.
    most = n_stimuli // 4
    if max(block, gap + 1) > most:
        where, length = (BLOCK, block) if block > gap else (GAP, gap)
        problem = f"{length} of {n_stimuli} stimuli"
        raise InputError(where, problem, f"give no more than {most if block > gap else most - 1}")


def check_protocols(study: Study, option: str) -> None:
    """InputError where a published protocol holds out stimuli of its own, whatever an option."""
    for mapping, protocol in (("ridge", "conwell2021"), ("pls", "brainscore")):
        if mapping in study.config["mappings"] and study.config[mapping]["protocol"] == protocol:
            raise InputError(
                f"config: {mapping}.protocol",
                f"{protocol} holds out stimuli of its own, not those of {option}",
                "leave one of them out",
            )


def check_folds(study: Study) -> None:
    """There are stimuli, or groups of them, for every fold."""
    predicts = any(
        "cross_validation" in kind.sections and not kind.paired_folds
        for kind in asked(study).values()
    )
    if not predicts and not properties(study.config):
        return
    validation = study.config["cross_validation"]
    if validation["split"]:
        return
    n_stimuli, kind = study.n_stimuli, "stimuli"
    by_halves = study.config["selection"]["method"] == "halves"  # of stimuli, without repetitions
    halved = predicts and by_halves and study.repetitions == 1
    group = validation["group"]
    if validation["block"]:
        n_stimuli, kind = -(-n_stimuli // validation["block"]), "stretches"
    elif group:
        n_stimuli, kind = count_groups(study, group), "groups of stimuli"
    elif halved:
        n_stimuli, kind = n_stimuli // 2, "stimuli in each half"
    folds = n_stimuli if validation["folds"] == "loo" else validation["folds"]
    if not 2 <= folds <= n_stimuli:
        enough = f"give a number from 2 to {n_stimuli}, or loo"
        remedy = enough if n_stimuli >= 2 else "a study needs more stimuli"
        raise InputError(FOLDS, f"{folds} folds of {n_stimuli} {kind}", remedy)
    if halved and group and is_known(study, group):
        left = min(int(counts.sum() - counts.max()) for counts in grouped_in_halves(study))
        if left < FEWEST_TO_TRAIN:
            raise InputError(
                "config: cross_validation.group",
                f"{left} stimuli of a half, on which the best layer is chosen, are of another"
                f" {group} than most",
                f"name a coordinate for which {FEWEST_TO_TRAIN} or more are left to train on",
            )


def is_known(study: Study, group: str) -> bool:
    """Whether a coordinate is in the stimuli's file, and not only found by a job."""
    return group in coordinates(study)


def grouped_in_halves(study: Study) -> list[NDArray]:
    """The stimuli of each group in each half of them, on which best layers are chosen."""
    groups = words(study, study.config["cross_validation"]["group"])
    selection = study.config["selection"]
    chosen = halves(len(groups), selection["splits"], selection["seed"])
    return [
        np.unique(groups[half], return_counts=True)[1] for half in chosen.reshape(-1, len(groups))
    ]


def check_pairs(study: Study) -> None:
    """Mappings that compare stimuli have the repetitions and the pairs of folds that they need."""
    kinds = asked(study)
    if any("rsa" in kind.sections for kind in kinds.values()):
        check_repetitions(study.config["rsa"]["dissimilarity"], study.repetitions)
    if "rsa" in kinds:
        check_cosine(study.config["rsa"]["dissimilarity"], study.config["rsa"]["comparison"])
    if "variance_partition" in kinds:
        check_partition(
            study.config["rsa"]["comparison"], study.config["statistics"]["permutations"]
        )
    validation = study.config["cross_validation"]
    for name, kind in kinds.items():
        if not kind.paired_folds:
            continue
        check_comparison(study.config["rsa"]["comparison"])
        if validation["split"]:
            continue
        folds = number_of_paired_folds(validation["folds"], *_fewest(study))
        if folds < kind.paired_folds:
            raise InputError(
                FOLDS,
                f"{folds} folds, where {name} holds out pairs of folds",
                f"give {kind.paired_folds} or more, for which there are stimuli, two to a fold",
            )


def _fewest(study: Study) -> tuple[int, int]:
    """Stimuli, and what of them is held out together, where there are the fewest to be held out."""
    validation, n_stimuli = study.config["cross_validation"], study.n_stimuli
    group, block = validation["group"], validation["block"]
    n_groups = count_groups(study, group) if group else n_stimuli
    if block:
        n_groups = -(-n_stimuli // block)
    by_halves = study.config["selection"]["method"] == "halves"
    if by_halves and study.repetitions == 1:  # of the stimuli
        n_stimuli //= 2
        if group and is_known(study, group):
            n_groups = min(map(len, grouped_in_halves(study)))
    return n_stimuli, n_groups


def check_published(study: Study) -> None:
    """The splits of Brain-Score's protocol can keep the shares of the categories."""
    pls = study.config["pls"]
    if "pls" in asked(study) and pls["protocol"] == "brainscore" and pls["category"]:
        check_categories(words(study, pls["category"]))


def check_selection(study: Study) -> None:
    """Unless layers are given or chosen by halves, they are by resamples of the stimuli."""
    if study.config["selection"]["method"] != "nested" or study.config["statistics"]["bootstraps"]:
        return
    single = [name for name, kind in asked(study).items() if not kind.joint]
    if single:
        raise InputError(
            "config: statistics.bootstraps",
            f"without resamples the best layer cannot be chosen by {single[0]}",
            "give 100 or more, or set selection.method: halves",
        )


def asked(study: Study) -> dict[str, Kind]:
    """The mappings of the study."""
    return {name: MAPPINGS[name] for name in study.config["mappings"]}
