"""One stimulus, one answer: whatever is shown with it, on whatever machine."""

import random

import numpy as np
import pytest
import torch
from makes import Squeezing
from torch import nn

from cortiscope.errors import InputError
from cortiscope.networks.extraction import extract

PROJECTIONS = ("exact", "fold", "srp", "none")


def images(n=7):
    values = np.random.default_rng(0).standard_normal((n, 3, 8, 8))
    return torch.from_numpy(values.astype(np.float32))


def features(network, names, said=None, batch=None, **settings):
    batch = images() if batch is None else batch
    settings = {"projection": "none", "components": 8} | settings
    report = (lambda message: None) if said is None else said.append
    outcomes = extract(network.eval(), batch, names, settings, "net", report)
    return {name: arrays["features"] for name, (arrays, _) in outcomes.items()}


class Sized(nn.Module):
    """A layer as wide as asked for, of one size after the other with every pass."""

    def __init__(self, *sizes):
        super().__init__()
        self.sizes, self.passes, self.part = sizes, 0, nn.Identity()

    def forward(self, batch):
        size = self.sizes[min(self.passes, len(self.sizes) - 1)]
        self.passes += 1
        return self.part(batch.flatten(1)[:, :size])


@pytest.mark.parametrize("kind", PROJECTIONS)
def test_a_layer_that_changes_in_size_is_named_with_both_and_the_batch(kind):
    # Four passes of the first stimuli, and a first batch.
    with pytest.raises(InputError) as caught:
        features(Sized(20, 20, 20, 20, 20, 30), ["part"], projection=kind, batch_size=2)
    assert str(caught.value) == (
        "model net, layer part: gives 2x30 for stimuli 3 to 4, where 2x20 belongs by the first "
        "ones; choose a layer whose size does not depend on the stimuli or their number"
    )


@pytest.mark.parametrize("kind", PROJECTIONS)
def test_so_is_one_that_changes_among_the_first_stimuli(kind):
    with pytest.raises(InputError) as caught:
        features(Sized(20, 30, 40), ["part"], projection=kind, batch_size=2)
    assert str(caught.value) == (
        "model net, layer part: has a size that changes with what is shown "
        "(2x20 for 2 stimuli and 3x30 for 3 stimuli); choose another layer"
    )


class Noisy(nn.Module):
    """Noise in evaluation mode, from a generator of the caller's choice, after a quiet layer."""

    def __init__(self, draw):
        super().__init__()
        self.draw = draw
        self.quiet, self.noisy, self.after = nn.Conv2d(3, 4, 3), nn.Identity(), nn.ReLU()

    def forward(self, batch):
        values = self.quiet(batch)
        return self.after(self.noisy(values + 1e-5 * self.draw(values.shape)))


def by_numpy(shape):
    return torch.from_numpy(np.random.normal(size=shape).astype(np.float32))


def by_python(shape):
    return torch.full(shape, random.gauss(0, 1))


def by_dropout(shape):
    return nn.functional.dropout(torch.ones(shape))


@pytest.mark.parametrize("draw", [torch.randn, by_numpy, by_python, by_dropout])
def test_noise_is_the_same_in_batches_of_any_size(draw):
    torch.manual_seed(0)
    network, names = Noisy(draw), ["quiet", "noisy", "after"]
    said: list[str] = []
    one = features(network, names, said, batch_size=1)
    assert said[0] == (
        "warning: model net, layer noisy: is random in evaluation mode; stimuli are shown one at a "
        "time, each with its own seed"
    )
    torch.manual_seed(9)
    all_at_once = features(network, names)
    other = features(network, names, noise_seed=1)
    for name in names:
        assert np.array_equal(one[name], all_at_once[name]), name
        assert np.array_equal(one[name], other[name]) == (name == "quiet")
    # A stimulus has its noise wherever the study ends, and each has noise of its own.
    fewer = features(network, names, batch=images()[:4])
    assert np.array_equal(fewer["noisy"], one["noisy"][:4])
    noise = one["noisy"] - one["quiet"]
    assert not np.allclose(noise[0], noise[1], atol=1e-7)


def test_a_quiet_layer_before_the_noise_is_shown_in_batches():
    said: list[str] = []
    features(Noisy(torch.randn), ["quiet"], said, batch_size=4)
    passes = [line.split(",")[0] for line in said if "projection" not in line]
    assert passes == ["model net: 4 of 7 stimuli", "model net: 7 of 7 stimuli"]


def test_numbers_that_are_drawn_and_not_used_are_no_noise():
    said: list[str] = []
    features(Noisy(lambda shape: 0 * torch.randn(shape)), ["after"], said)
    assert not any("random" in line for line in said)


def test_batch_statistics_are_refused():
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, track_running_stats=False), nn.ReLU()
    )
    with pytest.raises(InputError) as caught:
        features(network, ["0", "1", "2"])
    assert str(caught.value).startswith(
        "model net, layer 1: gives a stimulus other values where others are shown with it; let the"
    )
    features(network, ["0"])  # what comes before is sound


def test_a_generator_of_the_networks_own_is_refused():
    own = torch.Generator()
    network = Noisy(lambda shape: 1e5 * torch.randn(shape, generator=own))
    with pytest.raises(InputError, match="model net, layer noisy: gives other values when the"):
        features(network, ["quiet", "noisy"])


class Spiking(nn.Module):
    """Keeps a potential from pass to pass while batches are of one size, as snnTorch's neurons."""

    def __init__(self, draw=torch.zeros):
        super().__init__()
        self.draw, self.potential, self.part = draw, torch.zeros(0), nn.Identity()

    def forward(self, batch):
        same = self.potential.shape == batch.shape
        self.potential = batch + (self.potential / 2 if same else 0) + self.draw(batch.shape)
        return self.part(self.potential)


@pytest.mark.parametrize("draw", [torch.zeros, torch.randn])
def test_a_network_that_remembers_earlier_stimuli_is_refused(draw):
    with pytest.raises(InputError) as caught:
        features(Spiking(draw), ["part"], batch_size=2)
    assert str(caught.value).startswith(
        "model net, layer part: gives other values when the same stimuli are shown again; let each"
    )


class Vanishing(nn.Module):
    """As untrained networks: what is left of the stimuli gets lost beside an offset."""

    def __init__(self):
        super().__init__()
        self.rows = nn.Flatten()
        self.fading, self.faded, self.gone = nn.Identity(), nn.Identity(), nn.Identity()

    def forward(self, batch):
        rows = self.rows(batch)
        self.fading(10 + 1e-4 * rows)
        self.faded(10 + 3e-7 * rows)
        return self.gone(10 + 1e-9 * rows)


@pytest.mark.parametrize("kind", ["exact", "fold", "none"])
def test_layers_of_which_rounding_is_left_are_named(kind):
    """What a correlation with double precision says of the same layers."""
    said: list[str] = []
    names = ["rows", "fading", "faded", "gone"]
    found = features(Vanishing(), names, said, projection=kind, components=192)
    warnings = [line for line in said if line.startswith("warning")]
    assert warnings == [
        "warning: model net: stimuli differ by less than single precision can tell, and scores are "
        "of rounding, in 2 layers: faded, gone"
    ]
    exact = images().flatten(1).double().numpy()
    agreement = [np.corrcoef(*map(distances, (found[name], exact)))[0, 1] for name in names[:3]]
    assert min(agreement[:2]) > 0.99 > 0.9 > agreement[2]


def distances(rows):
    differences = rows[:, None] - rows
    return np.square(differences).sum(2)[np.triu_indices(len(rows), 1)]


@pytest.mark.parametrize("kind", PROJECTIONS)
@pytest.mark.parametrize("size", [2, 3, 6])
def test_no_stimulus_is_left_alone(kind, size):
    """Seven in batches of two, three or six."""
    network = Squeezing()
    whole = features(network, ["readout"], projection=kind)["readout"]
    parts = features(network, ["readout"], projection=kind, batch_size=size)["readout"]
    np.testing.assert_allclose(parts @ parts.T, whole @ whole.T, rtol=1e-5, atol=1e-6)


def test_a_lone_stimulus_that_was_asked_for_is_answered_in_one_line():
    with pytest.raises(InputError) as caught:
        features(Squeezing(), ["readout"], batch_size=1)
    assert str(caught.value).startswith(
        "model net, layer readout: gives 5 for stimuli 1 to 1, where 1x5 belongs by the first ones"
    )


@pytest.mark.parametrize("n", [1, 2])
def test_studies_of_fewer_stimuli_than_are_looked_at(n):
    found = features(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten()), ["1"], batch=images(n))
    assert found["1"].shape == (n, 144)


class Hungry(nn.Module):
    """Has memory for so many stimuli, which the second axis of its layer has."""

    def __init__(self, most):
        super().__init__()
        self.most, self.part = most, nn.Identity()

    def forward(self, batch):
        if len(batch) > self.most:
            raise MemoryError
        return self.part(batch.flatten(1).T)


@pytest.mark.parametrize("most", [1, 2])
def test_where_three_do_not_fit_into_memory_one_tells_the_axis(most):
    found = features(Hungry(most), ["part"], batch_size=4)
    assert np.array_equal(found["part"], images().flatten(1).numpy())


class Massive(nn.Module):
    """Pixels, and beside them one unit far larger than all of them."""

    def __init__(self):
        super().__init__()
        self.pixels, self.massive, self.lone = nn.Flatten(), nn.Identity(), nn.Identity()

    def forward(self, batch):
        rows = self.pixels(batch)
        beside = self.massive(torch.cat([1000 * rows[:, :1], rows], 1))
        return self.lone(beside[:, :1])


@pytest.mark.parametrize("kind", ["exact", "fold", "none"])
def test_layers_whose_spread_is_one_units_are_named(kind):
    said: list[str] = []
    features(Massive(), ["pixels", "massive", "lone"], said, projection=kind, components=4096)
    notes = [line for line in said if line.startswith("note")]
    assert len(notes) == 1
    assert notes[0].startswith("note: model net: more than 90% of the variance")
    assert notes[0].endswith("in layers: massive")
