"""What is said before a job runs of one that asks for more than there is: of memory, or of days.

Estimates are on the safe side, so that nothing is refused.
"""

from collections.abc import Iterator

from cortiscope.mappings.kinds import MAPPINGS
from cortiscope.networks.projection_kinds import EXACT_LIMIT
from cortiscope.planning.costs import jobs
from cortiscope.planning.costs.fits import Fits
from cortiscope.planning.settings import mapping_settings
from cortiscope.planning.study import Study

DAY = 86_400.0  # seconds


def too_much(study: Study, machine: int | None = None) -> list[str]:
    """A line for every kind of job that is too large, with what would be cheaper.

    machine: megabytes that a job can have; None where that is not known.
    """
    lines = list(_days(study))
    if machine is not None:
        lines += [
            f"{job} asks for {asked} MB, of which there are {machine}; cheaper: {cheaper}"
            for job, asked, cheaper in _megabytes(study)
            if asked > machine
        ]
    return lines


def _days(study: Study) -> Iterator[str]:
    fits = Fits(study)
    most = max(len(study.layers(model)) for model in study.models)
    areas = [""] if fits.areas_share_jobs else study.areas
    for mapping in study.config["mappings"]:
        n_layers = most if MAPPINGS[mapping].joint else 1
        seconds = n_layers * max(fits.seconds_per_layer(mapping, area) for area in areas)
        if seconds > DAY:
            each = "" if MAPPINGS[mapping].joint else " a layer"
            yield (
                f"a fit by {mapping} is planned to take {seconds / DAY:.1f} days{each}; cheaper:"
                f" {_cheaper(study, mapping)}"
            )


def _megabytes(study: Study) -> Iterator[tuple[str, int, str]]:
    """The largest job of each kind, what it asks for, and what would ask for less."""
    areas = [""] if Fits(study).areas_share_jobs else study.areas
    responses = "take fewer neuroids, or repetitions, into the file"
    if study.source("responses"):
        yield "to bring in the responses", jobs.responses_memory(study), responses
    fewer = "give areas a job each (fits.layers_per_job: 1)" if areas == [""] else responses
    ceilings = max(jobs.ceilings_memory(study, area) for area in areas)
    yield "a job of ceilings", ceilings, fewer
    kept = {model: jobs.kept(study, model) for model in study.models}
    largest = {max(kept, key=lambda model: measure(kept[model])) for measure in (sum, max)}
    yield (
        "to extract a network",
        *max(
            (jobs.features_memory(study, model), "set features.batch_size, or projection: fold")
            for model in largest
        ),
    )
    for mapping in study.config["mappings"]:
        asked = max(
            jobs.fit_memory(study, mapping, model, area) for model in largest for area in areas
        )
        yield f"a fit by {mapping}", asked, _cheaper(study, mapping, fewer)


def _cheaper(study: Study, mapping: str, *more: str) -> str:
    """What of the config makes a fit cheaper; more: beside that."""
    asked, kind = mapping_settings(study, mapping), MAPPINGS[mapping]
    choices = list(more)
    learns = "folds" in asked["cross_validation"]
    if learns and not asked["cross_validation"]["split"]:
        choices.append("a given split (cross_validation.split)")
    refitted = asked["statistics"].get("null_method") == "refitted"
    if kind.of_neuroids and refitted and asked["statistics"]["permutations"]:
        choices.append("statistics.null_method: moved")
    projection, many = study.config["features"]["projection"], study.n_stimuli > EXACT_LIMIT
    if learns and (projection == "srp" or (projection in ("auto", "fold") and many)):
        choices.append("fewer features.components")
    if asked["selection"]["method"] == "halves":
        choices.append("selection.method: nested")
    return "; or ".join(choices) or "take fewer stimuli, or leave it out of mappings"
