"""Score the layers of a model against one area: what every mapping reports and stores."""

import importlib
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from cortiscope.features import Layer
from cortiscope.files import Variable
from cortiscope.responses import Area
from cortiscope.statistics import p_value

# The module that scores a layer by each mapping; only the one asked for is imported, so that an
# edit of one mapping reruns none of the others.
SCORERS = {"ridge": "encoding", "rsa": "similarity"}


@dataclass(frozen=True)
class LayerScore:
    """How well one layer explains one area, by one mapping.

    area_score: the whole area's held-out score. area_null: (permutation,) the same with stimuli
    permuted. area_bootstrap: (draw,) with stimuli resampled. selection: (split, half), with half
    of the data only. neuroids: what the mapping says of each neuroid, name to (neuroid,).
    """

    area_score: float
    area_null: np.ndarray
    area_bootstrap: np.ndarray
    selection: np.ndarray
    neuroids: Mapping[str, np.ndarray]


class Scorer(Protocol):
    """Scores layers of one area; what does not depend on the layer is done once, at the start."""

    def __init__(self, area: Area, settings: Mapping[str, Any], groups: np.ndarray | None) -> None:
        """settings: the sections of the config that the mapping reads; groups: (stimulus,)."""

    def score(self, layer: Layer) -> LayerScore:
        """Score one layer."""


def fit(
    mapping: str,
    layers: Iterable[Layer],
    area: Area,
    settings: Mapping[str, Any],
    groups: np.ndarray | None = None,
) -> dict[str, Variable]:
    """Score a block of layers against an area.

    groups: (stimulus,), the coordinate whose values are held out together; None for plain folds.

    Returns the variables of a score file: for each layer the area's score, its permutation null
    and p-value, its bootstrap draws and its scores on halves of the data; for mappings that
    predict neuroids, the same of every neuroid. NaN = not scored (a constant neuroid).
    """
    scorer: Scorer = importlib.import_module(f"cortiscope.{SCORERS[mapping]}").Scorer(
        area, settings, groups
    )
    about, scores = [], []
    for layer in layers:
        result = scorer.score(layer)
        print(f"{mapping} {layer.name} -> {area.name}: {result.area_score:.4f}", file=sys.stderr)
        about.append((layer.name, layer.attributes["index"], layer.attributes["depth"]))
        scores.append(result)
    names, indices, depths = zip(*about, strict=True)
    variables = {
        "layer": Variable(("layer",), np.array(names)),
        "layer_index": Variable(("layer",), np.array(indices)),
        "depth": Variable(("layer",), np.array(depths)),
        "neuroid_id": Variable(("neuroid",), area.neuroid_id),
        "weight": Variable(("neuroid",), area.weight),
        "area_score": Variable(("layer",), np.array([s.area_score for s in scores])),
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
    return variables


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float("nan")
