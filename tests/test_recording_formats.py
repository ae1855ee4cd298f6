"""A study of an array and its tables, and of images in a table, runs as one of netCDF files."""

import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml
from PIL import Image

from cortiscope.errors import InputError
from cortiscope.experiment.formats import OF_SOME_FORMATS, _readers
from cortiscope.planning.checks import agreement
from cortiscope.planning.schema import check, read_config_schema
from cortiscope.planning.study import Study
from tests.bad_inputs import configure, recorded
from tests.recording_files import schema_defaults
from tests.running import REPOSITORY

RESPONSES, TABLE = "resources/shapes/responses.nc", "results/shapes/tables/accuracy_vs_brain.csv"
N_REPETITIONS = 4


@pytest.fixture
def study(listed):
    """Files written by NumPy, pandas and PIL; responses in an order of their own."""
    folder = listed.folder
    config = recorded(folder)
    with (
        xr.open_dataset(folder / "stimuli.nc") as shown,
        xr.open_dataset(folder / "responses.nc") as recording,
    ):
        ids, images = shown["stimulus_id"].values.astype(str), shown["image"].values
        mean, areas = recording["response"].values, recording["area"].values.astype(str)
    (folder / "stimuli").mkdir()
    for name, image in zip(ids, images, strict=True):
        Image.fromarray(image).save(folder / "stimuli" / f"{name}.png")
    about = {"stimulus_id": ids, "category": np.arange(len(ids)) % 2}
    pd.DataFrame(about).to_csv(folder / "stimuli.csv", index=False)
    noise = np.random.default_rng(1).normal(size=(N_REPETITIONS, *mean.shape))
    order = np.random.default_rng(2).permutation(len(ids))
    response = (mean + noise)[:, order].transpose(2, 1, 0)  # (neuroid, stimulus, repetition)
    np.savez(folder / "betas.npz", betas=response)
    pd.DataFrame({"stimulus_id": ids[order]}).to_csv(folder / "betas.stimuli.csv", index=False)
    neuroids = pd.DataFrame({"neuroid_id": ["a", "b", "c"], "region": areas, "depth": [0.1, 2, 3]})
    neuroids.to_csv(folder / "betas.neuroids.csv", index=False)
    sections = {
        "stimuli": {"source": "stimuli.csv"},
        "responses": {"source": "betas.npz", "area": "region"},
        "mappings": ["ridge"],
        "decoding": {"properties": []},
    }
    return configure(folder, config | sections), (mean + noise).astype(np.float32)


def test_a_study_of_arrays_and_tables_runs(listed, study):
    config, response = study
    done = listed.forked("--", TABLE, config=config)
    assert done.returncode == 0, done.stdout[-3000:]
    with xr.open_dataset(listed.folder / RESPONSES) as found:
        stored = found["response"].transpose("repetition", "stimulus", "neuroid")
        np.testing.assert_array_equal(stored, response)
        assert found["area"].values.tolist() == ["V1", "IT", "IT"]
        assert found["depth"].values.tolist() == [0.1, 2, 3]
        assert '"neuroids_table": "betas.neuroids.csv"' in found.attrs["settings"]
    table = pd.read_csv(listed.folder / TABLE)
    assert table["area"].tolist() == ["V1", "IT"]
    assert table["n_neuroids"].tolist() == [1, 2]
    # An edit of a table is an edit of the recording; nothing else is.
    assert "Nothing to be done" in listed.forked("--", TABLE, config=config).stdout
    neuroids = listed.folder / "betas.neuroids.csv"
    neuroids.write_text(neuroids.read_text().replace("0.1", "0.2"))
    shown = listed.forked("--dry-run", "--", RESPONSES, config=config).stdout
    assert "\nrule responses" in shown.replace("localrule", "rule")


@pytest.mark.parametrize(
    ("section", "settings", "line"),
    [
        (
            "responses",
            {"window": [0, 1]},
            r"window: is not read of a netCDF file \(.*responses.nc\)",
        ),
        ("responses", {"neuroids_table": "x.csv"}, r"neuroids_table: is not read of a netCDF file"),
        ("stimuli", {"images": "x.zip"}, r"stimuli.images: is not read of a netCDF file"),
    ],
)
def test_what_a_format_does_not_read_is_not_asked_of_it(tmp_path, section, settings, line):
    config = recorded(tmp_path) | {"study": "mine", "data_root": str(tmp_path)}
    config[section] |= settings
    config["models"] = {"table": str(REPOSITORY / "config" / "models.tsv"), "names": ["shapenet5"]}
    with pytest.raises(InputError, match=line):
        agreement.check_sections(Study.load(config, REPOSITORY))


def test_what_readers_read_are_entries_of_the_config():
    """Those that only some formats read are empty by default, so that any value is seen."""
    known = schema_defaults()
    for reader in _readers():
        for kind, entries in reader.READS.items():
            assert set(entries) <= set(known[kind])
    for entry in OF_SOME_FORMATS:
        assert not {**known["stimuli"], **known["responses"]}[entry]


def test_examples_of_the_docs_are_configs():
    text = (REPOSITORY / "docs" / "recordings.md").read_text()
    examples = re.findall(r"```yaml\n(.*?)```", text, re.S)
    assert len(examples) == 3
    schema = read_config_schema(REPOSITORY / "workflow" / "schemas" / "config.schema.yaml")
    for example in examples:
        sections = {"study": "mine", "stimuli": {"source": "images"}, "models": {"table": "x.tsv"}}
        check(sections | yaml.safe_load(example), schema, "config")
