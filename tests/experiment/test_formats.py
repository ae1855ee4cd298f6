"""A format is a module of `readers`, found by what a file holds; others are one line."""

import inspect
import json
import sys

import numpy as np
import pytest
import xarray as xr

from cortiscope.errors import InputError
from cortiscope.experiment import formats, readers
from cortiscope.experiment.recordings import bring_in
from cortiscope.experiment.stimuli import read_stimuli
from cortiscope.planning.checks import agreement
from cortiscope.planning.checks.coordinates import coordinates
from cortiscope.planning.study import Study
from tests.bad_inputs import N_STIMULI, recorded
from tests.running import REPOSITORY

MODELS = {"table": str(REPOSITORY / "config" / "models.tsv"), "names": ["shapenet5"]}
# As another format would be added: this file, and nothing else.
LISTS = '''
"""Lists of numbers in a JSON file, by the names that netCDF files have."""

import json
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from cortiscope.experiment.formats import Array, Arrays

FORMAT = "a JSON file"
RANK = 0
READS = {"stimuli": ("variable",), "responses": ("variable", "area")}
DIMENSIONS = {"image": ("stimulus", "y", "x"), "response": ("stimulus", "repetition", "neuroid")}


def recognises(path):
    return path is not None and path.is_file() and path.read_bytes()[:1] == b"{"


@contextmanager
def opened(source, section):
    held = json.loads(Path(source[0]).read_text())
    yield Arrays(source[0], {name: named(name, values) for name, values in held.items()})


def named(name, values):
    of_stimuli = name in ("stimulus_id", "category")
    dimensions = DIMENSIONS.get(name, ("stimulus" if of_stimuli else "neuroid",))
    return Array(dimensions, np.array(values, np.uint8 if name == "image" else None))


def read(source, section, shown=None):
    with opened(source, section) as held:
        return held.dataset()
'''


@pytest.fixture
def lists(tmp_path, monkeypatch):
    """A reader of lists in a folder that counts as that of the readers."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "lists.py").write_text(LISTS)
    monkeypatch.setattr(readers, "__path__", [*readers.__path__, str(tmp_path / "more")])
    formats._readers.cache_clear()
    yield
    formats._readers.cache_clear()
    sys.modules.pop("cortiscope.experiment.readers.lists", None)


def of_sources(folder, stimuli, responses):
    sections = {"stimuli": {"source": stimuli}, "responses": {"source": responses}}
    config = {"study": "mine", "data_root": str(folder), "models": MODELS} | sections
    return Study.load(config, REPOSITORY)


def test_another_format_is_one_file(tmp_path, lists, monkeypatch):
    """What is known before a job runs, and what the jobs bring in, are as of netCDF files."""
    monkeypatch.chdir(tmp_path)
    recorded(tmp_path)
    for name in ("stimuli", "responses"):
        with xr.open_dataset(tmp_path / f"{name}.nc") as dataset:
            arrays = {str(key): variable.values for key, variable in dataset.variables.items()}
        if name == "responses":
            arrays["response"] = arrays["response"][:, None]
        numbers = {key: values.tolist() for key, values in arrays.items()}
        (tmp_path / f"{name}.json").write_text(json.dumps(numbers))
    found = []
    for ending in ("nc", "json"):
        study = of_sources(tmp_path, f"stimuli.{ending}", f"responses.{ending}")
        agreement.check_stimuli(study)
        shown = read_stimuli(study.locate(f"stimuli.{ending}", ""))
        settings = {"variable": "response", "area": "area"}
        brought = bring_in(study.source("responses"), settings, shown)
        known = study.n_stimuli, study.neuroids, study.parts, study.repetitions, study.image_bytes
        found.append((*known, coordinates(study), shown, brought))
    *known, shown, brought = zip(*found, strict=True)
    assert [pair[0] for pair in known] == [pair[1] for pair in known]
    xr.testing.assert_equal(*shown)
    np.testing.assert_array_equal(brought[0]["response"], brought[1]["response"][:, 0])
    assert brought[0]["area"].equals(brought[1]["area"])


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        (b"stimulus V1\n", r"begins with b'stimulus', no format known of responses"),
        (b"", "is empty, no format known of responses"),
        (None, "is a folder, no format known of responses"),
    ],
)
def test_a_file_in_no_known_format_is_one_line(tmp_path, content, seen):
    path = tmp_path / "responses.csv"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(InputError) as error:
        print(of_sources(tmp_path, "shapes", "responses.csv").neuroids)
    given = str(error.value).removeprefix(f"{path}: {seen}; give ")
    for known in ("an array of NumPy (.npy, .npz), ", "a netCDF file or a table (.csv, .tsv, "):
        assert known in given
    assert given.count(" or ") == 1


def test_readers_are_asked_by_content(tmp_path):
    recorded(tmp_path)
    (tmp_path / "stimuli.nc").rename(tmp_path / "stimuli.bin")
    assert formats.module("stimuli", [str(tmp_path / "stimuli.bin")]).endswith(".netcdf")
    assert formats.module("stimuli", [str(tmp_path)]).endswith(".image_folder")
    assert formats.module("responses", []).endswith(".simulated_responses")


def test_what_is_known_of_simulations_is_so(tmp_path):
    """Before a job has rendered or simulated any."""
    study = of_sources(tmp_path, "shapes", "shapes")
    shown = read_stimuli(None, {"count": N_STIMULI, "seed": 3})
    drawn = {"neuroids": 4, "repetitions": 2, "seed": 1}
    settings = {"stimuli": {"count": N_STIMULI, "seed": 3}, "responses": drawn}
    for kind, dataset in (("stimuli", shown), ("responses", bring_in([], drawn, shown))):
        with formats.opened(kind, settings[kind], []) as (held, named):
            assert set(held.variables) >= set(map(str, dataset.variables)) - {"stimulus_id"}
            known = held[named["variable"]]
            assert known.dimensions == dataset[named["variable"]].dims
            assert known.dtype == dataset[named["variable"]].dtype
            assert known.shape[1:] == dataset[named["variable"]].shape[1:]
            for name in ("stimulus_id", "category", "label", "part", "area"):
                if name in held.variables and name in dataset.variables:
                    assert held[name][...].tolist() == dataset[name].values.tolist()
    assert study.ids("stimuli")[0] == read_stimuli(None, study.config["stimuli"]).stimulus_id[0]


def test_every_reader_has_what_is_asked_of_it():
    asked = [name for name in vars(formats.Reader) if not name.startswith("_")]
    for reader in formats._readers():
        assert reader.FORMAT
        assert set(reader.READS) <= set(formats.NAMES)
        for name in asked:
            own, general = getattr(reader, name), getattr(formats.Reader, name)
            expected = list(inspect.signature(general).parameters)[1:]
            assert list(inspect.signature(own).parameters) == expected
