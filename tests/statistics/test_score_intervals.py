"""Bootstrap draws of scores have the spread that refitting by hand, or theory, gives."""

import numpy as np
import pytest

from cortiscope.mappings.fitting import fit
from cortiscope.regression.cross_validation import fold_numbers
from cortiscope.similarity import rdm_standard_error, rsa
from cortiscope.statistics import standard_errors
from tests.mappings.test_fitting import SETTINGS
from tests.synthetic_areas import area, layer

N_STIMULI = 30
DRAWN = SETTINGS | {"statistics": {"permutations": 0, "bootstraps": 200, "seed": 3}}
LEFT_OUT = DRAWN | {"cross_validation": {"folds": "loo", "group": "", "seed": 0}}

# Of mappings with something to choose, the option that says of what.
STRENGTHS = {"ridge": "alphas", "pcr": "components", "lasso": "alphas"}


@pytest.fixture
def scene():
    random = np.random.default_rng(0)
    features = random.normal(size=(N_STIMULI, 12))
    signal = features @ random.normal(size=(12, 9))
    return features, (signal + 3 * random.normal(size=signal.shape))[:, None, :]


def spread(draws):
    return np.arctanh(draws).std()


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
            return fit(mapping, [layer(features[kept])], own, LEFT_OUT)["area_score"].values[0]
        of_neuroids = []
        for neuroid, strength in enumerate(taken):
            given = LEFT_OUT[mapping] | {STRENGTHS[mapping]: [strength]}
            own = area(response[kept][:, :, [neuroid]])
            one = fit(mapping, [layer(features[kept])], own, LEFT_OUT | {mapping: given})
            of_neuroids.append(one["area_score"].values[0])
        return np.mean(of_neuroids)

    parts = [score_of(groups != group) for group in np.unique(groups)]
    jackknife = np.sqrt(9 * np.arctanh(parts).var())
    assert spread(draws) == pytest.approx(jackknife, rel=1e-4)  # refitted at half the precision
    assert np.arctanh(draws).mean() == pytest.approx(np.arctanh(score))


def test_rsa_has_the_spread_of_dependent_cells(scene):
    features, response = scene
    found = fit("rsa", [layer(features)], area(response), DRAWN)
    cells = rsa.pearson_rdm(features), rsa.pearson_rdm(response[:, 0])
    expected = rdm_standard_error.spearman_error(*cells)
    assert spread(found["area_bootstrap"].values[0]) == pytest.approx(expected)
