"""Of ten unlike architectures, what is recorded is what their modules gave, as of a whole zoo."""

import pytest

from benchmarks import zoo

SAMPLE = [
    "torchvision:shufflenet_v2_x0_5",
    "torchvision:fasterrcnn_mobilenet_v3_large_320_fpn",
    "timm:test_byobnet",
    "timm:test_maxvit",
    "timm:test_nfnet",
    "timm:test_convnext",
    "timm:convit_tiny",
    "timm:vit_tiny_r_s16_p8_224",
    "timm:resnet10t",
    "timm:starnet_s1",
]


@pytest.mark.parametrize("architecture", SAMPLE)
def test_what_is_recorded_is_what_modules_gave(architecture):
    said = zoo.check(architecture)
    assert not said["problem"]
    assert said["layers"] > 4


def test_a_sweep_names_every_family_and_takes_of_each_in_turn():
    families = zoo.architectures()
    names = [name for found in families.values() for name in found]
    assert len(names) == len(set(names)) > 1400
    assert {name.partition(":")[0] for name in names} == {"torchvision", "timm"}
    assert set(SAMPLE) <= set(names)
    chosen = zoo.sampled(families, len(families) + 1)
    assert chosen[-1] == next(found[1] for found in families.values() if len(found) > 1)


def test_what_fails_in_a_process_of_its_own_is_said():
    assert zoo.checked_apart("timm:resnet10t", 0.01, 4000)["problem"].startswith("takes more than")
    said = zoo.checked_apart("timm:no_such_network", 60, 4000)["problem"]
    assert said.startswith("InputError: models table: no_such_network: architecture: timm has no")
