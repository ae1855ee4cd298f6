"""Where a checkout lies, and what the machine lacks there, does not stop a study."""

import os
import shutil
import subprocess
import sys
import sysconfig

import pandas as pd
import pytest

from tests.running import REPOSITORY, TINY, with_settings

CHECKOUT = ("Snakefile", "config", "cortiscope", "envs", "profiles", "resources/zoo", "workflow")
PLACE = 'My Drive/Jürgen\'s "vision" (2)'


@pytest.fixture
def checkout(tmp_path):
    """A copy of the repository in such a place, with an environment of its own."""
    copy = tmp_path / PLACE / "cortiscope"
    for name in CHECKOUT:
        source, target = REPOSITORY / name, copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    venv = [sys.executable, "-m", "venv", "--without-pip", str(copy / ".venv")]
    subprocess.run(venv, check=True)
    (installed,) = (copy / ".venv" / "lib").glob("python*/site-packages")
    (installed / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    return copy


def test_a_study_runs_below_a_path_with_spaces_and_without_a_home(checkout):
    one = {"names": ["shapenet5"]}
    shared = {"layers_per_job": "auto"}
    config = with_settings(checkout.parent / "my study.yaml", TINY, models=one, fits=shared)
    unset = ("XDG_CACHE_HOME", "MPLCONFIGDIR", "VIRTUAL_ENV", "HDF5_USE_FILE_LOCKING")
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    environment["HOME"] = os.devnull
    figure = "results/shapes/figures/layer_depth.png"
    command = [".venv/bin/python", "-m", "snakemake", "--cores", "2", "--configfile", str(config)]
    command += ["--", "tables", figure]
    done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    table = pd.read_csv(checkout / "results" / "shapes" / "tables" / "accuracy_vs_brain.csv")
    assert len(table) == 3
    assert (checkout / figure).is_file()
    # Fonts are listed once, and not in a temporary folder of every job.
    assert list((checkout / ".snakemake" / "cache" / "matplotlib").glob("fontlist*"))
    assert "MPLCONFIGDIR" not in done.stderr
