"""What stands on the page, without a browser: its data, methods, references and pictures."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from cortiscope.files import Variable, write
from cortiscope.mappings.kinds import MAPPINGS
from cortiscope.planning.settings import page_settings
from cortiscope.planning.study import Study
from cortiscope.report.page import data
from cortiscope.report.page.charts import Scene, charts
from cortiscope.report.page.gallery import MOST, SIDE, gallery
from cortiscope.report.page.methods import BIBLIOGRAPHY, cited, methods, references
from cortiscope.report.page.page import tight
from tests.page_scene import written
from tests.running import REPOSITORY, study_config

HEADLINE = pd.DataFrame(
    {"model": ["a", "b"], "area": ["V1", "V1"], "accuracy_source": ["measured"] * 2,
     "selection": ["best layer in each resample"] * 2}
)  # fmt: skip
ABOUT = {"packages": '{"numpy": "2.4.6"}', "git_commit": "0123456789abcdef"}


def settings(mappings=("ridge", "rsa"), **sections):
    config = study_config() | {"mappings": list(mappings)}
    for name, values in sections.items():
        config[name] = config[name] | values
    return page_settings(Study.load(config, REPOSITORY))


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return written(tmp_path_factory.mktemp("page"), ("V1", "<b>IT"), ("ridge", "stacked"), 3)


def held(page, name):
    """What a script element of the page holds, which is JSON."""
    found = re.search(rf'<script [^>]*id="{name}">(.*?)</script>', page.read_text(), re.S)
    return json.loads(found[1])


def test_it_is_one_file_that_may_ask_for_nothing(page):
    text = page.read_text()
    assert "default-src 'none'" in text
    before_scripts = text.partition("<script")[0]
    assert before_scripts.count("src=") == 60  # of the pictures
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", before_scripts)
    assert "<b>IT" not in text  # a name is text wherever it stands
    assert page.stat().st_size < 2e6
    assert set(held(page, "data")) == {
        *("models", "scores", "layers", "contrasts", "hierarchy", "neuroids", "reliability")
    }


def test_its_numbers_are_those_of_the_tables(page):
    shown = held(page, "data")["scores"]
    table = pd.read_csv(page.parent / "accuracy_vs_brain.csv")
    for name in ("score", "score_low", "score_high", "ceiling", "top1"):
        if name in shown:
            np.testing.assert_allclose(shown[name], table[name], rtol=1e-4)
    areas = shown["area"]
    assert [areas["levels"][code] for code in areas["codes"]] == table["area"].tolist()


def test_what_chance_reaches_is_of_the_highest_layer(tmp_path):
    null = np.random.default_rng(0).normal(size=(3, 200))
    about = {"model": ["a"] * 3, "mapping": ["ridge"] * 3, "area": ["V1"] * 3}
    pd.DataFrame(about | {"null": list(null)}).to_parquet(tmp_path / "a.parquet")
    (row,) = data.chances([str(tmp_path / "a.parquet")]).to_dict("records")
    assert row["chance"] == pytest.approx(np.percentile(null.max(axis=0), 95))


def test_packed_tables_hold_no_number_that_json_has_not():
    packed = data.packed(
        {"t": pd.DataFrame({"a": [1.0, np.nan, 0.123456789], "b": ["</x", None, "y"]})}
    )
    assert "<" not in packed
    assert json.loads(packed)["t"]["a"] == [1, None, 0.12346]


def test_every_work_that_a_mapping_cites_is_in_the_bibliography():
    known = re.findall(r"^@\w+\{([^,]+),", BIBLIOGRAPHY.read_text(), re.M)
    assert len(known) == len(set(known))
    for mapping in MAPPINGS.values():
        assert set(cited(mapping.docs["source"])) <= set(known)


def test_references_are_of_what_was_chosen():
    plain = references(settings())
    assert "Hoerl" in plain
    assert "Nili" in plain
    assert "walther2016" not in plain  # of crossnobis
    assert "conwell2021" not in plain  # of another protocol
    assert "walther2016" in references(settings(rsa={"dissimilarity": "crossnobis"}))


def test_a_source_that_no_one_knows_is_a_note():
    made = settings(["ridge"])
    made["mappings"]["ridge"]["source"] = "Somebody and Else 2031"
    assert references(made) == "@misc{somebody2031,\n  note = {Somebody and Else 2031}}"


def test_methods_tell_what_the_config_asks():
    text = methods(settings(), HEADLINE, ABOUT)
    assert text.startswith(
        "2 networks were compared with V1, recorded for 240 stimuli, shown 8 times"
    )
    assert "principal coordinates" in text
    assert "By ridge (alphas 0.001 to 1000; protocol nested; Hoerl and Kennard 1970)" in text
    assert "10 folds" in text
    assert "100 permutations of the stimuli (models fitted anew to each)" in text
    assert "Holm" in text
    assert "(commit 0123456789ab) with numpy 2.4.6" in text
    other = methods(
        settings(["pls"], cross_validation={"folds": "loo"}, statistics={"permutations": 0},
                 features={"projection": "fold"}, ceilings={"method": "oracle"}), HEADLINE, ABOUT,
    )  # fmt: skip
    assert "summed with random signs to 20000 components" in other
    assert "one stimulus at a time" in other
    assert "Scores were not tested against permutations" in other
    assert "each repetition with the mean of the others" in other
    both = settings() | {"projections": [["exact", None, 3], ["fold", 4096, 1]]}
    assert "nothing; those of one summed with random signs to 4096" in methods(
        both, HEADLINE, ABOUT
    )
    alone = methods(settings(["rsa"]), HEADLINE, ABOUT)
    assert "folds" not in alone  # rsa learns nothing


def test_the_gallery_is_of_small_pictures_of_all_parts(tmp_path):
    image = np.zeros((150, 300, 200, 3), np.uint8)
    ids = np.array([f"s{number:03d}" for number in range(150)])
    variables = {"image": Variable(("stimulus", "y", "x", "channel"), image)}
    variables["stimulus_id"] = Variable(("stimulus",), ids)
    write(tmp_path / "stimuli.nc", variables, {})
    pictures, count = gallery(str(tmp_path / "stimuli.nc"))
    assert count == 150
    assert len(pictures) == MOST
    assert (pictures[0].name, pictures[-1].name) == ("s000", "s149")
    assert (pictures[0].width, pictures[0].height) == (64, SIDE)


def test_charts_are_valid_for_one_network_and_for_many():
    for count in (1, 100):
        made = charts(Scene([f"net{i}" for i in range(count)], ["V1"], ["ridge"]))
        assert all({"at_mapping", "chosen"} <= {p["name"] for p in spec["params"]}
                   for spec in made.values())  # fmt: skip


def test_no_line_breaks_within_a_number():
    assert tight("r = 0.5, p < 0.001, 95 % of 8 networks") == (
        "r\u00a0=\u00a00.5, p\u00a0<\u00a00.001, 95\u00a0% of 8\u00a0networks"
    )
