"""Inner products between stimuli survive every projection."""

import numpy as np
import pytest
import torch
import xarray

from cortiscope.networks import projection
from cortiscope.networks.features import (
    Layer,
    leading_share,
    read_layers,
    relative_spread,
    row_centred_gram,
    write_features,
)


@pytest.fixture
def activations():
    """(stimulus, feature), with a mean much larger than the spread."""
    random = np.random.default_rng(0)
    return (random.normal(size=(12, 5000)) + 20 + random.normal(size=5000)).astype(np.float32)


def stored_layer(activations, kind, path, components=4096):
    n_stimuli, n_features = activations.shape
    settings = {"components": components, "seed": 0}
    projector = projection.make(kind, n_stimuli, n_features, settings, "conv1")
    projector.add(torch.from_numpy(activations), 0)
    arrays, attributes = projector.finish()
    attributes |= {"index": 0, "depth": 0.0}
    write_features(path, {"conv1": (arrays, attributes)}, np.arange(n_stimuli).astype(str), {})
    return next(iter(read_layers(path, ["conv1"])))


def test_layers_of_any_name_are_read_as_they_were_written(tmp_path):
    """As modules are named, of which an nn.ModuleDict takes any names without dots."""
    names = ["parts.3x3/2", "parts.3x3", "parts.3x3/2#2", "parts.a, b", "ä"]
    layers = {
        name: ({"features": np.full((3, 2), float(i)), "feature_mean": np.zeros(3)}, {"index": i})
        for i, name in enumerate(names)
    }
    write_features(tmp_path / "net.nc", layers, np.array(["a", "b", "c"]), {})
    found = list(read_layers(tmp_path / "net.nc", names))
    assert [layer.name for layer in found] == names
    for i, layer in enumerate(found):
        assert layer.attributes["index"] == i
        assert (layer.features == i).all()


def direct(activations):
    rows = activations.astype(np.float64)
    rows -= rows.mean(axis=1, keepdims=True)
    return rows @ rows.T


@pytest.mark.parametrize(("kind", "tolerance"), [("exact", 1e-6), ("none", 1e-6), ("fold", 0.1)])
def test_row_centred_gram(activations, kind, tolerance, tmp_path):
    expected = direct(activations)
    found = row_centred_gram(stored_layer(activations, kind, tmp_path / "f.nc"))
    assert np.abs(found - expected).max() <= tolerance * np.diagonal(expected).mean()


def test_a_file_opens_in_xarray_and_gives_correlations_as_its_documentation_says(
    activations, tmp_path
):
    """The formula of config/README.md, against numpy on the activations themselves."""
    stored_layer(activations, "exact", tmp_path / "f.nc")
    layer = xarray.open_dataset(tmp_path / "f.nc", group="conv1")
    layer = layer.assign_coords(stimulus_id=xarray.open_dataset(tmp_path / "f.nc")["stimulus_id"])
    assert layer["features"].sel(stimulus=layer["stimulus_id"] == "3").shape == (1, 11)
    c, m, b = (layer[name].values for name in ("features", "feature_mean", "mean_product"))
    deviation = m - m.mean()
    products = c @ c.T + b[:, None] + b + layer.attrs["mean_square"]
    products -= layer.attrs["n_features"] * np.outer(deviation, deviation)
    scale = np.sqrt(np.diag(products))
    expected = np.corrcoef(activations.astype(np.float64))
    np.testing.assert_allclose(products / np.outer(scale, scale), expected, atol=1e-6)


@pytest.mark.parametrize("size", [0.5, 1e-3, 1e-6])
@pytest.mark.parametrize(("kind", "tolerance"), [("exact", 0.02), ("none", 0.02), ("fold", 0.1)])
def test_relative_spread(kind, tolerance, size, tmp_path):
    random = np.random.default_rng(0)
    activations = 3 + random.normal(size=5000) + size * random.normal(size=(12, 5000))
    raw = activations.astype(np.float32)
    found = relative_spread(stored_layer(raw, kind, tmp_path / "f.nc"))
    centred = np.square(raw - raw.mean(0, dtype=np.float64)).sum()
    expected = np.sqrt(centred / np.square(raw.astype(np.float64)).sum())
    assert found == pytest.approx(expected, rel=tolerance)


@pytest.mark.parametrize("kind", ["exact", "none", "fold"])
@pytest.mark.parametrize("level", [0.0, 3.3])
def test_a_layer_that_is_the_same_for_all_stimuli_has_no_spread(kind, level, tmp_path):
    raw = np.full((12, 5000), level, np.float32)
    assert relative_spread(stored_layer(raw, kind, tmp_path / "f.nc")) == 0


def test_leading_share_is_that_of_the_largest_eigenvalue():
    random = np.random.default_rng(0)
    for size, tolerance in ((1000.0, 1e-12), (10.0, 1e-6), (3.0, 1e-2)):
        features = random.normal(size=(50, 30)) + 7
        features[:, 4] *= size
        values = np.linalg.eigvalsh(np.cov(features.T))
        layer = Layer("layer", features, features.mean(axis=1), {})
        assert leading_share(layer) == pytest.approx(values[-1] / values.sum(), rel=tolerance)
    assert np.isnan(leading_share(Layer("layer", np.ones((5, 3)), np.ones(5), {})))
