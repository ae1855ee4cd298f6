"""Torchvision's networks: their weights by name and in files, and what is published of them."""

import re

import numpy as np
import pytest
import torch
from torchvision import models

from cortiscope.errors import InputError
from cortiscope.layers import layer_table
from cortiscope.networks import networks
from tests.running import SHARED


def row(architecture="squeezenet1_1", **changes):
    basis = {"model": "net", "source": "torchvision", "weights": "none", "checksum": ""}
    shown = {"seed": "0", "layers": "blocks", "preprocessing": "auto"}
    return {**basis, **shown, "architecture": architecture, **changes}


def test_unknown_named_weights_name_the_nearest():
    with pytest.raises(InputError, match="no weights 'IMAGENET1K_V3'; near: IMAGENET1K_V1"):
        networks.source(row(weights="IMAGENET1K_V3")).weights_source()
    with pytest.raises(InputError, match="run the weights rule first"):
        networks.build(row(weights="IMAGENET1K_V1"))


def test_densenet_weights_with_old_names(tmp_path):
    state = networks.build(row("densenet121", seed="1")).state_dict()
    pattern = re.compile(r"(denselayer\d+\.(?:norm|conv))([12]\.)")
    kept = {key: value for key, value in state.items() if "num_batches_tracked" not in key}
    old = {pattern.sub(r"\1.\2", key): value for key, value in kept.items()}
    assert set(old) - set(state)
    torch.save(old, tmp_path / "old.pth")
    loaded = networks.build(row("densenet121", weights="old.pth"), str(tmp_path / "old.pth"))
    name = "features.denseblock1.denselayer1.conv1.weight"
    assert torch.equal(loaded.state_dict()[name], state[name])


def test_published_accuracy_and_address():
    named = row("resnet50", weights="IMAGENET1K_V2")
    assert networks.published_accuracy(named) == (80.858, 95.434)  # torchvision's table of weights
    assert networks.published_accuracy(row("resnet50")) is None
    assert networks.published_accuracy(row("resnet50", weights="some/file.pth")) is None
    untrained = row("shapenet2", source="zoo")
    assert networks.published_accuracy(untrained) is None
    url, checksum = networks.source(named).weights_source()
    assert url.endswith(f"resnet50-{checksum}.pth")
    assert len(checksum) == 8


@pytest.mark.skipif(not (SHARED / "weights").is_dir(), reason="no weights (see CORTISCOPE_SHARED)")
@pytest.mark.parametrize("architecture", ["squeezenet1_0", "squeezenet1_1", "mobilenet_v2"])
def test_real_weights_load(architecture):
    path = str(SHARED / "weights" / f"{architecture}.safetensors")
    network = networks.build(row(architecture, weights=path), path)
    untrained = networks.build(row(architecture))
    key = next(iter(network.state_dict()))
    assert not torch.equal(network.state_dict()[key], untrained.state_dict()[key])
    with pytest.raises(InputError, match="use the weights of this architecture"):
        networks.build(row("resnet18", weights=path), path)


@pytest.mark.parametrize(
    "architecture", ["fasterrcnn_mobilenet_v3_large_320_fpn", "ssdlite320_mobilenet_v3_large"]
)
def test_a_detector_is_its_backbone_shown_what_it_shows_it(architecture, tmp_path):
    """From a file that has boxes too; images of its size are only normalised inside."""
    torch.manual_seed(2)
    detector = models.get_model(architecture, weights=None, weights_backbone=None).eval()
    torch.save(detector.state_dict(), tmp_path / "own.pth")
    wanted = row(architecture, weights="own.pth")
    network = networks.build(wanted, str(tmp_path / "own.pth"))
    images = np.random.default_rng(0).integers(0, 256, (2, 320, 320, 3), np.uint8)
    inside, _ = detector.transform([image.float() / 255 for image in as_tensors(images)])
    with torch.inference_mode():
        found = network(networks.transform(wanted)(images))
        expected = detector.backbone(inside.tensors)
    assert [*found] == [*expected]
    for name, values in expected.items():
        torch.testing.assert_close(found[name], values, rtol=1e-4, atol=1e-5)


def as_tensors(images):
    return torch.from_numpy(images).permute(0, 3, 1, 2)


@pytest.mark.parametrize(
    ("architecture", "last", "shown"),
    [
        ("retinanet_resnet50_fpn", "backbone.fpn", "resize=800 crop=800"),
        ("ssd300_vgg16", "backbone.extra.4.2", "resize=300 crop=300"),
        ("deeplabv3_mobilenet_v3_large", "backbone.16", "resize=520 crop=520"),
    ],
)
def test_layers_of_what_detects_and_segments_are_its_backbones(architecture, last, shown):
    table = layer_table(row(architecture))
    assert {line["layer"].partition(".")[0] for line in table} == {"backbone"}
    assert table[-1]["layer"] == last
    assert table[-1]["model_preprocessing"].startswith(shown)
    assert networks.source(row(architecture)).n_classes() == 0


def test_published_weights_that_segment_have_a_head_for_training_alone(tmp_path):
    options = {"weights_backbone": None, "aux_loss": True}
    published = models.get_model("deeplabv3_mobilenet_v3_large", weights=None, **options)
    torch.save(published.state_dict(), tmp_path / "own.pth")
    wanted = row("deeplabv3_mobilenet_v3_large", weights="own.pth")
    network = networks.build(wanted, str(tmp_path / "own.pth"))
    kept = {k: v for k, v in published.state_dict().items() if not k.startswith("aux_classifier")}
    assert network.state_dict().keys() == kept.keys()
    assert all(torch.equal(network.state_dict()[key], value) for key, value in kept.items())
    named = row("deeplabv3_mobilenet_v3_large", weights="COCO_WITH_VOC_LABELS_V1")
    assert networks.published_accuracy(named) is None
    assert networks.source(named).weights_source()[0].startswith("https://download.pytorch.org/")
