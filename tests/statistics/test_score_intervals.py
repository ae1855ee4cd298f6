"""Bootstrap draws of scores have the spread that refitting by hand, or theory, gives."""

import numpy as np
import pytest

from cortiscope.mappings import pls, rsa_remixed
from cortiscope.mappings import ridge as ridge_mapping
from cortiscope.mappings.fitting import fit
from cortiscope.regression.cross_validation import fold_numbers
from cortiscope.similarity import cka, rdm_standard_error, rsa
from cortiscope.similarity.held_out_cells import pairs_of_folds
from cortiscope.statistics import standard_errors
from tests.mappings.test_fitting import SETTINGS
from tests.synthetic_areas import area, layer

N_STIMULI = 30
DRAWN = SETTINGS | {"statistics": {"permutations": 0, "bootstraps": 200, "seed": 3}}
LEFT_OUT = DRAWN | {"cross_validation": {"folds": "loo", "group": "", "seed": 0}}
UNDRAWN = {"statistics": DRAWN["statistics"] | {"bootstraps": 0}}  # for scores alone

# Of mappings with something to choose, the option that says of what.
STRENGTHS = {"ridge": "alphas", "pcr": "components", "lasso": "alphas"}


@pytest.fixture
def scene():
    random = np.random.default_rng(0)
    features = random.normal(size=(N_STIMULI, 12))
    signal = features @ random.normal(size=(12, 9))
    return features, (signal + 3 * random.normal(size=signal.shape))[:, None, :]


def spread(draws):
    return np.nanstd(np.arctanh(draws))  # a draw of too few stimuli has no score


@pytest.mark.parametrize("mapping", [*STRENGTHS, "ols", "pls", "stacked"])
def test_regressions_count_that_other_stimuli_train_other_models(scene, mapping):
    features, response = scene
    found = fit(mapping, [layer(features)], area(response), LEFT_OUT)
    score, draws = found["area_score"].values[0], found["area_bootstrap"].values[0]
    # Of each neuroid the strength nearest to the mean of those that its folds took.
    options = np.array(LEFT_OUT[mapping][STRENGTHS[mapping]] if mapping in STRENGTHS else [1.0])
    taken = [options[np.abs(np.log(options / a)).argmin()] for a in found["alpha"].values[0]]
    # Leave-one-out folds are those of any part of the stimuli, so that a fit of a part is the same.
    groups = standard_errors.deletion_groups(fold_numbers(N_STIMULI, "loo", 0), 3)

    def score_of(kept):
        if mapping not in STRENGTHS:
            own = area(response[kept])
            settings = LEFT_OUT | UNDRAWN
            return fit(mapping, [layer(features[kept])], own, settings)["area_score"].values[0]
        of_neuroids = []
        for neuroid, strength in enumerate(taken):
            given = LEFT_OUT[mapping] | {STRENGTHS[mapping]: [strength]}
            own = area(response[kept][:, :, [neuroid]])
            one = fit(mapping, [layer(features[kept])], own, LEFT_OUT | UNDRAWN | {mapping: given})
            of_neuroids.append(one["area_score"].values[0])
        return np.mean(of_neuroids)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(standard_errors, "stretched", lambda draws, *_: draws)
        plain = fit(mapping, [layer(features)], area(response), LEFT_OUT)["area_bootstrap"].values
    left_out = standard_errors.each_left_out(score_of, groups)
    expected = standard_errors.refitted_error(left_out, spread(plain[0]), N_STIMULI)
    assert spread(draws) == pytest.approx(expected, rel=1e-4)  # refitted at half the precision
    assert spread(draws) > 1.05 * spread(plain[0])
    assert np.arctanh(draws).mean() == pytest.approx(np.arctanh(score))


def test_categories_held_out_whole_are_drawn_whole(scene):
    """As leaving one category out, were its stimuli one: no draw has a part of it."""
    features, response = scene
    whole = {"folds": "loo", "group": "category", "seed": 0}
    category = np.repeat(np.arange(10), 3)
    scorer = ridge_mapping.Scorer(
        area(response), DRAWN | {"cross_validation": whole}, {"category": category}
    )
    assert np.array_equal(scorer.draws[:, ::3], scorer.draws[:, 2::3])
    assert np.array_equal(scorer.draws.sum(axis=1), np.full(200, N_STIMULI))
    folds = fold_numbers(N_STIMULI, "loo", 0, category)
    taken = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            standard_errors, "refitted_error", lambda *given: taken.update(given=given) or 1
        )
        patch.setattr(standard_errors, "stretched", lambda draws, *_: draws)
        draws = scorer.score(layer(features)).area_bootstrap
    _, resampled, n_units = taken["given"]
    assert n_units == 10
    assert resampled == pytest.approx(spread(draws))  # folds of one category: no mean to count
    assert len(set(zip(folds, scorer.groups, strict=True))) == 10


@pytest.mark.parametrize("comparison", ["spearman", "pearson", "kendall"])
def test_rsa_has_the_spread_of_dependent_cells(scene, comparison):
    features, response = scene
    settings = DRAWN | {"rsa": DRAWN["rsa"] | {"comparison": comparison}}
    found = fit("rsa", [layer(features)], area(response), settings)
    cells = rsa.pearson_rdm(features), rsa.pearson_rdm(response[:, 0])
    expected = rdm_standard_error.comparison_error(*cells, comparison)
    assert spread(found["area_bootstrap"].values[0]) == pytest.approx(expected)


def test_cka_has_the_spread_of_dependent_cells(scene):
    features, response = scene
    found = fit("cka", [layer(features)], area(response), DRAWN)
    upper = np.triu_indices(N_STIMULI, 1)
    cells = [cka.prepared(cka.gram(patterns))[upper] for patterns in (features, response[:, 0])]
    expected = rdm_standard_error.comparison_error(*cells, "cosine")
    assert spread(found["area_bootstrap"].values[0]) == pytest.approx(expected)


def test_remixed_counts_that_other_stimuli_train_other_readouts(scene):
    features, response = scene
    properties = {"category": np.arange(N_STIMULI) % 3}
    scorer = rsa_remixed.Scorer(area(response), DRAWN, properties)
    score, folds = scorer.score(layer(features)), scorer._folds(np.arange(N_STIMULI))
    groups = standard_errors.deletion_groups(folds, 3)

    def score_of(kept):
        own = rsa_remixed.Scorer(
            area(response[kept]), DRAWN | UNDRAWN, {"category": properties["category"][kept]}
        )
        own.held_out = pairs_of_folds(folds[kept])
        return own.score(layer(features[kept])).area_score

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(standard_errors, "rescaled", lambda draws, *_: draws)
        plain = scorer.score(layer(features)).area_bootstrap
    left_out = standard_errors.each_left_out(score_of, groups)
    expected = standard_errors.refitted_error(left_out, spread(plain), N_STIMULI)
    # Alphas stay relative to the Gram matrix of all stimuli.
    assert spread(score.area_bootstrap) == pytest.approx(expected, rel=3e-3)
    assert np.arctanh(score.area_bootstrap).mean() == pytest.approx(np.arctanh(score.area_score))


@pytest.mark.parametrize("mapping", ["rsa_reweighted", "unit_weighted", "pls"])
def test_others_have_the_spread_of_their_draws_about_the_score(scene, mapping):
    features, response = scene
    published = DRAWN | {"pls": DRAWN["pls"] | {"protocol": "brainscore", "components": 3}}
    found = fit(mapping, [layer(features)], area(response), published)
    with pytest.MonkeyPatch.context() as patch:
        for module in (standard_errors, pls):
            patch.setattr(module, "rescaled", lambda draws, *_: draws)
        plain = fit(mapping, [layer(features)], area(response), published)
    draws = found["area_bootstrap"].values[0]
    student = standard_errors.student_over_normal(N_STIMULI - 1)
    assert spread(draws) == pytest.approx(student * spread(plain["area_bootstrap"].values[0]))
    middle = np.arctanh(found["area_score"].values[0])
    assert np.nanmean(np.arctanh(draws)) == pytest.approx(middle)
