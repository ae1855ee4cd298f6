"""Arrays whose dimensions no file names: told by the tables beside them, or by the config."""

from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import Any

import numpy as np

from cortiscope.errors import InputError
from cortiscope.experiment import plain_rdms, presentations
from cortiscope.experiment.formats import Array, Arrays
from cortiscope.experiment.tables import (
    NEUROID,
    ONE_AREA,
    STIMULUS,
    as_ids,
    column_of,
    neuroids_of,
    no_stimuli,
    read_table,
    stimuli_of,
)

READS = (
    *("variable", "area", "array", "dims", "neuroids_table", "stimuli_table", "stimulus_column"),
    "exclude",
)
# The orders that dimensions have where nothing says another.
USUAL = {2: ("stimulus", "neuroid"), 3: ("stimulus", "repetition", "neuroid")}


class Turned:
    """An array with its axes in another order, which stays in its file until it is indexed."""

    def __init__(self, values: Any, order: Sequence[int]) -> None:
        self.values, self.order = values, tuple(order)
        self.shape = tuple(values.shape[axis] for axis in order)
        self.dtype = values.dtype

    def __getitem__(self, place: Any) -> np.ndarray:
        sliced = isinstance(place, tuple) and all(isinstance(part, slice) for part in place)
        if not sliced or len(place) != len(self.order):
            return np.asarray(self.values[...]).transpose(self.order)[place]
        of_own = [place[self.order.index(axis)] for axis in range(len(self.order))]
        return np.asarray(self.values[tuple(of_own)]).transpose(self.order)


def recording(
    path: str, name: str, values: Any, section: Mapping[str, Any], beside: Mapping[str, np.ndarray]
) -> Arrays:
    """A recording from an array without names of dimensions, the tables of a section, and more.

    name, values: of the array. beside: further arrays of the file, of which those of one dimension
    are coordinates, the stimuli's or the neuroids', by how many they are.
    """
    where = f"{path}: {name}" if name else path
    stimuli, neuroids = _coordinates(section, beside)
    ids = stimuli.get("stimulus_id")
    if ids is None:
        raise no_stimuli(path)
    n_neuroids = max(map(len, neuroids.values()), default=None)
    dims = dimensions(values.shape, section.get("dims", ()), len(ids), n_neuroids, where)
    size = dict(zip(dims, values.shape, strict=True))
    about = with_area(neuroids, size["neuroid"], section)
    arrays = {key: Array(("neuroid",), column) for key, column in about.items()}
    if "presentation" in dims or (len(dims) == 2 and len(set(ids.tolist())) < len(ids)):
        shown = "presentation" if "presentation" in dims else "stimulus"
        trials = values if dims[0] == shown else Turned(values, (1, 0))
        table = section.get("stimuli_table")
        of_each = read_table(table) if table else {}
        found = presentations.recording(trials, ids.tolist(), section, of_each)
        return Arrays(path, arrays | found)
    if section.get("exclude"):
        problem = f"{where} has a row for each stimulus, not for each presentation"
        raise InputError(
            presentations.EXCLUDE, problem, "make what to leave out NaN, or take it out"
        )
    arrays["stimulus_id"] = Array(("stimulus",), ids)
    return Arrays(path, arrays | {"response": Array(dims, values)})


def _coordinates(
    section: Mapping[str, Any], beside: Mapping[str, np.ndarray]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Of the stimuli, and of the neuroids: from tables, and from arrays of the same file."""
    stimuli: dict[str, np.ndarray] = {}
    neuroids: dict[str, np.ndarray] = {}
    flat = {key: array.ravel() for key, array in beside.items() if max(array.shape, default=0)}
    named = section.get("stimulus_column") or column_of(flat, STIMULUS)
    if table := section.get("stimuli_table"):
        stimuli["stimulus_id"] = stimuli_of(table, section.get("stimulus_column", ""))
    elif named in flat:
        stimuli["stimulus_id"] = as_ids(flat[named])
    if table := section.get("neuroids_table"):
        return stimuli, neuroids_of(table)
    areas = section.get("area", "area")
    marks = [column_of(flat, NEUROID), *([areas] if isinstance(areas, str) else areas)]
    length = next((len(flat[mark]) for mark in marks if mark in flat), 0)
    n_stimuli = len(stimuli.get("stimulus_id", ()))
    if length and length != n_stimuli:
        neuroids |= {key: array for key, array in flat.items() if len(array) == length}
    elif length:  # as many neuroids as stimuli: those alone that are known to be theirs
        neuroids |= {mark: flat[mark] for mark in marks if mark in flat}
    return stimuli, neuroids


def with_area(
    neuroids: Mapping[str, np.ndarray], n_neuroids: int, section: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    """Coordinates of neuroids, with an area where nothing tells them apart but their names."""
    named = section.get("area", "area")
    if named == "area" and not set(neuroids) - set(NEUROID):
        return {**neuroids, "area": np.full(n_neuroids, ONE_AREA)}
    return dict(neuroids)


def dimensions(
    shape: Sequence[int],
    given: Sequence[str],
    n_stimuli: int,
    n_neuroids: int | None,
    where: str,
) -> tuple[str, ...]:
    """What the axes of an array of responses are: as given, or found by how long they are.

    Errors: InputError where lengths disagree with how many stimuli and neuroids there are, or
    agree in several ways.
    """
    lengths = {"stimulus": n_stimuli, "presentation": n_stimuli, "neuroid": n_neuroids}
    told = f"{n_stimuli} stimuli" + ("" if n_neuroids is None else f" and {n_neuroids} neuroids")

    def fits(names: Sequence[str]) -> bool:
        known = (lengths.get(name) for name in names)
        return all(length in (None, axis) for length, axis in zip(known, shape, strict=True))

    seen = f"has the shape {tuple(int(axis) for axis in shape)}"
    if given:
        kinds = {"stimulus", "presentation"} & set(given)
        if len(given) != len(shape) or len(kinds) != 1 or "neuroid" not in given:
            remedy = "name each axis: stimulus (or presentation), neuroid, perhaps repetition"
            raise InputError("config: responses.dims", f"are {list(given)}; {where} {seen}", remedy)
        if not fits(given):
            remedy = "name its axes in their order, and give tables with a row for each"
            raise InputError(where, f"{seen} by responses.dims, where there are {told}", remedy)
        return tuple(given)
    if len(shape) not in USUAL:
        remedy = "give an array of 2 axes (stimulus, neuroid), or 3 (with repetition)"
        raise InputError(where, seen, remedy)
    usual = USUAL[len(shape)]
    found = [names for names in permutations(usual) if fits(names)]
    if not found:
        remedy = "give tables with a row for each stimulus and each neuroid of this array"
        raise InputError(where, f"{seen}, where there are {told}", remedy)
    if len(found) > 1 and (n_neuroids is not None or usual not in found):
        remedy = f"write their order, such as responses.dims: [{', '.join(usual)}]"
        raise InputError(where, f"{seen}, which {told} do not tell apart", remedy)
    return usual if n_neuroids is None and usual in found else found[0]


def of_file(
    path: str,
    numbers: Mapping[str, Any],
    texts: Mapping[str, Any],
    others: Mapping[str, str],
    section: Mapping[str, Any],
) -> Arrays:
    """A recording, or dissimilarities, from a file of named arrays.

    numbers, texts: name to array. others: what is no array of numbers, to what it is.
    Errors: InputError where the array that is asked for is one of these, and as `recording`.
    """
    asked = section.get("array", "")
    if asked in others:
        remedy = "store an array of numbers, such as by cell2mat"
        raise InputError(f"{path}: {asked}", f"is of class {others[asked]}, no numbers", remedy)
    if section["variable"] == "dissimilarity":
        return plain_rdms.recording(path, {**texts, **numbers}, section)
    name = chosen(path, {key: array.shape for key, array in numbers.items()}, section)
    flat = {
        key: array
        for key, array in {**texts, **numbers}.items()
        if key != name and array.shape and sum(axis > 1 for axis in array.shape) <= 1
    }
    beside = {key: array[...].ravel() for key, array in flat.items()}
    return recording(path, name, numbers[name], section, beside)


def chosen(path: str, shapes: Mapping[str, Sequence[int]], section: Mapping[str, Any]) -> str:
    """The array of a file that holds the responses: as `responses.array` says, or the only one.

    shapes: of the arrays of numbers. Errors: InputError where it is not there, or one of several.
    """
    large = [name for name, shape in shapes.items() if sum(axis > 1 for axis in shape) > 1]
    asked = section.get("array") or (section["variable"] if section["variable"] in shapes else "")
    known = ", ".join(f"{name} {tuple(map(int, shapes[name]))}" for name in shapes) or "none"
    if asked:
        if asked not in shapes:
            remedy = f"set responses.array to one of {known}"
            raise InputError(f"{path}: {asked}", "no such array of numbers", remedy)
        return str(asked)
    if len(large) != 1:
        problem = f"holds {len(large)} arrays that may be the responses"
        raise InputError(path, problem, f"set responses.array to one of {known}")
    return large[0]
