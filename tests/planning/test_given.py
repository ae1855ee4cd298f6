"""Published ceilings, from the config or from a table."""

import unicodedata

import pytest
import yaml

from cortiscope.errors import InputError
from cortiscope.planning.checks import agreement
from cortiscope.planning.checks.given import given_ceilings, given_layers
from cortiscope.planning.study import Study
from tests.running import REPOSITORY


@pytest.fixture
def study(listed, monkeypatch):
    """Of the areas V1, V4 and IT and the mappings ridge and rsa, with some ceilings given."""
    monkeypatch.chdir(listed.folder)

    def load(given, areas="all"):
        config = yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text())
        config["models"]["names"] = ["shapenet5"]
        config["responses"]["areas"] = areas
        config["ceilings"] = {"given": given}
        return Study.load(config, REPOSITORY)

    return load


@pytest.fixture
def table(study, tmp_path):
    """The same with a table of some lines."""

    def load(*lines):
        (tmp_path / "published.csv").write_text("\n".join(lines), encoding="utf-8-sig")
        return study(str(tmp_path / "published.csv"))

    return load


def test_a_number_is_of_all_mappings(study):
    assert given_ceilings(study({})) == {}
    both = {"V1": 0.9, "IT": 1.0}
    assert given_ceilings(study({"V1": 0.9, "IT": 1})) == {"ridge": both, "rsa": both}
    assert given_ceilings(study({"V1": 0.9, "IT": 1}, areas=["IT"]))["rsa"] == {"IT": 1.0}


def test_a_row_of_a_mapping_goes_before_one_of_all(table):
    found = table("mapping,ceiling,area", ",0.9,V1", "rsa,0.5,V1", "rsa,0.4,IT", "cka,0.3,IT")
    assert given_ceilings(found) == {"ridge": {"V1": 0.9}, "rsa": {"V1": 0.5, "IT": 0.4}}


def test_ceilings_that_are_given_are_no_setting_of_a_fit_or_of_computed_ceilings(study):
    assert study({"V1": 0.9}).section("ceilings") == study({}).section("ceilings")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("area,ceiling", "V9,0.5"), "line 2: no area 'V9'; use some of V1, V4, IT"),
        (("area,ceiling", "V1,82"), "line 2: ceiling: '82' is no ceiling; give a number above 0"),
        (("area,ceiling", "V1,high"), "line 2: ceiling: 'high' is no ceiling"),
        (("area,ceiling", "V1,0.5", "V1,0.6"), "line 3: 'V1' has two ceilings here"),
        (("area,ceiling,mapping", "V1,0.5,rige"), "line 2: no mapping 'rige'; use one of ridge, "),
        (("area;ceiling", "V1;0.5"), "has no column 'area'; its columns are area, ceiling"),
    ],
)
def test_a_table_that_makes_no_sense_is_one_line(table, lines, said):
    with pytest.raises(InputError) as caught:
        agreement.check(table(*lines))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"V9": 0.5}, "config: ceilings.given: V9: no area 'V9'; use some of V1, V4, IT"),
        (
            {"V1": 82},
            "config: ceilings.given.V1: 82 is not valid; use a number above 0 and of at most 1",
        ),
        ([0.5], "config: ceilings.given: [0.5] is not valid; use a section of keys or a string"),
        ("none.csv", "config: ceilings.given: no file or folder 'none.csv'"),
    ],
)
def test_so_is_a_config(study, given, said):
    with pytest.raises(InputError) as caught:
        agreement.check(study(given))
    assert said in str(caught.value)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_an_area_is_found_however_its_accents_are_written(study, tmp_path, monkeypatch, form):
    found = study({})
    name, written = (unicodedata.normalize(of, "aire é") for of in ("NFC", form))
    areas = {name: 10}
    monkeypatch.setattr(Study, "neuroids", areas)
    monkeypatch.setattr(Study, "areas", [name])
    monkeypatch.setitem(found.config, "ceilings", {"given": {written: 0.9}})
    assert given_ceilings(found)["rsa"] == {name: 0.9}
    for column, section, value in (
        ("ceiling", "ceilings", "0.8"),
        ("best_layer", "selection", found.layers("shapenet5")[0]),
    ):
        path = tmp_path / f"{section}.csv"
        path.write_text(f"model,area,{column}\nshapenet5,{written},{value}\n", encoding="utf-8")
        monkeypatch.setitem(found.config, section, {"given": str(path), "method": "given"})
    assert given_ceilings(found)["rsa"] == {name: 0.8}
    layers = given_layers(found)["shapenet5"]
    assert layers["rsa"] == {name: found.layers("shapenet5")[0]}
