"""Score the layers of a model against one area: what every mapping reports and stores."""

import importlib
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from cortiscope.experiment.responses import Area
from cortiscope.files import Variable
from cortiscope.mappings.by_subject import SUBJECT, Part, parts, scorer
from cortiscope.mappings.kinds import MAPPINGS, TOGETHER
from cortiscope.mappings.scores import LayerScore, Scorer
from cortiscope.networks.features import Layer, leading_share, relative_spread
from cortiscope.statistics.resampling import p_value

MANY_AT_EDGE = 0.1  # of the strengths: said in the log


def fit(
    mapping: str,
    layers: Iterable[Layer],
    area: Area,
    settings: Mapping[str, Any],
    coordinates: Mapping[str, np.ndarray] | None = None,
) -> dict[str, Variable]:
    """Score a block of layers against an area; see `fit_areas`."""
    return fit_areas(mapping, layers, [area], settings, coordinates)[0]


def fit_areas(
    mapping: str,
    layers: Iterable[Layer],
    areas: Sequence[Area],
    settings: Mapping[str, Any],
    coordinates: Mapping[str, np.ndarray] | None = None,
) -> list[dict[str, Variable]]:
    """Score a block of layers against areas, which share what is made of the layers alone.

    coordinates: name to (stimulus,), those coordinates of the stimuli that the settings name, such
    as the one whose values are held out together (see `mappings.kinds.coordinates`).

    Returns the variables of each area's score file: for each layer the area's score, its
    permutation null and p-value, its bootstrap draws and what its best layer is chosen by; for
    mappings that predict neuroids, scores, nulls and p-values of every neuroid too. NaN = not
    scored (a constant neuroid).
    """
    kind = MAPPINGS[mapping]
    divided = [parts(area, kind, settings) for area in areas]
    if not kind.of_neuroids:
        _say_incomplete(mapping, [part for of in divided for part in of])
    module = importlib.import_module(f"cortiscope.mappings.{mapping}")
    scorers = [
        scorer(module.Scorer, area, of, kind, settings, coordinates or {})
        for area, of in zip(areas, divided, strict=True)
    ]
    members = list(layers) if kind.joint else []
    scored = _together(scorers, members) if members else _singly(scorers, layers)
    rows, scores = [], []
    for row, of_areas in scored:
        for area, score in zip(areas, of_areas, strict=True):
            lost = score.n_without_pattern
            unscored = lost and np.isnan(score.area_score)
            why = f", as {lost} stimuli have no pattern" if unscored else ""
            edge = _say_at_edge(score.at_edge)
            print(
                f"{mapping} {row[0]} -> {area.name}: {score.area_score:.4f}{why}{edge}",
                file=sys.stderr,
            )
        rows.append(row)
        scores.append(of_areas)
    by_area = zip(areas, divided, zip(*scores, strict=True), strict=True)
    return [
        _variables(area, rows, found, members) | _of_parts(area, of, found)
        for area, of, found in by_area
    ]


def _say_incomplete(mapping: str, of: Sequence[Part]) -> None:
    for part in of:
        area, missing, total = part.area, int((~part.complete).sum()), len(part.complete)
        if missing:
            print(
                f"{area.name}: {missing} of {total} neuroids miss a stimulus; {mapping} has no use "
                "for them",
                file=sys.stderr,
            )


def _say_at_edge(at_edge: np.ndarray) -> str:
    """What to add to a line about a score of which many strengths are at an edge."""
    ends = "least, which shrinks nothing", "largest, which leaves little but the mean"
    return "".join(
        f", {share:.0%} of the strengths are the {end}"
        for share, end in zip(at_edge, ends, strict=True)
        if share > MANY_AT_EDGE
    )


# Name, index, depth, spread and leading share of a layer.
Row = tuple[str, int, float, float, float]


def _singly(
    scorers: Sequence[Scorer], layers: Iterable[Layer]
) -> Iterator[tuple[Row, list[LayerScore]]]:
    """Each layer's scores of all areas."""
    for layer in layers:
        about = layer.attributes
        spreads = relative_spread(layer), leading_share(layer)
        row = layer.name, int(about["index"]), float(about["depth"]), *spreads
        yield row, [scorer.score(layer) for scorer in scorers]


def _together(
    scorers: Sequence[Scorer], layers: Sequence[Layer]
) -> Iterator[tuple[Row, list[LayerScore]]]:
    """The scores of all areas by all layers."""
    row = TOGETHER, -1, *(float("nan"),) * 3
    yield row, [scorer.score_together(layers) for scorer in scorers]


def _variables(
    area: Area, rows: Sequence[Row], scores: Sequence[LayerScore], members: Sequence[Layer]
) -> dict[str, Variable]:
    """Of one area's score file; members: the layers that were scored together."""
    names, indices, depths, spreads, leading = zip(*rows, strict=True)
    variables = {
        "layer": Variable(("layer",), np.array(names)),
        "layer_index": Variable(("layer",), np.array(indices)),
        "depth": Variable(("layer",), np.array(depths)),
        "spread": Variable(("layer",), np.array(spreads)),
        "leading_share": Variable(("layer",), np.array(leading)),
        "neuroid_id": Variable(("neuroid",), area.neuroid_id),
        "area_score": Variable(("layer",), np.array([s.area_score for s in scores])),
        "area_null": Variable(("layer", "permutation"), np.stack([s.area_null for s in scores])),
        "area_null_mean": Variable(("layer",), np.array([_mean(s.area_null) for s in scores])),
        "area_p_value": Variable(
            ("layer",), np.array([p_value(s.area_score, s.area_null) for s in scores])
        ),
        "area_bootstrap": Variable(("layer", "draw"), np.stack([s.area_bootstrap for s in scores])),
        "n_without_pattern": Variable(
            ("layer",), np.array([s.n_without_pattern for s in scores], np.int32)
        ),
        "at_edge": Variable(("layer", "edge"), np.stack([s.at_edge for s in scores])),
    }
    for name in scores[0].neuroids:
        stacked = np.stack([s.neuroids[name] for s in scores]).astype(np.float32)
        dims = ("layer", "own_draw", "neuroid") if stacked.ndim == 3 else ("layer", "neuroid")
        variables[name] = Variable(dims, stacked)
    if scores[0].selection is not None:
        halves = np.stack([_selectable(s) for s in scores])
        variables["selection_score"] = Variable(("layer", "split", "half"), halves)
    if scores[0].layer_weights is not None:
        along = [float(layer.attributes["depth"]) for layer in members]
        variables["member"] = Variable(("member",), np.array([layer.name for layer in members]))
        variables["member_depth"] = Variable(("member",), np.array(along))
        variables["layer_weight"] = Variable(("member",), scores[0].layer_weights)
        variables["best_single"] = Variable(("layer",), np.array([s.best_single for s in scores]))
    return variables


def _of_parts(area: Area, of: Sequence[Part], scores: Sequence[LayerScore]) -> dict[str, Variable]:
    """Which neuroids were recorded on all the stimuli of their part, and who the subjects are."""
    used = np.zeros(area.n_shown, dtype=bool)
    complete, number = np.zeros((2, len(area.neuroid_id)), np.int8)
    number = number.astype(np.int32)
    for place, part in enumerate(of):
        complete[part.neuroids], number[part.neuroids] = part.complete, place
        used[part.area.shown[(part.area.counts > 0).any(axis=1)]] = True
    variables = {
        "complete": Variable(("neuroid",), complete),
        "n_stimuli": Variable((), np.array(used.sum(), np.int32)),
    }
    found = [score.by_subject for score in scores if score.by_subject is not None]
    if not found:
        return variables
    variables[SUBJECT] = Variable((SUBJECT,), np.array([part.subject for part in of]))
    variables["subject_number"] = Variable(("neuroid",), number)
    for name, values in found[0].items():
        each_has = "draw" if name == "stimulus_bootstrap" else SUBJECT
        dims = ("layer", each_has)[: 1 + np.ndim(values)]
        variables[name] = Variable(dims, np.stack([each[name] for each in found]))
    return variables


def _selectable(score: LayerScore) -> np.ndarray:
    """Scores on halves (split, half); NaN for a layer that has no score on all the data.

    A half may lack the stimulus that cannot be scored: layers would be chosen on unlike stimuli.
    """
    assert score.selection is not None
    return np.where(np.isfinite(score.area_score), score.selection, np.nan)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float("nan")
