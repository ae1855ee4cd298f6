"""The projected features of a model's layers: one file a model, one group a layer."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

from cortiscope.errors import InputError
from cortiscope.file_names import encoded
from cortiscope.files import Variable, fill, opened, read_group, replacing

# The last digit of float32, in which networks compute.
SINGLE_PRECISION = float(np.finfo(np.float32).eps)
WRITTEN = 1 << 23  # bytes of features that are written, or compressed together
ITERATIONS = 10  # for the largest dimension: of 0.9 of the variance, the rest is then 1e-19


@dataclass(frozen=True)
class Layer:
    """One layer's projected features.

    features: (stimulus, component).
    feature_mean: (stimulus,), mean over the layer's own n_features activations.
    mean_product, mean_square: of the exact projection, whose components are centred over stimuli;
        they restore the inner products of the activations themselves (see `row_centred_gram`).
    ones: (component,), of the linear projections: where the all-ones activation vector goes.
    attributes: index, depth, kind, shape, n_features, parameters, projection, seed, dtype.
    """

    name: str
    features: np.ndarray
    feature_mean: np.ndarray
    attributes: Mapping[str, Any]
    mean_product: np.ndarray | None = None
    ones: np.ndarray | None = None
    made: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)

    def once(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What is made of the layer alone, kept with it: all areas compared with it share it."""
        if key not in self.made:
            self.made[key] = make()
        return self.made[key]

    @property
    def projection(self) -> str:
        return str(self.attributes["projection"])


def row_centred_gram(layer: Layer) -> np.ndarray:
    """Inner products between stimuli of activations less each stimulus's own mean activation.

    With x_i the activations of stimulus i, m_i their mean, c_i the components of x_i − x̄ and p
    their number: (x_i − m_i)·(x_j − m_j) = c_i·c_j + b_i + b_j + s − p (m_i − m̄)(m_j − m̄), where
    b_i = (x̄ − m̄)·c_i and s = |x̄ − m̄|² are kept by the exact projection. Linear projections are
    centred directly, since they know the projection of a constant.

    Returns (stimulus, stimulus); its normalised form is the Pearson correlation of two stimuli.
    """
    features = layer.features.astype(np.float64)
    if layer.ones is not None:
        rows = features - np.outer(layer.feature_mean, layer.ones)
        return rows @ rows.T  # (stimulus, component) x (component, stimulus)
    if layer.mean_product is None:
        raise InputError(
            f"layer {layer.name}", "has neither `ones` nor `mean_product`", "extract it again"
        )
    deviation = layer.feature_mean - layer.feature_mean.mean()
    products = layer.mean_product
    return (
        features @ features.T  # (stimulus, component) x (component, stimulus)
        + products[:, None]
        + products[None, :]
        + float(layer.attributes["mean_square"])
        - float(layer.attributes["n_features"]) * np.outer(deviation, deviation)
    )


def relative_spread(layer: Layer) -> float:
    """How much a layer's activations differ between stimuli, relative to their size: 0 to 1.

    The root of |x_i − x̄|² over |x_i|², each averaged over stimuli. Below SINGLE_PRECISION, rounding
    is what differs for the most part.
    """
    mean = layer.features.mean(axis=0, dtype=np.float64)
    centred = (layer.features - mean).ravel()
    spread = float(centred @ centred) / len(layer.features)
    of_mean = float(mean @ mean)
    if layer.mean_product is not None:  # the components lack the mean of the activations
        about = layer.attributes
        of_mean = float(about["mean_square"])
        of_mean += float(about["n_features"]) * float(layer.feature_mean.mean()) ** 2
    return (spread / (spread + of_mean)) ** 0.5 if spread else 0.0


def leading_share(layer: Layer) -> float:
    """The share of the variance over stimuli that lies along a layer's largest dimension: 0 to 1.

    Where a single unit is many times as large as all others, it is that one's, near 1. By power
    iteration: to the digit where the share is large, somewhat too low where it is small. NaN for
    features that do not vary.
    """
    centred = layer.features - layer.features.mean(axis=0, dtype=np.float64)
    squares = np.einsum("sc,sc->s", centred, centred)
    if not squares.sum() > 0:
        return float("nan")
    vector = centred[squares.argmax()]
    for _ in range(ITERATIONS):
        # (component, stimulus) x (stimulus,), (stimulus, component) x (component,)
        vector = centred.T @ (centred @ (vector / np.linalg.norm(vector)))
    return float(min(np.linalg.norm(vector) / squares.sum(), 1.0))


def write_features(
    path: str | Path,
    layers: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]],
    stimulus_id: np.ndarray,
    attributes: Mapping[str, Any],
) -> None:
    """Write every layer's arrays and attributes as a group of one netCDF file (see `file_names`).

    layers: layer name to (arrays, attributes), in execution order; features of many stimuli may
    lie in a file of their own (`scratch.Rows`), of which some are in memory at a time.
    """
    dims = {"feature_mean": ("stimulus",), "mean_product": ("stimulus",), "ones": ("component",)}
    with replacing(path) as temporary, netCDF4.Dataset(temporary, "w") as dataset:
        fill(dataset, {"stimulus_id": Variable(("stimulus",), stimulus_id)}, attributes)
        for name, (arrays, about) in layers.items():
            group = dataset.createGroup(encoded(name))
            _write_rows(group, arrays["features"], about.get("projection") == "none")
            others = {key: Variable(dims[key], arrays[key]) for key in arrays if key in dims}
            fill(group, others, about)


def _write_rows(group: netCDF4.Group, features: Any, compressed: bool) -> None:
    """Some stimuli at a time; compressed, in chunks of those, where numbers repeat.

    Activations do, zeros for the most part; of sums of them 14 % would be saved, at 50 MB/s.
    """
    at_once = max(1, WRITTEN // max(1, features.shape[1] * features.dtype.itemsize))
    for dimension, size in zip(("stimulus", "component"), features.shape, strict=True):
        group.createDimension(dimension, size)
    packed: dict[str, Any] = {"contiguous": True}
    if compressed:
        chunk = min(at_once, features.shape[0]), features.shape[1]
        packed = {"compression": "zlib", "complevel": 1, "chunksizes": chunk}
    variable = group.createVariable("features", features.dtype, ("stimulus", "component"), **packed)
    for start in range(0, len(features), at_once):
        variable[start : start + at_once] = features[start : start + at_once]


def read_layers(path: str | Path, names: Sequence[str]) -> Iterator[Layer]:
    """Read layers one at a time, so that a block of layers needs the memory of one."""
    with opened(path) as dataset:
        for name in names:
            group = read_group(dataset, name)
            variables = {key: variable.values for key, variable in group.variables.items()}
            yield Layer(name=name, attributes=group.attributes, **variables)


def read_stimulus_ids(path: str | Path) -> np.ndarray:
    """The stimuli of a features file, in the order of its rows."""
    with opened(path) as dataset:
        return np.asarray(dataset["stimulus_id"][...])
