"""The coordinates that the stimuli have, and their values, known before a job runs."""

from collections.abc import Iterable
from dataclasses import fields
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cortiscope.errors import InputError
from cortiscope.experiment import shapes
from cortiscope.experiment.images import list_images
from cortiscope.experiment.pictures import PICTURE
from cortiscope.experiment.shapes import CATEGORIES, Stimuli, parts
from cortiscope.experiment.sizes import holds_numbers
from cortiscope.experiment.stimulus_ids import image_category, read_ids
from cortiscope.files import along, labels, opened
from cortiscope.planning.study import Study

# Attributes for which xarray, through which the job reads, makes floating-point numbers of any.
MADE_FLOATS = {"_FillValue", "missing_value", "scale_factor", "add_offset"}


def coordinates(study: Study) -> dict[str, int]:
    """Every coordinate of the stimuli, and how many values it takes."""
    source = study.source("stimuli")
    if not source:
        known = {"position_x", "position_y"} | {field.name for field in fields(Stimuli)}
        known -= {"image", "x", "y"}
        few = min(len(CATEGORIES), study.n_stimuli)
        of_few = {"category": few, "label": few, "part": len(set(parts(study.n_stimuli)))}
        return {name: study.n_stimuli for name in known} | of_few
    if Path(source[0]).is_dir():
        categories = set(words(study, "category").tolist())
        return {"category": len(categories), "stimulus_id": study.n_stimuli}
    with opened(source[0]) as dataset:
        names = along(dataset, "stimulus")
    return {name: len(set(words(study, name).tolist())) for name in names}


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


def words(study: Study, name: str) -> NDArray:
    """The values, as text (stimulus,), of a coordinate that the stimuli have.

    Of pictures, unless the stimuli say which these are, all differ, as for `count_groups`.
    """
    source = study.source("stimuli")
    if name == PICTURE and not _say_pictures(source):
        return np.arange(study.n_stimuli).astype(str)
    if not source:
        return simulated_words(study, name)
    if name == "stimulus_id":
        every = read_ids(source[0])
    elif Path(source[0]).is_dir():
        every = [image_category(file, source[0]) for file in list_images(source[0])]
    else:
        with opened(source[0]) as dataset:
            every = labels(dataset, name)
    return _kept(study, np.array(every))


def _say_pictures(source: list[str]) -> bool:
    """Whether the stimuli have a coordinate of the user's that says which are the same picture."""
    if not source or Path(source[0]).is_dir():
        return False
    with opened(source[0]) as dataset:
        return PICTURE in along(dataset, "stimulus")


def _kept(study: Study, every: NDArray) -> NDArray:
    """Without the values of stimuli that the study leaves out: (stimulus,)."""
    return every[_are_kept(study)] if study.left_out["stimuli"] else every


@cache
def _are_kept(study: Study) -> NDArray:
    """(stimulus,) bool, of all in the file or folder."""
    return ~np.isin(read_ids(study.source("stimuli")[0]), study.left_out["stimuli"])


def simulated_words(study: Study, name: str) -> NDArray:
    """The same of simulated stimuli; each has a value of its own but for part and category."""
    count = study.n_stimuli
    if name == "part":
        return parts(count)
    if name in ("category", "label"):
        random = shapes.generator(study.config["stimuli"]["seed"], "study")
        return np.array(CATEGORIES)[shapes.labels(count, random)]
    return np.array([f"{name} {number}" for number in range(count)])


def values(study: Study, name: str) -> NDArray:
    """The same values (stimulus,) as text, integers or floating-point numbers, as jobs read them.

    Of simulated numbers only which are equal.
    """
    source = study.source("stimuli")
    if not source and name not in ("category", "part", "stimulus_id"):
        numbers = np.unique(simulated_words(study, name), return_inverse=True)[1]
        return numbers if name == "label" else numbers.astype(float)
    if not source or name == "stimulus_id" or Path(source[0]).is_dir():
        return words(study, name)
    with opened(source[0]) as dataset:
        variable = dataset[name]
        if not holds_numbers(variable):
            return words(study, name)
        read = _kept(study, np.asarray(variable[...]))
        return read.astype(float) if MADE_FLOATS & set(variable.ncattrs()) else read
