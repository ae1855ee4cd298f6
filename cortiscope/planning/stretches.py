"""Whether stretches of the file's order, and gaps between them, leave a study enough."""

from cortiscope.errors import InputError
from cortiscope.mappings.kinds import MAPPINGS
from cortiscope.planning.study import Study

BLOCK, GAP = "config: cross_validation.block", "config: cross_validation.gap"


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
