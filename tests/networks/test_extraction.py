"""Extraction against a reference that clones every activation."""

import numpy as np
import pytest
import torch
import torchvision
from makes import Squeezing
from sklearn.linear_model import Ridge
from torch import nn

from cortiscope.errors import InputError
from cortiscope.networks import extraction
from cortiscope.networks.extraction import extract
from cortiscope.networks.features import Layer, row_centred_gram
from cortiscope.networks.tracing import first_tensor, listening

QUIET = {"model": "net", "report": lambda message: None}


class InPlace(nn.Module):
    """Overwrites its own activations in every way a user's network might."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3)
        self.relu = nn.ReLU(inplace=True)
        self.mix = nn.Conv2d(6, 6, 1)
        self.pair = Pair()
        self.head = nn.Linear(6, 4)

    def forward(self, images):
        values = self.conv(images)
        values += 1
        values = self.relu(values)
        values = self.mix(values).mul_(-2)
        values = self.relu(values)
        first, _ = self.pair(values)
        first.clamp_(max=0.1)
        return self.head(first.mean((2, 3)))


class Pair(nn.Module):
    def forward(self, values):
        return values - 0.1, {"second": values}


class InPlaceImages(InPlace):
    """Normalises the images that it is given, where they are."""

    def forward(self, images):
        return super().forward(images.sub_(0.5).div_(0.2))


def build(network):
    torch.manual_seed(0)
    built = network()
    for module in built.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.bias)
    return built.eval()


def images(n, size=64, seed=0):
    return torch.from_numpy(
        np.random.default_rng(seed).standard_normal((n, 3, size, size)).astype(np.float32)
    )


def cloned(network, batch):
    """Every module's output, by call name."""
    found = {}

    def keep(name, _module, _inputs, output):
        value = first_tensor(output)
        found[name] = value.clone().reshape(len(value), -1).numpy()

    names = [name for name, _ in network.named_modules() if name]
    with listening(network, names, keep), torch.inference_mode():
        network(batch)
    return found


@pytest.mark.parametrize(
    "network",
    [torchvision.models.alexnet, torchvision.models.mobilenet_v2, InPlace, InPlaceImages],
)
def test_every_layer_is_what_a_cloning_reference_records(network):
    built, batch = build(network), images(3)
    reference = cloned(built, batch.clone())
    outcomes = extract(built, batch, list(reference), {"projection": "none"}, **QUIET)
    assert list(outcomes) == list(reference)
    for name, (arrays, _) in outcomes.items():
        assert np.array_equal(arrays["features"], reference[name]), name


def test_first_convolution_of_alexnet_and_norm_before_relu6_are_negative_somewhere():
    outcomes = extract(
        build(torchvision.models.alexnet), images(2), ["features.0"], {"projection": "none"}
    )
    assert outcomes["features.0"][0]["features"].min() < 0
    names = ["features.0.1", "features.0.2"]
    network = build(torchvision.models.mobilenet_v2)
    outcomes = extract(network, images(2), names, {"projection": "none"}, **QUIET)
    assert outcomes[names[0]][0]["features"].min() < 0
    assert outcomes[names[1]][0]["features"].min() == 0


def test_repeated_calls_are_recorded_apart():
    outcomes = extract(build(InPlace), images(4), ["relu", "relu#2"], {"projection": "exact"})
    first, second = (outcomes[name][0]["features"] for name in ("relu", "relu#2"))
    assert first.shape == second.shape == (4, 3)
    assert not np.allclose(first, second)
    assert outcomes["relu"][1]["shape"] == "6x62x62"


def test_exact_equals_raw_features_of_a_large_layer():
    """Distances and Pearson RDMs of 774,400 features, from all stimuli at once and in batches."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 64, 7), nn.ReLU(), nn.Flatten())
    batch = images(10, size=116)
    raw = cloned(network, batch)["1"].astype(np.float64)
    assert raw.shape[1] > 500_000
    upper = np.triu_indices(10, 1)
    expected = [((raw[i] - raw[j]) ** 2).sum() for i, j in zip(*upper, strict=True)]
    expected_rdm = 1 - np.corrcoef(raw)[upper]
    for size in (10, 6):
        settings = {"projection": "exact", "batch_size": size}
        arrays, attributes = extract(network, batch, ["1"], settings, **QUIET)["1"]
        found = arrays["features"]
        distances = ((found[upper[0]] - found[upper[1]]) ** 2).sum(1)
        np.testing.assert_allclose(distances, expected, rtol=1e-6)
        gram = row_centred_gram(Layer(name="1", attributes=attributes, **arrays))
        scale = np.sqrt(np.diag(gram))
        rdm = 1 - (gram / np.outer(scale, scale))[upper]
        np.testing.assert_allclose(rdm, expected_rdm, rtol=1e-6)


def test_exact_features_predict_as_raw_ones_do():
    """Ridge of 774,400 features, by scikit-learn on either, for stimuli held out."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 64, 7), nn.ReLU(), nn.Flatten())
    batch = images(24, size=116)
    raw = cloned(network, batch)["1"].astype(np.float64)
    arrays, _ = extract(network, batch, ["1"], {"projection": "exact"}, **QUIET)["1"]
    responses = np.random.default_rng(0).normal(size=(24, 5))
    # The mean eigenvalue of the Gram matrix: regularised as much as not.
    alpha = np.square(raw - raw.mean(axis=0)).sum() / len(raw)
    expected, found = (
        Ridge(alpha).fit(features[:18], responses[:18]).predict(features[18:])
        for features in (raw, arrays["features"])
    )
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6 * np.abs(expected).max())


def test_the_pass_stops_after_the_last_wanted_layer():
    network = build(InPlace)
    called = []
    network.head.register_forward_hook(lambda *_: called.append("head"))
    extract(network, images(2), ["mix"], {"projection": "fold", "batch_size": 2}, **QUIET)
    assert not called


def test_a_network_may_drop_the_dimension_of_a_lone_stimulus():
    outcomes = extract(build(Squeezing), images(4), ["readout"], {"projection": "fold"}, **QUIET)
    assert outcomes["readout"][0]["features"].shape == (4, 5)


def test_no_hook_remains():
    network = build(InPlace)
    extract(network, images(2), ["mix", "relu#2"], {"projection": "fold"}, **QUIET)
    with pytest.raises(InputError):
        extract(network, images(2), ["relu#3"], {"projection": "fold"}, **QUIET)
    assert not any(module._forward_hooks for module in network.modules())


class Hungry(nn.Module):
    """Runs out of memory beyond three stimuli, after its first layer."""

    def __init__(self, most, error):
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3)
        self.second = nn.Conv2d(4, 4, 3)
        self.most, self.error = most, error

    def forward(self, batch):
        values = self.first(batch)
        if len(batch) > self.most:
            raise self.error
        return self.second(values)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to ..."),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes"),
        torch.cuda.OutOfMemoryError("CUDA out of memory"),
        MemoryError(),
    ],
)
@pytest.mark.parametrize("kind", ["exact", "fold"])
def test_out_of_memory_halves_the_batch_and_says_so(error, kind):
    torch.manual_seed(0)
    network, batch, said = Hungry(3, error), images(10, 16), []
    settings = {"projection": kind, "batch_size": 10}
    found = extract(network, batch, ["first", "second"], settings, "net", said.append)
    assert said[0] == "model net: out of memory, going on with batches of 5"
    assert said[1] == "model net: out of memory, going on with batches of 2"
    network.most = 10
    whole = extract(network, batch, ["first", "second"], settings, **QUIET)
    for name, (arrays, _) in whole.items():
        expected = arrays["features"] @ arrays["features"].T
        features = found[name][0]["features"]
        np.testing.assert_allclose(features @ features.T, expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("batch_size", [0, 1])
def test_one_stimulus_too_large_is_said_in_one_line(batch_size):
    settings = {"batch_size": batch_size}
    with pytest.raises(InputError, match="model net: one stimulus does not fit into memory"):
        extract(Hungry(0, MemoryError()), images(2, 16), ["second"], settings, **QUIET)


def test_other_errors_of_a_network_are_not_taken_for_memory():
    network = Hungry(0, RuntimeError("shapes do not match"))
    with pytest.raises(RuntimeError, match="shapes do not match"):
        extract(network, images(2, 16), ["second"], {"batch_size": 2}, **QUIET)


def test_batch_is_chosen_by_memory(monkeypatch):
    network, batch, said = build(InPlace), images(12, 16), []
    one = extraction.bytes_held(network, lambda: network(batch[:1])) + batch[:1].nbytes
    free = int(5.5 * one / extraction.MEMORY_SHARE)
    monkeypatch.setattr(extraction, "free_memory", lambda device, requested: free)
    extract(network, batch, ["mix"], {"projection": "exact"}, "net", said.append)
    assert [line.split(",")[0] for line in said if " of 12 " in line] == [
        "model net: 5 of 12 stimuli",
        "model net: 10 of 12 stimuli",
        "model net: 12 of 12 stimuli",
    ]


def test_a_batch_stays_within_what_the_job_asked_for():
    """However much the machine has; and what was asked for is not all for the taking."""
    network, batch, said = build(InPlace), images(12, 16), []
    for memory in (1, 20_000):
        settings = {"projection": "exact", "memory": memory}
        extract(network, batch, ["mix"], settings, "net", said.append)
    assert [line.split(",")[0] for line in said if " of 12 " in line] == [
        *(f"model net: {stimulus} of 12 stimuli" for stimulus in range(1, 13)),
        "model net: 12 of 12 stimuli",
    ]


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("mixx", "model net: has no layer 'mixx'; near: mix"),
        ("relu#3", "model net, layer relu#3: is not called"),
    ],
)
def test_unknown_layers_are_refused(layer, message):
    with pytest.raises(InputError, match=message):
        extract(build(InPlace), images(2), ["conv", layer], {"projection": "fold"}, **QUIET)


def test_nan_names_model_and_layer():
    batch = images(3)
    batch[1, 0, 5, 5] = np.nan
    with pytest.raises(InputError, match="model net, layer conv: activations are not finite"):
        extract(build(InPlace), batch, ["conv"], {"projection": "exact"}, **QUIET)


def test_unknown_device_is_refused():
    with pytest.raises(InputError, match="unknown device 'gpu'"):
        extract(build(InPlace), images(2), ["conv"], {"device": "gpu"}, **QUIET)
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="cuda is not available"):
            extract(build(InPlace), images(2), ["conv"], {"device": "cuda"}, **QUIET)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_agrees_with_the_cpu():
    network, batch = build(InPlace), images(6)
    for kind in ("exact", "fold", "none"):
        grams = []
        for device in ("cpu", "cuda"):
            outcome = extract(network, batch, ["mix"], {"projection": kind, "device": device})
            features = outcome["mix"][0]["features"]
            grams.append(features @ features.T)
        np.testing.assert_allclose(grams[0], grams[1], rtol=1e-4, atol=1e-4)
