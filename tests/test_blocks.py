"""However many layers share a job, the tables are the same."""

import shutil

from tests.running import TABLES, with_settings


def test_one_layer_a_job_gives_the_same_tables(finished, workflow, tmp_path):
    """With the features of the finished run, but all scores and tables made anew."""
    shutil.copytree(finished.folder, workflow.folder, dirs_exist_ok=True)
    for folder in ("scores", "tables"):
        shutil.rmtree(workflow.results / folder)
    one = with_settings(tmp_path / "one.yaml", fits={"layers_per_job": 1})
    done = workflow(config=one)
    assert done.returncode == 0, done.stderr[-4000:]
    for table in (*TABLES, "decoding.csv"):
        expected = (finished.results / "tables" / table).read_bytes()
        assert (workflow.results / "tables" / table).read_bytes() == expected
