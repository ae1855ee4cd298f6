"""Projections against explicit float64 computations and scikit-learn."""

import tempfile

import numpy as np
import pytest
import torch

from cortiscope.errors import InputError
from cortiscope.networks import projection, scratch
from cortiscope.networks.features import Layer, read_layers, row_centred_gram, write_features
from cortiscope.networks.projection_kinds import components_kept, resolve


def activations(n: int, p: int, seed: int = 0, mean: float = 50.0) -> torch.Tensor:
    """Activations with a large mean per feature and a spread per feature, as after a bias."""
    random = np.random.default_rng(seed)
    spread = random.lognormal(size=p)
    values = mean * random.standard_normal(p) + spread * random.standard_normal((n, p))
    return torch.from_numpy(values.astype(np.float32))


def project(kind, values, batch_size=None, layer="layer", **settings):
    n, p = values.shape
    projector = projection.make(kind, n, p, settings, layer)
    size = batch_size or n
    for start in range(0, n, size):
        projector.add(values[start : start + size], start)
    return projector.finish()


def squared_distances(values):
    values = np.asarray(values, np.float64)
    values = values - values.mean(0)
    gram = values @ values.T
    return np.diag(gram)[:, None] + np.diag(gram) - 2 * gram


def pearson(values):
    return np.corrcoef(np.asarray(values, np.float64))


def pearson_from(arrays, attributes):
    layer = Layer(name="layer", attributes=attributes, **arrays)
    gram = row_centred_gram(layer)
    scale = np.sqrt(np.diag(gram))
    return gram / np.outer(scale, scale)


def relative(found, expected):
    upper = np.triu_indices(len(expected), 1)
    return np.abs(found[upper] / expected[upper] - 1).max()


@pytest.mark.parametrize("batch_size", [None, 7])
def test_exact_keeps_distances_and_pearson_rdms(batch_size, tmp_path, monkeypatch):
    values = activations(40, 30_000)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    arrays, attributes = project("exact", values, batch_size)
    assert arrays["features"].shape == (40, 39)
    assert arrays["features"].dtype == np.float64
    assert relative(squared_distances(arrays["features"]), squared_distances(values)) < 1e-6
    assert relative(1 - pearson_from(arrays, attributes), 1 - pearson(values)) < 1e-6
    mean = values.double().mean(1)
    np.testing.assert_allclose(arrays["feature_mean"], mean, rtol=0, atol=1e-7 * values.std())
    assert not list(tmp_path.iterdir())


def test_exact_constants_of_the_contract():
    values = activations(20, 3000)
    arrays, attributes = project("exact", values)
    raw = values.double().numpy()
    centred = raw - raw.mean(0)
    deviation = raw.mean(0) - raw.mean()
    scale = np.abs(centred @ deviation).max()
    np.testing.assert_allclose(arrays["mean_product"], centred @ deviation, atol=1e-6 * scale)
    assert attributes["mean_square"] == pytest.approx(deviation @ deviation, rel=1e-6)


def test_exact_of_few_features_has_their_rank_and_constants_drop_out():
    values = activations(30, 5)
    arrays, _ = project("exact", torch.cat([values, torch.full((30, 4000), 0.1)], 1))
    assert arrays["features"].shape == (30, 5)
    assert relative(squared_distances(arrays["features"]), squared_distances(values)) < 1e-5
    arrays, attributes = project("exact", torch.full((30, 4000), 0.1))
    assert np.array_equal(arrays["features"], np.zeros((30, 1)))
    assert attributes["mean_square"] == pytest.approx(0, abs=1e-9)


def test_exact_spill_does_not_depend_on_how_batches_were_repeated():
    values = activations(12, 5000)
    projector = projection.make("exact", 12, 5000, {}, "layer")
    projector.add(values, 0)  # the whole batch, taken back because another layer had no memory
    projector.add(values[:8] * 0, 0)
    for start in (0, 4, 8):
        projector.add(values[start : start + 4], start)
    arrays, _ = projector.finish()
    assert relative(squared_distances(arrays["features"]), squared_distances(values)) < 1e-6


def test_fold_equals_the_explicit_matrix():
    """The projection matrix, read off the unit vectors, has one ±1 a feature, shifted by block."""
    n_features, components = 50, 16
    eye = torch.eye(n_features)
    arrays, _ = project("fold", eye, components=components)
    matrix = arrays["features"]  # (feature, component)
    assert np.array_equal(np.abs(matrix).sum(1), np.ones(n_features))
    target = np.abs(matrix).argmax(1)
    shifts = (target - np.arange(n_features)) % components
    assert all(len(set(shifts[b : b + components])) == 1 for b in range(0, n_features, components))
    assert len(set(shifts)) > 1
    np.testing.assert_array_equal(arrays["ones"], matrix.sum(0))
    values = activations(19, n_features, mean=0)
    folded, _ = project("fold", values, components=components)
    np.testing.assert_allclose(folded["features"], values.numpy() @ matrix, atol=1e-4)


@pytest.mark.parametrize("batch_size", [1, 5, 16])
def test_fold_is_bitwise_independent_of_batch_size(batch_size):
    values = activations(37, 10_001)
    whole, _ = project("fold", values, components=512)
    parts, _ = project("fold", values, batch_size, components=512)
    for name, array in whole.items():
        assert np.array_equal(array, parts[name]), name


def test_fold_is_unbiased_and_as_precise_as_designed():
    values = activations(60, 40_000, mean=0)
    arrays, _ = project("fold", values, components=4096)
    ratio = squared_distances(arrays["features"]) / np.maximum(squared_distances(values), 1)
    errors = ratio[np.triu_indices(60, 1)] - 1
    assert np.sqrt((errors**2).mean()) < 0.03
    assert abs(errors.mean()) < 0.01


@pytest.mark.parametrize("components", [2000, 20_000])
def test_turning_folded_features_loses_nothing(components, monkeypatch, tmp_path):
    """Inner products, with their means over stimuli or over features taken off, and of ones."""
    values = activations(60, 40_000, mean=20)
    found, about = project("fold", values, 16, components=components, scratch=str(tmp_path))
    monkeypatch.setattr(projection, "is_turned", lambda n_stimuli, components: False)
    whole, same = project("fold", values, components=components)
    whole["features"] = np.asarray(whole["features"])
    assert found["features"].shape == (60, 61)
    assert whole["features"].shape == (60, components)
    assert about == same
    distances = [squared_distances(arrays["features"]) for arrays in (found, whole)]
    assert relative(*distances) < 1e-5
    assert relative(1 - pearson_from(found, about), 1 - pearson_from(whole, about)) < 1e-5
    np.testing.assert_array_equal(found["feature_mean"], whole["feature_mean"])
    products = [arrays["features"] @ arrays["ones"] for arrays in (found, whole)]
    np.testing.assert_allclose(*products, atol=1e-5 * np.abs(products[1]).max())
    assert not list(tmp_path.iterdir())


def test_fold_states_its_error():
    values = activations(60, 40_000, mean=0)
    found, about = project("fold", values, components=2000)
    ratio = squared_distances(found["features"]) / np.maximum(squared_distances(values), 1)
    errors = ratio[np.triu_indices(60, 1)] - 1
    assert about["distance_error"] == pytest.approx(np.sqrt((errors**2).mean()), rel=0.3)


@pytest.mark.parametrize("kind", ["fold", "srp", "none"])
def test_features_too_many_for_memory_are_those_of_few(kind, monkeypatch, tmp_path):
    values = activations(37, 500)
    held, _ = project(kind, values, 8, components=30)
    monkeypatch.setattr(scratch, "HELD", 0)
    filed, _ = project(kind, values, 8, components=30, scratch=str(tmp_path))
    assert isinstance(filed["features"], scratch.Rows)
    for part in (slice(None), slice(3, 11), slice(0, 37, 5)):
        np.testing.assert_array_equal(filed["features"][part], held["features"][part])
    layers = {"a": (filed, {"projection": kind}), "b": (held, {"projection": kind})}
    write_features(tmp_path / "f.nc", layers, np.arange(37).astype(str), {})
    for layer in read_layers(tmp_path / "f.nc", ["a", "b"]):
        np.testing.assert_array_equal(layer.features, held["features"])


def test_auto_is_exact_where_its_products_take_seconds():
    assert resolve("auto", 119, [2_240_000]) == "exact"
    assert resolve("auto", 640, [2_240_000]) == "fold"
    assert resolve("auto", 640, [500_000]) == "exact"
    assert resolve("fold", 10, [10]) == "fold"


@pytest.mark.parametrize("kind", ["exact", "fold", "srp", "none"])
@pytest.mark.parametrize("components", [0, 30])
def test_no_more_is_kept_than_is_planned(kind, components):
    values = activations(37, 500)
    arrays, _ = project(kind, values, components=components)
    known = components_kept(kind, 37, 500, components)
    assert arrays["features"].shape[1] in (known, known - 1)
    assert components_kept("auto", 37, 500, "auto") >= 37


def test_fold_signs_follow_seed_and_layer_name():
    values = activations(5, 3000, mean=0)
    first, _ = project("fold", values, layer="a", components=256)
    again, _ = project("fold", values, layer="a", components=256)
    other_layer, _ = project("fold", values, layer="b", components=256)
    other_seed, _ = project("fold", values, layer="a", components=256, seed=1)
    assert np.array_equal(first["features"], again["features"])
    assert not np.allclose(first["features"], other_layer["features"])
    assert not np.allclose(first["features"], other_seed["features"])


def test_fold_of_a_small_layer_is_lossless():
    values = activations(20, 300, mean=0)
    arrays, attributes = project("fold", values)
    assert arrays["features"].shape == (20, 21)
    assert attributes["distance_error"] == 0
    assert relative(squared_distances(arrays["features"]), squared_distances(values)) < 1e-5
    assert relative(1 - pearson_from(arrays, attributes), 1 - pearson(values)) < 1e-5


@pytest.mark.parametrize("components", [None, 128])
def test_srp_equals_scikit_learn(components):
    from sklearn.random_projection import SparseRandomProjection

    values = activations(12, 6000, mean=1)
    peer = SparseRandomProjection(n_components=components or "auto", random_state=3)
    expected = peer.fit_transform(values.numpy())
    arrays, _ = project("srp", values, 5, components=components, seed=3)
    np.testing.assert_array_equal(arrays["features"], expected)
    np.testing.assert_allclose(arrays["ones"], peer.transform(np.ones((1, 6000)))[0], atol=1e-5)


def test_none_keeps_the_activations():
    values = activations(6, 100)
    arrays, attributes = project("none", values, 4)
    assert np.array_equal(arrays["features"], values.numpy())
    assert relative(1 - pearson_from(arrays, attributes), 1 - pearson(values)) < 1e-5


def test_auto_is_exact_up_to_1024_stimuli():
    assert isinstance(projection.make("auto", 1024, 10, {}, "layer"), projection.Exact)
    assert isinstance(projection.make("auto", 1025, 10, {}, "layer"), projection.Fold)


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("kind", ["exact", "fold", "srp", "none"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_activations_that_are_not_finite_are_refused(kind, value):
    values = activations(5, 2000, mean=0)
    values[2, 7] = value
    with pytest.raises(InputError, match=r"layer conv9: activations are not finite"):
        project(kind, values, layer="conv9", components=64)


def test_unknown_kind_is_refused():
    with pytest.raises(InputError, match="unknown kind 'pc'"):
        projection.make("pc", 5, 10, {}, "layer")
