"""Every fold is predicted from the stimuli farther than the gap, as by a loop over scikit-learn."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.cross_decomposition import PLSRegression
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression, RidgeCV
from sklearn.pipeline import make_pipeline

from cortiscope.errors import InputError
from cortiscope.mappings.regressions import Prepare, Regressions, Sample, Targets
from cortiscope.regression import ols, pcr, pls, ridge
from cortiscope.regression.cross_validation import CrossValidation
from cortiscope.regression.principal_axes import Parts

N, GAP = 90, 7
ALPHAS = np.array([0.01, 0.1, 1.0, 10.0])
VALIDATION = CrossValidation(5, 0, None, None, block=10, gap=GAP)


def by_ridge(features: NDArray, folds: NDArray):
    regression = ridge.Regression(ridge.kernel(features), folds, ALPHAS)
    return lambda targets: regression.predict(targets.values, targets.dtype)


def by_ols(features: NDArray, folds: NDArray):
    predict = ols.prepare(features, folds)
    return lambda targets: predict(targets.values, targets.dtype)


def by_pcr(features: NDArray, folds: NDArray):
    predict = pcr.prepare(Parts(features, folds), 4)
    return lambda targets: predict(targets.values, targets.dtype)


def by_pls(features: NDArray, folds: NDArray):
    regression = pls.Regression(features, folds, 3)
    return lambda targets: regression.predict(targets.values, targets.sets)


def ridge_model(kept: NDArray) -> RidgeCV:
    """Strengths mean what they do in `ridge.kernel`, of the stimuli trained on and held out."""
    return RidgeCV(alphas=ALPHAS * np.square(kept - kept.mean(axis=0)).sum() / len(kept))


MODELS = {
    "ridge": (by_ridge, ridge_model),
    "ols": (by_ols, lambda kept: LinearRegression()),
    "pcr": (by_pcr, lambda kept: make_pipeline(PCA(4), LinearRegression())),
    "pls": (by_pls, lambda kept: PLSRegression(3, scale=False)),
}


@pytest.mark.parametrize("name", list(MODELS))
def test_predictions_are_those_of_a_loop_over_folds(name: str) -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(N, 12))
    responses = features @ random.normal(size=(12, 3)) + 2 * random.normal(size=(N, 3))
    prepare, model = MODELS[name]
    places, folds = np.arange(N), VALIDATION.numbers(np.arange(N))
    found = Regressions(prepare, features, gap=GAP).on(Sample(places, folds))(
        Targets(responses, np.float64, np.zeros(3, dtype=int))
    )
    assert found.alpha.shape == found.spread.shape == (5, 3)
    for fold in range(5):
        held = folds == fold
        first, last = places[held][[0, -1]]
        train = (places < first - GAP) | (places > last + GAP)
        for neuroid in range(3):
            targets = responses[train] if name == "pls" else responses[train, neuroid]
            centre = features[train].mean(axis=0)
            fitted = model(features[train | held]).fit(features[train] - centre, targets)
            expected = fitted.predict(features[held] - centre)
            expected = expected[:, neuroid] if name == "pls" else expected
            np.testing.assert_allclose(found.values[held, neuroid], expected, atol=1e-5)


def test_a_gap_counts_places_in_the_file_also_among_some_stimuli() -> None:
    seen = []

    def prepare(features: NDArray, folds: NDArray):
        seen.append(features[folds < 0, 0])
        return by_ols(features, folds)

    features = np.random.default_rng(0).normal(size=(N, 2))
    features[:, 0] = np.arange(N)
    some = np.arange(0, N, 3)
    checked: Prepare = prepare
    Regressions(checked, features, gap=GAP).on(Sample(some, VALIDATION.numbers(some)))
    folds = VALIDATION.numbers(some)
    for fold, trained in enumerate(seen):
        apart = np.abs(trained[:, None] - some[folds == fold]).min(axis=1)
        assert apart.min() > GAP
        left = np.setdiff1d(some[folds != fold], trained)
        assert np.abs(left[:, None] - some[folds == fold]).min(axis=1).max() <= GAP


def test_a_gap_that_leaves_nothing_is_one_line() -> None:
    sample = Sample(np.arange(N), VALIDATION.numbers(np.arange(N)))
    with pytest.raises(InputError, match=r"cross_validation\.gap: 80 leaves nothing"):
        Regressions(by_ols, np.eye(N), gap=80).on(sample)
