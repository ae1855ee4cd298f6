"""A fit job loads nothing heavy, to start at once; a package imports only what it builds on."""

import ast
import json
import subprocess
import sys
from collections import Counter

import pytest

from cortiscope.mappings.kinds import MAPPINGS
from cortiscope.networks.sources.kinds import SOURCES
from tests.running import REPOSITORY

HEAVY = ("torch", "timm", "pandas", "xarray", "sklearn", "scipy", "matplotlib", "snakemake")
# As in CONTRIBUTING.md: each builds on those before it. On top of the library is what all may use.
PACKAGES = [
    *("experiment", "networks", "statistics", "regression", "similarity", "mappings"),
    *("noise_ceilings", "report", "planning"),
]
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


@pytest.mark.parametrize("name", [name for name, kind in SOURCES.items() if not kind.network])
def test_planning_asks_features_for_their_layers_without_torch(name):
    code = f"import sys; import cortiscope.networks.sources.{name}; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & set(HEAVY)


def imported(package):
    """The packages of the library that the modules of one import from."""
    for path in (REPOSITORY / "cortiscope" / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cortiscope"):
                place = node.module.split(".")[1:2]
                yield from place or [alias.name for alias in node.names]


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_what_it_builds_on(package):
    later = PACKAGES[PACKAGES.index(package) + 1 :]
    found = set(imported(package))
    assert found
    assert not found & set(later)


def test_every_package_has_its_place():
    folders = {path.parent.name for path in (REPOSITORY / "cortiscope").glob("*/__init__.py")}
    assert folders == set(PACKAGES)


def test_files_of_tests_have_names_of_their_own():
    """Of two of one name pytest collects none, when both are asked for."""
    names = Counter(path.name for path in (REPOSITORY / "tests").rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []
