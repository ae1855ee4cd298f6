"""The conda environments hold what the scripts import, in the versions of the lock file."""

import ast
import re
import sys

import pytest
import yaml

from cortiscope.planning import digest
from tests.running import REPOSITORY

READERS = REPOSITORY / "cortiscope" / "experiment" / "readers"
RULES = REPOSITORY / "workflow" / "rules"
# Names of packages on conda-forge and on the package index where these differ from the import.
CONDA = {
    "PIL": "pillow",
    "netCDF4": "netcdf4",
    "sklearn": "scikit-learn",
    "torch": "pytorch",
    "vl_convert": "vl-convert-python",
}
INDEX = {"pytorch": "torch"}


def environment(name):
    """Package to version of one environment."""
    listed = yaml.safe_load((REPOSITORY / "envs" / f"{name}.yaml").read_text())["dependencies"]
    return dict(item.split("=") for item in listed)


def locked():
    """Package to its versions: two where they differ between Pythons."""
    versions = {}
    for line in (REPOSITORY / "requirements.lock").read_text().splitlines():
        if found := re.match(r"^([\w.-]+)==([^ ;\\]+)", line):
            versions.setdefault(found[1], set()).add(found[2])
    return versions


def third_party(script, *modules):
    """What a script, modules, and what of the library they reach, import from elsewhere."""
    files = {}
    for path in (digest.SCRIPTS / f"{script}.py", *map(digest._file, modules)):
        digest._collect(path, files)
    names = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.split(".")[0])
    return {CONDA.get(n, n) for n in names - set(sys.stdlib_module_names) - {"cortiscope"}}


def rules():
    """Script and environment of every rule."""
    for file in RULES.glob("*.smk"):
        for rule in re.split(r"^rule ", file.read_text(), flags=re.M)[1:]:
            script = re.search(r"scripts/(\w+)\.py", rule)
            conda = re.search(r"envs/(\w+)\.yaml", rule)
            yield script[1], conda[1]


@pytest.mark.parametrize("name", ["torch", "analysis", "report"])
def test_versions_are_those_of_the_lock(name):
    versions = locked()
    for package, version in environment(name).items():
        if package != "python":
            assert version in versions[INDEX.get(package, package)], package


@pytest.mark.parametrize(("script", "name"), sorted(rules()))
def test_an_environment_holds_what_its_scripts_import(script, name):
    assert third_party(script) <= environment(name).keys()


@pytest.mark.parametrize("reader", sorted(path.stem for path in READERS.glob("[a-z]*.py")))
def test_an_environment_holds_what_readers_import(reader):
    """Which a job imports by name."""
    assert (
        third_party("responses", f"experiment.readers.{reader}") <= environment("analysis").keys()
    )
