"""Reweighted similarity against scipy's non-negative least squares, refitted, and on noise."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import nnls
from scipy.spatial.distance import pdist
from scipy.stats import kstest

from cortiscope.regression.cross_validation import fold_numbers
from cortiscope.similarity import comparison, held_out_cells, rsa, rsa_reweighted
from cortiscope.similarity.held_out_cells import pairs_of_folds
from cortiscope.statistics.resampling import p_value, permutations


def layers(n_stimuli: int, n_layers: int, random: np.random.Generator) -> NDArray:
    """Neighbouring layers are alike, as in a network; some stimuli stand out in all of them."""
    patterns = random.normal(size=(n_stimuli, 20)) * random.uniform(0.5, 3, (n_stimuli, 1))
    cells = []
    for _ in range(n_layers):
        patterns = 0.8 * patterns + random.normal(size=patterns.shape)
        cells.append(pdist(patterns))
    return np.stack(cells)


def test_nonnegative_is_that_of_scipy() -> None:
    random = np.random.default_rng(0)
    design = random.normal(size=(300, 50, 14))
    design[:, :, 1] = design[:, :, 0] + 0.02 * design[:, :, 1]  # two layers almost alike
    target = random.normal(size=(300, 50))
    gram = np.einsum("pcv,pcu->pvu", design, design)
    weights = rsa_reweighted.nonnegative(gram, np.einsum("pcv,pc->pv", design, target))
    expected = np.stack([nnls(x, y)[0] for x, y in zip(design, target, strict=True)])
    np.testing.assert_allclose(weights, expected, atol=1e-8)
    assert 0.2 < np.mean(weights == 0) < 0.8
    assert weights.min() == 0


def test_pivots_end_where_all_exchange_at_once_would_cycle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One exchange at a time from the start gives the same."""
    random = np.random.default_rng(1)
    design = random.normal(size=(200, 12, 10)) + 2
    gram = np.einsum("pcv,pcu->pvu", design, design)
    cross = np.einsum("pcv,pc->pv", design, random.normal(size=(200, 12)))
    together = rsa_reweighted.nonnegative(gram, cross)
    monkeypatch.setattr(rsa_reweighted, "PATIENCE", -1)
    np.testing.assert_allclose(rsa_reweighted.nonnegative(gram, cross), together, atol=1e-7)


def test_twin_layers_share_their_weight() -> None:
    gram = np.array([[[2.0, 2.0], [2.0, 2.0]], [[0.0, 0.0], [0.0, 0.0]]])
    weights = rsa_reweighted.nonnegative(gram, np.array([[1.0, 1.0], [0.0, 0.0]]))
    np.testing.assert_allclose(weights, [[0.25, 0.25], [0, 0]], rtol=1e-6)


def test_predictions_are_those_of_refitting() -> None:
    """By scipy, with a constant of either sign, to cells that share no stimulus."""
    random = np.random.default_rng(0)
    models = layers(26, 5, random)
    brains = np.stack([0.5 * models[1] + models[3] - 4, random.normal(size=models.shape[1])])
    brains[0] += random.normal(size=models.shape[1])
    held_out = pairs_of_folds(fold_numbers(26, 5, seed=0))
    result = rsa_reweighted.predict(models, brains, held_out)
    deviation = models.std(axis=1)
    first, second = np.triu_indices(26, 1)
    for fit, stimuli in enumerate(held_out.stimuli):
        training = ~np.isin(first, stimuli) & ~np.isin(second, stimuli)
        design = np.vstack([models, np.ones((1, len(first))), -np.ones((1, len(first)))]).T
        for brain in range(2):
            weights = nnls(design[training], brains[brain, training])[0]
            np.testing.assert_allclose(
                result.predicted[fit][brain], design[held_out.cells[fit]] @ weights, rtol=1e-7
            )
            np.testing.assert_allclose(
                result.weights[brain, fit], weights[:5] * deviation, atol=1e-8
            )


def test_errors_are_those_of_leaving_out_a_fold_at_a_time() -> None:
    """With plain loops and scipy: a layer beside the best one pays its standard error."""
    random = np.random.default_rng(2)
    models = layers(30, 4, random)
    brain = models[2] + 0.4 * models[0] + 2 * random.normal(size=models.shape[1])
    folds = fold_numbers(30, 6, seed=0)
    held_out = pairs_of_folds(folds)
    result = rsa_reweighted.predict(models, brain[None], held_out, standard_errors=0.7)
    first, second = np.triu_indices(30, 1)
    scale = models.std(axis=1)
    n_free = 0
    for fit, pair in enumerate(held_out.pair):
        training = ~np.isin(folds[first], pair) & ~np.isin(folds[second], pair)
        whole = np.cov(np.vstack([models, brain])[:, training], bias=True)
        best = np.argmax(whole[:4, 4] / np.sqrt(np.diag(whole)[:4]))
        slope = whole[best, 4] / whole[best, best]
        without = []
        for fold in np.setdiff1d(folds, pair):
            kept = training & (folds[first] != fold) & (folds[second] != fold)
            rest = (brain - slope * models[best])[kept]
            without.append(np.cov(np.vstack([models[:, kept], rest]), bias=True)[:4, 4])
        price = np.sqrt(3 / 4 * np.square(without - np.mean(without, axis=0)).sum(axis=0))
        price[best] = 0
        root = np.linalg.cholesky(whole[:4, :4]).T
        weights = nnls(root, np.linalg.solve(root.T, whole[:4, 4] - 0.7 * price))[0]
        np.testing.assert_allclose(result.weights[0, fit], weights * scale, atol=1e-7)
        n_free += (weights > 0).sum()
    assert 1.1 < n_free / len(held_out.pair) < 3


@pytest.mark.parametrize("method", ["spearman", "pearson"])
def test_one_extreme_is_the_best_layer(method: str) -> None:
    random = np.random.default_rng(0)
    models = layers(40, 5, random)
    brain = models[1] + models[3] + 3 * random.normal(size=models.shape[1])
    held_out = pairs_of_folds(fold_numbers(40, 5, seed=0))
    targets = rsa_reweighted.as_compared(brain[None], method)
    own = rsa_reweighted.as_compared(models, method)
    alone = rsa_reweighted.predict(own, targets, held_out, standard_errors=1e9)
    assert ((alone.weights > 0).sum(axis=2) == 1).all()
    expected = rsa_reweighted.best_single(models, brain, held_out, method)
    score = held_out_cells.score(alone.predicted, brain[None], held_out, method)[0]
    assert score == pytest.approx(expected, abs=1e-12)


def test_a_layer_that_is_all_loses_nothing_to_others() -> None:
    """Least squares gives weights to others; by standard errors they go, and stay where due."""
    random = np.random.default_rng(0)
    held_out = pairs_of_folds(fold_numbers(48, 6, seed=0))
    gain: dict[tuple[int, float], list[float]] = {}
    for _ in range(20):
        models = np.stack([rsa.pearson_rdm(random.normal(size=(48, 30))) for _ in range(8)])
        noise = 0.4 * random.normal(size=models.shape[1])
        for layers_of_area in (1, 2):
            brain = models[:layers_of_area].mean(axis=0) + noise
            best = rsa_reweighted.best_single(models, brain, held_out, "pearson")
            for errors in (0.0, 1.0):
                found = rsa_reweighted.predict(models, brain[None], held_out, errors).predicted
                score = held_out_cells.score(found, brain[None], held_out, "pearson")[0]
                gain.setdefault((layers_of_area, errors), []).append(score - best)
    mean = {key: np.mean(values) for key, values in gain.items()}
    assert mean[1, 0.0] < 1.5 * mean[1, 1.0] < 0
    assert mean[2, 1.0] > 0.5 * mean[2, 0.0] > 0.02


def test_planted_mixture_beats_every_layer() -> None:
    random = np.random.default_rng(0)
    models = np.stack([rsa.pearson_rdm(random.normal(size=(60, 50))) for _ in range(6)])
    brain = 0.6 * models[1] + 0.4 * models[4] + 0.05 * random.normal(size=models.shape[1])
    held_out = pairs_of_folds(fold_numbers(60, 10, seed=0))
    result = rsa_reweighted.predict(models, brain[None], held_out)
    score = held_out_cells.score(result.predicted, brain[None], held_out, "spearman")[0]
    best = comparison.compare(models, brain, "spearman").max()
    planted = comparison.compare(0.6 * models[1] + 0.4 * models[4], brain, "spearman")
    assert best + 0.1 < score < planted + 0.02
    assert score > planted - 0.05
    weights = result.weights[0].mean(axis=0)
    np.testing.assert_allclose(weights[1] / weights[4], 1.5, rtol=0.1)
    assert np.delete(weights, [1, 4]).max() < 0.05 * weights[1]


def test_missing_cells_and_constant_layers() -> None:
    random = np.random.default_rng(0)
    models = layers(24, 4, random)
    brains = np.stack([models[0] + random.normal(size=models.shape[1])] * 2)
    brains[1, 3] = np.nan
    spoiled = models.copy()
    spoiled[2, 9] = np.nan
    spoiled[3] = 1.0
    held_out = pairs_of_folds(fold_numbers(24, 4, seed=0))
    result = rsa_reweighted.predict(spoiled, brains, held_out)
    fewer = rsa_reweighted.predict(models[:2], brains, held_out)
    assert np.isnan(result.weights[1]).all()
    np.testing.assert_allclose(result.weights[0, :, :2], fewer.weights[0], atol=1e-9)
    assert not result.weights[0, :, 2:].any()
    for ours, theirs in zip(result.predicted, fewer.predicted, strict=True):
        np.testing.assert_allclose(ours, theirs)
        assert np.isnan(ours[1]).all()
    nothing = rsa_reweighted.predict(np.ones((2, models.shape[1])), brains[:1], held_out)
    assert held_out_cells.score(nothing.predicted, brains[:1], held_out, "spearman")[0] == 0


@pytest.mark.parametrize(("method", "errors"), [("pearson", 0.0), ("spearman", 1.0)])
def test_noise_scores_zero_with_uniform_p_values(method: str, errors: float) -> None:
    """Layers and brains whose stimuli differ in power: all cells of a stimulus move together."""
    random = np.random.default_rng(4)
    orders = permutations(40, 39, seed=0)
    held_out = pairs_of_folds(fold_numbers(40, 5, seed=0))
    scores, p_values, best = [], [], []
    for _ in range(150):
        models = layers(40, 5, random)
        brain = pdist(random.normal(size=(40, 15)) * random.uniform(0.5, 2, (40, 1)))
        brains = np.vstack([brain, comparison.permuted(brain, orders)])
        own, targets = (rsa_reweighted.as_compared(cells, method) for cells in (models, brains))
        predicted = rsa_reweighted.predict(own, targets, held_out, errors).predicted
        all_scores = held_out_cells.score(predicted, brains, held_out, method)
        scores.append(all_scores[0])
        p_values.append(p_value(all_scores[0], all_scores[1:]))
        best.append(comparison.compare(models, brain, "pearson").max())
    assert np.std(scores) / np.sqrt(150) < 0.01
    assert abs(np.mean(scores)) < 2.5 * np.std(scores) / np.sqrt(150)
    assert np.mean(best) > 0.03  # the best layer of noise is not at 0
    assert kstest(p_values, "uniform").pvalue > 0.01
