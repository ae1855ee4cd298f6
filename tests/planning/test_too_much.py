"""Jobs that ask for more than there is are said before any runs, with what would be cheaper."""

import pytest
import yaml

from cortiscope.planning.checks.too_much import too_much
from cortiscope.planning.costs import jobs as costs
from cortiscope.planning.study import Study
from tests.running import REPOSITORY

MODEL = "shapenet5"


@pytest.fixture
def study(listed, monkeypatch):
    monkeypatch.chdir(listed.folder)

    def load(**sections):
        config = yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text())
        config["models"]["names"] = [MODEL]
        return Study.load(config | sections, REPOSITORY)

    return load


def test_nothing_is_said_of_what_there_is(study):
    asked = study()
    most = costs.features_memory(asked, MODEL)
    assert too_much(asked, most) == too_much(asked) == []


def test_a_job_beyond_the_memory_names_the_cheaper_choice(study):
    asked = study(mappings=["ridge", "rsa"])
    lines = too_much(asked, 100)
    jobs = ["a job of ceilings", "to extract a network", "a fit by ridge", "a fit by rsa"]
    assert [line.partition(" asks")[0] for line in lines] == jobs
    assert "of which there are 100; cheaper: " in lines[0]
    assert "fits.layers_per_job: 1" in lines[0]
    assert "features.batch_size" in lines[1]
    assert "cross_validation.split" in lines[2]
    assert "cross_validation.split" not in lines[3]
    alone = study(mappings=["ridge"], fits={"layers_per_job": 1}, features={"projection": "srp"})
    line = too_much(alone, 100)[-1]
    assert "layers_per_job" not in line
    assert "fewer features.components" in line


def test_a_fit_beyond_a_day_names_the_cheaper_choices(study):
    statistics = {"permutations": 100_000_000}
    (line,) = too_much(study(mappings=["pls"], statistics=statistics))
    assert line.startswith("a fit by pls is planned to take ")
    assert "days a layer; cheaper: a given split (cross_validation.split)" in line
    assert line.endswith("or statistics.null_method: moved")


def test_it_is_said_when_a_run_begins(listed):
    shown = listed.forked("-n", "--quiet", "rules", "host", "--resources", "mem_mb=200")
    assert "note: a fit by ridge asks for " in shown.stdout
