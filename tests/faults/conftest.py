"""An undisturbed run, and copies of it that are not finished."""

import pytest

from tests.faults.harness import damaged, half_finished


@pytest.fixture(scope="session")
def undisturbed(tiny):
    """The folder of the tiny study; tests copy it."""
    assert damaged(tiny.folder) == []
    return tiny.folder


@pytest.fixture
def folder(undisturbed, tmp_path):
    return half_finished(undisturbed, tmp_path / "study")
