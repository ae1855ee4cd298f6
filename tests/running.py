"""Run Snakemake on this repository's Snakefile, as a user would, in a folder of its own."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cortiscope.planning.schema import check, read_config_schema
from tests.forks import snakemake

REPOSITORY = Path(__file__).parent.parent
SHARED = Path(os.environ.get("CORTISCOPE_SHARED", REPOSITORY.parent / "shared"))
TABLES = (
    "layers.csv", "layer_weights.csv", "accuracy_vs_brain.csv", "correlations.csv",
    "contrasts.csv", "model_comparisons.csv", "hierarchy.csv", "subjects.csv",
)  # fmt: skip
SMALL = REPOSITORY / "tests" / "config" / "small.yaml"
TINY = REPOSITORY / "tests" / "config" / "tiny.yaml"


def study_config() -> dict[str, Any]:
    """That of config/config.yaml, with the defaults of all that it does not name."""
    schema = read_config_schema(REPOSITORY / "workflow" / "schemas" / "config.schema.yaml")
    return check(
        yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text()), schema, "config"
    )


@dataclass(frozen=True)
class Workflow:
    """Snakemake on the Snakefile of this or another checkout, working in a folder of its own."""

    folder: Path
    repository: Path = REPOSITORY

    @property
    def results(self) -> Path:
        return self.folder / "results" / "shapes"

    def arguments(self, *more: str, config: Path | None = SMALL) -> list[str]:
        """What follows `snakemake` on the command line."""
        snakefile, folder = str(self.repository / "Snakefile"), str(self.folder)
        common = ["--snakefile", snakefile, "--directory", folder, "--cores", "2", "--nocolor"]
        return [*common, *(["--configfile", str(config)] if config else []), *more]

    def __call__(
        self, *more: str, config: Path | None = SMALL, timeout: int = 600
    ) -> subprocess.CompletedProcess:
        """Run as a user does."""
        command = [sys.executable, "-m", "snakemake", *self.arguments(*more, config=config)]
        # pytest-xdist and this file leave nothing in the environment that a user would not have.
        return subprocess.run(
            command, capture_output=True, text=True, timeout=timeout, cwd=self.repository
        )

    def forked(
        self, *more: str, config: Path | None = SMALL, timeout: int = 600
    ) -> subprocess.CompletedProcess:
        """The same in forks that have loaded the libraries; stdout holds all that is said."""
        arguments = self.arguments(*more, config=config)
        status, said = snakemake(arguments, self.repository, timeout)
        return subprocess.CompletedProcess(arguments, status, stdout=said)


def with_settings(path: Path, study: Path = SMALL, **sections: dict[str, Any]) -> Path:
    """A study with sections of its config changed, as a config file."""
    config = yaml.safe_load(study.read_text())
    for name, section in sections.items():
        config[name] = (config.get(name) or {}) | section
    path.write_text(yaml.safe_dump(config))
    return path
