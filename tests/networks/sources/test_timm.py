"""timm's networks: against timm's own transforms and features, and weights from a local server."""

import hashlib
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import load_file, save, save_file
from scipy.spatial.distance import pdist
from timm.data import create_transform, resolve_data_config

from cortiscope.errors import InputError
from cortiscope.files import read
from cortiscope.layers import layer_table
from cortiscope.networks import accuracy, extraction, networks, preprocessing, weights
from cortiscope.report.model_tables import read_accuracy
from tests.running import SHARED, TINY, with_settings

PHOTOS = sorted((SHARED / "data" / "imagenet_sample").glob("*/*"))[:1000:100]
# Bicubic and bilinear, cropped to .8, .875, .9, .95 and 1, squashed; nine means.
SHOWN = [
    "resnet50.a1_in1k", "resnet50.tv_in1k", "resnet50_clip.openai",
    "resnet50.fb_ssl_yfcc100m_ft_in1k",
    "vit_base_patch16_224.augreg2_in21k_ft_in1k", "vit_base_patch16_224.dino",
    "vit_base_patch16_224.mae", "vit_small_patch14_dinov2.lvd142m",
    "vit_base_patch16_clip_224.openai", "vit_base_patch16_siglip_224.webli",
    "convnext_tiny.fb_in1k", "convnextv2_atto.fcmae", "inception_resnet_v2.tf_in1k",
    "mobilenetv2_100.ra_in1k", "efficientnet_b0.ra_in1k", "swin_tiny_patch4_window7_224.ms_in1k",
    "mixer_b16_224.goog_in21k", "coat_lite_medium_384.in1k", "nf_resnet50.ra2_in1k",
    "test_vit.r160_in1k",
]  # fmt: skip
# Of as many families, small, with heads of one and of two maps, and none.
FAMILIES = [
    "test_vit", "test_vit2", "test_vit3", "test_resnet", "test_efficientnet", "test_byobnet",
    "test_convnext", "test_nfnet", "test_mambaout", "resnet18", "regnety_002", "levit_128s",
    "mobilenetv3_small_050", "mobilenetv4_conv_small_035", "ghostnet_050", "repvgg_a0",
    "convnextv2_atto.fcmae", "edgenext_xx_small", "mobilevit_xxs", "pit_ti_distilled_224",
    "deit_tiny_distilled_patch16_224", "lcnet_035", "mobilevitv2_050", "dla46x_c",
    "test_vit4",
]  # fmt: skip


def row(architecture="test_vit", **changes):
    basis = {"model": "net", "source": "timm", "weights": "none", "checksum": ""}
    shown = {"seed": "0", "layers": "blocks", "preprocessing": "auto"}
    return {**basis, **shown, "architecture": architecture, **changes}


@pytest.mark.skipif(not PHOTOS, reason="no photographs (see CORTISCOPE_SHARED)")
@pytest.mark.parametrize("name", SHOWN)
def test_auto_is_timms_own_transform(name):
    architecture, _, tag = name.partition(".")
    found = networks.transform(row(architecture, weights=tag))
    own = create_transform(
        **resolve_data_config(pretrained_cfg=timm.get_pretrained_cfg(name).to_dict())
    )
    for number, path in enumerate(PHOTOS):
        photo = Image.open(path).convert("RGB")
        photo = photo.crop((0, 0, 256, 256 - 5 * number))  # those here are all square
        given = found(np.asarray(photo)[None])[0]
        torch.testing.assert_close(given, own(photo), rtol=0, atol=1e-6)
    words = preprocessing.parse(found.words, "")  # as a job gets it
    shown = networks.transform(row(architecture, preprocessing=found.words))
    assert (shown.words, type(shown)) == (words.words, type(found))


def test_what_weights_there_are_and_what_their_untrained_twin_sees():
    twin = networks.transform(row("resnet50", preprocessing="tv_in1k"))
    assert twin == networks.transform(row("resnet50", weights="tv_in1k"))
    assert twin == networks.transform(row("resnet50.tv_in1k"))
    assert twin != networks.transform(row("resnet50"))
    large = row("vit_small_patch16_384", preprocessing="resize=96 crop=96")
    assert networks.architecture(large).pos_embed.shape[1] == 1 + 36
    for changes, message in (
        ({"weights": "a1_in2k"}, "weights: resnet50 has no weights 'a1_in2k'; near: a1_in1k"),
        ({"architecture": "resnet50.a9"}, "architecture: resnet50 has no weights 'a9'"),
        ({"architecture": "resnet5"}, "timm has no 'resnet5'; near: resnet"),
    ):
        with pytest.raises(InputError, match=message):
            networks.published_accuracy(row("resnet50") | changes)
    assert networks.published_accuracy(row("resnet50", weights="a1_in1k")) is None


@pytest.mark.parametrize("name", FAMILIES)
def test_blocks_of_a_family_are_recorded_whatever_the_batch(name):
    made = row(
        name, preprocessing=f"resize={64 if name.startswith('test') else 96} aspect=squashed"
    )
    if timm.get_pretrained_cfg(name).fixed_input_size:
        made |= {"preprocessing": "auto"}
    table = layer_table(made)
    names = [layer["layer"] for layer in table]
    heads = timm.get_pretrained_cfg(name).classifier
    assert not {heads} & set(names) if isinstance(heads, str) else not set(heads) & set(names)
    assert len(names) >= 4
    network, side = networks.build(made), networks.input_shape(made)[1]
    images = torch.randn(3, 3, side, side, generator=torch.Generator().manual_seed(0))
    settings = {"projection": "fold", "components": 512, "device": "cpu"}
    together, single = (
        extraction.extract(network, images, names, settings | {"batch_size": size}, report=list)
        for size in (3, 1)
    )
    for layer in table:
        (first, about), (second, _) = together[layer["layer"]], single[layer["layer"]]
        assert about["shape"] == layer["shape"]
        # Turned to principal components, which may be turned among themselves by rounding.
        one, other = (pdist(found["features"]) for found in (first, second))
        assert np.allclose(one, other, atol=1e-4 * np.abs(first["features"]).max()), layer


@pytest.mark.skipif(not (SHARED / "weights").is_dir(), reason="no weights (see CORTISCOPE_SHARED)")
def test_real_weights_give_the_features_that_torchvision_gives(tmp_path):
    """Of mobilenet_v2, whose tensors timm has in the same order by other names."""
    path = SHARED / "weights" / "mobilenet_v2.safetensors"
    theirs = row("mobilenet_v2", source="torchvision", weights=str(path))
    reference = networks.build(theirs, str(path))
    ours = networks.build(row("mobilenetv2_100"))
    tensors, given = load_file(path), [*reference.state_dict()]
    renamed = dict(zip(ours.state_dict(), given, strict=True))
    file = str(tmp_path / "net.pth")
    save_file({key: tensors[old] for key, old in renamed.items() if old in tensors}, file)
    loaded = row("mobilenetv2_100", weights=file)
    network = networks.build(loaded, file)
    images = np.stack([np.asarray(Image.open(path).convert("RGB")) for path in PHOTOS[:4]])
    shown = networks.transform(theirs | {"preprocessing": "imagenet"})(images)
    own = networks.transform(loaded | {"preprocessing": "imagenet"})(images)
    torch.testing.assert_close(own, shown, rtol=0, atol=1e-6)
    settings = {"projection": "none", "device": "cpu"}
    of_timm = [layer["layer"] for layer in layer_table(loaded)]
    of_theirs = [layer["layer"] for layer in layer_table(theirs)]
    assert len(of_timm) == len(of_theirs) == 19
    found = extraction.extract(network, own, of_timm, settings, report=list)
    known = extraction.extract(reference, shown, of_theirs, settings, report=list)
    pairs = [pair for pair in zip(of_timm, of_theirs, strict=True) if "conv_stem" not in pair]
    for name, other in pairs[:-1]:  # convolutions of stem and head have their norm beside them
        expected = known[other][0]["features"]
        worst = np.abs(found[name][0]["features"] - expected).max()
        assert worst <= 1e-5 * max(1, np.abs(expected).max()), (name, other)
    with torch.inference_mode():
        torch.testing.assert_close(network(own), reference(shown), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("resnet50_clip_gap.openai", "stages.3.2"),  # ends in a norm that has a child
        ("qwen3_vit_88m", "encoder.blocks.11"),  # ends in a linear map
        ("vit_base_patch16_siglip_224.webli", "attn_pool"),
        ("vit_small_patch16_224.dino", "blocks.11"),
        ("levit_128s", "stages.2.blocks.3"),  # has two heads
    ],
)
def test_the_last_block_is_no_head(name, last):
    assert layer_table(row(name))[-1]["layer"] == last


CONTENT = save(timm.create_model("test_vit").state_dict())
SUM = hashlib.sha256(CONTENT).hexdigest()
PATH = "/timm/test_vit.r160_in1k/resolve/main/model.safetensors"


class Hub(BaseHTTPRequestHandler):
    """Sends on, as the hub does, to another address, which sends CONTENT, cut short at first."""

    def __init__(self, seen, *arguments):
        self.seen = seen
        super().__init__(*arguments)

    def log_message(self, *_):
        pass

    def answer(self):
        self.seen.append((self.path, self.headers["Authorization"], self.headers["Range"]))
        if self.path == PATH:
            if self.headers["Authorization"] != "Bearer secret":
                return self.send_error(401)
            self.send_response(302)
            self.send_header("Location", f"http://localhost:{self.server.server_port}/content")
            return self.end_headers()
        start = int((self.headers["Range"] or "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        return self.wfile.write(CONTENT[start:] if start else CONTENT[:1_000_000])


Handler = type("Handler", (Hub,), {"do_GET": Hub.answer})  # the name that the base looks for


@pytest.fixture
def hub(monkeypatch):
    seen = []
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, seen)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}/")
        monkeypatch.setenv("HF_TOKEN", "secret")
        yield seen
        server.shutdown()


def test_weights_are_fetched_from_the_hub_and_loaded(tmp_path, hub):
    named = row(weights="r160_in1k")
    url, _ = networks.source(named).weights_source()
    file = tmp_path / "test_vit.r160_in1k.pth"
    with pytest.raises(InputError, match="run again to go on"):
        weights.download(url, file, (SUM,))
    weights.download(url, file, (SUM,))
    asked = [(path, token) for path, token, _ in hub]
    assert asked == 2 * [(PATH, "Bearer secret"), ("/content", None)]  # no other host sees it
    assert [part for _, _, part in hub][2:] == 2 * ["bytes=1000000-"]
    network = networks.build(named, str(file))
    for key, value in load_file(file).items():
        assert torch.equal(network.state_dict()[key], value)
    assert "state_dict" not in network.pretrained_cfg
    larger = named | {"preprocessing": "resize=192 crop=192"}  # positions are interpolated
    assert networks.build(larger, str(file))(torch.zeros(1, 3, 192, 192)).shape == (1, 1000)
    with pytest.raises(
        InputError, match=r"model net: weights .* does not fit \(RuntimeError"
    ) as no:
        networks.build(row("test_resnet", weights=str(file)), str(file))
    assert "\n" not in str(no.value)


def test_a_wrong_sum_and_a_closed_door_are_one_line(tmp_path, hub, monkeypatch):
    url, _ = networks.source(row(weights="r160_in1k")).weights_source()
    with pytest.raises(InputError, match="run again"):
        weights.download(url, tmp_path / "net.pth", ())
    with pytest.raises(InputError, match=rf"has SHA-256 {SUM}, expected 0000"):
        weights.download(url, tmp_path / "net.pth", ("0000",))
    assert not list(tmp_path.iterdir())
    monkeypatch.delenv("HF_TOKEN")
    page = url.partition("/resolve")[0]
    with pytest.raises(InputError, match=f"answers 401 .* licence at {page}, and set HF_TOKEN"):
        weights.download(url, tmp_path / "net.pth", ())


def test_addresses_and_sums_that_timm_states():
    url, sum_of = networks.source(row("gcvit_tiny", weights="in1k")).weights_source()
    assert url.startswith("https://github.com/")
    assert sum_of == "ac783954"
    url, sum_of = networks.source(row("resnet50", weights="a1_in1k")).weights_source()
    assert url == "https://huggingface.co/timm/resnet50.a1_in1k/resolve/main/model.safetensors"
    assert sum_of == ""


def test_other_classes_and_no_head_leave_accuracy_open(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (64, 64)).save(tmp_path / name / "image.png")
    found = accuracy.measured(row("test_vit"), None, tmp_path, "cpu")
    assert found == {"accuracy_source": "unknown"}
    headless = row("convnextv2_atto.fcmae")
    assert accuracy.measured(headless, None, tmp_path, "cpu") == accuracy.NO_CLASSIFIER


def test_a_study_fetches_weights_and_shows_twins_the_same(workflow, hub):
    """The rules `weights`, `features` and `accuracy`, of a full name, and its untrained twin."""
    lines = [
        "model\tsource\tarchitecture\tweights",
        "trained\ttimm\ttest_vit\ttest_vit.r160_in1k",
        "twin\ttimm\ttest_vit\t",
    ]
    (workflow.folder / "models.tsv").write_text("\n".join(lines))
    models = {"table": "models.tsv", "names": "all"}
    config = with_settings(
        workflow.folder / "study.yaml", TINY, models=models, accuracy={"images": "published"}
    )
    results = "results/shapes"
    targets = [f"{results}/features/{name}.nc" for name in ("trained", "twin")]
    targets.append(f"{results}/accuracy/trained.csv")
    broken = workflow.forked("--", *targets, config=config)
    assert "run again to go on" in broken.stdout
    done = workflow.forked("--", *targets, config=config)
    assert done.returncode == 0, done.stdout[-4000:]
    fetched = workflow.folder / "resources/weights/timm/test_vit.r160_in1k.pth"
    assert fetched.read_bytes() == CONTENT
    shown = {read(workflow.folder / target).attributes["preprocessing"] for target in targets[:2]}
    assert shown == {"resize=168 crop=160 mean=0.5 std=0.5 interpolation=bicubic channels=3"}
    found = read_accuracy(workflow.folder / targets[2], "trained")
    assert found["accuracy_source"] == "unknown"
