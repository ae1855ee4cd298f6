"""A further source of networks is one module, and one row of a table; nothing else is touched."""

import shutil
from dataclasses import replace

import yaml

from cortiscope.files import read
from tests.running import REPOSITORY, SMALL

MODULE = """
from torch import nn

from cortiscope.networks.sources import source


class Source(source.Source):
    def architecture(self):
        width = int(self.row["architecture"])
        return nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, width), nn.Linear(width, 5))
"""
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


def test_a_source_is_one_module_and_one_row(workflow):
    checkout = workflow.folder / "checkout"
    for name in ("config", "cortiscope", "envs", "profiles", "workflow"):
        shutil.copytree(REPOSITORY / name, checkout / name)
    shutil.copy(REPOSITORY / "Snakefile", checkout)
    sources = checkout / "cortiscope" / "networks" / "sources"
    (sources / "random_linear.py").write_text(MODULE)
    table = (sources / "kinds.py").read_text()
    row = '    "random_linear": Kind(),\n'
    (sources / "kinds.py").write_text(table.replace("SOURCES = {\n", "SOURCES = {\n" + row))
    run = replace(workflow, repository=checkout)
    config = with_models(workflow, ("net", "random_linear", "20", "all", "resize=8"))
    targets = [f"results/shapes/{name}" for name in ("features/net.nc", "accuracy/net.csv")]
    done = run.forked("--", *targets, config=config)
    assert done.returncode == 0, done.stdout[-3000:]
    assert read(workflow.folder / targets[0], "1").attributes["n_features"] == 20
    assert "unknown" in (workflow.folder / targets[1]).read_text()


def test_a_source_that_there_is_not_is_told_of_those_that_there_are(workflow):
    done = workflow.forked("--dry-run", config=with_models(workflow, ("net", "timn", "a", "", "")))
    assert done.returncode == 1
    assert "source: 'timn' is not valid; use one of torchvision, zoo, file" in done.stdout
