"""What brings stimuli and responses in reads of a config depends on where they come from."""

import pytest

from cortiscope.planning.settings import response_settings, stimulus_settings
from cortiscope.planning.study import Study
from tests.bad_inputs import recorded
from tests.running import REPOSITORY

MODELS = {"table": str(REPOSITORY / "config" / "models.tsv"), "names": ["shapenet5"]}


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """A function of sections of a config: the settings of rules stimuli and responses."""
    monkeypatch.chdir(tmp_path)
    files = recorded(tmp_path)
    (tmp_path / "pictures").mkdir()

    def of(sources, stimuli=None, responses=None):
        shown, recorded = sources
        sections = {
            "stimuli": {"source": shown} | (stimuli or {}),
            "responses": {"source": recorded} | (responses or {}),
        }
        study = Study.load(files | {"study": "mine", "models": MODELS} | sections, REPOSITORY)
        return stimulus_settings(study), response_settings(study)

    return of


READ = {"variable": "picture"}, {"variable": "dissimilarity", "area": "roi"}
DRAWN = {"count": 99, "seed": 9}, {"neuroids": 9, "repetitions": 9, "seed": 9}


@pytest.mark.parametrize(
    ("sources", "unread"),
    [
        (("shapes", "shapes"), READ),
        (("stimuli.nc", "responses.nc"), DRAWN),
        (("pictures", "responses.nc"), (READ[0] | DRAWN[0], DRAWN[1])),
    ],
)
def test_what_a_kind_of_source_has_not_reruns_nothing(settings, sources, unread):
    assert settings(sources) == settings(sources, *unread)


@pytest.mark.parametrize(
    ("sources", "read"), [(("shapes", "shapes"), DRAWN), (("stimuli.nc", "responses.nc"), READ)]
)
def test_all_else_counts(settings, sources, read):
    stimuli, responses = settings(sources)
    assert set(stimuli) == {"source", *read[0]}
    assert set(responses) == {"source", "select", *read[1]}
    for before, after in zip((stimuli, responses), settings(sources, *read), strict=True):
        changed = {key for key in before if before[key] != after[key]}
        assert changed == set(before) - {"source", "select"}


def test_the_choice_of_areas_is_the_fan_outs(settings):
    assert "areas" not in settings(("shapes", "shapes"), responses={"areas": ["V1"]})[1]
