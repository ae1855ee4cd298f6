"""Rows of the decoding table: how well each property is read out of a layer, or of an area.

The readout, its score and its p-value are those of `decoding`, the same for layers and for areas.
"""

import csv
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cortiscope.errors import InputError
from cortiscope.files import read_coordinate, replacing
from cortiscope.mappings.kinds import coordinates as named_by
from cortiscope.regression import decoding
from cortiscope.regression.cross_validation import CrossValidation
from cortiscope.regression.decoding import Decoded, Readout
from cortiscope.regression.given_split import FEWEST

LABELS = ("family", "architecture", "training")  # of the models, which the joined table has too
COLUMNS = (
    "source", "name", "layer", "layer_index", "depth", "property", "kind", "score", "null_mean",
    "p_value", "accuracy", "chance", "n_stimuli",
)  # fmt: skip
JOINED = (*COLUMNS[:2], *LABELS, *COLUMNS[2:])
NOT_SCORED = Decoded(np.nan, np.empty(0), np.nan)


@dataclass(frozen=True)
class Property:
    """A property of the stimuli: values (stimulus,); period of an angle in its unit, else NaN."""

    name: str
    values: NDArray
    kind: str
    period: float = np.nan

    @property
    def known(self) -> NDArray:
        """(stimulus,), whether it has a value."""
        if self.values.dtype.kind in "OUS":
            return np.array([bool(str(value)) for value in self.values])
        known: NDArray = np.isfinite(self.values)
        return known


@dataclass(frozen=True)
class Protocol:
    """settings: `planning.settings.decoding_settings`; validation: which stimuli are held out."""

    settings: Mapping[str, Any]
    validation: CrossValidation

    def stimuli(self, asked: Property) -> NDArray:
        """The numbers of the stimuli whose property is known.

        Of a given split, those of classes that have stimuli in both parts, if any: no other can be
        both learnt and recognised.
        """
        stimuli, test = np.flatnonzero(asked.known), self.validation.test
        if test is None or asked.kind != "discrete":
            return stimuli
        classes, test = asked.values[stimuli].astype(str), test[stimuli]
        both = np.intersect1d(classes[test], classes[~test])
        return stimuli[np.isin(classes, both)] if len(both) else stimuli

    def scored(self, stimuli: NDArray) -> NDArray:
        """Those of some stimuli that are scored: of a given split, the test stimuli."""
        test = self.validation.test
        return stimuli if test is None else stimuli[test[stimuli]]

    def are_few(self, stimuli: NDArray) -> bool:
        """Whether there are too few to learn from and to score: in a part of a split, or at all.

        So are those of one group, which would be held out together.
        """
        test, groups = self.validation.test, self.validation.groups
        if test is not None:
            n_test = int(test[stimuli].sum())
            return min(n_test, len(stimuli) - n_test) < FEWEST
        one_group = groups is not None and len(np.unique(groups[stimuli])) < 2
        return len(stimuli) < FEWEST or one_group

    def folds(self, stimuli: NDArray) -> NDArray:
        """Fold numbers of some stimuli, of no more folds than there are of them."""
        folds = self.validation.folds
        folds = folds if isinstance(folds, str) else min(folds, len(stimuli))
        return replace(self.validation, folds=folds).numbers(stimuli)


def read_properties(
    stimuli: str | Path, settings: Mapping[str, Any], stimulus_id: NDArray
) -> tuple[list[Property], Protocol]:
    """What to decode, and how, from a stimuli file; stimulus_id (stimulus,) of the patterns.

    Errors: InputError where the file has other stimuli, or not what is asked for.
    """
    if read_coordinate(stimuli, "stimulus_id").tolist() != stimulus_id.tolist():
        raise InputError(str(stimuli), "stimuli differ from those decoded", "delete it, rerun")
    asked, section = settings["properties"], settings["cross_validation"]
    named = {name for names in named_by(settings).values() for name in names}
    coordinates = {name: read_coordinate(stimuli, name) for name in sorted({*asked, *named})}
    found = [as_property(name, coordinates[name], asked[name]) for name in asked]
    return found, Protocol(settings, CrossValidation.of(section, coordinates))


def as_property(name: str, values: NDArray, how: str | float) -> Property:
    """A property with its kind; how: as `planning.settings.properties` says.

    Errors: InputError for text that is to be a number, and for a discrete property of which most
    values stand for one stimulus only, which nothing could learn from the others.
    """
    text = values.dtype.kind in "OUS"
    if how == "by value":
        how = "discrete" if text or values.dtype.kind in "iub" else "continuous"
    where = f"config: decoding.properties: {name}"
    if how != "discrete" and text:
        raise InputError(where, "is text", "name it without a kind")
    if how == "discrete":
        n_classes = len(np.unique(values.astype(str)))
        if 2 * n_classes > len(values):
            remedy = "name it `continuous`, or the period of an angle"
            raise InputError(where, f"{n_classes} classes of {len(values)} stimuli", remedy)
        return Property(name, values, "discrete")
    if how == "continuous":
        return Property(name, values, "continuous")
    return Property(name, values, "angle", float(how))


def read_out(
    patterns: NDArray, properties: Sequence[Property], protocol: Protocol
) -> Iterator[dict[str, Any]]:
    """A row for each property, from patterns (stimulus, component) or (stimulus, neuroid).

    Stimuli of which a property is not known count for nothing in its row; where those left are
    few, it is not scored. `n_stimuli` are those scored: of a given split, test stimuli.
    """
    alphas = np.asarray(protocol.settings["ridge"]["alphas"], dtype=float)

    def readout(stimuli: NDArray) -> Readout:
        kernel = decoding.readout_kernel(patterns[stimuli])
        groups, test = protocol.validation.groups, protocol.validation.test
        units = None if groups is None or test is not None else groups[stimuli]
        return Readout(kernel, protocol.folds(stimuli), alphas, units)

    whole = readout(np.arange(len(patterns)))
    for asked in properties:
        stimuli = protocol.stimuli(asked)
        decoded = NOT_SCORED
        if not protocol.are_few(stimuli):
            source = whole if len(stimuli) == len(patterns) else readout(stimuli)
            decoded = _decode(source, asked, asked.values[stimuli], protocol.settings["statistics"])
        yield {
            "property": asked.name,
            "kind": asked.kind,
            "score": decoded.score,
            "null_mean": decoded.null.mean() if decoded.null.size else np.nan,
            "p_value": decoded.p_value,
            "accuracy": decoded.accuracy,
            "chance": decoded.chance,
            "n_stimuli": len(protocol.scored(stimuli)),
        }


def _decode(
    readout: Readout, asked: Property, values: NDArray, statistics: Mapping[str, Any]
) -> Decoded:
    count, seed = statistics["permutations"], statistics["seed"]
    if asked.kind == "continuous":
        return decoding.continuous(readout, values, count, seed)
    if asked.kind == "angle":
        return decoding.angle(readout, values, asked.period, count, seed)
    values = values.astype(str)
    pairs = {(label, fold) for label, fold in zip(values, readout.folds, strict=True)}
    if len(pairs) == len(set(values)):
        # Classes held out whole, which no training part has seen, are not there to be recognised.
        return NOT_SCORED
    return decoding.discrete(readout, values, count, seed)


def write_rows(
    path: str | Path, rows: Iterable[Mapping[str, Any]], columns: Sequence[str] = COLUMNS
) -> None:
    """Write rows as CSV, whole or not at all; six digits, empty cells for NaN and what is missing.

    Each row is said on standard error, which is the job's log.
    """
    with replacing(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            cells = {name: _cell(value) for name, value in row.items()}
            print(" ".join(filter(None, cells.values())), file=sys.stderr)
            writer.writerow(cells)


def _cell(value: Any) -> str:
    if isinstance(value, float | np.floating):
        return f"{value:.6g}" if np.isfinite(value) else ""
    return str(value)


def join(
    models: Sequence[str], areas: Sequence[str], labels: Mapping[str, Mapping[str, str]]
) -> Iterator[dict[str, str]]:
    """The rows of all models' files, with their LABELS, then those of the areas' files."""
    for path in (*models, *areas):
        with Path(path).open(newline="") as file:
            for row in csv.DictReader(file):
                about = labels[row["name"]] if row["source"] == "model" else {}
                yield {**about, **row}
