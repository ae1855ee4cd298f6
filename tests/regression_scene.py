"""Planted scenes for the tests of regressions as mappings, each through `fitting.fit`."""

import numpy as np
from numpy.typing import NDArray

from cortiscope.experiment.responses import Area
from cortiscope.mappings.fitting import fit
from cortiscope.networks.features import Layer
from tests.running import study_config
from tests.synthetic_areas import area

CONFIG = study_config()
HALVES = CONFIG["selection"] | {"method": "halves"}
NO_HALVES = HALVES | {"splits": 0}  # nothing that a best layer is chosen by: most of a fit's time


def settings(kind: str, n_permutations: int = 0, n_draws: int = 0, **sections) -> dict:
    protocol = "brainscore" if kind == "brainscore" else "folds"
    statistics = {"permutations": n_permutations, "bootstraps": n_draws, "seed": 0}
    return (
        CONFIG
        | {"statistics": statistics, "pls": CONFIG["pls"] | {"protocol": protocol}}
        | {"pcr": {"components": [2, 8, 25]}, "selection": HALVES}
        | sections
    )


def run(kind: str, layers: list[Layer], area: Area, **options) -> dict[str, NDArray]:
    mapping = "pls" if kind == "brainscore" else kind
    coordinates = options.pop("coordinates", None)
    found = fit(mapping, layers, area, settings(kind, **options), coordinates)
    return {name: variable.values for name, variable in found.items()}


def layer(name: str, features: NDArray, index: int = 0, last: int = 1) -> Layer:
    attributes = {"index": index, "depth": index / last, "projection": "none"}
    ones = np.ones(features.shape[1])
    return Layer(name, features, features.mean(axis=1), attributes, ones=ones)


def layers(n_stimuli: int, count: int = 3, n_components: int = 60) -> list[Layer]:
    random = np.random.default_rng(7)
    spectrum = np.arange(1, n_components + 1) ** -1.0
    drawn = [random.normal(size=(n_stimuli, n_components)) * spectrum + 1 for _ in range(count)]
    return [layer(f"layer{i}", x, i, count - 1) for i, x in enumerate(drawn)]


def code(holder: Layer, n_neuroids: int, seed: int = 0) -> NDArray:
    """Responses of unit variance that a layer's features explain."""
    random = np.random.default_rng(seed)
    signal = holder.features @ random.normal(size=(holder.features.shape[1], n_neuroids))
    return (signal - signal.mean(axis=0)) / signal.std(axis=0)


def planted(holder: Layer, n_neuroids: int = 12, n_repetitions: int = 4) -> Area:
    signal = code(holder, n_neuroids)
    random = np.random.default_rng(1)
    noise = random.normal(size=(len(signal), n_repetitions, n_neuroids))
    return area(signal[:, None] + noise)
