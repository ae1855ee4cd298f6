"""Stimuli that say themselves which are the same picture, and those that do not."""

import numpy as np
import pytest
import xarray as xr
import yaml

from cortiscope.planning.checks.coordinates import coordinates, count_groups, words
from cortiscope.planning.study import Study
from tests.running import REPOSITORY


@pytest.fixture
def study(tmp_path, monkeypatch):
    """Of 12 stimuli and their responses; pictures: what the stimuli say, or None."""
    monkeypatch.chdir(tmp_path)

    def load(pictures):
        ids = "stimulus", [f"im{k:02d}" for k in range(12)]
        about = {"stimulus_id": ids}
        if pictures is not None:
            about["picture"] = "stimulus", pictures
        images = np.zeros((12, 8, 8, 3), np.uint8)
        dims = "stimulus", "y", "x", "channel"
        xr.Dataset({"image": (dims, images)}, about).to_netcdf("stimuli.nc")
        neuroids = {"stimulus_id": ids, "area": ("neuroid", ["IT"] * 3)}
        response = "stimulus", "neuroid"
        xr.Dataset({"response": (response, np.zeros((12, 3)))}, neuroids).to_netcdf("responses.nc")
        config = yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text())
        config["stimuli"] = {"source": "stimuli.nc"}
        config["responses"] = {"source": "responses.nc"}
        config["cross_validation"]["group"] = "picture"
        return Study.load(config, REPOSITORY)

    return load


def test_a_coordinate_picture_of_the_users_is_taken(study):
    named = study(["a", "b", "c"] * 4)
    assert coordinates(named)["picture"] == count_groups(named, "picture") == 3
    assert words(named, "picture").tolist() == ["a", "b", "c"] * 4


def test_pictures_that_a_job_finds_are_taken_as_different(study):
    found = study(None)
    assert "picture" not in coordinates(found)
    assert count_groups(found, "picture") == 12
    assert len(set(words(found, "picture").tolist())) == 12
