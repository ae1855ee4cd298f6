"""An accuracy is measured once for all studies of a network and images, and anew of any others."""

import numpy as np
import pytest
import yaml
from PIL import Image
from safetensors.torch import save_file

from cortiscope.files import Variable, write
from cortiscope.networks import known_accuracies, networks
from cortiscope.networks.known_accuracies import measured_once
from cortiscope.report.model_tables import read_accuracy
from tests.running import TINY, with_settings

ROW = {
    "model": "net",
    "source": "zoo",
    "architecture": "shapenet2",
    "weights": "none",
    "seed": "0",
    "preprocessing": "auto",
}
CODE = ("code", "")


@pytest.fixture
def measurements(tmp_path, monkeypatch):
    """What was measured, call by call; each finds another number."""
    monkeypatch.chdir(tmp_path)
    calls = []

    def measured(*arguments):
        calls.append(arguments)
        return {"top1": float(len(calls)), "accuracy_source": "measured"}

    monkeypatch.setattr(known_accuracies, "measured", measured)
    return calls


def labelled(path, study="one", brightness=0):
    images = np.full((4, 64, 64, 3), brightness, np.uint8)
    variables = {
        "image": Variable(("stimulus", "y", "x", "channel"), images),
        "label": Variable(("stimulus",), np.arange(4)),
    }
    write(path, variables, {"study": study})
    return str(path)


def test_the_same_is_measured_once(measurements, tmp_path):
    first = measured_once(ROW, None, labelled(tmp_path / "one.nc"), "cpu", CODE)
    other = ROW | {"model": "of another name"}
    again = measured_once(other, None, labelled(tmp_path / "two.nc", "two"), "cpu", CODE)
    assert first == again == {"top1": 1.0, "accuracy_source": "measured"}
    assert len(measurements) == 1


def test_another_network_is_measured_anew(measurements, tmp_path):
    images = labelled(tmp_path / "one.nc")
    paths = [str(tmp_path / f"{name}.safetensors") for name in ("a", "copy", "b")]
    for path, seed in zip(paths, ("1", "1", "2"), strict=True):
        save_file(networks.build(ROW | {"seed": seed}).state_dict(), path)
    found = [
        measured_once(ROW, None, images, "cpu", CODE),
        measured_once(ROW | {"seed": "1"}, None, images, "cpu", CODE),
        measured_once(ROW | {"architecture": "shapenet3"}, None, images, "cpu", CODE),
        measured_once(ROW | {"preprocessing": "resize=32"}, None, images, "cpu", CODE),
        measured_once(ROW, None, images, "cpu", ("edited", "")),
        *(measured_once(ROW | {"weights": path}, path, images, "cpu", CODE) for path in paths),
    ]
    assert [one["top1"] for one in found] == [1, 2, 3, 4, 5, 6, 6, 7]


def test_other_images_are_measured_anew(measurements, tmp_path):
    folder = tmp_path / "labelled" / "0"
    folder.mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(folder / "one.png")
    found = [
        measured_once(ROW, None, labelled(tmp_path / "one.nc"), "cpu", CODE),
        measured_once(ROW, None, labelled(tmp_path / "one.nc", brightness=1), "cpu", CODE),
        measured_once(ROW, None, str(folder.parent), "cpu", ("code", "digest")),
        measured_once(ROW, None, str(folder.parent), "cpu", ("code", "other")),
        measured_once(ROW, None, str(folder), "cpu", ("code", "other")),
        measured_once(ROW, None, "labelled", "cpu", ("code", "other")),
    ]
    assert [one["top1"] for one in found] == [1, 2, 3, 4, 5, 4]


def test_a_network_of_the_users_own_code_is_measured_each_time(measurements, tmp_path):
    images = labelled(tmp_path / "one.nc")
    found = [measured_once(ROW, None, images, "cpu", CODE, own_code=True)["top1"] for _ in "12"]
    assert found == [1, 2]


def test_weights_that_are_shown_other_images_are_measured_anew(measurements, tmp_path):
    """The same file, by names of torchvision with transforms of their own."""
    (tmp_path / "weights.pth").write_bytes(b"weights")
    row = ROW | {"source": "torchvision", "architecture": "resnet50"}
    found = [
        measured_once(
            row | {"weights": name}, "weights.pth", labelled(tmp_path / "one.nc"), "cpu", CODE
        )
        for name in ("IMAGENET1K_V1", "IMAGENET1K_V2", "IMAGENET1K_V1")
    ]
    assert [one["top1"] for one in found] == [1, 2, 1]


def test_another_study_finds_what_the_first_measured(listed):
    """And says so; its figures are the same."""
    said, tables = [], []
    for name in ("one", "two"):
        config = with_settings(listed.folder / f"{name}.yaml", TINY)
        values = yaml.safe_load(config.read_text()) | {"study": name}
        config.write_text(yaml.safe_dump(values))
        table = f"results/{name}/accuracy/shapenet5.csv"
        done = listed.forked("--", table, config=config)
        assert done.returncode == 0, done.stdout[-3000:]
        said.append((listed.folder / "logs" / name / "accuracy" / "shapenet5.log").read_text())
        tables.append(read_accuracy(listed.folder / table, "shapenet5"))
    assert "measured before" not in said[0]
    assert "accuracy: as measured before, in resources/accuracy/" in said[1]
    assert tables[0]["top1"] == tables[1]["top1"] > 50
    assert tables[1]["accuracy_source"] == "measured"
