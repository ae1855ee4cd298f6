"""Features that no network gives, projected as the activations of a layer are."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch

from cortiscope.networks import projection


def project(
    layers: Iterable[tuple[str, np.ndarray]], settings: Mapping[str, Any], model: str
) -> dict[str, projection.Outcome]:
    """Layer to (arrays, attributes), as `extraction.extract` gives them.

    layers: names and features (stimulus, feature), of which one at a time is in memory.
    settings: `projection`, `components`, `seed`; see `projection.make`.
    Raises InputError for features that are not finite.
    """
    outcomes = {}
    for name, values in layers:
        kind = str(settings.get("projection") or "auto")
        n_stimuli, n_features = values.shape
        projector = projection.make(kind, n_stimuli, n_features, settings, name, model)
        projector.add(torch.from_numpy(values), 0)
        outcomes[name] = projector.finish()
    return outcomes
