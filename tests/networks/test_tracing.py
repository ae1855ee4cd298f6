"""Where the stimuli are in what modules give: in listing and in extraction, found alike."""

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

from cortiscope.errors import InputError
from cortiscope.networks.extraction import extract
from cortiscope.networks.tracing import CONSTANT, trace

QUIET = {"model": "net", "report": lambda message: None}
SIDE = 8


def images(n=5):
    values = np.random.default_rng(0).standard_normal((n, 3, SIDE, SIDE))
    return torch.from_numpy(values.astype(np.float32))


def outputs(network, batch, names):
    """What these modules give, as it is."""
    found = {}
    modules = dict(network.named_modules())
    handles = [
        modules[name].register_forward_hook(
            lambda _m, _i, output, name=name: found.setdefault(name, output)
        )
        for name in names
    ]
    with torch.inference_mode():
        network(batch)
    for handle in handles:
        handle.remove()
    return found


def recorded(network, names, n=5):
    """Features (stimulus, feature) by layer; shapes are those that listing said."""
    calls = {call.name: call for call in trace(network, (3, SIDE, SIDE))}
    outcomes = extract(network, images(n), names, {"projection": "none", "batch_size": 2}, **QUIET)
    for name, (_, attributes) in outcomes.items():
        assert not calls[name].unrecorded
        assert attributes["shape"] == "x".join(map(str, calls[name].shape))
    return {name: arrays["features"] for name, (arrays, _) in outcomes.items()}


class TokensFirst(nn.Module):
    """As the original CLIP: (token, stimulus, channel) between its blocks."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 4, 4)
        layer = nn.TransformerEncoderLayer(16, 2, 32)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def forward(self, batch):
        tokens = self.patches(batch).flatten(2).permute(2, 0, 1)
        return self.encoder(tokens).mean(0)


@dataclass
class Found:
    """As outputs of transformers are."""

    position: torch.Tensor
    last: tuple


class Mixed(nn.Module):
    """Modules of which the first tensor has not the stimuli, or no floating-point numbers."""

    class Nested(nn.Module):
        def forward(self, values):
            parts = values.flatten(2).permute(0, 2, 1).flatten(0, 1)  # (stimulus * patch, channel)
            return parts, values.flatten(2)

    class Object(nn.Module):
        def forward(self, values):
            return Found(torch.ones(1, 7), (values.argmax(1), values.movedim(0, 1)))

    class Mapping(nn.Module):
        def forward(self, values):
            return OrderedDict(steps=[3, "text"], out={"logits": values.mean((2, 3))})

    class Fourier(nn.Module):
        def forward(self, values):
            return torch.fft.rfft2(values).conj()

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.nested, self.object = self.Nested(), self.Object()
        self.mapping, self.fourier = self.Mapping(), self.Fourier()

    def forward(self, batch):
        values = self.conv(batch)
        for module in (self.nested, self.object, self.fourier):
            module(values)
        return self.mapping(values)["out"]["logits"]


def test_blocks_that_have_tokens_first_are_recorded_along_the_stimuli():
    torch.manual_seed(0)
    network = TokensFirst().eval()
    names = ["patches", "encoder.layers.0", "encoder.layers.1"]
    # In batches of two, of four tokens each.
    expected = [outputs(network, images()[i : i + 2], names) for i in (0, 2, 3)]
    found = recorded(network, names)
    assert found["encoder.layers.1"].shape == (5, 4 * 16)
    for name in names[1:]:
        rows = torch.cat([part[name].movedim(1, 0) for part in expected])[[0, 1, 2, 4, 5]]
        np.testing.assert_allclose(found[name], rows.flatten(1).numpy(), rtol=1e-5, atol=1e-6)


def test_of_several_tensors_the_first_with_an_axis_of_stimuli_is_recorded():
    torch.manual_seed(0)
    network = Mixed().eval()
    names = ["conv", "nested", "object", "mapping", "fourier"]
    given = outputs(network, images(), names)
    expected = {
        "conv": given["conv"],
        "nested": given["nested"][1],
        "object": given["object"].last[1].movedim(1, 0),
        "mapping": given["mapping"]["out"]["logits"],
        "fourier": torch.view_as_real(given["fourier"].resolve_conj()),
    }
    found = recorded(network, names)
    for name, values in expected.items():
        rows = values.flatten(1).numpy()
        np.testing.assert_allclose(found[name], rows, rtol=1e-5, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("projection", ["exact", "fold", "none"])
def test_distances_count_real_and_imaginary_parts(projection):
    torch.manual_seed(0)
    network = Mixed().eval()
    settings = {"projection": projection}
    arrays, attributes = extract(network, images(), ["fourier"], settings, **QUIET)["fourier"]
    raw = outputs(network, images(), ["fourier"])["fourier"].resolve_conj().flatten(1).numpy()
    assert attributes["n_features"] == 2 * raw.shape[1]
    found = np.square(arrays["features"][0] - arrays["features"][1:]).sum(1)
    expected = np.square(np.abs(raw[0] - raw[1:])).sum(1)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


class Refused(nn.Module):
    """Modules that give nothing of a stimulus, each for a reason of its own."""

    class Windows(nn.Module):
        def forward(self, values):
            return values.unfold(2, 2, 2).unfold(3, 2, 2).flatten(0, 2)

    class Codes(nn.Module):
        def forward(self, values):
            return values.argmax(1)

    class Pairs(nn.Module):
        def forward(self, values):
            rows = values.flatten(1)
            return rows @ rows.T

    class Chosen(nn.Module):
        """As many rows as there are stimuli, and one, and none."""

        def forward(self, values):
            return values[: len(values) // 2 + 1, 0]

    class Position(nn.Module):
        def __init__(self):
            super().__init__()
            self.values = nn.Parameter(torch.randn(1, 4, 6, 6))

        def forward(self, values):
            return self.values.expand_as(values) + torch.zeros_like(values)

    class Alone(nn.Module):
        def forward(self, values):
            return values + 1

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.windows, self.codes, self.pairs = self.Windows(), self.Codes(), self.Pairs()
        self.chosen, self.position, self.alone = self.Chosen(), self.Position(), self.Alone()

    def forward(self, batch):
        values = self.conv(batch)
        for module in (self.windows, self.codes, self.pairs, self.chosen, self.position):
            module(values)
        return torch.cat([self.alone(part) for part in values.split(1)])


REASONS = {
    "windows": "has stimuli and parts of them (patches, windows) on one axis (24x3x2x2 for 2",
    "codes": "gives no tensor of real or complex numbers",
    "pairs": "has a size that changes with what is shown (2x2 for 2 stimuli and 3x3 for 3 stimuli)",
    "chosen": "has no axis that follows the stimuli (2x6x6 for 2 stimuli and 2x6x6 for 3 stimuli)",
    "alone": "has no axis that follows the stimuli (1x4x6x6 for 2 stimuli and 1x4x6x6 for 3",
}


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_what_cannot_be_recorded_says_why(device):
    network = Refused().eval()
    calls = {call.name: call for call in trace(network.to(device), (3, SIDE, SIDE))}
    for name, reason in REASONS.items():
        assert calls[name].unrecorded.startswith(reason), name
    assert calls["position"].unrecorded == CONSTANT
    assert [name for name, call in calls.items() if not call.unrecorded] == ["conv"]


@pytest.mark.parametrize("name", REASONS)
def test_extraction_refuses_the_same_by_name(name):
    with pytest.raises(InputError) as caught:
        extract(Refused().eval(), images(), ["conv", name], {"projection": "none"}, **QUIET)
    assert str(caught.value).startswith(f"model net, layer {name}: {REASONS[name]}")


class Recurrent(nn.Module):
    """As CORnet: the second area has seen nothing in the first step."""

    class Area(nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.input, self.memory = nn.Conv2d(channels, 4, 3, padding=1), nn.Conv2d(4, 4, 1)
            self.last = nn.ReLU(inplace=True)

        def forward(self, values, state):
            mixed = self.input(values)
            mixed += self.memory(state)
            return self.last(mixed), mixed

    def __init__(self):
        super().__init__()
        self.v1, self.v2 = self.Area(3), self.Area(4)

    def forward(self, batch):
        shape = len(batch), 4, SIDE, SIDE
        blank = torch.zeros(shape, device=batch.device)
        first, second = (blank, blank), (blank.clone(), batch.new_zeros(shape))
        for _ in range(2):
            previous = first[0]
            first = self.v1(batch, first[1])
            second = self.v2(previous, second[1])
        return second[0]


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_steps_that_have_not_seen_the_stimulus_are_not_recorded(device):
    torch.manual_seed(0)
    network = Recurrent().eval().to(device)
    calls = {call.name: call.unrecorded for call in trace(network, (3, SIDE, SIDE))}
    blind = {"v1.memory", "v2", "v2.input", "v2.memory", "v2.last", "v2.memory#2"}
    assert {name for name, why in calls.items() if why == CONSTANT} == blind
    assert not any(calls[name] for name in calls if name not in blind)


def test_a_value_that_leaves_torch_still_depends_on_the_stimulus():
    class Detour(nn.Module):
        def forward(self, values):
            return torch.tensor([[row.sum().item()] for row in values])

    network = nn.Sequential(Detour(), nn.Linear(1, 4)).eval()
    assert not any(call.unrecorded for call in trace(network, (3, SIDE, SIDE)))


@pytest.mark.filterwarnings("ignore")  # torch will give up what people's networks are made of
def test_quantized_numbers_are_recorded_as_what_they_stand_for():
    class Rounded(nn.Module):
        def forward(self, values):
            return torch.quantize_per_tensor(values, 0.5, 10, torch.quint8)

    network = nn.Sequential(Rounded(), nn.Identity()).eval()
    found = recorded(network, ["0", "1"])
    expected = (images() * 2).round().clamp(-10, 245) / 2
    for rows in found.values():
        np.testing.assert_array_equal(rows, expected.flatten(1).numpy())


class Odd(nn.Module):
    """Sparse, nested and empty tensors between modules."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 4, 4)
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)  # nests its tokens where it gets a mask
        self.sparse, self.empty, self.readout = nn.Identity(), nn.Identity(), nn.Linear(8, 3)

    def forward(self, batch):
        tokens = self.patches(batch).flatten(2).transpose(1, 2)
        self.empty(tokens[:, :0])
        self.sparse(tokens.relu().to_sparse())
        hidden = torch.zeros(tokens.shape[:2], dtype=torch.bool)
        return self.readout(self.encoder(tokens, src_key_padding_mask=hidden).mean(1))


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_sparse_and_nested_tensors_are_recorded_and_empty_ones_are_not():
    torch.manual_seed(0)
    network = Odd().eval()
    names = ["sparse", "encoder.layers.0", "encoder"]
    found, given = recorded(network, names), outputs(network, images(), names)
    plain = (
        given["sparse"].to_dense(),
        given["encoder.layers.0"].to_padded_tensor(0.0),
        given["encoder"],
    )
    for name, values in zip(names, plain, strict=True):
        np.testing.assert_allclose(found[name], values.flatten(1).numpy(), rtol=1e-4, atol=1e-5)
    empty = {call.name: call.unrecorded for call in trace(network, (3, SIDE, SIDE))}["empty"]
    assert empty == "gives an empty tensor"
