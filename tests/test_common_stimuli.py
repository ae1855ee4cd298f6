"""A study of those stimuli that both files have is the study of files cut to them."""

import numpy as np
import pytest
import xarray as xr
import yaml

from cortiscope.errors import InputError
from cortiscope.files import read
from cortiscope.planning.checks import agreement, coordinates
from cortiscope.planning.study import Study
from tests.bad_inputs import N_STIMULI, configure, recorded
from tests.running import REPOSITORY

RESPONSES = "resources/shapes/responses.nc"
CATEGORIES = ("stimulus", ["face", "hand"] * (N_STIMULI // 2))


def categorised(shown):
    numbers = ("stimulus", np.arange(N_STIMULI) / 2)
    return shown.assign_coords(category=CATEGORIES, size=numbers)


def with_others(*names):
    """Recordings of all stimuli but the first two, and of others."""

    def change(recording):
        others = recording.isel(stimulus=slice(len(names)))
        others = others.assign_coords(stimulus_id=("stimulus", list(names)))
        return xr.concat([others, recording.isel(stimulus=slice(None, 1, -1))], "stimulus")

    return change


def study(folder, keep, recording, shown=categorised):
    sections = recorded(folder, shown=shown, recording=recording)
    sections["stimuli"]["keep"] = keep
    return configure(folder, sections)


def made(folder):
    return [
        read(folder / "resources" / "shapes" / f"{name}.nc") for name in ("stimuli", "responses")
    ]


def test_stimuli_and_responses_are_cut_to_those_of_both(workflow):
    """As by hand; the logs count what goes."""
    config = study(workflow.folder, "common", with_others("b", "a", "c"))
    done = workflow.forked("--", RESPONSES, config=config)
    assert done.returncode == 0, done.stdout[-3000:]
    found = made(workflow.folder)
    logs = workflow.folder / "logs" / "shapes"
    assert "left out: 2 stimuli without responses" in (logs / "stimuli.log").read_text()
    assert "left out: 3 stimuli that were not shown" in (logs / "responses.log").read_text()
    by_hand = study(
        workflow.folder,
        "all",
        lambda recording: recording.isel(stimulus=slice(2, None)),
        shown=lambda shown: categorised(shown).isel(stimulus=slice(2, None)),
    )
    done = workflow.forked("--", RESPONSES, config=by_hand)
    assert done.returncode == 0, done.stdout[-3000:]
    for cut, expected in zip(found, made(workflow.folder), strict=True):
        assert set(cut.variables) == set(expected.variables)
        for name in expected.variables:
            np.testing.assert_array_equal(cut[name], expected[name])
    assert len(found[0]["stimulus_id"]) == N_STIMULI - 2


def jobs(workflow, config):
    shown = workflow.forked("--dry-run", "--", RESPONSES, config=config).stdout
    return {rule for rule in ("stimuli", "responses") if f"\n{rule} " in shown}


def test_only_what_changes_is_made_anew(workflow):
    everything = study(workflow.folder, "all", lambda recording: recording)
    assert workflow.forked("--", RESPONSES, config=everything).returncode == 0
    text = everything.read_text().replace("keep: all", "keep: common")
    everything.write_text(text)
    assert jobs(workflow, everything) == set()  # all are common
    config = study(workflow.folder, "common", with_others("a"), shown=categorised)
    assert jobs(workflow, config) == {"stimuli", "responses"}
    assert workflow.forked("--", RESPONSES, config=config).returncode == 0
    assert jobs(workflow, config) == set()
    stimuli = (workflow.folder / "stimuli.nc").read_bytes()
    study(workflow.folder, "common", with_others("a", "b"), shown=categorised)
    (workflow.folder / "stimuli.nc").write_bytes(stimuli)
    assert jobs(workflow, config) == {"responses"}  # other stimuli were not shown


def planned(folder, keep, recording):
    config = yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text())
    for name, section in yaml.safe_load(study(folder, keep, recording).read_text()).items():
        config[name] = config[name] | section if isinstance(section, dict) else section
    config["data_root"] = str(folder)
    return Study.load(config, REPOSITORY)


def test_the_plan_counts_those_of_both(tmp_path):
    common = planned(tmp_path, "common", with_others("a"))
    agreement.check_stimuli(common)
    assert common.n_stimuli == N_STIMULI - 2
    assert coordinates.words(common, "category").tolist() == CATEGORIES[1][2:]
    assert coordinates.values(common, "size").tolist() == list(np.arange(2, N_STIMULI) / 2)
    counts = {"stimulus_id": N_STIMULI - 2, "category": 2, "size": N_STIMULI - 2}
    assert coordinates.coordinates(common) == counts


def test_without_common_stimuli_a_study_is_refused(tmp_path):
    def renamed(recording):
        names = [f"other{number}" for number in range(N_STIMULI)]
        return recording.assign_coords(stimulus_id=("stimulus", names))

    with pytest.raises(InputError, match=r"none is among those of .*stimuli.nc, such as 'other0'"):
        agreement.check_stimuli(planned(tmp_path, "common", renamed))
