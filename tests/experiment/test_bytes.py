"""Text that a file stores as bytes of a fixed length, as numpy does, is text as any other."""

import numpy as np
import xarray as xr

from cortiscope.experiment.recordings import read_responses
from cortiscope.experiment.responses import read_area
from cortiscope.experiment.stimuli import read_stimuli
from cortiscope.files import read, read_coordinate
from tests.bad_inputs import N_STIMULI, recorded
from tests.running import with_settings

NEUROIDS = {
    "neuroid_id": ("neuroid", ["n°01", "n°02", "n°03"]),
    "subject": ("neuroid", ["Zoë", "Ada", "Zoë"]),
}
CATEGORIES = ("stimulus", ["face", "object", "scène"] * (N_STIMULI // 3))


def in_bytes(dataset):
    """Every text of a dataset in bytes."""
    texts = {name: c for name, c in dataset.coords.items() if c.dtype.kind == "U"}
    return dataset.assign_coords(
        {name: (c.dims, np.char.encode(c.values, "utf-8")) for name, c in texts.items()}
    )


def study(folder, written=in_bytes):
    """A study all of whose text is written so: stimuli with categories, neuroids with subjects."""
    folder.mkdir(exist_ok=True)
    return recorded(
        folder,
        shown=lambda shown: written(shown.assign_coords(category=CATEGORIES)),
        recording=lambda recording: written(recording.assign_coords(NEUROIDS)),
    )


def test_bytes_are_read_as_text(tmp_path):
    study(tmp_path / "bytes")
    study(tmp_path / "text", lambda dataset: dataset)
    with xr.open_dataset(tmp_path / "bytes" / "responses.nc") as given:
        assert given["subject"].dtype.kind == given["stimulus_id"].dtype.kind == "S"
    shown = [read_stimuli(tmp_path / kind / "stimuli.nc") for kind in ("bytes", "text")]
    xr.testing.assert_identical(*shown)
    ids = shown[0]["stimulus_id"].values
    found = [
        read_responses(str(tmp_path / kind / "responses.nc"), "response", "area", ids)
        for kind in ("bytes", "text")
    ]
    xr.testing.assert_identical(*found)
    assert found[0]["subject"].values.tolist() == NEUROIDS["subject"][1]


def test_a_study_is_scored_by_coordinates_in_bytes(listed):
    sections = study(listed.folder)
    sections["responses"]["select"] = "subject == Zoë"
    sections["cross_validation"] = {"folds": 3, "group": "category"}
    config = with_settings(
        listed.folder / "study.yaml",
        models={"names": ["shapenet5"]},
        decoding={"properties": ["category"]},
        fits={"layers_per_job": 1},
        **sections,
    )
    target = "results/shapes/scores/ridge/shapenet5/00-00/IT.nc"
    done = listed.forked("--", target, config=config)
    assert done.returncode == 0, done.stdout[-3000:]
    made = listed.folder / "resources" / "shapes"
    assert read_coordinate(made / "stimuli.nc", "category").tolist() == CATEGORIES[1]
    area = read_area(made / "responses.nc", "IT")
    assert area.neuroid_id.tolist() == ["n°03"]
    assert area.metadata["subject"].tolist() == ["Zoë"]
    scores = read(listed.folder / target)
    assert scores["neuroid_id"].tolist() == ["n°03"]
    assert np.isfinite(scores["score"]).all()
