"""What is said before a job runs, and stops none: p-values that cannot be small, and what a mapping
will not find in an area.

Mappings that compare pairs of stimuli need neuroids that were recorded on all of them. Where none
was, an area has no score; where some were, its score is of these. A row of a table says so at the
end of a study, which is late.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import netCDF4
import numpy as np

from cortiscope.experiment.formats import opened
from cortiscope.experiment.responses import Area
from cortiscope.experiment.sizes import area_names
from cortiscope.files import along, labels
from cortiscope.mappings.by_subject import SUBJECT, Part, is_usable, parts
from cortiscope.mappings.kinds import MAPPINGS
from cortiscope.mappings.kinds import coordinates as named_by
from cortiscope.networks.twins import twins
from cortiscope.planning.checks.coordinates import words
from cortiscope.planning.settings import mapping_settings
from cortiscope.planning.study import Study
from cortiscope.statistics.multiple_comparisons import ALL_PAIRS

LEVEL = 20  # a p-value below 1 / 20 is meant to be possible
LARGEST = 10**7  # numbers of a recording that are read before a job runs: a second at most
LARGEST_FILE = 10**8  # bytes: of events in time much is read for few numbers
SHOWN = 3  # areas, subjects or stimuli that a line names


def notes(study: Study) -> list[str]:
    """Every line that is to be said of a study."""
    return [f"config: {line}" for line in too_few_draws(study)] + not_all_scored(study)


def too_few_draws(study: Study) -> list[str]:
    """A line for every table in which no p-value can be below 0.05, with the draws that it takes.

    Of as many resamples as there are, the smallest two-sided p-value is 2 / (bootstraps + 1); by
    holm, that of m tests is multiplied by m, by fdr only if it is alone (`multiple_comparisons`).
    Of permutations, the smallest is 1 / (permutations + 1).
    """
    statistics = study.config["statistics"]
    permutations, bootstraps = statistics["permutations"], statistics["bootstraps"]
    found = []
    if 0 < permutations < LEVEL:
        where = f"statistics.permutations: with {permutations} no p_value of a score"
        found.append(f"{where} can be below 0.05; give {LEVEL} or more")
    by_holm = statistics["correction"] == "holm"
    for table, n_tests in corrected_together(study).items():
        enough = 2 * LEVEL * (n_tests if by_holm else 1)
        if n_tests and 0 < bootstraps < enough:
            where = f"statistics.bootstraps: with {bootstraps} none of {n_tests} p_adjusted"
            other = ", or set statistics.correction: fdr" if by_holm and n_tests > 1 else ""
            found.append(f"{where} in {table} can be below 0.05; give {enough} or more{other}")
    return found


def corrected_together(study: Study) -> dict[str, int]:
    """Table to how many tests are corrected together in it: by mapping, or by mapping and area.

    Of many models one more where the best has a twin, to which it is compared once.
    """
    contrasts, n_models = twins(study.labels_by_model), len(study.models)
    pairs = n_models * (n_models - 1) // 2
    if n_models > ALL_PAIRS:
        pairs = n_models - 1 + len(contrasts)
    return {"contrasts.csv": len(contrasts) * len(study.areas), "model_comparisons.csv": pairs}


def not_all_scored(study: Study) -> list[str]:
    """A line for every way in which areas have nothing, or not all, for some mappings.

    Of recordings of up to LARGEST numbers, of all whose neuroids are fitted; others say it in the
    logs of their fits.
    """
    found: dict[str, dict[str, dict[str, None]]] = {}
    for area in _areas(study):
        for mapping in study.config["mappings"]:
            if not MAPPINGS[mapping].of_neuroids:
                for problem in _problems(study, mapping, area):
                    found.setdefault(problem, {}).setdefault(mapping, {})[area.name] = None
    return [
        f"responses: {', '.join(mappings)} in {_some(list(areas))}: {problem}"
        for problem, of in found.items()
        for areas, mappings in _alike(of)
    ]


def _alike(of: dict[str, dict[str, None]]) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Mappings that a problem has in the same areas: the areas, and these."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for mapping, areas in of.items():
        groups.setdefault(tuple(areas), []).append(mapping)
    yield from groups.items()


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _problems(study: Study, mapping: str, area: Area) -> Iterator[str]:
    kind, settings = MAPPINGS[mapping], mapping_settings(study, mapping)
    named = {name for names in named_by(settings).values() for name in names}
    coordinates = {name: words(study, name) for name in named}
    of = parts(area, kind, settings)
    lack = "two repetitions of" if of[0].repetitions > 1 else "a response to"
    usable = [is_usable(part, kind, settings, coordinates) for part in of]
    if not any(usable):
        which = "stimuli enough that it saw" if len(of) > 1 else "stimuli that most of them have"
        yield (
            f"nothing to score, as no neuroid has {lack} all {which}; take out the stimuli, or the"
            " neuroids, that lack most"
            + ("" if SUBJECT in area.metadata else f", or give neuroids their {SUBJECT}")
        )
        return
    missed = [part.subject for part, use in zip(of, usable, strict=True) if not use]
    if missed:
        yield f"subjects without a score, as no neuroid has {lack} all they saw: {_some(missed)}"
    for part, use in zip(of, usable, strict=True):
        if use:
            yield from _left_out(area, part, lack)


def _left_out(area: Area, part: Part, lack: str) -> Iterator[str]:
    """Stimuli that an area's score leaves out though they were shown, and neuroids."""
    whose = f" of subject {part.subject}" if part.subject else ""
    shown = np.isfinite(area.response[:, :, part.neuroids]).any(axis=(1, 2))
    shown[part.area.shown] = False
    if shown.any():
        count = f"{shown.sum()} of {len(shown)} stimuli"
        names = _some(area.stimulus_id[shown].tolist())
        yield f"without {count}, as most neuroids{whose} have not {lack} them: {names}"
    n_used, n_neuroids = int(part.complete.sum()), len(part.complete)
    if n_used < n_neuroids:
        yield f"of {n_used} of {n_neuroids} neuroids{whose}, as the others have not {lack} all"


def _areas(study: Study) -> Iterator[Area]:
    """The areas that are fitted of a recording that is small enough, with all their neuroids."""
    settings, source = study.config["responses"], study.source("responses")
    compared = [name for name in study.config["mappings"] if not MAPPINGS[name].of_neuroids]
    if not source or not compared or settings["select"] or settings["variable"] == "dissimilarity":
        return
    with opened("responses", settings, source) as (held, named):
        variable = held[named["variable"]]
        large = variable.size > LARGEST or Path(source[0]).stat().st_size > LARGEST_FILE
        if large or "time" in variable.dimensions:
            return
        names = np.array(area_names(held, named["area"]))
        response = _response(variable)
        of_subject = SUBJECT in along(held, "neuroid")
        subject = np.array(labels(held, SUBJECT)) if of_subject else None
    ids = np.array(study.ids("responses"))
    kept = ~np.isin(ids, study.left_out["responses"])
    if np.isfinite(response).all():
        return
    for name in study.areas:
        member = names == name
        metadata = {} if subject is None else {SUBJECT: subject[member]}
        neuroids = np.flatnonzero(member).astype(str)
        yield Area(name, ids[kept], neuroids, response[kept][:, :, member], metadata)


def _response(variable: netCDF4.Variable) -> np.ndarray:
    """(stimulus, repetition, neuroid), NaN where not recorded."""
    values = np.ma.filled(np.ma.asarray(variable[...]).astype(np.float32), np.nan)
    dims = variable.dimensions
    values = np.moveaxis(values, (dims.index("stimulus"), dims.index("neuroid")), (0, -1))
    return values if values.ndim == 3 else values[:, None]
