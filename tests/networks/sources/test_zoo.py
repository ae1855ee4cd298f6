"""The shipped ladder: it loads, it is ordered, it is small, and training repeats itself."""

from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load, load_file

from cortiscope import training
from cortiscope.errors import InputError
from cortiscope.experiment import shapes
from cortiscope.networks.sources import zoo

ZOO = Path(__file__).parents[3] / "resources" / "zoo"
# From least to most accurate; every step is at least this much.
ORDER = ("shapenet5_brief", "shapenet2", "shapenet3", "shapenet4", "shapenet5")
FRESH_SEED = 20_000  # of neither training nor the study


@pytest.fixture(scope="module")
def accuracies() -> dict[str, float]:
    validation = shapes.render(1600, FRESH_SEED, stream="validation")
    found = {}
    for rung in training.LADDER:
        network = zoo.build(rung.architecture)
        network.load_state_dict(load_file(ZOO / f"{rung.name}.safetensors"))
        found[rung.name] = training.accuracy(network, validation)
    torch.manual_seed(0)
    found["untrained"] = training.accuracy(zoo.build("shapenet5"), validation)
    return found


def test_ladder_is_strictly_ordered_from_chance_to_beyond_nine_tenths(
    accuracies: dict[str, float],
) -> None:
    assert {rung.name for rung in training.LADDER} == set(ORDER)
    assert accuracies["untrained"] == pytest.approx(1 / 8, abs=0.05)
    ladder = [accuracies[name] for name in ("untrained", *ORDER)]
    assert np.diff(ladder).min() > 0.005
    assert 0.25 < accuracies["shapenet5_brief"] < 0.6
    assert accuracies["shapenet5"] > 0.9


def test_weights_are_small_and_match_their_checksums() -> None:
    files = sorted(ZOO.glob("*.safetensors"))
    assert [file.stem for file in files] == sorted(ORDER)
    assert sum(file.stat().st_size for file in ZOO.iterdir()) < 1_000_000
    lines = (ZOO / "SHA256SUMS").read_text().splitlines()
    sums = {name: digest for digest, name in (line.split() for line in lines)}
    assert sums == {file.name: sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.mark.parametrize("architecture", zoo.CHANNELS)
def test_build_has_its_stages_in_order(architecture: str) -> None:
    torch.manual_seed(0)
    network = zoo.build(architecture).eval()
    names = [name for name, _ in network.named_children()]
    stages = int(architecture[-1])
    assert [name for name in names if name.startswith("relu")] == [
        f"relu{stage}" for stage in range(1, stages + 1)
    ]
    assert names[-3:] == ["average", "flatten", "classifier"]
    with torch.inference_mode():
        assert network(torch.zeros(2, 3, 64, 64)).shape == (2, 8)
        side = network[: names.index("relu1") + 1](torch.zeros(1, 3, 64, 64)).shape[-1]
    assert side == 32


def test_unknown_architecture_is_named_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"shapenet9.*shapenet5"):
        zoo.build("shapenet9")


def test_normalisation_fits_the_stimuli() -> None:
    pixels = training.network_input(shapes.render(240, 0).image)
    assert pixels.shape == (240, 3, 64, 64)
    assert abs(float(pixels.mean())) < 0.2
    assert float(pixels.std()) == pytest.approx(1, abs=0.2)


def test_training_repeats_itself_and_learns() -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    rung = training.Rung("test", "shapenet2", 12, 5)
    first, second = (training.weights(training.train(rung)) for _ in range(2))
    torch.set_num_threads(threads)
    assert first == second
    torch.manual_seed(5)
    fresh = zoo.build("shapenet2").state_dict()
    assert not torch.equal(load(first)["conv1.weight"], fresh["conv1.weight"])


def test_command_line_writes_weights_and_checksums(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(training, "LADDER", (training.Rung("tiny", "shapenet2", 4, 0),))
    monkeypatch.setattr(training, "VALIDATION_STIMULI", 16)
    threads = torch.get_num_threads()
    training.main(["--output", str(tmp_path / "zoo")])
    torch.set_num_threads(threads)
    content = (tmp_path / "zoo" / "tiny.safetensors").read_bytes()
    expected = f"{sha256(content).hexdigest()}  tiny.safetensors\n"
    assert (tmp_path / "zoo" / "SHA256SUMS").read_text() == expected
    assert "tiny: accuracy" in capsys.readouterr().out
