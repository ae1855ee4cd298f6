"""Layers and areas from plain matrices."""

import numpy as np
from numpy.typing import NDArray

from cortiscope.experiment.responses import Area
from cortiscope.networks.features import Layer


def layer(features: NDArray, name: str = "layer") -> Layer:
    """A layer as it comes unprojected."""
    attributes = {"index": 0, "depth": 0.0, "projection": "none", "n_features": features.shape[1]}
    return Layer(name, features, features.mean(axis=1), attributes, ones=np.ones(features.shape[1]))


def area(response: NDArray) -> Area:
    """response: (stimulus, repetition, neuroid)."""
    n_stimuli, _, n_neuroids = response.shape
    return Area(
        name="IT",
        stimulus_id=np.arange(n_stimuli).astype(str),
        neuroid_id=np.arange(n_neuroids).astype(str),
        response=response.astype(float),
        metadata={},
    )
