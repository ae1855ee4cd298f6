"""The coordinates that the stimuli have, and their values, known before a job runs."""

from collections.abc import Iterable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cortiscope.errors import InputError
from cortiscope.experiment.formats import opened
from cortiscope.experiment.pictures import PICTURE
from cortiscope.experiment.sizes import holds_numbers
from cortiscope.files import along, labels
from cortiscope.planning.study import Study

# Attributes for which xarray, through which the job reads, makes floating-point numbers of any.
MADE_FLOATS = {"_FillValue", "missing_value", "scale_factor", "add_offset"}


@cache  # these and their values, as ids of a study are
def coordinates(study: Study) -> dict[str, int]:
    """Every coordinate of the stimuli, and how many values it takes."""
    return {name: len(set(words(study, name).tolist())) for name in _names(study)}


def unknown(field: str, name: str, known: Iterable[str]) -> InputError:
    """The complaint that an option names a coordinate that the stimuli do not have."""
    return InputError(
        field,
        f"the stimuli have no coordinate {name!r}",
        f"use one of {', '.join(sorted(known))}",
    )


def count_groups(study: Study, group: str) -> int:
    """How many values a coordinate of the stimuli takes; an unknown one is an InputError.

    Of pictures, which are only seen by a job, as many as there are stimuli.
    """
    counts = {PICTURE: study.n_stimuli} | coordinates(study)
    if group not in counts:
        raise unknown("config: cross_validation.group", group, counts)
    return counts[group]


@cache
def words(study: Study, name: str) -> NDArray:
    """The values, as text (stimulus,), of a coordinate that the stimuli have.

    Of pictures, unless the stimuli say which these are, all differ, as for `count_groups`.
    """
    if name == PICTURE and PICTURE not in _names(study):
        return np.arange(study.n_stimuli).astype(str)
    if name == "stimulus_id":
        return _kept(study, np.array(study.ids("stimuli")))
    with opened("stimuli", study.config["stimuli"], study.source("stimuli")) as (held, _):
        return _kept(study, np.array(labels(held, name)))


def values(study: Study, name: str) -> NDArray:
    """The same values (stimulus,) as text, integers or floating-point numbers, as jobs read them.

    Of simulated numbers only which are equal.
    """
    if name == "stimulus_id":
        return words(study, name)
    with opened("stimuli", study.config["stimuli"], study.source("stimuli")) as (held, _):
        variable = held[name]
        if not holds_numbers(variable):
            return words(study, name)
        read = _kept(study, np.asarray(variable[...]))
        return read.astype(float) if MADE_FLOATS & set(variable.ncattrs()) else read


def _names(study: Study) -> list[str]:
    with opened("stimuli", study.config["stimuli"], study.source("stimuli")) as (held, _):
        return along(held, "stimulus")


def _kept(study: Study, every: NDArray) -> NDArray:
    """Without the values of stimuli that the study leaves out: (stimulus,)."""
    return every[_are_kept(study)] if study.left_out["stimuli"] else every


@cache
def _are_kept(study: Study) -> NDArray:
    """(stimulus,) bool, of all in the file or folder."""
    return ~np.isin(study.ids("stimuli"), study.left_out["stimuli"])
