"""Accuracy against scikit-learn, and against what was measured on real weights elsewhere."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.metrics import top_k_accuracy_score
from torch import nn
from torchvision import datasets, models

from cortiscope.errors import InputError
from cortiscope.experiment.images import list_categories
from cortiscope.networks import networks
from cortiscope.networks.accuracy import from_arrays, from_folder, top_k

SHARED = Path(os.environ.get("CORTISCOPE_SHARED", Path(__file__).parents[3] / "shared"))
SAMPLE = SHARED / "data" / "imagenet_sample"


class Pixels(nn.Module):
    """Answers with the first pixels of the image, as they come."""

    def forward(self, images):
        return images[:, 0, 0]


def as_float(images):
    return torch.tensor(images).permute(0, 3, 1, 2).float()


def pictures(n, categories, seed=0):
    random = np.random.default_rng(seed)
    images = np.stack([random.permutation(256)[:categories] for _ in range(n)])
    return images.astype(np.uint8)[:, None, :, None], random.integers(0, categories, n)


@pytest.mark.parametrize("n", [7, 130])
def test_equals_scikit_learn(n):
    images, labels = pictures(n, 12)
    found = top_k(Pixels(), as_float, from_arrays(images, labels), None)
    scores = images[:, 0, :, 0].astype(float)
    for k in (1, 5):
        expected = top_k_accuracy_score(labels, scores, k=k, labels=range(12))
        assert found[f"top{k}"] == pytest.approx(100 * expected)
    assert found["n_images"] == n


def test_only_the_first_categories_compete():
    images, labels = pictures(60, 20)
    labels %= 8
    found = top_k(Pixels(), as_float, from_arrays(images, labels), 8)
    narrow = top_k(Pixels(), as_float, from_arrays(images[:, :, :8], labels), None)
    assert found == narrow
    assert found != top_k(Pixels(), as_float, from_arrays(images, labels), None)


def test_an_undecided_network_is_at_chance():
    """As an untrained transformer of torchvision is, whose head is all zeros."""
    images, labels = pictures(30, 12)
    found = top_k(Pixels(), as_float, from_arrays(images * 0, labels), None)
    assert found["top1"] == pytest.approx(100 / 12)
    assert found["top5"] == pytest.approx(500 / 12)


def test_ties_count_as_drawn_by_lot():
    """On average over the orders in which equal outputs may stand, as scikit-learn ranks them."""
    random = np.random.default_rng(0)
    images = random.integers(0, 4, (40, 1, 12, 1)).astype(np.uint8)
    labels = random.integers(0, 12, 40)
    found = top_k(Pixels(), as_float, from_arrays(images, labels), None)
    scores = images[:, 0, :, 0].astype(float)
    for k in (1, 5):
        drawn = [
            top_k_accuracy_score(
                labels, scores + random.uniform(0, 0.5, scores.shape), k=k, labels=range(12)
            )
            for _ in range(1000)
        ]
        error = 100 * np.std(drawn) / np.sqrt(1000)
        assert abs(found[f"top{k}"] - 100 * np.mean(drawn)) < 4 * error


def folders(folder, names, pixels):
    """A picture per category, whose brightest pixel is at the category's number of `pixels`."""
    for number, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        row = np.zeros((1, pixels), np.uint8)
        row[0, number] = 255
        Image.fromarray(row).save(folder / name / "one.png")
    return folder


def measured(folder):
    categories = list_categories(folder)
    return top_k(Pixels(), as_float, from_folder(folder), None, folders=categories)


@pytest.mark.parametrize("name", [".ipynb_checkpoints", "__MACOSX", "@eaDir", "#recycle"])
def test_folders_left_behind_have_no_number(tmp_path, name):
    """Nor count the images in them, wherever they are."""
    folders(tmp_path, ["n01", "n02", "n03"], 3)
    for place in (tmp_path, tmp_path / "n02"):
        (place / name / "image.png").mkdir(parents=True)
        Image.new("RGB", (2, 2)).save(place / name / "image.png" / "thumbnail.png")
    assert (measured(tmp_path)["top1"], measured(tmp_path)["n_images"]) == (100, 3)


def test_folders_must_be_as_many_as_outputs(tmp_path):
    """Else their numbers are others than those of the network's categories; empty ones count."""
    folders(tmp_path, ["n01", "n03"], 3)
    with pytest.raises(
        InputError, match=r"has 2 folders \(n01, n03\) where the network has 3 outputs; "
    ):
        measured(tmp_path)
    (tmp_path / "n02").mkdir()
    assert measured(tmp_path)["n_images"] == 2
    (tmp_path / "stray").mkdir()
    named = r"has 4 folders \(n01, n02, n03, stray; without images: n02, stray\) where the network"
    with pytest.raises(InputError, match=f"{named} has 3 outputs; give"):
        measured(tmp_path)


class Limited(Pixels):
    """Runs out of memory beyond some images."""

    def __init__(self, most):
        super().__init__()
        self.most = most

    def forward(self, images):
        if len(images) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return super().forward(images)


def test_a_batch_is_halved_where_memory_runs_out():
    images, labels = pictures(130, 12)
    said = []
    few = top_k(Limited(13), as_float, from_arrays(images, labels), None, report=said.append)
    assert few == top_k(Pixels(), as_float, from_arrays(images, labels), None)
    assert said == [f"accuracy: out of memory, going on with batches of {n}" for n in (25, 12)]
    with pytest.raises(InputError, match="one image does not fit into memory"):
        top_k(Limited(0), as_float, from_arrays(images, labels), None)


def test_folder_categories_are_sorted_by_name(tmp_path):
    for label, name in enumerate(["n02", "n01", "n10"]):
        folder = tmp_path / name
        folder.mkdir()
        size = (4 + label, 6)  # width, height: images may differ in size
        Image.new("L", size, 40 * label).save(folder / "b.png")
    found = [(label[0], images.shape, images.max()) for images, label in from_folder(tmp_path)]
    assert found == [(0, (1, 6, 5, 3), 40), (1, (1, 6, 4, 3), 0), (2, (1, 6, 6, 3), 80)]


def test_folders_that_are_numbers_are_in_their_order(tmp_path):
    """Whether or not they are padded; as text 10 would come before 2."""
    names = [str(number) for number in range(12)]
    folders(tmp_path / "plain", names, 12)
    folders(tmp_path / "padded", [f"{name:0>2}" for name in names], 12)
    folders(tmp_path / "mixed", sorted([*names[:11], "n11"]), 12)
    for name in ("plain", "padded", "mixed"):
        assert measured(tmp_path / name)["top1"] == 100
    assert [path.name for path in list_categories(tmp_path / "plain")] == names


def test_labelled_images_are_read_as_networks_are_trained(tmp_path):
    """By torchvision's ImageFolder: not turned, the colours beneath what is transparent kept."""
    random = np.random.default_rng(0)
    (tmp_path / "n01").mkdir()
    exif = Image.Exif()
    exif[274] = 6
    for number, channels in enumerate((3, 4, 1)):
        pixels = random.integers(0, 256, (5, 7, channels), np.uint8)
        picture = Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
        picture.save(tmp_path / "n01" / f"{number}.png", exif=exif)
    expected = datasets.ImageFolder(tmp_path)
    found = list(from_folder(tmp_path))
    assert len(found) == len(expected) == 3
    for (images, label), (picture, number) in zip(found, expected, strict=True):
        np.testing.assert_array_equal(images[0], np.asarray(picture))
        assert label.tolist() == [number]


def test_bad_images_are_named(tmp_path):
    with pytest.raises(InputError, match="no folder per category"):
        list(from_folder(tmp_path))
    (tmp_path / "n01").mkdir()
    (tmp_path / "n01" / "broken.jpg").write_bytes(b"not an image")
    with pytest.raises(InputError, match=r"broken.jpg: is not a readable image"):
        list(from_folder(tmp_path))
    (tmp_path / "n01" / "broken.jpg").unlink()
    with pytest.raises(InputError, match="no labelled images"):
        top_k(Pixels(), as_float, from_folder(tmp_path), None)


def test_bad_outputs_are_named():
    images, labels = pictures(10, 12)
    with pytest.raises(InputError, match="do not cover category"):
        top_k(Pixels(), as_float, from_arrays(images, labels + 90), None)
    with pytest.raises(InputError, match="not finite"):
        top_k(Pixels(), lambda x: as_float(x) / 0, from_arrays(images * 0, labels), None)
    with pytest.raises(InputError, match="10 images and 9 labels"):
        top_k(Pixels(), as_float, from_arrays(images, labels[1:]), None)


@pytest.mark.skipif(not SAMPLE.is_dir(), reason="no imagenet_sample (see CORTISCOPE_SHARED)")
def test_squeezenet_is_as_accurate_as_measured_elsewhere():
    """The same answers as through PIL, on every twentieth photograph; on all: 58.8 / 81.2 %."""
    row = {
        "model": "squeezenet",
        "source": "torchvision",
        "architecture": "squeezenet1_1",
        "weights": "squeezenet1_1.safetensors",
        "preprocessing": "auto",
    }
    network = networks.build(row, str(SHARED / "weights" / row["weights"]))
    sample = [pair for number, pair in enumerate(from_folder(SAMPLE)) if number % 20 == 0]
    found = top_k(network, networks.transform(row), sample, 1000)
    preset = models.get_model_weights("squeezenet1_1").DEFAULT.transforms()
    with torch.inference_mode():
        answers = network(torch.stack([preset(Image.fromarray(image[0])) for image, _ in sample]))
    labels = torch.tensor([int(label[0]) for _, label in sample])
    hits = int((answers.argmax(1) == labels).sum())
    assert found["top1"] == 100 * hits / len(sample)
    assert 40 < found["top1"] < found["top5"]
