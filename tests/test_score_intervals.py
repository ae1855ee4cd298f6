"""Bootstrap draws of scores have the spread that refitting by hand, or theory, gives."""

import numpy as np
import pytest

from cortiscope import ols, rdm_standard_error, ridge, rsa, standard_errors
from cortiscope.cross_validation import fold_numbers
from cortiscope.fitting import fit
from cortiscope.statistics import bootstrap_weights
from tests.synthetic_areas import area, layer
from tests.test_fitting import SETTINGS

N_STIMULI = 30
DRAWN = SETTINGS | {"statistics": {"permutations": 0, "bootstraps": 200, "seed": 3}}
LEFT_OUT = DRAWN | {"cross_validation": {"folds": "loo", "group": "", "seed": 0}}


@pytest.fixture
def scene():
    random = np.random.default_rng(0)
    features = random.normal(size=(N_STIMULI, 12))
    signal = features @ random.normal(size=(12, 9))
    return features, (signal + 3 * random.normal(size=signal.shape))[:, None, :]


def spread(draws):
    return np.arctanh(draws).std()


def test_ridge_counts_that_other_stimuli_train_other_models(scene):
    features, response = scene
    found = fit("ridge", [layer(features)], area(response), LEFT_OUT)
    score, draws = found["area_score"].values[0], found["area_bootstrap"].values[0]
    options = np.array(LEFT_OUT["ridge"]["alphas"])
    # Of each neuroid the strength nearest to the mean of those that its folds took.
    taken = [options[np.abs(np.log(options / a)).argmin()] for a in found["alpha"].values[0]]
    # Leave-one-out folds are those of any part of the stimuli, so that a fit of a part is the same.
    groups = standard_errors.deletion_groups(fold_numbers(N_STIMULI, "loo", 0), 3)

    def score_of(kept, neuroid):
        settings = LEFT_OUT | {"ridge": LEFT_OUT["ridge"] | {"alphas": [taken[neuroid]]}}
        own = area(response[kept][:, :, [neuroid]])
        return fit("ridge", [layer(features[kept])], own, settings)["area_score"].values[0]

    parts = [
        np.mean([score_of(groups != group, neuroid) for neuroid in range(len(taken))])
        for group in np.unique(groups)
    ]
    jackknife = np.sqrt(9 * np.arctanh(parts).var())
    assert spread(draws) == pytest.approx(jackknife, rel=1e-4)  # refitted at half the precision
    assert np.arctanh(draws).mean() == pytest.approx(np.arctanh(score))


def test_other_regressions_count_the_mean_of_every_fold(scene):
    features, response = scene
    found = fit("ols", [layer(features)], area(response), DRAWN)["area_bootstrap"].values[0]
    folds = fold_numbers(N_STIMULI, 10, DRAWN["cross_validation"]["seed"])
    predicted = ols.predict(features, response[:, 0], folds)
    weights = bootstrap_weights(N_STIMULI, 200, 3)
    plain = ridge.bootstrap_scores(predicted, response[:, 0], folds, weights).mean(axis=1)
    assert spread(found) == pytest.approx(spread(plain) * np.sqrt(N_STIMULI / (N_STIMULI - 10)))


def test_rsa_has_the_spread_of_dependent_cells(scene):
    features, response = scene
    found = fit("rsa", [layer(features)], area(response), DRAWN)
    cells = rsa.pearson_rdm(features), rsa.pearson_rdm(response[:, 0])
    expected = rdm_standard_error.spearman_error(*cells)
    assert spread(found["area_bootstrap"].values[0]) == pytest.approx(expected)
