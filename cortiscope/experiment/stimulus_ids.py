"""Which stimulus is which: the names that join what was shown with what was recorded."""

from collections.abc import Sequence
from pathlib import Path

from cortiscope.errors import InputError
from cortiscope.experiment.images import list_images
from cortiscope.files import composed, labels, opened

REMEDY = (
    "give both files the same stimulus_id values, or set stimuli.keep: common to take those of both"
)


def read_ids(source: str | Path) -> list[str]:
    """The ids in a netCDF file, or of the images in a folder, in their order.

    Errors: InputError where there are none, or where one stands twice.
    """
    if Path(source).is_dir():
        ids = [image_id(file, source) for file in list_images(source)]
    else:
        with opened(source) as dataset:
            if "stimulus_id" not in dataset.variables:
                raise InputError(f"{source}: stimulus_id", "is missing", "add it as a coordinate")
            ids = labels(dataset, "stimulus_id")
    check_unique(ids, f"{source}: stimulus_id")
    return ids


def image_id(file: Path, folder: str | Path) -> str:
    """The path of an image below its folder, without the ending."""
    return composed(str(file.relative_to(folder).with_suffix("")))


def image_category(file: Path, folder: str | Path) -> str:
    """The name of the folder that an image lies in; empty in that of the stimuli itself."""
    return composed(file.relative_to(folder).parent.name)


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
