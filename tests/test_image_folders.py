"""Folders of images are looked at image by image: subfolders change without them."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import functional

from cortiscope.files import opened, read_coordinate
from cortiscope.networks import networks
from cortiscope.planning.models import read_models
from cortiscope.planning.study import Study
from tests.bad_inputs import N_STIMULI, configure, recorded
from tests.running import REPOSITORY

SCHEMA = REPOSITORY / "workflow" / "schemas" / "models.schema.yaml"
RESPONSES, ACCURACY = (
    "resources/shapes/responses.nc",
    "results/shapes/accuracy/shapenet5_untrained.csv",
)


def name(number):
    return f"category{number % 2}/image{number:02d}"


def draw(folder, number, brightness):
    path = folder / f"{name(number)}.bmp"  # all of one size
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((64, 64, 3), brightness, np.uint8)).save(path)


def named(recording):
    names = [name(number) for number in range(N_STIMULI)]
    return recording.assign_coords(stimulus_id=("stimulus", names))


@pytest.fixture
def pictures(workflow):
    """A study of a folder of images, and of another whose images are classified."""
    for number in range(N_STIMULI):
        draw(workflow.folder / "pictures", number, 10 * number)
        draw(workflow.folder / "labelled", number, 10 * number)
    for number in range(2, 8):  # a folder for each of the network's outputs
        (workflow.folder / "labelled" / f"category{number}").mkdir()
    sections = recorded(workflow.folder, images="pictures", recording=named)
    return configure(workflow.folder, sections | {"accuracy": {"images": "labelled"}})


def jobs(workflow, config, target):
    shown = workflow.forked("--dry-run", "--", target, config=config).stdout
    return {rule for rule in ("stimuli", "accuracy") if f"\n{rule} " in shown}


def test_an_edited_image_is_brought_in_again(workflow, pictures):
    """And is that of the stimuli which those who read them ask for."""
    assert workflow.forked("--", RESPONSES, config=pictures).returncode == 0
    draw(workflow.folder / "pictures", 3, 30)
    assert jobs(workflow, pictures, RESPONSES) == set()  # the same image, written anew
    draw(workflow.folder / "pictures", 3, 31)
    assert jobs(workflow, pictures, RESPONSES) == {"stimuli"}
    assert workflow.forked("--", RESPONSES, config=pictures).returncode == 0


def test_another_labelled_image_is_classified(workflow, pictures):
    assert workflow.forked("--", ACCURACY, config=pictures).returncode == 0
    assert jobs(workflow, pictures, ACCURACY) == set()
    draw(workflow.folder / "labelled", N_STIMULI, 0)
    assert jobs(workflow, pictures, ACCURACY) == {"accuracy"}


def test_images_of_unlike_sizes_are_seen_as_if_alone(listed):
    """By a network, through torchvision's own steps; low-level models make one size of them."""
    random, seen = np.random.default_rng(0), []
    (listed.folder / "pictures").mkdir()
    for number in range(N_STIMULI):
        coarse = Image.fromarray(random.integers(0, 256, (9, 9, 3), np.uint8))
        picture = coarse.resize((399 + number % 4, 402 - number % 3))
        picture.save(listed.folder / "pictures" / f"image{number:02d}.png")
        seen.append(functional.center_crop(functional.resize(picture, 64), 64))
    config = configure(
        listed.folder,
        recorded(listed.folder, images="pictures") | {"features": {"projection": "none"}},
    )
    made = ("results/shapes/features/shapenet5_untrained.nc", "resources/shapes/low_level.nc")
    done = listed.forked("--", *made, config=config)
    assert done.returncode == 0, done.stdout[-3000:]
    rows = read_models(REPOSITORY / "config" / "models.tsv", ["shapenet5_untrained"], SCHEMA)
    row = rows["shapenet5_untrained"]
    network, wanted = networks.build(row), networks.transform(row)
    pixels = torch.from_numpy(np.stack([np.asarray(picture) for picture in seen]))
    images = (pixels.permute(0, 3, 1, 2) / 255 - wanted.mean[0]) / wanted.std[0]
    expected = {}
    modules = dict(network.named_modules())
    with opened(listed.folder / made[0]) as features, torch.inference_mode():
        for name in features.groups:
            modules[name].register_forward_hook(
                lambda module, inputs, output, name=name: expected.update({name: output.clone()})
            )
        network(images)
        for name, group in features.groups.items():
            found, true = group["features"][...], expected[name].flatten(1).numpy()
            # PIL and tensors may round the resized grey levels differently.
            assert np.corrcoef(found.ravel(), true.ravel())[0, 1] > 0.999
    assert len(expected) > 5
    assert read_coordinate(listed.folder / made[1], "pixels").shape == (N_STIMULI, 32 * 32)


@pytest.mark.parametrize(("source", "images"), [("shapes", "shapes"), ("mine", "published")])
def test_accuracy_of_real_stimuli_is_as_published_unless_asked(source, images):
    models = {"table": str(REPOSITORY / "config" / "models.tsv")}
    sections = {"study": "mine", "stimuli": {"source": source}, "responses": {"source": source}}
    study = Study.load(sections | {"models": models}, REPOSITORY)
    assert study.config["accuracy"]["images"] == images
