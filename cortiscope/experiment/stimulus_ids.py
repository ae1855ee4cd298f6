"""Which stimulus is which: the names that join what was shown with what was recorded."""

from collections.abc import Mapping, Sequence
from typing import Any

from cortiscope.errors import InputError
from cortiscope.experiment.formats import opened
from cortiscope.files import labels

REMEDY = (
    "give both files the same stimulus_id values, or set stimuli.keep: common to take those of both"
)


def read_ids(kind: str, section: Mapping[str, Any], source: Sequence[str]) -> list[str]:
    """The ids of the stimuli, in their order, in a source of `stimuli` or `responses`.

    Errors: InputError where there are none, or where one stands twice.
    """
    with opened(kind, section, source) as (held, _):
        where = f"{held.filepath()}: stimulus_id"
        if "stimulus_id" not in held.variables:
            raise InputError(where, "is missing", "add it as a coordinate")
        ids = labels(held, "stimulus_id")
    check_unique(ids, where)
    return ids


def check_unique(ids: Sequence[str], where: str) -> None:
    """An InputError that names the first id that stands twice."""
    seen: set[str] = set()
    for name in ids:
        if name in seen:
            raise InputError(where, f"{name!r} stands twice", "make ids unique")
        seen.add(name)


def without(names: Sequence[str], others: Sequence[str]) -> list[str]:
    """The names that are not among others."""
    known = set(others)
    return [name for name in names if name not in known]


def positions(
    recorded: Sequence[str], shown: Sequence[str], where: str, of_some: bool = False
) -> list[int]:
    """Where each stimulus shown stands in the recording.

    Errors: InputError unless each stimulus was recorded once and, but for `of_some`, no other was.
    """
    check_unique(recorded, where)
    position = {name: index for index, name in enumerate(recorded)}
    missing = without(shown, recorded)
    extra = [] if of_some else sorted(without(recorded, shown))
    if missing or extra:
        lacking = f" ({missing[0]!r})" if missing else ""
        beyond = f" ({extra[0]!r})" if extra else ""
        raise InputError(
            where,
            f"{len(missing)} stimuli have no responses{lacking} and"
            f" {len(extra)} responses have no stimulus{beyond}",
            REMEDY,
        )
    return [position[name] for name in shown]
