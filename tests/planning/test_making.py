"""Files that were made with other settings or code than the study asks for."""

import json

import pytest

from cortiscope.errors import InputError
from cortiscope.files import check_made_by, made_by, making, provenance, write
from cortiscope.report.model_tables import check_accuracy, check_making

ASKED = {"ridge": {"settings": {"ridge": {"alphas": [0.1, 10]}}, "code": "0123456789abcdef"}}


@pytest.fixture
def score_file(tmp_path):
    """A function that writes a score file with attributes, and returns its path."""

    def make(settings, **attributes):
        path = tmp_path / "ridge" / "resnet" / "00-19" / "IT.nc"
        made = {"layers": ["conv"], "settings": settings}
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
    asked = {"ceilings": {"settings": {"ceilings": {"splits": 100}}, "code": "f" * 16}}
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
