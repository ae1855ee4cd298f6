"""Where the files that a study names are looked for."""

from pathlib import Path

import pytest

from cortiscope.errors import InputError
from cortiscope.planning.study import Study
from tests.running import REPOSITORY

MODELS = {"models": {"table": "config/models.tsv", "names": ["shapenet5"]}}
# In the order in which they are looked at.
PLACES = ("data", "here", "second", "first")


@pytest.fixture
def study(tmp_path, monkeypatch):
    """With two config files, of which the second was given last."""
    for place in PLACES:
        (tmp_path / place).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    shapes = {"source": "shapes"}
    config = {"study": "mine", "data_root": "../data", "stimuli": shapes, "responses": shapes}
    files = [tmp_path / "first" / "study.yaml", tmp_path / "second" / "study.yaml"]
    return Study.load(config | MODELS, REPOSITORY, files)


@pytest.mark.parametrize("number", range(4))
def test_a_file_is_found_at_the_first_place_that_has_it(study, tmp_path, number):
    for place in PLACES[number:]:
        (tmp_path / place / "responses.nc").write_text(place)
    assert Path(study.locate("responses.nc", "a field")).read_text() == PLACES[number]


def test_the_repository_is_looked_at_last_and_all_other_places_are_named(study, tmp_path):
    assert study.locate("Snakefile", "a field") == str(REPOSITORY / "Snakefile")
    with pytest.raises(InputError, match=r"a field: no file or folder 'none\.nc'") as caught:
        study.locate("none.nc", "a field")
    assert all(str(tmp_path / place) in str(caught.value) for place in PLACES)
