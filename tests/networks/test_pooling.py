"""Means over space or tokens, and class tokens: what is recorded, and what the tables say of it."""

import numpy as np
import pytest
import torch

from cortiscope.errors import InputError
from cortiscope.layers import layer_table
from cortiscope.networks import extraction, networks
from cortiscope.networks.pooling import pooled, pooled_shape, unpoolable

MAPS, LAST = torch.randn(2, 5, 3, 3), torch.randn(2, 3, 3, 5)
TOKENS, VECTORS = torch.randn(2, 17, 5), torch.randn(2, 5)


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        (MAPS, "mean", MAPS.flatten(2).mean(2)),
        (LAST, "mean", LAST.flatten(1, 2).mean(1)),
        (TOKENS, "mean", TOKENS.mean(1)),
        (VECTORS, "mean", VECTORS),
        (TOKENS, "cls", TOKENS[:, 0]),
        (MAPS, "none", MAPS),
    ],
)
def test_means_and_class_tokens(values, kind, expected):
    torch.testing.assert_close(pooled(values, kind), expected)
    assert pooled_shape(tuple(values.shape[1:]), kind) == tuple(expected.shape[1:])
    assert not unpoolable(tuple(values.shape[1:]), kind)


@pytest.mark.parametrize(
    ("shape", "kind"), [((5, 3, 3), "cls"), ((5,), "cls"), ((16, 5), "cls"), ((2, 3, 3, 3), "mean")]
)
def test_what_cannot_be_pooled(shape, kind):
    assert unpoolable(shape, kind)


def row(**changes):
    basis = {"model": "net", "source": "timm", "architecture": "test_vit", "weights": "none"}
    return basis | {"seed": "0", "layers": "blocks", "preprocessing": "auto", **changes}


@pytest.mark.parametrize("kind", ["mean", "cls"])
def test_what_is_recorded_is_what_the_table_says(kind):
    whole, table = layer_table(row()), layer_table(row(pooling=kind))
    assert [line["layer"] for line in table] == [
        line["layer"] for line in whole if kind == "mean" or line["layer"].startswith("blocks")
    ]
    network = networks.build(row())
    images = torch.randn(4, *networks.input_shape(row()))
    names = [str(line["layer"]) for line in table]
    settings = {"projection": "none", "batch_size": 2, "device": "cpu"}
    pooled_, all_ = (
        extraction.extract(network, images, names, settings | more, report=lambda line: None)
        for more in ({"pooling": kind}, {})
    )
    shapes = {line["layer"]: tuple(map(int, line["shape"].split("x"))) for line in whole}
    for line in table:
        arrays, about = pooled_[line["layer"]]
        values = torch.from_numpy(all_[line["layer"]][0]["features"]).float()
        expected = pooled(values.reshape(4, *shapes[line["layer"]]), kind)
        np.testing.assert_allclose(arrays["features"], expected, rtol=1e-4, atol=1e-6)
        assert about["n_features"] == line["n_features"] == expected.shape[1]
        assert about["shape"] == line["shape"]


def test_layers_of_which_none_can_be_pooled_are_one_line():
    with pytest.raises(InputError) as caught:
        layer_table(row(source="zoo", architecture="shapenet2", pooling="cls"))
    assert str(caught.value) == (
        "models table: net: pooling: conv1 is not recorded, as it has no tokens, of which the first"
        " could be the class token, and 1 more are not; choose other layers, or another pooling"
    )
