"""Score the layers of a model against one area: what every mapping reports and stores."""

import importlib
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from cortiscope.features import Layer
from cortiscope.files import Variable
from cortiscope.mapping_kinds import MAPPINGS, TOGETHER
from cortiscope.responses import Area
from cortiscope.statistics import p_value


@dataclass(frozen=True)
class LayerScore:
    """How well one layer, or all together, explain one area, by one mapping.

    area_score: the whole area's held-out score. area_null: (permutation,) the same with stimuli
    permuted, the same way for all layers. area_bootstrap: (draw,) with stimuli resampled.
    selection: (split, half), with half of the data only. neuroids: what the mapping says of each
    neuroid, name to (neuroid,).
    layer_weights: (layer,), what each layer gives to the score of all together, 0 or more.
    best_single: the score of the one layer that is best in training, chosen and tested on the same
    stimuli as all together; NaN where the mapping does not say.
    """

    area_score: float
    area_null: np.ndarray
    area_bootstrap: np.ndarray
    selection: np.ndarray
    neuroids: Mapping[str, np.ndarray]
    layer_weights: np.ndarray | None = None
    best_single: float = float("nan")


class Scorer(Protocol):
    """Scores layers of one area; what does not depend on the layer is done once, at the start.

    That of a joint mapping has `score_together` in place of `score`.
    """

    def __init__(
        self, area: Area, settings: Mapping[str, Any], coordinates: Mapping[str, np.ndarray]
    ) -> None:
        """settings: the sections of the config that the mapping reads, and what these name."""

    def score(self, layer: Layer) -> LayerScore:
        """Score one layer."""

    def score_together(self, layers: Sequence[Layer]) -> LayerScore:
        """Score all layers of a model as one."""


def fit(
    mapping: str,
    layers: Iterable[Layer],
    area: Area,
    settings: Mapping[str, Any],
    coordinates: Mapping[str, np.ndarray] | None = None,
) -> dict[str, Variable]:
    """Score a block of layers against an area.

    coordinates: name to (stimulus,), those coordinates of the stimuli that the settings name, such
    as the one whose values are held out together (see `mapping_kinds.coordinates`).

    Returns the variables of a score file: for each layer the area's score, its permutation null
    and p-value, its bootstrap draws and its scores on halves of the data; for mappings that
    predict neuroids, the same of every neuroid. NaN = not scored (a constant neuroid).
    """
    scorer: Scorer = importlib.import_module(f"cortiscope.mappings.{mapping}").Scorer(
        area, settings, coordinates or {}
    )
    about, scores, joint = [], [], MAPPINGS[mapping].joint
    members = list(layers) if joint else []
    for name, index, depth, result in _scored(scorer, members if joint else layers, joint):
        print(f"{mapping} {name} -> {area.name}: {result.area_score:.4f}", file=sys.stderr)
        about.append((name, index, depth))
        scores.append(result)
    names, indices, depths = zip(*about, strict=True)
    variables = {
        "layer": Variable(("layer",), np.array(names)),
        "layer_index": Variable(("layer",), np.array(indices)),
        "depth": Variable(("layer",), np.array(depths)),
        "neuroid_id": Variable(("neuroid",), area.neuroid_id),
        "weight": Variable(("neuroid",), area.weight),
        "area_score": Variable(("layer",), np.array([s.area_score for s in scores])),
        "area_null": Variable(("layer", "permutation"), np.stack([s.area_null for s in scores])),
        "area_null_mean": Variable(("layer",), np.array([_mean(s.area_null) for s in scores])),
        "area_p_value": Variable(
            ("layer",), np.array([p_value(s.area_score, s.area_null) for s in scores])
        ),
        "area_bootstrap": Variable(("layer", "draw"), np.stack([s.area_bootstrap for s in scores])),
        "selection_score": Variable(
            ("layer", "split", "half"), np.stack([s.selection for s in scores])
        ),
    }
    for name in scores[0].neuroids:
        stacked = np.stack([s.neuroids[name] for s in scores]).astype(np.float32)
        variables[name] = Variable(("layer", "neuroid"), stacked)
    if scores[0].layer_weights is not None:
        along = [float(layer.attributes["depth"]) for layer in members]
        variables["member"] = Variable(("member",), np.array([layer.name for layer in members]))
        variables["member_depth"] = Variable(("member",), np.array(along))
        variables["layer_weight"] = Variable(("member",), scores[0].layer_weights)
        variables["best_single"] = Variable(("layer",), np.array([s.best_single for s in scores]))
    return variables


def _scored(
    scorer: Scorer, layers: Iterable[Layer], joint: bool
) -> Iterator[tuple[str, int, float, LayerScore]]:
    """Name, index and depth of each layer, or of all together, with the score."""
    if joint:
        yield TOGETHER, -1, float("nan"), scorer.score_together(list(layers))
        return
    for layer in layers:
        about = layer.attributes
        yield layer.name, int(about["index"]), float(about["depth"]), scorer.score(layer)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float("nan")
