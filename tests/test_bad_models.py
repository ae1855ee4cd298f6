"""A models table or weights that are wrong are answered by one line."""

import pickle
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from cortiscope.layers import write_tables
from cortiscope.networks import layer_tables
from tests.bad_inputs import HEADER, Cases, check, models

CASES = Cases()
case = CASES.case
ACCURACY = "results/shapes/accuracy/net.csv"


@case("models.tsv: line 2: unknown key 'wieghts'; did you mean 'weights'?")
def unknown_column(folder):
    row = "net zoo shapenet5 none - 0 relu* auto - untrained"
    return models(folder, row, header=HEADER.replace("weights", "wieghts"))


@case("models.tsv: line 2: not as many cells as columns; separate them by tabs")
def too_few_cells(folder):
    return models(folder, "net zoo shapenet5 none")


@case("models.tsv: line 3: model: 'net' stands twice; give each row its own name")
def duplicate_models(folder):
    row = "net zoo shapenet5 none - {} relu* auto - untrained"
    return models(folder, row.format(0), row.format(1))


@case("config: models.names: ['net', 'net'] is not valid; use 'all' or a list ...")
def duplicate_names(folder):
    return {"models": {"names": ["net", "net"]}}


@case("config: models.names: 'shapenet55' is not in ...models.tsv; near: shapenet5, ...")
def unknown_model_name(folder):
    return {"models": {"names": ["shapenet55"]}}


@case("models table: net: architecture: torchvision has no 'resnet19'; near: resnet1...")
def unknown_architecture(folder):
    return models(folder, "net torchvision resnet19 none - 0 conv auto - untrained")


@case("models table: net: layers: 'rleu3' matches no layer; near: relu3, ...")
def unknown_layer(folder):
    return models(folder, "net zoo shapenet5 none - 0 rleu3 auto - untrained")


@case(
    "models table: net: weights: no file or folder 'net.pth' under ...;"
    " check the path, or set data_root"
)
def missing_weights(folder):
    return models(folder, "net zoo shapenet5 net.pth - 0 relu* auto - trained")


@case("models.tsv: line 2: training: 'trained', where the weights 'none' are untrained; correct...")
def random_weights_called_trained(folder):
    return models(folder, "net zoo shapenet5 none - 0 relu* auto - trained")


@case("models.tsv: line 2: training: 'untrained', where the weights 'IMAGENET1K_V1' are ...")
def published_weights_called_untrained(folder):
    return models(folder, "net torchvision alexnet IMAGENET1K_V1 - 0 conv auto - untrained")


@case("models.tsv: line 2: seed: '99999999999999999999999' is not valid; use ...")
def seed_that_torch_cannot_hold(folder):
    return models(folder, "net zoo shapenet5 none - 99999999999999999999999 relu* auto - untrained")


def with_known_layers(folder, known, **changes):
    """A study of one network, the layers of which were listed before its row was changed."""
    listed = layer_tables.DEFAULTS | {"model": "net", "layers": "conv"} | known
    write_tables([listed], folder / "resources" / "layers")
    (folder / "models.tsv").write_text(layer_tables.dump_models([listed | changes]))
    return {"models": {"table": "models.tsv", "names": "all"}}


ALEXNET = {"source": "torchvision", "architecture": "alexnet"}


@case("models table: net: weights: alexnet has no weights 'IMAGENET1K_V9'; near: IMAGENET1K_V1...")
def unknown_weights_where_layers_are_known(folder):
    return with_known_layers(folder, ALEXNET, weights="IMAGENET1K_V9")


@case("models table: net: weights: alexnet has no weights 'IMAGENET1K_V9'; near: IMAGENET1K_V1...")
def unknown_weights_beside_preprocessing(folder):
    return models(folder, "net torchvision alexnet IMAGENET1K_V9 - 0 conv crop=64 - trained")


@case(
    "models table: net: weights: 'IMAGENET1K_V1' is no file, and only torchvision or timm has"
    " weights by name; give the path of a file, or none"
)
def weights_by_name_of_another_source(folder):
    return models(folder, "net zoo shapenet5 IMAGENET1K_V1 - 0 conv auto - trained")


@case("models table: net: weights: alexnet has no weights 'None'; near: ...; or none, or a file")
def misspelt_none_where_layers_are_known(folder):
    return with_known_layers(folder, ALEXNET, weights="None")


@case("models table: net: preprocessing: 'crop=64 std=0' is out of range; std > 0; ...")
def preprocessing_where_layers_are_known(folder):
    known = {"source": "zoo", "architecture": "shapenet5", "preprocessing": "crop=64"}
    return with_known_layers(folder, known, preprocessing="crop=64 std=0")


@case("models table: net: preprocessing: unknown word 'IMAGENET1K_V9'; near: IMAGENET1K_V1")
def preprocessing_of_weights_that_there_are_not(folder):
    return models(folder, "net torchvision alexnet none - 0 conv IMAGENET1K_V9 - untrained")


@case(
    "models table: net: preprocessing: trained rows of resnet50 have 'IMAGENET1K_V1' and"
    " 'IMAGENET1K_V2'; write one of them in this cell"
)
def twins_that_see_different_images(folder):
    trained = [f"v{n} torchvision resnet50 IMAGENET1K_V{n} - 0 conv auto - trained" for n in (1, 2)]
    return models(folder, "net torchvision resnet50 none - 0 conv auto - untrained", *trained)


@case(
    "models table: u: preprocessing: shows 'resize=0 crop=64 ...', and 'resize=0 crop=32 ...' to t,"
    " its trained twin; give both the same, or each a family of its own"
)
def twins_that_differ_in_more_than_training(folder):
    rows = (
        "u zoo shapenet5 none - 0 relu* crop=64 Net -",
        "t zoo shapenet5 net.pth - 0 relu* crop=32 Net -",
    )
    (folder / "net.pth").touch()
    return models(folder, *rows)


@case("models table: net: architecture: no module in the network gives a tensor of stimuli in a...")
def network_without_layers(folder):
    (folder / "net.py").write_text("from torch import nn\ndef build(): return nn.Conv2d(3, 4, 3)\n")
    return models(folder, "net file net.py:build none - 0 all auto - untrained")


# Seen by a job


def weighted(folder, file, checksum="-"):
    """A study of one network with the weights of a file, measured on a folder of images."""
    (folder / "labelled" / "square").mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(folder / "labelled" / "square" / "one.png")
    row = f"net zoo shapenet5 {file} {checksum} 0 relu*,average auto ShapeNet trained"
    return models(folder, row) | {"accuracy": {"images": "labelled"}}


@case(
    "model net: weights net.safetensors: lacks ... tensors, first ...;"
    " use the weights of this architecture",
    ACCURACY,
)
def weights_of_another_architecture(folder):
    save_file({"fc.weight": torch.zeros(8, 4)}, folder / "net.safetensors")
    return weighted(folder, "net.safetensors")


@case(
    "model net: net.safetensors: has SHA-256 ..., expected 000...;"
    " fetch the file again, or correct the checksum",
    ACCURACY,
)
def weights_of_another_checksum(folder):
    save_file({"fc.weight": torch.zeros(8, 4)}, folder / "net.safetensors")
    return weighted(folder, "net.safetensors", "0" * 64)


class Malicious:
    """Unpickled, it leaves a file `ran` behind."""

    def __reduce__(self):
        return Path.touch, (Path("ran"),)


@case(
    "model net: weights net.pth: holds more than tensors, or is damaged, and was not run;"
    " save it with safetensors...",
    ACCURACY,
)
def malicious_weights(folder):
    (folder / "net.pth").write_bytes(pickle.dumps(Malicious()))
    return weighted(folder, "net.pth")


@pytest.mark.parametrize(("write", "line", "target"), CASES)
def test_a_bad_model_is_one_line(listed, write, line, target):
    check(listed, write, line, target)
    assert not (listed.folder / "ran").exists()
