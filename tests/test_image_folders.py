"""Folders of images are looked at image by image: subfolders change without them."""

import numpy as np
import pytest
from PIL import Image

from cortiscope.planning.study import Study
from tests.bad_inputs import N_STIMULI, configure, recorded
from tests.running import REPOSITORY

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


@pytest.mark.parametrize(("source", "images"), [("shapes", "shapes"), ("mine", "published")])
def test_accuracy_of_real_stimuli_is_as_published_unless_asked(source, images):
    models = {"table": str(REPOSITORY / "config" / "models.tsv")}
    sections = {"study": "mine", "stimuli": {"source": source}, "responses": {"source": source}}
    study = Study.load(sections | {"models": models}, REPOSITORY)
    assert study.config["accuracy"]["images"] == images
