"""Areas have whatever names their recording gives them; their files have these encoded."""

import pandas as pd
import pytest
import xarray as xr

from cortiscope.experiment.responses import read_areas
from cortiscope.file_names import encoded
from tests.bad_inputs import configure, recorded

AREAS = ["V1/V2", "a,b", "IT [left]"]


@pytest.mark.parametrize("layers_per_job", ["auto", 5])  # all areas in a job, and one in each
def test_areas_of_any_name_are_scored(workflow, layers_per_job):
    def placed(recording):
        place = {axis: ("neuroid", [0.0, 1.0, 2.0]) for axis in "xyz"}
        return recording.assign_coords(area=("neuroid", AREAS), **place)

    config = configure(
        workflow.folder,
        recorded(workflow.folder, recording=placed)
        | {
            "mappings": ["ridge"],
            "fits": {"layers_per_job": layers_per_job},
            "searchlight": {"radius": 3},
            "hierarchy": ["a,b", "V1/V2"],
            "ceilings": {"given": {"V1/V2": 0.5, "IT [left]": 0.25}},
        },
    )
    search = f"results/shapes/searchlight/shapenet5_untrained/{encoded('a,b')}.nc"
    done = workflow.forked("--", "results/shapes/tables/layers.csv", search, config=config)
    assert done.returncode == 0, done.stdout[-3000:]
    table = pd.read_csv(workflow.folder / "results/shapes/tables/layers.csv")
    assert table["area"].drop_duplicates().tolist() == AREAS
    found = table.groupby("area")["ceiling"].first()
    assert (found["V1/V2"], found["IT [left]"]) == (0.5, 0.25)
    assert xr.open_dataset(workflow.folder / search).attrs["area"] == "a,b"
    responses = workflow.folder / "resources/shapes/responses.nc"
    assert [area.name for area in read_areas(responses, AREAS)] == AREAS
    # Nothing is made twice for a name that is read another way.
    again = workflow.forked("--dry-run", "--", "results/shapes/tables/layers.csv", config=config)
    assert "Nothing to be done" in again.stdout
