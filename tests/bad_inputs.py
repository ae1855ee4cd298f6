"""Whatever is wrong with a study, its user reads one line: where, what, and what to do.

Every case writes a bad input and runs Snakemake: a dry run where reading the Snakefile is enough,
else the one job that can see it.
"""

import re

import numpy as np
import pytest
import xarray as xr
import yaml

from tests.running import REPOSITORY, SMALL

HEADER = (REPOSITORY / "config" / "models.tsv").read_text().splitlines()[0]
N_STIMULI = 12


class Cases(list):
    """Parameters of a test: bad input, line, target."""

    def case(self, line, target=None):
        """Register a bad input: a function that writes it into a folder and returns a config.

        line: what the user must read after `error: `, with `...` for anything.
        target: the file whose job finds it; without one, reading the Snakefile does.
        """

        def register(write):
            self.append(pytest.param(write, line, target, id=write.__name__))
            return write

        return register


def check(workflow, write, line, target):
    """The bad input is answered by that line and nothing else, and not by a traceback."""
    config = configure(workflow.folder, write(workflow.folder))
    asked = ["rules", "--", target] if target else ["all", "--dry-run"]
    done = workflow.forked("--quiet", *asked, config=config)
    assert done.returncode != 0
    assert "Traceback" not in done.stdout
    # What a job says also stands in its log, which Snakemake shows again.
    errors = dict.fromkeys(text for text in done.stdout.splitlines() if "error: " in text)
    assert len(errors) == 1, done.stdout
    assert pattern(f"error: {line}").fullmatch(*errors), done.stdout


def pattern(line):
    """A line of text in which `...` stands for anything."""
    return re.compile(r".*".join(re.escape(part) for part in line.split("...")))


def configure(folder, sections):
    """The small study with one model and some sections of its config changed."""
    config = yaml.safe_load(SMALL.read_text())
    config["models"] = {"names": ["shapenet5_untrained"]}
    for name, section in sections.items():
        both = isinstance(section, dict) and isinstance(config.get(name), dict)
        config[name] = config[name] | section if both else section
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


def models(folder, *rows, header=HEADER):
    """A models table of rows of words; `-` stands for an empty cell."""
    lines = ["\t".join("" if cell == "-" else cell for cell in row.split()) for row in rows]
    (folder / "models.tsv").write_text("\n".join([header, *lines]) + "\n")
    return {"models": {"table": "models.tsv", "names": "all"}}


def recorded(folder, images="stimuli.nc", **changes):
    """A study of stimuli and responses in files, some of their variables changed."""
    random = np.random.default_rng(0)
    names = [f"image{number:02d}" for number in range(N_STIMULI)]
    shown = xr.Dataset(
        {"image": (("stimulus", "y", "x"), random.integers(0, 256, (N_STIMULI, 8, 8), np.uint8))},
        coords={"stimulus_id": ("stimulus", names)},
    )
    recording = xr.Dataset(
        {"response": (("stimulus", "neuroid"), random.normal(size=(N_STIMULI, 3)))},
        coords={"stimulus_id": ("stimulus", names), "area": ("neuroid", ["V1", "IT", "IT"])},
    )
    changes = {"shown": lambda dataset: dataset, "recording": lambda dataset: dataset} | changes
    changes["shown"](shown).to_netcdf(folder / "stimuli.nc")
    changes["recording"](recording).to_netcdf(folder / "responses.nc")
    return {
        "stimuli": {"source": images},
        "responses": {"source": "responses.nc"},
        "cross_validation": {"folds": 4},
    }
