"""However many layers share a job, the tables are the same."""

import shutil

from tests.running import with_settings

TABLES = (
    "layers.csv", "accuracy_vs_brain.csv", "correlations.csv", "contrasts.csv",
    "model_comparisons.csv", "hierarchy.csv", "decoding.csv",
)  # fmt: skip


def results(workflow):
    return workflow.folder / "results" / "shapes"


def test_one_layer_a_job_gives_the_same_tables(finished, workflow, tmp_path):
    """With the features of the finished run, but all scores and tables made anew."""
    shutil.copytree(finished.folder, workflow.folder, dirs_exist_ok=True)
    for folder in ("scores", "tables"):
        shutil.rmtree(results(workflow) / folder)
    one = with_settings(tmp_path / "one.yaml", fits={"layers_per_job": 1})
    done = workflow(config=one)
    assert done.returncode == 0, done.stderr[-4000:]
    for table in TABLES:
        expected = (results(finished) / "tables" / table).read_bytes()
        assert (results(workflow) / "tables" / table).read_bytes() == expected
