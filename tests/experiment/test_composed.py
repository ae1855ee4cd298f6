"""Names are the same in whichever Unicode form they are written."""

import unicodedata

import numpy as np
import pytest
import xarray as xr
from PIL import Image

from cortiscope.errors import InputError
from cortiscope.experiment.formats import IMAGE
from cortiscope.experiment.recordings import read_responses
from cortiscope.experiment.stimuli import read_stimuli
from cortiscope.experiment.stimulus_ids import read_ids
from cortiscope.files import read_coordinate
from tests.bad_inputs import N_STIMULI, recorded
from tests.running import with_settings

FORMS = ("NFC", "NFD")


def names(form):
    return [unicodedata.normalize(form, f"scène/café{number:02d}") for number in range(N_STIMULI)]


def study(folder, shown, recorded_as):
    """A folder of images whose names are in one form, and a recording that has another."""
    folder.mkdir(exist_ok=True)
    for number, name in enumerate(names(shown)):
        path = folder / "pictures" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((64, 64, 3), number, np.uint8)).save(path)

    def named(recording):
        area = [unicodedata.normalize(recorded_as, name) for name in ("aire_é", "IT", "IT")]
        subject = [unicodedata.normalize(recorded_as, name) for name in ("Zoë", "Ada", "Zoë")]
        ids = ("stimulus", names(recorded_as))
        coords = {"area": ("neuroid", area), "subject": ("neuroid", subject)}
        return recording.assign_coords(stimulus_id=ids, **coords)

    return recorded(folder, images="pictures", recording=named)


@pytest.mark.parametrize("shown", FORMS)
@pytest.mark.parametrize("recorded_as", FORMS)
def test_images_and_recordings_of_either_form_meet(tmp_path, shown, recorded_as):
    study(tmp_path, shown, recorded_as)
    stimuli = read_stimuli(tmp_path / "pictures")
    assert stimuli["stimulus_id"].values.tolist() == names("NFC")
    assert set(stimuli["category"].values.tolist()) == {unicodedata.normalize("NFC", "scène")}
    ids = stimuli["stimulus_id"].values
    found = read_responses(str(tmp_path / "responses.nc"), "response", "area", ids)
    assert found["area"].values.tolist() == ["aire_\u00e9", "IT", "IT"]
    assert found["subject"].values.tolist() == ["Zo\u00eb", "Ada", "Zo\u00eb"]


def test_one_name_in_two_forms_stands_twice(tmp_path):
    coords = {"stimulus_id": ("stimulus", [names(form)[0] for form in FORMS])}
    image = ("stimulus", "y", "x"), np.zeros((2, 8, 8), np.uint8)
    xr.Dataset({"image": image}, coords=coords).to_netcdf(tmp_path / "s.nc")
    with pytest.raises(InputError, match="stands twice"):
        read_ids("stimuli", IMAGE, [str(tmp_path / "s.nc")])


def test_a_study_may_write_names_in_another_form(listed):
    """Areas and conditions of its config."""
    sections = study(listed.folder, "NFD", "NFC")
    sections["responses"]["areas"] = [unicodedata.normalize("NFD", "aire_é")]
    sections["responses"]["select"] = unicodedata.normalize("NFD", "subject == Zoë")
    config = with_settings(
        listed.folder / "study.yaml", models={"names": ["shapenet5"]}, **sections
    )
    target = "resources/shapes/responses.nc"
    done = listed.forked("--", target, config=config)
    assert done.returncode == 0, done.stdout[-3000:]
    assert read_coordinate(listed.folder / target, "stimulus_id").tolist() == names("NFC")
    planned = listed.forked("--dry-run", "--quiet", "rules", config=config)
    assert planned.returncode == 0, planned.stdout[-3000:]
