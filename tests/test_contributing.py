"""What CONTRIBUTING.md says of each kind of extension is followed, and a study is run with all."""

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml

from cortiscope.files import read
from tests.running import REPOSITORY

HOW = r"(new|at its start|after `([^`]+)`)"
STEP = re.compile(rf"^`(\S+)`, {HOW}:\n\n```\w+\n(.*?)^```$", re.M | re.S)
N_STIMULI, N_NEUROIDS = 48, 6
NEW_FILES = 4


def follow(checkout):
    """Make and edit the files; returns how many are new, and how many lines others got."""
    new, added = 0, 0
    for path, how, anchor, text in STEP.findall((REPOSITORY / "CONTRIBUTING.md").read_text()):
        file = checkout / path
        if how == "new":
            assert not file.exists()
            file.write_text(text)
            new += 1
        else:
            before, line, after = file.read_text().partition(f"{anchor or '{'}\n")
            assert line, f"no line {anchor!r} in {path}"
            file.write_text(before + line + text + after)
            added += text.count("\n")
    return new, added


@pytest.fixture
def study(workflow):
    """A checkout with the extensions, and the config of a study that needs all of them."""
    checkout = workflow.folder / "checkout"
    for name in ("config", "cortiscope", "envs", "profiles", "workflow"):
        shutil.copytree(REPOSITORY / name, checkout / name)
    shutil.copy(REPOSITORY / "Snakefile", checkout)
    new, added = follow(checkout)
    assert new == NEW_FILES
    assert added < 15
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (N_STIMULI, 8, 8, 3), dtype=np.uint8)
    code = image.reshape(N_STIMULI, -1) @ random.normal(size=(192, N_NEUROIDS)) / 1000
    ids = np.array([f"image{number}" for number in range(N_STIMULI)])
    response = code[:, None] + random.normal(size=(N_STIMULI, 4, N_NEUROIDS)) / 10
    areas = np.array(["V1"] * N_NEUROIDS)
    shown = {"image": image, "stimulus_id": ids}
    recorded = {"response": response, "stimulus_id": ids, "area": areas}
    for name, arrays in (("stimuli", shown), ("responses", recorded)):
        lists = {key: values.tolist() for key, values in arrays.items()}
        (workflow.folder / f"{name}.json").write_text(json.dumps(lists))
    rows = ["model\tsource\tarchitecture\tlayers\tpreprocessing\tseed"]
    rows += [f"net{width}\tlinear\t{width}\t1\tresize=8\t1" for width in (20, 200)]
    (workflow.folder / "models.tsv").write_text("\n".join(rows))
    settings = {
        "study": "extended",
        "data_root": str(workflow.folder),
        "stimuli": {"source": "stimuli.json"},
        "responses": {"source": "responses.json"},
        "models": {"table": "models.tsv", "names": "all"},
        "accuracy": {"images": "published"},
        "mappings": ["kernel_ridge", "rsa"],
        "statistics": {"permutations": 20, "bootstraps": 20},
    }
    config = workflow.folder / "study.yaml"
    config.write_text(yaml.safe_dump(settings))
    return replace(workflow, repository=checkout), config


def test_a_study_runs_with_a_mapping_a_source_a_format_and_a_figure_of_these_pages(study):
    run, config = study
    done = run(config=config)  # as a user does: every rule of the default target, a process a job
    assert done.returncode == 0, done.stderr[-4000:]
    results = run.folder / "results" / "extended"
    assert "V1    kernel_ridge  net200  1 " in done.stdout  # what was found is said at the end
    table = pd.read_csv(results / "tables" / "accuracy_vs_brain.csv")
    score = table[table["mapping"] == "kernel_ridge"].set_index("model")["score"]
    # 200 random readouts of 192 numbers hold them all, 20 do not.
    assert score["net200"] > max(score["net20"], 0.2)
    assert read(results / "features" / "net20.nc", "1").attributes["n_features"] == 20
    assert (results / "figures" / "score_vs_parameters.svg").stat().st_size > 1000
    points = pd.read_csv(results / "figures" / "score_vs_parameters.csv")
    assert len(points) == 4
