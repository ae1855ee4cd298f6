"""How many subjects an area has is known before any job runs."""

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from cortiscope.experiment.sizes import count_subjects
from cortiscope.planning.costs.megabytes import subjects_megabytes

SECTION = {"variable": "response", "area": "area", "neuroids": 5, "repetitions": 2}


def written(folder: Path, **coordinates: Any) -> list[str]:
    path = folder / "responses.nc"
    area = ("neuroid", ["V4", "IT", "IT", "IT"])
    recording = xr.Dataset({"response": (("stimulus", "neuroid"), np.zeros((3, 4)))})
    recording.assign_coords(area=area, **coordinates).to_netcdf(path)
    return [str(path)]


def test_subjects_are_counted_by_area(tmp_path: Path) -> None:
    source = written(tmp_path, subject=("neuroid", ["a", "b", "a", "b"]))
    assert count_subjects(SECTION, source) == {"V4": 1, "IT": 2}
    assert count_subjects(SECTION, written(tmp_path)) == {"V4": 1, "IT": 1}
    assert count_subjects(SECTION, written(tmp_path, subject="a")) == {"V4": 1, "IT": 1}
    assert set(count_subjects(SECTION, []).values()) == {1}


def test_subjects_ask_for_their_matrices() -> None:
    settings: dict[str, Any] = {"statistics": {"permutations": 0, "bootstraps": 0}}
    settings["selection"] = {"method": "halves", "splits": 2}
    assert subjects_megabytes(1000, 500, 0, 0, settings) == 4
    assert subjects_megabytes(1000, 500, 8, 8, settings) == 4 + 8 * 6 * 8
    settings["selection"]["method"] = "nested"
    assert subjects_megabytes(1000, 500, 8, 8, settings) == 4 + 8 * 2 * 8
