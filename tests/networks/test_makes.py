"""Networks of ten makes, small: what is recorded of each equals what its modules gave.

From a row of the models table through the list of layers to extraction in batches of two; the
reference shows all stimuli at once and clones every output, before anything can change it.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from makes import (
    SIDE,
    TNT,
    Clip,
    Distilled,
    Recurrent,
    TokensFirst,
    densenet,
    detector,
    lenet,
    regnet,
)

from cortiscope import layers
from cortiscope.errors import InputError
from cortiscope.networks import extraction, layer_tables, networks

N_STIMULI = 5


def first(output):
    return output


def second(output):
    return output[1] if isinstance(output, tuple) else output


def along_second_axis(output):
    return output.movedim(1, 0) if output.ndim == 3 else output


# The network, the layers that `blocks` takes of it, and what of an output is (stimulus, ...).
MAKES = {
    "tnt": (TNT, "proj blocks.0 blocks.1 blocks.2", second),
    "clip": (Clip, "conv blocks.0 blocks.1", first),
    "tokens first": (TokensFirst, "patches encoder.layers.0 encoder.layers.1", along_second_axis),
    "lenet": (lenet, "0 3 7", first),
    "detector": (detector, "backbone.0 backbone.2", first),
    "regnet": (regnet, "0 2 3.b1 3.b2 4.b1 4.b2 4.b3", first),
    "densenet": (
        densenet,
        "features.conv0 features.denseblock1.denselayer1 features.denseblock1.denselayer2"
        " features.transition1 features.denseblock2.denselayer1"
        " features.denseblock2.denselayer2 features.denseblock2.denselayer3",
        first,
    ),
    "distilled": (Distilled, "patches blocks.0 blocks.1", first),
    "recurrent": (Recurrent, "v1 it#2 v1#2", first),
}  # fmt: skip


@pytest.fixture
def row(tmp_path):
    """A function that gives the row of a network of `makes`."""

    def make(network, selector="blocks"):
        path = tmp_path / "net.py"
        here = str(Path(__file__).parent)
        path.write_text(f"import sys\nsys.path.append({here!r})\nfrom makes import {network}\n")
        basis = {"model": "net", "source": "file", "architecture": f"{path}:{network}"}
        words = {"preprocessing": f"resize={SIDE} crop={SIDE}", "seed": "1", "layers": selector}
        return layer_tables.DEFAULTS | basis | words

    return make


def shown(model, words):
    images = np.random.default_rng(0).integers(0, 256, (N_STIMULI, 40, 36, 3), np.uint8)
    return networks.transform(model | {"preprocessing": words})(images)


def recorded(model, report=lambda line: None, **settings):
    """(features by layer, layer table), in batches of two."""
    table = layers.layer_table(model)
    images = shown(model, table[0]["model_preprocessing"])
    settings = {"projection": "none", "batch_size": 2, "seed": 0, "noise_seed": "1"} | settings
    names = [line["layer"] for line in table]
    found = extraction.extract(networks.build(model), images, names, settings, "net", report)
    return {name: arrays["features"] for name, (arrays, _) in found.items()}, table


def cloned(model, words):
    """The outputs of all calls of one pass of all stimuli, by name."""
    network, found = networks.build(model), {}

    def attach(name, module):
        def keep(_module, _inputs, output):
            number = 1 + sum(key.partition("#")[0] == name for key in found)
            parts = output if isinstance(output, tuple) else (output,)
            copies = tuple(part.clone() for part in parts if isinstance(part, torch.Tensor))
            found[name if number == 1 else f"{name}#{number}"] = (
                copies if isinstance(output, tuple) else (*copies, None)[0]
            )

        module.register_forward_hook(keep)

    for name, module in network.named_modules():
        attach(name, module)
    with torch.inference_mode():
        network(shown(model, words))
    return {name: output for name, output in found.items() if name}


@pytest.mark.parametrize("make", MAKES)
def test_what_is_recorded_is_what_modules_gave(make, row):
    build, names, taken = MAKES[make]
    model = row(build.__name__)
    found, table = recorded(model)
    assert list(found) == names.split()
    expected = cloned(model, table[0]["model_preprocessing"])
    for line in table:
        values = taken(expected[line["layer"]])
        assert line["shape"] == "x".join(map(str, values.shape[1:]))
        np.testing.assert_allclose(
            found[line["layer"]], values.reshape(N_STIMULI, -1).numpy(), rtol=1e-4, atol=1e-5
        )


def test_a_network_with_noise_has_one_answer_to_a_stimulus(row):
    """Whatever the size of batches; the log names the first layer that is random."""
    model, said = row("noisy", "all"), []
    one, _ = recorded(model, said.append, batch_size=1)
    many, table = recorded(model, batch_size=4)
    assert any("layer 2: is random in evaluation mode" in line for line in said)
    for name, values in one.items():
        assert np.array_equal(values, many[name])
    expected = cloned(model, table[0]["model_preprocessing"])
    np.testing.assert_allclose(
        one["1"], expected["1"].reshape(N_STIMULI, -1).numpy(), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize(
    ("network", "layer", "reason"),
    [
        ("detector", "roi_heads.box_head", "gives no tensor of stimuli in a pass"),
        ("Recurrent", "it", "does not depend on the stimulus"),
        ("TNT", "blocks.0.inner", "stimuli and parts of them .* on one axis"),
    ],
)
def test_what_cannot_be_recorded_is_said_in_one_line(network, layer, reason, row):
    with pytest.raises(InputError, match=reason) as caught:
        layers.layer_table(row(network, layer))
    assert layer in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("network", "scores"),
    [("Distilled", ["head", "head_dist"]), ("detector", []), ("densenet", ["classifier"])],
)
def test_class_scores_are_recorded_only_where_named(network, scores, row):
    names = {line["layer"] for line in layers.layer_table(row(network, "all"))}
    assert not names & set(scores)
    for name in scores:
        (line,) = layers.layer_table(row(network, name))
        assert line["shape"] == "5"
