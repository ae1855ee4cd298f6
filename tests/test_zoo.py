"""Networks from rows of the models table: weights, seeds, preprocessing, downloads."""

import hashlib
import os
import pickle
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torchvision import models

from cortiscope import preprocessing, weights, zoo
from cortiscope.errors import InputError

SHARED = Path(os.environ.get("CORTISCOPE_SHARED", Path(__file__).parents[2] / "shared"))


def row(architecture="squeezenet1_1", source="torchvision", **changes):
    basis = {"model": "net", "weights": "none", "checksum": "", "seed": "0", "layers": "blocks"}
    return {
        **basis,
        "preprocessing": "auto",
        "source": source,
        "architecture": architecture,
        **changes,
    }


def small(**changes):
    return row("shapenet2", "zoo", **changes)


def test_seed_decides_the_untrained_values_and_leaves_torch_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, again, other = (zoo.build(small(seed=seed)) for seed in ("1", "1", "2"))
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(first.conv1.weight, again.conv1.weight)
    assert not torch.equal(first.conv1.weight, other.conv1.weight)
    assert not first.training
    assert not any(parameter.requires_grad for parameter in first.parameters())


def saved(tmp_path, kind, **changes):
    """The weights of an untrained network, changed, as a file."""
    state = zoo.build(small(seed="3")).state_dict() | changes
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
    loaded, original = zoo.build(small(weights=path), path), zoo.build(small(seed="3"))
    for key, value in original.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], value), key


def test_half_precision_becomes_float32(tmp_path):
    half = zoo.build(small(seed="3")).conv1.weight.half()
    path = saved(tmp_path, "safetensors", **{"conv1.weight": half})
    weight = zoo.build(small(weights=path), path).conv1.weight
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
        zoo.build(small(weights=path), path)


class Harmful:
    def __reduce__(self):
        return (os.mkdir, ("harm",))


def test_a_pickle_with_code_is_refused_and_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "net.pth"
    torch.save({"conv1.weight": Harmful()}, path)
    with pytest.raises(InputError, match="holds more than tensors, or is damaged, and was not run"):
        zoo.build(small(weights=str(path)), str(path))
    assert not (tmp_path / "harm").exists()
    path.write_bytes(pickle.dumps(Harmful()))
    with pytest.raises(InputError):
        zoo.build(small(weights=str(path)), str(path))
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("name", ["net.pth", "net.safetensors"])
def test_damaged_and_missing_files_are_one_line(tmp_path, name):
    path = tmp_path / name
    with pytest.raises(InputError, match="no such file"):
        zoo.build(small(weights=name), str(path))
    for content in (
        b"",
        b"garbage of some length",
        Path(saved(tmp_path, "ckpt")).read_bytes()[:900],
    ):
        path.write_bytes(content)
        with pytest.raises(InputError, match=name) as caught:
            zoo.build(small(weights=name), str(path))
        assert "\n" not in str(caught.value)


def test_checksums_are_verified_and_both_named(tmp_path):
    path = saved(tmp_path, "safetensors")
    right = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    zoo.build(small(weights=path, checksum=right), path)
    wrong = "0" * 64
    with pytest.raises(InputError, match=rf"has SHA-256 {right}, expected {wrong}"):
        zoo.build(small(weights=path, checksum=wrong), path)


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
        zoo.build(row(**changes))


def test_unknown_named_weights_name_the_nearest():
    with pytest.raises(InputError, match="no weights 'IMAGENET1K_V3'; near: IMAGENET1K_V1"):
        zoo.weights_source(row(weights="IMAGENET1K_V3"))
    with pytest.raises(InputError, match="run the weights rule first"):
        zoo.build(row(weights="IMAGENET1K_V1"))


def test_networks_of_ones_own(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "from torch import nn\ndef make(): return nn.Linear(3, 2)\nname = 3\nbad = dict\n"
    )
    built = [zoo.build(row(f"{file}:make", "file", seed=seed)).weight for seed in "112"]
    assert torch.equal(built[0], built[1])
    assert not torch.equal(built[0], built[2])
    for function, message in (("mak", "near: make"), ("bad", "gives dict"), ("name", "TypeError")):
        with pytest.raises(InputError, match=message):
            zoo.build(row(f"{file}:{function}", "file"))
    file.write_text("import there_is_no_such_module")
    with pytest.raises(InputError, match="there_is_no_such_module"):
        zoo.build(row(f"{file}:make", "file"))


def test_densenet_weights_with_old_names(tmp_path):
    state = zoo.build(row("densenet121", seed="1")).state_dict()
    old = {
        key.replace("norm1.", "norm.1.").replace("conv1.", "conv.1.")
        if "denselayer" in key
        else key: value
        for key, value in state.items()
        if "num_batches_tracked" not in key
    }
    assert set(old) - set(state)
    torch.save(old, tmp_path / "old.pth")
    loaded = zoo.build(row("densenet121", weights="old.pth"), str(tmp_path / "old.pth"))
    name = "features.denseblock1.denselayer1.conv1.weight"
    assert torch.equal(loaded.state_dict()[name], state[name])


def test_published_accuracy_and_address():
    named = row("resnet50", weights="IMAGENET1K_V2")
    assert zoo.published_accuracy(named) == (80.858, 95.434)  # torchvision's table of weights
    assert zoo.published_accuracy(row("resnet50")) is None
    assert zoo.published_accuracy(row("resnet50", weights="some/file.pth")) is None
    assert zoo.published_accuracy(small()) is None
    url, checksum = zoo.weights_source(named)
    assert url.endswith(f"resnet50-{checksum}.pth")
    assert len(checksum) == 8


# Preprocessing


def photograph(height=300, width=280, channels=3, seed=0):
    noise = np.random.default_rng(seed).integers(0, 256, (20, 20, channels), np.uint8)
    image = Image.fromarray(noise[..., 0] if channels == 1 else noise).resize((width, height))
    return np.asarray(image).reshape(height, width, channels)


@pytest.mark.parametrize(
    "architecture", ["resnet50", "efficientnet_b0", "vit_b_16", "inception_v3"]
)
def test_auto_is_the_weights_own_transform(architecture):
    image = photograph()
    preset = models.get_model_weights(architecture).DEFAULT.transforms()
    expected = preset(Image.fromarray(image))
    found = zoo.transform(row(architecture))(image[None])[0]
    assert found.shape == expected.shape
    # PIL and tensors may round the resized grey levels differently.
    assert (found - expected).abs().mean() < 0.005


def test_named_weights_bring_their_own():
    assert zoo.transform(row("resnet50", weights="IMAGENET1K_V1")).resize == 256
    assert zoo.transform(row("resnet50", weights="IMAGENET1K_V2")).resize == 232
    assert zoo.transform(row("resnet50", weights="a/file.pth")).resize == 232


def test_grey_is_given_to_all_channels():
    found = zoo.transform(small(preprocessing="resize=32 crop=32 mean=0.5 std=0.25"))(
        photograph(64, 64, 1)[None]
    )
    assert found.shape == (1, 3, 32, 32)
    assert torch.equal(found[:, 0], found[:, 2])
    assert found.abs().max() <= 2


def test_explicit_words():
    assert preprocessing.parse("imagenet", "") == preprocessing.Preprocessing(
        256, 224, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    )
    found = preprocessing.parse("crop=8 mean=0.1,0.2,0.3", "")
    image = np.full((1, 10, 10, 3), 51, np.uint8)
    expected = torch.tensor([0.1, 0.0, -0.1]).view(1, 3, 1, 1).expand(1, 3, 8, 8)
    torch.testing.assert_close(found(image), expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("imagnet", "models table: net: preprocessing: unknown word 'imagnet'; near: imagenet"),
        ("size=64", "near: resize="),
        ("resize=big", "invalid literal"),
        ("crop=8 std=0", "out of range"),
        ("crop=8 mean=1,2", "neither one number nor three"),
    ],
)
def test_bad_words_are_one_line(text, message):
    with pytest.raises(InputError, match=message):
        zoo.transform(row(preprocessing=text))


def test_bad_images_are_refused():
    with pytest.raises(InputError, match="images are float64"):
        zoo.transform(small())(np.zeros((1, 4, 4, 3)))


def test_preprocessed_is_made_by_slices():
    images = np.stack([photograph(70, 64, 1, seed) for seed in range(5)])
    transform = zoo.transform(small())
    lazy = preprocessing.Preprocessed(images, transform)
    assert len(lazy) == 5
    assert torch.equal(lazy[1:3], transform(images)[1:3])


# Downloads

CONTENT = np.random.default_rng(0).bytes(3_000_000)
SUM = hashlib.sha256(CONTENT).hexdigest()


class Server(BaseHTTPRequestHandler):
    """Serves CONTENT, with ranges; cuts the first answers short where told to."""

    def __init__(self, asked, cuts, ranges, *arguments):
        self.asked, self.cuts, self.ranges = asked, cuts, ranges
        super().__init__(*arguments)

    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.path == "/none":
            return self.send_error(404)
        wanted = self.headers["Range"] if self.ranges else None
        self.asked.append(self.headers["Range"])
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        if wanted and start >= len(CONTENT):
            return self.send_error(416)
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        stop = self.cuts.pop(0) if self.cuts else len(CONTENT)
        self.wfile.write(CONTENT[start:stop])
        return None


@pytest.fixture
def serve():
    servers = []

    def start(cuts=(), ranges=True):
        asked = []
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Server, asked, list(cuts), ranges))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}", asked

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_download_verifies_then_names(tmp_path, serve):
    address, _ = serve()
    path = tmp_path / "new" / "net.pth"
    weights.download(f"{address}/net-{SUM[:8]}.pth", path, (SUM[:8], SUM))
    assert path.read_bytes() == CONTENT
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("ranges", [True, False])
def test_download_goes_on_where_it_stopped(tmp_path, serve, ranges):
    address, asked = serve([1_000_000], ranges)
    path = tmp_path / "net.pth"
    with pytest.raises(InputError, match="run again to go on") as caught:
        weights.download(f"{address}/net.pth", path, (SUM,))
    assert "\n" not in str(caught.value)
    assert not path.exists()
    weights.download(f"{address}/net.pth", path, (SUM,))
    assert path.read_bytes() == CONTENT
    assert asked == [None, "bytes=1000000-"]


def test_a_whole_part_is_not_fetched_again(tmp_path, serve):
    address, _ = serve()
    (tmp_path / "net.pth.part").write_bytes(CONTENT)
    weights.download(f"{address}/net.pth", tmp_path / "net.pth", (SUM,))
    assert (tmp_path / "net.pth").read_bytes() == CONTENT


def test_a_wrong_download_is_removed_and_both_sums_named(tmp_path, serve):
    address, _ = serve()
    with pytest.raises(InputError, match=rf"has SHA-256 {SUM}, expected 00000000"):
        weights.download(f"{address}/net.pth", tmp_path / "net.pth", ("00000000",))
    assert not list(tmp_path.iterdir())


def test_failed_requests_are_one_line(tmp_path, serve):
    address, _ = serve()
    with pytest.raises(InputError, match="answers 404"):
        weights.download(f"{address}/none", tmp_path / "net.pth", ())
    for url in ("http://127.0.0.1:9/x", "nonsense"):
        with pytest.raises(InputError, match="cannot be fetched"):
            weights.download(url, tmp_path / "net.pth", ())


@pytest.mark.skipif(not (SHARED / "weights").is_dir(), reason="no weights (see CORTISCOPE_SHARED)")
@pytest.mark.parametrize("architecture", ["squeezenet1_0", "squeezenet1_1", "mobilenet_v2"])
def test_real_weights_load(architecture):
    path = str(SHARED / "weights" / f"{architecture}.safetensors")
    network = zoo.build(row(architecture, weights=path), path)
    untrained = zoo.build(row(architecture))
    key = next(iter(network.state_dict()))
    assert not torch.equal(network.state_dict()[key], untrained.state_dict()[key])
    with pytest.raises(InputError, match="use the weights of this architecture"):
        zoo.build(row("resnet18", weights=path), path)
