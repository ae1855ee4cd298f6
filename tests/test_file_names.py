"""Names of layers and areas where they become names of files and of groups in them."""

import unicodedata

import netCDF4
import numpy as np
import pytest

from cortiscope.file_names import decoded, encoded, name_of
from cortiscope.files import Group, Variable, opened, read, write

ODD = (
    *(
        "parts.5x5/reduce",
        "1/3",
        "/abs",
        "a,b",
        "x[0]",
        "IT [left]",
        "V1/V2",
        "..",
        ".hidden",
        "-1",
    ),
    *("a=2Fb", "=", "%2A", "{area}", "a b ", "*", "\\", "'", '"', "a\nb", "a#2", "#", "()", "$x$"),
    *("_", "__", "_/", "__/", "_a", "_=", "_=2F", "/_", "=5F"),
    *(unicodedata.normalize(form, "é") for form in ("NFC", "NFD")),
    *("\u212b", "日本", "²", "🐒"),
)


def test_names_without_odd_signs_stay_as_they_are():
    for name in ("layer1.0.relu#2", "MEG.0.1", "MEG.-0.1", "V4_left", "aire-calcarine", "détroit"):
        assert encoded(name) == name


@pytest.mark.parametrize("name", ODD)
def test_names_come_back(name):
    """And no file system, netCDF group, glob, shell or SLURM reads more into them."""
    found = encoded(name)
    assert decoded(found) == name
    assert not set(found) & set("/\\,[]{}()*?%$ '\"\n")
    assert unicodedata.normalize("NFC", found) == found
    assert found[0] == "_" or found[0].isalnum()
    assert name_of(f"results/ceilings/{found}.nc") == name


def test_unlike_names_stay_unlike():
    assert len({encoded(name) for name in ODD}) == len(ODD)


def test_groups_of_any_names_are_read_as_they_were_written(tmp_path):
    """Those that are parts of others, and of a variable's name, among them."""
    names = [*ODD, "parts.5x5", "parts.5x5/values"]
    groups = {
        name: Group({"values": Variable(("place",), np.array([number]))}, {})
        for number, name in enumerate(names)
    }
    write(tmp_path / "odd.nc", {}, {}, groups)
    for number, name in enumerate(names):
        assert read(tmp_path / "odd.nc", name)["values"].tolist() == [number]
    with opened(tmp_path / "odd.nc") as dataset:
        assert isinstance(dataset, netCDF4.Dataset)
        assert all(not group.groups for group in dataset.groups.values())
