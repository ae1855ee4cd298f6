"""A config that is wrong is answered by one line."""

import pytest

from tests.bad_inputs import N_STIMULI, Cases, check, recorded

CASES = Cases()
case = CASES.case


@case("config: ridge: unknown key 'alpha'; did you mean 'alphas'?")
def misspelt_key(folder):
    return {"ridge": {"alpha": [1.0]}}


@case("config: ridge.alphas[1]: 0 is not valid; use a number above 0")
def alpha_of_zero(folder):
    return {"ridge": {"alphas": [1.0, 0]}}


@case("config: lasso.alphas[1]: 1 is not valid; use a number above 0 and below 1")
def alpha_of_one(folder):
    return {"lasso": {"alphas": [0.1, 1]}}


@case("config: study: 2024 is no text; put it in quotes in a config file; --config ...")
def name_that_is_a_number(folder):
    return {"study": 2024}


@case("config: responses: None is not valid; use a section of keys")
def empty_section(folder):
    return {"responses": None}


@case(
    "config: ridge.protocol: conwell2021 needs sparse random projections;"
    " set features.projection: srp"
)
def conwell2021_without_srp(folder):
    return {"ridge": {"protocol": "conwell2021"}}


@case(
    "config: responses.select: the neuroids have no coordinate 'reliabilty';"
    " use one of area, neuroid_id, reliability"
)
def selection_by_an_unknown_coordinate(folder):
    return {"responses": {"select": "reliabilty >= 0.75"}}


@case(
    "config: responses.select: the neuroids have no coordinate 'reliability';"
    " use one of area, neuroid_id"
)
def selection_by_reliability_without_repetitions(folder):
    config = recorded(folder)
    return config | {"responses": config["responses"] | {"select": "reliability >= 0.75"}}


@case(
    "config: responses.select: none of 2 neuroids in 'IT' fulfils it;"
    " ask less, or leave out the area",
    target="results/shapes/ceilings/IT.nc",
)
def selection_of_no_neuroid(folder):
    config = recorded(folder)
    return config | {"responses": config["responses"] | {"select": "area == V1"}}


@case("config: hierarchy: no area 'V2'; use some of ['V1', 'V4', 'IT']")
def hierarchy_of_unknown_areas(folder):
    return {"hierarchy": ["V1", "V2"]}


@case("config: statistics.correction: 'bonferroni' is not valid; use one of holm, fdr")
def unknown_correction(folder):
    return {"statistics": {"correction": "bonferroni"}}


@case("config: cross_validation.folds: 65 folds of 64 stimuli; give a number from 2 to 64, or loo")
def more_folds_than_stimuli(folder):
    return {"cross_validation": {"folds": 65}}


@case(
    "config: cross_validation.group: the stimuli have no coordinate 'kategory';"
    " use one of background, category, ..."
)
def unknown_grouping_coordinate(folder):
    return {"cross_validation": {"group": "kategory"}}


@case("config: cross_validation.gap: stands without cross_validation.block; give both, or none")
def gap_without_stretches(folder):
    return {"cross_validation": {"gap": 5}}


@case(
    "config: cross_validation.block: stands beside cross_validation.group, which says otherwise"
    " what is drawn; keep one of them"
)
def stretches_and_groups(folder):
    return {"cross_validation": {"block": 5, "group": "category"}}


@case("config: cross_validation.block: 20 of 64 stimuli; give no more than 16")
def stretches_of_most_of_the_stimuli(folder):
    return {"cross_validation": {"block": 20}}


@case("config: cross_validation.gap: 16 of 64 stimuli; give no more than 15")
def gap_between_most_of_the_stimuli(folder):
    return {"cross_validation": {"block": 4, "gap": 16}}


@case("config: cross_validation.folds: 10 folds of 8 stretches; give a number from 2 to 8, or loo")
def more_folds_than_stretches(folder):
    return {"cross_validation": {"block": 8}}


@case(
    "config: cross_validation.gap: 4, where rsa_reweighted learns from pairs of stimuli and knows"
    " none; set it to 0, or leave that mapping out"
)
def gap_of_pairs(folder):
    return {"mappings": ["rsa_reweighted"], "cross_validation": {"block": 4, "gap": 4}}


@case("config: pls.protocol: brainscore holds out stimuli of its own, not those of cross_...")
def published_splits_and_stretches(folder):
    asked = {"mappings": ["pls"], "pls": {"protocol": "brainscore"}}
    return asked | {"cross_validation": {"block": 4}}


@case(
    "config: cross_validation.split: the stimuli have no coordinate 'fold'; use one of stimulus_id"
)
def unknown_split(folder):
    config = recorded(folder)
    return config | {"mappings": ["rsa"], "cross_validation": {"split": "fold"}}


@case(
    "config: cross_validation.split: stands beside cross_validation.group, which deals folds;"
    " leave one empty"
)
def split_and_groups(folder):
    return {"cross_validation": {"split": "part", "group": "category"}}


@case(
    "stimuli.nc: part: 'validation' is no part of a split; write train or test for every stimulus,"
    " or leave cross_validation.split empty"
)
def split_into_other_parts(folder):
    parts = ["train"] * (N_STIMULI - 2) + ["test", "validation"]
    config = recorded(folder, shown=lambda shown: shown.assign_coords(part=("stimulus", parts)))
    return config | {"cross_validation": {"split": "part"}}


@case("simulated stimuli: part: 7 stimuli of 30 are test; give 8 or more")
def too_few_test_stimuli(folder):
    return {"stimuli": {"count": 30}, "cross_validation": {"split": "part"}}


@case("config: pls.protocol: brainscore holds out stimuli of its own, not those of cross_...")
def published_splits_and_a_given_one(folder):
    asked = {"mappings": ["pls"], "pls": {"protocol": "brainscore"}}
    return asked | {"cross_validation": {"split": "part"}}


@case(
    "config: pls.category: 8 categories, the smallest of 3, cannot be kept in proportion in test"
    " parts of 3 stimuli; name a coordinate with fewer categories, or none"
)
def published_splits_of_more_categories_than_test_stimuli(folder):
    asked = {"mappings": ["pls"], "pls": {"protocol": "brainscore", "category": "category"}}
    return asked | {"stimuli": {"count": 24 + 6}, "cross_validation": {"folds": 4}}


@case("config: rsa_remixed.property: the stimuli have no coordinate 'animacy'; use one of ...")
def unknown_property(folder):
    return {"mappings": ["rsa_remixed"], "rsa_remixed": {"property": ["category", "animacy"]}}


@case("config: rsa_remixed.property: 'size' has 64 values for 64 stimuli; name a coordinate of ...")
def property_that_is_no_category(folder):
    return {"mappings": ["rsa_remixed"], "rsa_remixed": {"property": "size"}}


@case(
    "config: rsa.dissimilarity: crossnobis needs 4 repetitions, the responses have 1;"
    " use one of pearson, euclidean, squared_euclidean, cosine"
)
def crossnobis_without_repetitions(folder):
    asked = {"mappings": ["rsa"], "rsa": {"dissimilarity": "crossnobis"}}
    return asked | {"responses": {"repetitions": 1}}


@case("config: rsa.comparison: cosine compares by a zero, ...; use spearman, pearson or kendall")
def cosine_of_what_is_learnt(folder):
    return {"mappings": ["rsa_reweighted"], "rsa": {"comparison": "cosine"}}


@case(
    "config: rsa.comparison: by cosine any two systems are alike whose dissimilarities are never"
    " negative, as euclidean is not; set rsa.dissimilarity: crossnobis, or compare by spearman, ..."
)
def cosine_of_what_is_never_negative(folder):
    return {"mappings": ["rsa"], "rsa": {"dissimilarity": "euclidean", "comparison": "cosine"}}


def grouped(folder, groups, folds):
    coordinate = {"object": ("stimulus", groups)}
    config = recorded(folder, shown=lambda shown: shown.assign_coords(coordinate))
    return config | {"cross_validation": {"folds": folds, "group": "object"}}


@case(
    "config: cross_validation.group: 1 stimuli of a half, on which the best layer is chosen, are of"
    " another object than most; name a coordinate for which 3 or more are left to train on"
)
def halves_of_nearly_one_group(folder):
    halves = {"selection": {"method": "halves"}}
    return grouped(folder, ["a"] * (N_STIMULI - 2) + ["b", "b"], 2) | halves


@case(
    "config: cross_validation.folds: 2 folds, where rsa_reweighted holds out pairs...; give 3 ..."
)
def halves_of_too_few_groups_to_hold_out_pairs(folder):
    return grouped(folder, ["a"] * (N_STIMULI - 2) + ["b", "c"], 3) | {
        "mappings": ["rsa_reweighted"],
        "selection": {"method": "halves"},
    }


@case("config: cross_validation.folds: 4 folds, where unit_weighted holds out pairs...; give 5 ...")
def too_few_folds_to_hold_out_pairs(folder):
    return {"mappings": ["unit_weighted"], "cross_validation": {"folds": 4}}


@case(
    "config: decoding.properties: the stimuli have no coordinate 'colour';"
    " use one of background, category, ..."
)
def unknown_property_to_decode(folder):
    return {"decoding": {"properties": ["category", "colour"]}}


@case(
    "config: decoding.properties[1].rotation: -90 is not valid;"
    " use a number above 0 or one of discrete, continuous"
)
def period_below_zero(folder):
    return {"decoding": {"properties": ["category", {"rotation": -90}]}}


@case("config: decoding.properties: category: is text; name it without a kind")
def text_as_an_angle(folder):
    return {"decoding": {"properties": [{"category": 180}]}}


@case("config: decoding.properties: stimulus_id: 64 classes of 64 stimuli; name it ...")
def a_class_for_every_stimulus(folder):
    return {"decoding": {"properties": ["label", "size", "stimulus_id"]}}


@case("config: searchlight.radius: simulated neuroids have no place; set it to 0, or record ...")
def searchlight_in_a_simulated_brain(folder):
    return {"searchlight": {"radius": 1.5}}


@case(
    "config: responses.source: shapes, which answers only to the simulated stimuli;"
    " give the recording to these stimuli, or set stimuli.source: shapes"
)
def own_stimuli_without_responses(folder):
    return recorded(folder) | {"responses": {}}


@pytest.mark.parametrize(("write", "line", "target"), CASES)
def test_a_bad_config_is_one_line(listed, write, line, target):
    check(listed, write, line, target)
