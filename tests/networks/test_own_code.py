"""The python files that a user's own network is made of are found from its import statements."""

import pytest

from cortiscope.networks import layer_tables
from cortiscope.networks.own_code import with_imports


@pytest.fixture
def nets(tmp_path, monkeypatch):
    """A function that writes `nets/mine.py` and files beside it, and finds what that imports."""
    monkeypatch.chdir(tmp_path)

    def found(mine, **others):
        for name, text in {"mine": mine, **others}.items():
            path = tmp_path / "nets" / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        with_imports.cache_clear()
        return with_imports("nets/mine.py")

    return found


@pytest.mark.parametrize(
    "statement",
    [
        "import parts",
        "import parts as p, torch",
        "from parts import first",
        "from parts import *",
        "import nets.parts",
        "from nets.parts import first",
        "from nets import parts",
        "from . import parts",
        "from .parts import first",
        "def build():\n    import parts",
        "try:\n    import parts\nexcept ImportError:\n    pass",
    ],
)
def test_what_a_file_imports_from_its_folder_is_found(nets, statement):
    assert nets(statement, parts="", other="") == ("nets/mine.py", "nets/parts.py")


def test_what_is_imported_imports_too(nets):
    package = {
        "blocks/__init__": "",
        "blocks/conv": "from .bias import B\nimport mine",
        "blocks/bias": "from .. import parts",
        "parts": "",
    }
    others = [f"nets/{name}.py" for name in ("blocks/__init__", "blocks/bias", "blocks/conv")]
    found = nets("import blocks.conv", **package)
    assert found == ("nets/mine.py", *others, "nets/parts.py")


def test_nothing_outside_the_folder_counts(nets, tmp_path):
    (tmp_path / "parts.py").write_text("")
    (tmp_path / "torch.py").write_text("")
    assert nets("import torch, parts, json\nfrom .. import parts") == ("nets/mine.py",)


@pytest.mark.parametrize("text", ["def build(:", "\0"])
def test_a_file_that_is_no_python_is_itself(nets, text):
    """Who builds the network says what is wrong."""
    assert nets(text) == ("nets/mine.py",)


def test_a_folder_and_a_file_elsewhere_are_themselves(tmp_path):
    assert with_imports(str(tmp_path)) == (str(tmp_path),)
    elsewhere = tmp_path / "mine.py"
    elsewhere.write_text("import parts")
    (tmp_path / "parts.py").write_text("")
    assert with_imports(str(elsewhere)) == (str(elsewhere), str(tmp_path / "parts.py"))


def test_an_edit_of_what_is_imported_lists_the_layers_anew(nets):
    row = layer_tables.DEFAULTS | {"source": "file", "architecture": "nets/mine.py:build"}
    nets("import parts", parts="N = 2")
    listed = layer_tables.digest(row)
    nets("import parts", parts="N = 5")
    assert layer_tables.digest(row) != listed
