"""One made recording, and how files of any format are read and compared with it."""

import numpy as np
import pandas as pd
import yaml

from cortiscope.experiment import sizes
from cortiscope.experiment.formats import opened
from cortiscope.experiment.recordings import read_responses
from cortiscope.experiment.stimulus_ids import read_ids
from tests.running import REPOSITORY

N_STIMULI, N_REPETITIONS, N_NEUROIDS = 7, 3, 5
IDS = np.array([f"{number:03d}" for number in range(N_STIMULI)])  # not to be read as numbers
AREAS = np.array(["V4", "V4", "IT", "IT", "IT"])
DEPTHS = np.array([0.1, 0.25, 1 / 3, np.nan, 4.0])
SETTINGS = {"variable": "response", "area": "area"}


def responses(dtype=np.float32):
    """(stimulus, repetition, neuroid), of which some are NaN."""
    values = np.random.default_rng(0).normal(size=(N_STIMULI, N_REPETITIONS, N_NEUROIDS))
    values[2, 1, 3] = values[4, 2] = np.nan
    return values.astype(dtype)


def write_tables(folder, stem="betas"):
    """The tables beside a recording; returns what the config says of them."""
    stimuli, neuroids = folder / f"{stem}.stimuli.csv", folder / f"{stem}.neuroids.csv"
    pd.DataFrame({"stimulus_id": IDS, "session": 1}).to_csv(stimuli, index=False)
    names = [f"{number:02d}" for number in range(N_NEUROIDS)]
    table = pd.DataFrame({"neuroid_id": names, "area": AREAS, "depth": DEPTHS})
    table.to_csv(neuroids, index=False)
    return {"stimuli_table": str(stimuli), "neuroids_table": str(neuroids)}


def read(path, shown=None, **settings):
    """As the job reads it; what is known before that agrees."""
    section = SETTINGS | settings
    of_job = read_responses(
        str(path),
        section["variable"],
        section["area"],
        np.array(read_ids("responses", section, [str(path)])) if shown is None else shown,
        settings=section,
    )
    counted = sizes.count_neuroids(section, [str(path)])
    areas = of_job["area"].values.tolist()
    if section["variable"] == "response":
        assert counted == {name: areas.count(name) for name in dict.fromkeys(areas)}
        n_repetitions = of_job.sizes.get("repetition", 1)
        assert sizes.count_repetitions(section, [str(path)]) == n_repetitions
        with opened("responses", section, [str(path)]) as (held, _):
            array = held["response"]
            assert array[...].shape == array.shape
            assert array[...].dtype == array.dtype
    return of_job


def schema_defaults():
    """`stimuli` and `responses` as a config without further settings has them."""
    schema = yaml.safe_load((REPOSITORY / "workflow/schemas/config.schema.yaml").read_text())
    known = schema["properties"]
    sections = {name: known[name]["properties"] for name in ("stimuli", "responses")}
    return {
        section: {name: about.get("default", []) for name, about in entries.items()}
        for section, entries in sections.items()
    }


def check(found, expected, neuroids=True):
    """A recording is that of `responses`, to the bit, with its stimuli and neuroids."""
    axes = ("stimulus", "repetition", "neuroid")[-2 if expected.ndim == 2 else -3 :]
    axes = ("stimulus", "neuroid") if expected.ndim == 2 else axes
    response = found["response"].transpose(*axes)
    np.testing.assert_array_equal(response.values, expected.astype(np.float32))
    assert response.dtype == np.float32
    assert found["stimulus_id"].values.tolist() == IDS.tolist()
    if neuroids:
        assert found["area"].values.tolist() == AREAS.tolist()
        np.testing.assert_array_equal(found["depth"].values, DEPTHS)
        assert found["neuroid_id"].values.tolist() == ["00", "01", "02", "03", "04"]
