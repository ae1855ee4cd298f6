"""Networks from rows of the models table, whatever their source: weights, seeds, checksums."""

import hashlib
import os
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from cortiscope.errors import InputError
from cortiscope.networks import networks
from cortiscope.networks.sources import given, source
from cortiscope.networks.sources.kinds import SOURCES


def row(architecture="squeezenet1_1", source="torchvision", **changes):
    basis = {"model": "net", "weights": "none", "checksum": "", "seed": "0", "layers": "blocks"}
    given = {"source": source, "architecture": architecture, **changes}
    return {**basis, "preprocessing": "auto", **given}


def small(**changes):
    return row("shapenet2", "zoo", **changes)


@pytest.mark.parametrize(("name", "kind"), SOURCES.items())
def test_every_source_of_the_table_is_a_module(name, kind):
    found = networks.source({"model": "net", "source": name})
    assert isinstance(found, source.Source if kind.network else given.Source)
    if not kind.network:
        return
    fetches = type(found).weights_source is not source.Source.weights_source
    assert fetches == kind.named_weights


def test_seed_decides_the_untrained_values_and_leaves_torch_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, again, other = (networks.build(small(seed=seed)) for seed in ("1", "1", "2"))
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(first.conv1.weight, again.conv1.weight)
    assert not torch.equal(first.conv1.weight, other.conv1.weight)
    assert not first.training
    assert not any(parameter.requires_grad for parameter in first.parameters())


def saved(tmp_path, kind, **changes):
    """The weights of an untrained network, changed, as a file."""
    state = networks.build(small(seed="3")).state_dict() | changes
    state = {key: value for key, value in state.items() if value is not None}
    path = tmp_path / f"net.{kind}"
    if kind == "safetensors":
        save_file(state, path)
    else:
        torch.save(state if kind == "pth" else {"state_dict": state, "epoch": 3}, path)
    return str(path)


@pytest.mark.parametrize("kind", ["safetensors", "pth", "ckpt"])
def test_weights_files_are_loaded(tmp_path, kind):
    path = saved(tmp_path, kind)
    loaded, original = networks.build(small(weights=path), path), networks.build(small(seed="3"))
    for key, value in original.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], value), key


def test_half_precision_becomes_float32(tmp_path):
    half = networks.build(small(seed="3")).conv1.weight.half()
    path = saved(tmp_path, "safetensors", **{"conv1.weight": half})
    weight = networks.build(small(weights=path), path).conv1.weight
    assert weight.dtype == torch.float32
    assert torch.equal(weight, half.float())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"conv2.weight": None}, "lacks 1 tensors, first conv2.weight"),
        ({"conv9.weight": torch.zeros(2)}, "holds 1 unknown tensors, first conv9.weight"),
        ({"conv2.weight": torch.zeros(2)}, r"conv2.weight is \(2,\), the network's is"),
    ],
)
def test_weights_that_do_not_fit_name_model_file_and_key(tmp_path, changes, message):
    path = saved(tmp_path, "safetensors", **changes)
    with pytest.raises(InputError, match=rf"model net: weights .*net.safetensors: {message}"):
        networks.build(small(weights=path), path)


class Harmful:
    def __reduce__(self):
        return (os.mkdir, ("harm",))


def test_a_pickle_with_code_is_refused_and_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "net.pth"
    torch.save({"conv1.weight": Harmful()}, path)
    with pytest.raises(InputError, match="holds more than tensors, or is damaged, and was not run"):
        networks.build(small(weights=str(path)), str(path))
    assert not (tmp_path / "harm").exists()
    path.write_bytes(pickle.dumps(Harmful()))
    with pytest.raises(InputError):
        networks.build(small(weights=str(path)), str(path))
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("name", ["net.pth", "net.safetensors"])
def test_damaged_and_missing_files_are_one_line(tmp_path, name):
    path = tmp_path / name
    with pytest.raises(InputError, match="no such file"):
        networks.build(small(weights=name), str(path))
    for content in (
        b"",
        b"garbage of some length",
        Path(saved(tmp_path, "ckpt")).read_bytes()[:900],
    ):
        path.write_bytes(content)
        with pytest.raises(InputError, match=name) as caught:
            networks.build(small(weights=name), str(path))
        assert "\n" not in str(caught.value)


def test_checksums_are_verified_and_both_named(tmp_path):
    path = saved(tmp_path, "safetensors")
    right = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    networks.build(small(weights=path, checksum=right), path)
    wrong = "0" * 64
    with pytest.raises(InputError, match=rf"has SHA-256 {right}, expected {wrong}"):
        networks.build(small(weights=path, checksum=wrong), path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architecture": "sqeezenet1_1"}, "near: squeezenet1_1"),
        ({"architecture": "shapenet12", "source": "zoo"}, "shapenet2"),
        ({"architecture": "none.py:build", "source": "file"}, "no file 'none.py'"),
    ],
)
def test_unknown_architectures_name_the_nearest(changes, message):
    with pytest.raises(InputError, match=message):
        networks.build(row(**changes))
