"""An edit reruns exactly the jobs that it touches.

Every row of the table of edits is made in a copy of the finished small study, or of the checkout,
and a dry run is asked; some are then run, after which nothing is left to do.
"""

import re
import shutil
from collections import Counter
from dataclasses import replace

import pytest
import yaml
from edit_table import EDITS, markdown
from edited_study import Edited
from edits import ADDED_LAYERS, ADDED_MODEL, delete_score, ridge, style

from cortiscope.layers import write_tables
from cortiscope.planning.models import read_models
from tests.running import REPOSITORY, SMALL

CHECKOUT = ("Snakefile", "config", "cortiscope", "envs", "profiles", "workflow")


@pytest.fixture(scope="module")
def more_layers(tmp_path_factory):
    """Tables of the layers that edits add; made here, they cost no interpreter that loads torch."""
    folder = tmp_path_factory.mktemp("layers")
    schema = REPOSITORY / "workflow" / "schemas" / "models.schema.yaml"
    names = [ADDED_MODEL, "shapenet5"]
    added, other = read_models(REPOSITORY / "config" / "models.tsv", names, schema).values()
    write_tables([added, other | {"layers": ADDED_LAYERS}], folder)
    return folder


@pytest.fixture
def study(finished, more_layers, tmp_path):
    """The finished study and the checkout, copied with the dates of their files."""
    shutil.copytree(finished.folder, tmp_path / "study")
    tables = tmp_path / "study" / "resources" / "layers"
    shutil.copytree(more_layers, tables, dirs_exist_ok=True)
    for name in CHECKOUT:
        source, target = REPOSITORY / name, tmp_path / "checkout" / name
        target.parent.mkdir(exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, target)
    run = replace(finished, folder=tmp_path / "study", repository=tmp_path / "checkout")
    return Edited(run, yaml.safe_load(SMALL.read_text()))


def test_the_table_of_edits_is_in_the_docs():
    assert markdown() in (REPOSITORY / "docs" / "reruns.md").read_text()


@pytest.mark.parametrize(
    ("jobs", "change"),
    [pytest.param(jobs, change, id=change.__name__) for _, jobs, change in EDITS],
)
def test_an_edit_plans_exactly_what_it_touches(study, jobs, change):
    change(study)
    assert study.planned() == jobs


def test_a_deleted_part_of_a_figure_is_drawn_again(study):
    for name in ("accuracy_vs_score.svg", "layer_depth.png", "model_by_area.csv"):
        study.path(f"results/shapes/figures/{name}").unlink()
    assert study.planned() == {"figures": 3}


def started(folder):
    """Rule to number of jobs that the newest log of a run says were started."""
    newest = max(
        (folder / ".snakemake" / "log").glob("*.log"), key=lambda file: file.stat().st_mtime
    )
    counts = Counter(re.findall(r"^(?:local)?rule (\w+):$", newest.read_text(), re.M))
    counts.pop("all", None)
    return dict(counts)


@pytest.mark.parametrize("change", [ridge, style, delete_score])
def test_an_edit_runs_exactly_what_it_touches_and_then_nothing(study, change):
    expected = next(jobs for _, jobs, changed in EDITS if changed is change)
    drawn = study.path("results/shapes/tables/accuracy_vs_brain.csv")
    before = drawn.read_bytes()
    change(study)
    done = study()
    assert done.returncode == 0, done.stdout[-4000:]
    assert started(study.run.folder) == expected
    assert study.planned() == {}
    assert drawn.read_bytes() == before  # none of these edits changes a number


def test_jobs_run_the_code_that_was_edited(study):
    """Without this, a checkout that no job looks at would pass the tests above."""
    score = next(study.path("results/shapes/scores/ridge/shapenet5").rglob("IT.nc"))
    study.write(
        "cortiscope/mappings/encoding.py",
        study.code("cortiscope/mappings/encoding.py") + "\n1 / 0\n",
    )
    failed = study("--", str(score.relative_to(study.run.folder)))
    assert failed.returncode != 0
    assert "ZeroDivisionError" in failed.stdout
