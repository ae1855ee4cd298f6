"""A source that there is not is one line."""

import yaml

from tests.running import SMALL

TABLE = "model\tsource\tarchitecture\tlayers\tpreprocessing\n"


def with_models(workflow, *rows):
    """The config of a study of some networks."""
    lines = ["\t".join(row) for row in rows]
    (workflow.folder / "models.tsv").write_text(TABLE + "\n".join(lines))
    changed = {
        "models": {"table": "models.tsv", "names": "all"},
        "accuracy": {"images": "published"},
    }
    config = workflow.folder / "study.yaml"
    config.write_text(yaml.safe_dump(yaml.safe_load(SMALL.read_text()) | changed))
    return config


def test_a_source_that_there_is_not_is_told_of_those_that_there_are(workflow):
    done = workflow.forked("--dry-run", config=with_models(workflow, ("net", "timn", "a", "", "")))
    assert done.returncode == 1
    assert "source: 'timn' is not valid; use one of torchvision, timm, zoo, file, " in done.stdout
