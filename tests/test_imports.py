"""A fit job starts within a fraction of a second, so it loads nothing heavy."""

import json
import subprocess
import sys

import pytest

from cortiscope.mappings.kinds import MAPPINGS
from tests.running import REPOSITORY

HEAVY = ("torch", "pandas", "xarray", "sklearn", "scipy", "matplotlib", "snakemake")
PROBE = """
import importlib, json, runpy, sys
runpy.run_path("workflow/scripts/fit.py", run_name="fit")
importlib.import_module(sys.argv[1])
json.dump(sorted(sys.modules), sys.stdout)
"""


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_a_fit_job_imports_nothing_heavy(mapping):
    command = [sys.executable, "-c", PROBE, f"cortiscope.mappings.{mapping}"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert f"cortiscope.mappings.{mapping}" in loaded
    assert "cortiscope.mappings.fitting" in loaded
    assert not loaded & set(HEAVY)
