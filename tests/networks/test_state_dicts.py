"""Weights are loaded from the layouts in which they are published."""

import pytest
import torch
from torch import nn

from cortiscope.errors import InputError
from cortiscope.networks import state_dicts


class Net(nn.Module):
    def __init__(self, n_classes=7):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3)
        self.layer1 = nn.Sequential(nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4))
        self.fc = nn.Linear(4, n_classes)

    def forward(self, images):
        return self.fc(self.layer1(self.conv1(images)).mean(dim=(2, 3)))


def state(seed, n_classes=7):
    torch.manual_seed(seed)
    return Net(n_classes).state_dict()


BODY = {name: value for name, value in state(1).items() if not name.startswith("fc.")}
OTHER = {name: value for name, value in state(2).items() if not name.startswith("fc.")}


def under(prefix, tensors):
    return {prefix + name: value for name, value in tensors.items()}


MLP = {"fc.0.weight": torch.ones(4, 4), "fc.0.bias": torch.ones(4), "fc.2.weight": torch.ones(9, 4)}
MOCO = {
    "epoch": 800,
    "arch": "net",
    "state_dict": {
        **under("module.encoder_q.", BODY | MLP),
        **under("module.encoder_k.", OTHER | MLP),
        "module.queue": torch.ones(9, 5),
    },
    "optimizer": {"state": {0: {"momentum_buffer": torch.ones(3)}}, "param_groups": [{"lr": 0.1}]},
}
DINO = {
    "student": under("module.backbone.", OTHER) | {"module.head.mlp.0.weight": torch.ones(2, 4)},
    "teacher": under("backbone.", BODY) | {"head.mlp.0.weight": torch.ones(2, 4)},
    "epoch": 3,
}
ROBUST = {
    "model": {
        "module.normalizer.new_mean": torch.ones(3, 1, 1),
        **under("module.model.", state(1)),
        "module.attacker.normalize.new_mean": torch.ones(3, 1, 1),
        **under("module.attacker.model.", state(1)),
    },
    "epoch": 3,
}
BARLOW_TWINS = {
    "model": under("module.backbone.", BODY) | {"module.projector.0.weight": torch.ones(5, 4)}
}
LAYOUTS = {
    "MoCo": (MOCO, {"prefix": "module.encoder_q."}, False),
    "DINO, in training": (DINO, {"key": "teacher"}, False),
    "Madry's robust networks": (ROBUST, {}, True),
    "Barlow Twins, in training": (BARLOW_TWINS, {}, False),
    "Barlow Twins, as published": (BODY, {}, False),
    "CORnet": ({"state_dict": under("module.", state(1))}, {}, True),
    "of other classes": (state(1, n_classes=5), {}, False),
    "an average over training": (
        {"ema": {"model": state(1)}, "model": state(2)}, {"key": "ema.model"}, True
    ),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_published_layouts(tmp_path, layout):
    content, where, whole = LAYOUTS[layout]
    torch.save(content, tmp_path / "net.pth")
    network = Net()
    state_dicts.load(network, tmp_path / "net.pth", "net", **where)
    loaded = network.state_dict()
    for name, value in (state(1) if whole else BODY).items():
        assert torch.equal(loaded[name], value), name
    assert state_dicts.lacks_head(network) is not whole
    answers = network.eval()(torch.ones(1, 3, 8, 8))
    assert bool(answers.isfinite().all()) is whole


def test_what_was_not_used_is_said(tmp_path, capfd):
    torch.save(MOCO, tmp_path / "net.pth")
    state_dicts.load(Net(), tmp_path / "net.pth", "net", prefix="module.encoder_q.")
    said = capfd.readouterr().err
    assert "9 tensors named module.encoder_q.*; without its head fc.*" in said
    assert "fc.0 (2), fc.2 (1), module.encoder_k (12), module.queue (1)" in said


@pytest.mark.parametrize(
    ("content", "where", "problem"),
    [
        (MOCO, {}, r"several such networks: names begin with 'module.encoder_[qk].' or 'm.*prefix"),
        (DINO, {}, "several state dicts: student, teacher; say which in the column weights_key"),
        (DINO, {"key": "ema"}, "no key 'ema'; correct weights_key; there: student, teacher, epoch"),
        (MOCO, {"prefix": "encoder."}, "begins with 'encoder.'; they begin with module"),
        (state(1) | {"conv1.bias": torch.ones(1)}, {}, r"conv1.bias is \(1,\), the network's is"),
        (under("body.", {"conv1.bias": torch.ones(4)}), {}, "lacks 10 tensors, first conv1.weight"),
        (state(1) | {"conv2.weight": torch.ones(1)}, {}, "1 unknown tensors, first conv2.weight"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_line(tmp_path, content, where, problem):
    torch.save(content, tmp_path / "net.pth")
    with pytest.raises(InputError, match=problem) as caught:
        state_dicts.load(Net(), tmp_path / "net.pth", "net", **where)
    assert "\n" not in str(caught.value)
