"""Of which stimuli, in which folds, a property is read out, and as what kind."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import kstest

from cortiscope.errors import InputError
from cortiscope.planning.settings import decoding_settings
from cortiscope.regression.cross_validation import CrossValidation
from cortiscope.report.readouts import Protocol, as_property, read_out
from tests.decoding_scene import CATEGORY, CONFIG, EARLY, LATE, PLACE, N


def protocol(groups: np.ndarray | None = None) -> Protocol:
    return Protocol(decoding_settings(CONFIG), CrossValidation(6, 0, groups, None))


def test_stimuli_without_a_value_count_for_nothing() -> None:
    place, category = PLACE.copy(), CATEGORY.astype(object)
    place[:7], category[50:] = np.nan, ""
    asked = [as_property("p", place, "continuous"), as_property("c", category, "by value")]
    found = list(read_out(EARLY, asked, protocol()))
    assert [row["n_stimuli"] for row in found] == [N - 7, 50]
    [alone] = read_out(EARLY[7:], [as_property("p", PLACE[7:], "continuous")], protocol())
    assert found[0]["score"] == pytest.approx(alone["score"])
    assert found[1]["chance"] == pytest.approx(1 / 3)


def known_for(count: int) -> np.ndarray:
    return np.where(np.arange(N) < count, PLACE, np.nan)


@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize("given", [False, True])
def test_what_few_stimuli_have_is_not_scored(given: bool, count: int) -> None:
    """Nor does it keep the other properties from being read out."""
    test = (np.arange(N) % 30 < 15) if given else None
    few = np.where(np.arange(N) < count, CATEGORY, "").astype(object)
    asked = [as_property("p", known_for(count), "continuous"), as_property("c", few, "by value")]
    asked += [as_property("a", known_for(count), 180), as_property("place", PLACE, "continuous")]
    settings = decoding_settings(CONFIG)
    *found, place = read_out(EARLY, asked, Protocol(settings, CrossValidation(6, 0, None, test)))
    for row in found:
        assert row["n_stimuli"] == count
        cells = ("score", "null_mean", "p_value", "accuracy", "chance")
        assert np.isnan([row[name] for name in cells]).all()
    assert place["score"] > 0.9


def test_folds_are_no_more_than_the_stimuli_that_have_a_value() -> None:
    for count in (4, 5):
        [row] = read_out(EARLY, [as_property("p", known_for(count), "continuous")], protocol())
        alone = Protocol(decoding_settings(CONFIG), CrossValidation("loo", 0, None, None))
        asked = as_property("p", PLACE[:count], "continuous")
        [expected] = read_out(EARLY[:count], [asked], alone)
        assert row == expected
        assert np.isfinite([row["score"], row["p_value"]]).all()


@pytest.mark.parametrize("folds", [3, "loo"])
def test_what_one_group_has_is_not_scored(folds: int | str) -> None:
    settings = decoding_settings(CONFIG)
    grouped = Protocol(settings, CrossValidation(folds, 0, CATEGORY, None))
    one = np.where(CATEGORY == "car", PLACE, np.nan)
    two = np.where(CATEGORY == "face", np.nan, PLACE)
    asked = [as_property("one", one, "continuous"), as_property("two", two, "continuous")]
    alone, both = read_out(EARLY, asked, grouped)
    assert np.isnan([alone["score"], alone["null_mean"], alone["p_value"]]).all()
    assert alone["n_stimuli"] == (CATEGORY == "car").sum()
    assert both["score"] > 0.9


def test_a_given_split_is_not_scored_where_few_training_stimuli_have_a_value() -> None:
    test = np.arange(N) >= 20
    split = Protocol(decoding_settings(CONFIG), CrossValidation(6, 0, None, test))
    for first, scored in ((17, False), (16, True)):
        values = np.where(np.arange(N) >= first, PLACE, np.nan)
        [row] = read_out(EARLY, [as_property("p", values, "continuous")], split)
        assert np.isfinite(row["score"]) == np.isfinite(row["p_value"]) == scored
        assert row["n_stimuli"] == 40


def test_classes_held_out_whole_are_not_there_to_be_recognised() -> None:
    half = (np.arange(N) % 2).astype(np.int8)
    asked = [as_property("category", CATEGORY, "by value"), as_property("half", half, "by value")]
    objects = np.char.add(CATEGORY, half.astype(str))  # six groups, two of each category
    for row in read_out(np.column_stack([LATE, 3 * half]), asked, protocol(objects)):
        assert row["accuracy"] > 0.9
    whole = Protocol(decoding_settings(CONFIG), CrossValidation(3, 0, CATEGORY, None))
    held, other = read_out(LATE, asked, whole)
    assert np.isnan([held["score"], held["p_value"], held["accuracy"]]).all()
    assert np.isfinite(other["score"])


@pytest.mark.parametrize(
    ("values", "how", "kind"),
    [
        (CATEGORY, "by value", "discrete"),
        (CATEGORY.astype(object), "by value", "discrete"),
        (np.arange(N, dtype=np.uint8) % 2, "by value", "discrete"),
        (np.arange(N, dtype=np.uint8) % 2, "continuous", "continuous"),
        (PLACE, "by value", "continuous"),
        (np.arange(N) % 4.0, "by value", "continuous"),  # by how it is stored, not by its values
        (np.arange(N) % 2.0, "discrete", "discrete"),
        (np.arange(N), 30, "angle"),
    ],
)
def test_kinds(values: np.ndarray, how: str | float, kind: str) -> None:
    assert as_property("x", values, how).kind == kind


@pytest.mark.parametrize(
    ("values", "how", "line"),
    [
        (np.arange(N), "by value", "x: 60 classes of 60 stimuli; name it `continuous`, or the"),
        (CATEGORY, 360, "config: decoding.properties: x: is text; name it without a kind"),
    ],
)
def test_what_cannot_be_read_out_is_said(values: np.ndarray, how: Any, line: str) -> None:
    with pytest.raises(InputError, match=line):
        as_property("x", values, how)


def test_what_groups_share_has_uniform_p_values() -> None:
    """One in five was below 0.05 when single stimuli changed places."""
    random, p = np.random.default_rng(0), []
    settings = decoding_settings(CONFIG)
    settings["statistics"] = settings["statistics"] | {"permutations": 39}
    for _ in range(100):
        group = random.permutation(np.repeat(np.arange(20), 4))
        shared, values = random.normal(size=(20, 15))[group], random.normal(size=20)[group]
        values[group == 0] = np.nan
        asked = as_property("p", values + 0.5 * random.normal(size=80), "continuous")
        patterns = shared + 0.5 * random.normal(size=(80, 15))
        [row] = read_out(patterns, [asked], Protocol(settings, CrossValidation(5, 0, group, None)))
        p.append(row["p_value"])
    assert np.mean(np.array(p) <= 0.05) <= 0.12
    assert kstest(p, "uniform").pvalue > 0.01
