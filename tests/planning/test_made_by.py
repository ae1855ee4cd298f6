"""Files that were made with other settings or code than the study asks for."""

import json
from pathlib import Path

import pytest

from cortiscope.errors import InputError
from cortiscope.files import check_made_by, made_by, making, provenance, write
from cortiscope.planning import settings as planned
from cortiscope.planning.study import Study
from cortiscope.report.made_as_asked import check_accuracy, check_making
from tests.bad_inputs import recorded
from tests.running import REPOSITORY

PARAMS_ASKED = {"settings": {"ridge": {"alphas": [0.1, 10]}}, "features_made_by": "f1"}
ASKED = {"ridge": {"params": PARAMS_ASKED, "code": "0123456789abcdef"}}


@pytest.fixture
def score_file(tmp_path):
    """A function that writes a score file with attributes, and returns its path."""

    def make(settings, features_made_by="f1", **attributes):
        path = tmp_path / "ridge" / "resnet" / "00-19" / "IT.nc"
        made = {"layers": ["conv"], "settings": settings, "features_made_by": features_made_by}
        write(path, {}, {"settings": json.dumps(made, sort_keys=True)} | attributes)
        return str(path)

    return make


def test_a_file_made_as_asked_is_accepted(score_file):
    check_making([score_file({"ridge": {"alphas": [0.1, 10]}}, code="0123456789abcdef")], ASKED)


@pytest.mark.parametrize(
    ("alphas", "about", "problem"),
    [
        ([0.1, 1], {"code": "0123456789abcdef"}, "settings: are not those of the config"),
        ([0.1, 10], {"code": "f" * 16}, "code: is not that of this checkout"),
        ([0.1, 10], {}, "code: is not that of this checkout"),
        ([0.1, 10], {"features_made_by": "f2"}, "features_made_by: are not those of the config"),
    ],
)
def test_a_file_made_otherwise_is_named(score_file, alphas, about, problem):
    path = score_file({"ridge": {"alphas": alphas}}, **about)
    with pytest.raises(InputError) as raised:
        check_making([path], ASKED)
    assert str(raised.value) == f"{path}: {problem}; delete it, and the next run makes it again"


@pytest.mark.parametrize(("splits", "accepted"), [(100, True), (50, False)])
def test_ceilings_are_checked_too(tmp_path, splits, accepted):
    path = tmp_path / "ceilings" / "IT.nc"
    made = {"settings": {"ceilings": {"splits": splits}}}
    write(path, {}, {"settings": json.dumps(made), "code": "f" * 16})
    params = {"settings": {"ceilings": {"splits": 100}}}
    asked = {"ceilings": {"params": params, "code": "f" * 16}}
    if accepted:
        check_making([str(path)], asked)
    else:
        with pytest.raises(InputError, match="settings: are not those of the config"):
            check_making([str(path)], asked)


PARAMS = {"row": {"model": "resnet", "seed": "0"}, "layers": [{"layer": "conv"}]}
OTHER_PARAMS = {"row": {"model": "resnet", "seed": "1"}, "layers": [{"layer": "conv"}]}
REFUSED = "was made by other settings or code than this study's now"


@pytest.mark.parametrize(
    ("params", "code", "accepted"),
    [(PARAMS, "0" * 16, True), (OTHER_PARAMS, "0" * 16, False), (PARAMS, "1" * 16, False)],
)
def test_features_and_accuracy_hold_what_made_them(tmp_path, params, code, accepted):
    about = provenance("shapes", "features", params, code)
    features, accuracy = tmp_path / "resnet.nc", tmp_path / "resnet.csv"
    write(features, {}, about)
    accuracy.write_text(f"model,top1,made_by\nresnet,50,{made_by(about)}\n")
    reordered = {key: PARAMS[key] for key in reversed(PARAMS)}
    asked = making(reordered, "0" * 16)
    for check, path in ((check_made_by, features), (check_accuracy, accuracy)):
        if accepted:
            check(str(path), asked)
        else:
            with pytest.raises(InputError) as raised:
                check(str(path), asked)
            remedy = "delete it, and the next run makes it again"
            assert str(raised.value) == f"{path}: {REFUSED}; {remedy}"


def test_files_that_say_nothing_of_their_making_are_refused(tmp_path):
    write(tmp_path / "resnet.nc", {}, {})
    (tmp_path / "resnet.csv").write_text("model,top1\nresnet,50\n")
    asked = making(PARAMS, "0" * 16)
    with pytest.raises(InputError, match=REFUSED):
        check_made_by(tmp_path / "resnet.nc", asked)
    with pytest.raises(InputError, match=REFUSED):
        check_accuracy(str(tmp_path / "resnet.csv"), asked)


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A function that loads a study of a folder of images, of which none was digested before."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(planned.IMAGES_DIGEST, "")
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "image.png").write_bytes(b"0")
    models = {"table": str(REPOSITORY / "config" / "models.tsv"), "names": ["shapenet5"]}

    def load(images="pictures", **section):
        sections = recorded(tmp_path, images)
        sections["responses"] |= section
        return Study.load(sections | {"study": "mine", "models": models}, REPOSITORY)

    return load


def test_responses_and_features_are_of_the_stimuli_asked_for(study, tmp_path, monkeypatch):
    before = planned.stimuli_made_by(study()), planned.responses_made_by(study())
    assert before == (planned.stimuli_made_by(study()), planned.responses_made_by(study()))
    selected = study(select="area == IT")
    assert planned.stimuli_made_by(selected) == before[0]
    assert planned.responses_made_by(selected) != before[1]
    (tmp_path / "pictures" / "other.png").write_bytes(b"1")
    planned.folder_digest.cache_clear()
    monkeypatch.setenv(planned.IMAGES_DIGEST, "")
    assert planned.stimuli_made_by(study()) != before[0]
    assert planned.responses_made_by(study()) != before[1]


def test_jobs_have_the_digest_of_the_images_from_the_main_process(study, monkeypatch):
    """Each job on a cluster loads the study, in the environment of the run that submitted it."""
    asked = planned.stimuli_made_by(study())

    def read(folder, contents):
        raise AssertionError("a job read all images")

    monkeypatch.setattr(planned, "folder_digest", read)
    assert planned.stimuli_made_by(study()) == asked
    with pytest.raises(AssertionError):
        planned.stimuli_made_by(study(str(Path("pictures").resolve())))
