"""The code digest changes with what code does, and with nothing else."""

import pytest

from cortiscope.planning import digest


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A script that imports `ridge`, which imports `halves`; and `figures`, which it does not."""
    monkeypatch.setattr(digest, "LIBRARY", tmp_path)
    monkeypatch.setattr(digest, "SCRIPTS", tmp_path)
    script = "from cortiscope import ridge\n\n\ndef main():\n    ridge.f()\n"
    (tmp_path / "fit.py").write_text(script)
    (tmp_path / "noise").mkdir()
    (tmp_path / "ridge.py").write_text(
        "from cortiscope.noise import halves\n\n\ndef f():\n    return 1\n"
    )
    (tmp_path / "noise" / "halves.py").write_text('"""Noise."""\n\nX = 1\n')
    (tmp_path / "figures.py").write_text("Y = 1\n")
    yield tmp_path
    forget()


def forget():
    digest._parse.cache_clear()
    digest.code_digest.cache_clear()


def digest_now():
    forget()
    return digest.code_digest("fit")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("ridge.py", "from cortiscope.noise import halves\n\n\ndef f():\n    return 2\n"),
        ("noise/halves.py", '"""Noise."""\n\nX = 2\n'),
        ("fit.py", "from cortiscope import ridge\n\n\ndef main():\n    ridge.f(1)\n"),
    ],
)
def test_an_edit_of_any_imported_function_changes_it(library, file, text):
    before = digest_now()
    (library / file).write_text(text)
    assert digest_now() != before


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (
            "ridge.py",
            "from cortiscope.noise import halves\n\n\ndef f():  # one\n    # more\n    return 1\n",
        ),
        ("noise/halves.py", '"""Noise, of all kinds."""\n\nX = 1\n'),
        ("figures.py", "Y = 2\n"),
    ],
)
def test_comments_docstrings_and_other_modules_do_not(library, file, text):
    before = digest_now()
    (library / file).write_text(text)
    assert digest_now() == before


def test_modules_imported_by_name_at_run_time_count(library):
    assert digest.code_digest("fit", "figures") != digest.code_digest("fit")
