"""A folder may hold a hundred thousand images, which every job of a cluster would list again."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from PIL import Image

from cortiscope.experiment import images
from cortiscope.experiment.readers import image_folder
from cortiscope.planning.checks import agreement
from cortiscope.planning.study import Study
from tests.running import REPOSITORY

N_STIMULI = 24
GROUPED = {"cross_validation": {"group": "category", "folds": 3}, "mappings": ["ridge", "ols"]}


def of_folder(folder: Path) -> Study:
    """Of images in a folder, of three categories, and their responses."""
    names = [f"{number % 3}/{number:02d}" for number in range(N_STIMULI)]
    for name in names:
        path = folder / "images" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(path)
    about = {"stimulus_id": ("stimulus", names), "area": ("neuroid", ["IT"] * 3)}
    response = {"response": (("stimulus", "neuroid"), np.zeros((N_STIMULI, 3)))}
    xr.Dataset(response, about).to_netcdf(folder / "responses.nc")
    sources = {"stimuli": {"source": "images"}, "responses": {"source": "responses.nc"}}
    decoded = {"decoding": {"properties": ["category"]}}
    table = {"models": {"table": "config/models.tsv"}}
    config = {"study": "folder", "data_root": str(folder)} | table | sources | GROUPED | decoded
    return Study.load(config, REPOSITORY)


def test_what_stimuli_are_called_is_read_once_however_many_mappings_ask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, listed = of_folder(tmp_path), []

    def counted(folder: str | Path) -> list[Path]:
        listed.append(folder)
        return images.list_images(folder)

    monkeypatch.setattr(image_folder, "list_images", counted)
    agreement.check_stimuli(study)
    agreement.check_coordinates(study)
    agreement.folds.check_folds(study)
    agreement.check_properties(study)
    # The number of images, their size, ids, categories, their names, and the values of a property.
    assert len(listed) <= 8
