"""What is not defined is not scored: patterns that do not vary, cells that only rounding tells."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import rankdata

from cortiscope.mappings.fitting import fit
from cortiscope.networks import gram
from cortiscope.networks.features import Layer
from cortiscope.similarity import cka, comparison, dissimilarity, held_out_cells, rsa
from cortiscope.similarity.rdm_standard_error import comparison_error
from tests.regression_scene import settings
from tests.synthetic_areas import area, layer

N_STIMULI = 40
METHODS = ("pearson", "cosine", "euclidean", "squared_euclidean")
Make = Callable[[NDArray, str], Layer]
HALVES = {"method": "halves", "splits": 3, "seed": 0}


def exact(activations: NDArray, name: str = "exact") -> Layer:
    """A layer as its exact projection keeps it."""
    products, pivot = gram.chunk_products([torch.from_numpy(activations)], *activations.shape)
    arrays, mean_square = gram.principal_coordinates(products, pivot)
    about = {"index": 0, "depth": 0.0, "projection": "exact", "n_features": activations.shape[1]}
    return Layer(name, attributes=about | {"mean_square": mean_square}, **arrays)


def single(activations: NDArray, name: str = "single") -> Layer:
    """The same unprojected, in single precision."""
    return layer(activations.astype(np.float32), name)


def score(layers: list[Layer], response: NDArray, mapping: str = "rsa", **rsa_settings) -> dict:
    asked = settings(mapping, n_draws=20, n_permutations=9, selection=HALVES)
    asked |= {"rsa": asked["rsa"] | rsa_settings}
    found = fit(mapping, layers, area(response), asked)
    return {name: variable.values for name, variable in found.items()}


@pytest.mark.parametrize("make", [exact, single])
@pytest.mark.parametrize("n_units", [2, 3])
@pytest.mark.parametrize("method", ["spearman", "pearson", "kendall"])
def test_an_area_that_is_a_layer_scores_one(n_units: int, make: Make, method: str) -> None:
    """Of two units every correlation is 1 or -1; of three, spikes have a few values only."""
    random = np.random.default_rng(0)
    units = random.normal(size=(N_STIMULI, n_units))
    if n_units == 3:
        units = random.integers(0, 3, size=(N_STIMULI, 3)) + np.array([0.0, 0.5, 0.7])
    response = 3.0 * np.repeat(units.astype(np.float32)[:, None], 3, axis=1)
    found = score([make(units.astype(np.float32), "own")], response, comparison=method)
    # tau-a does not count pairs of cells that are tied
    cells = rsa.pearson_rdm(response[:, 0])
    tied, n_cells = np.unique(rankdata(np.round(cells, 9)), return_counts=True)[1], len(cells)
    told = 1 - np.sum(tied * (tied - 1)) / (n_cells * (n_cells - 1))
    most = told if method == "kendall" else 1.0
    assert found["area_score"][0] == pytest.approx(most, abs=1e-5)
    np.testing.assert_allclose(found["selection_score"], most, atol=0.03)


@pytest.mark.parametrize("make", [exact, single])
@pytest.mark.parametrize("n_units", [5, 400])
@pytest.mark.parametrize("mapping", ["rsa", "variance_partition"])
def test_a_layer_with_a_stimulus_without_pattern_is_not_scored(
    mapping: str, n_units: int, make: Make
) -> None:
    random = np.random.default_rng(1)
    units = np.maximum(random.normal(size=(N_STIMULI, n_units)), 0).astype(np.float32)
    units[:, 0] += 0.1
    silent = units.copy()
    silent[[3, 17, 20]] = 0.0
    constant = units.copy()
    constant[5] = 0.7
    layers = [make(each, str(i)) for i, each in enumerate((units, silent, constant))]
    response = random.normal(size=(N_STIMULI, 1, 10))
    coordinates = {"pixels": random.normal(size=(N_STIMULI, 30))}
    asked = settings(mapping, n_draws=20, n_permutations=9, selection=HALVES)
    asked |= {"low_level": {"models": ["pixels"]}}
    found = fit(mapping, layers, area(response), asked, coordinates)
    values = {name: variable.values for name, variable in found.items()}
    np.testing.assert_array_equal(values["n_without_pattern"], [0, 3, 1])
    for name in ("area_score", "area_p_value", "area_null_mean"):
        np.testing.assert_array_equal(np.isfinite(values[name]), [True, False, False])
    assert np.isnan(values["selection_score"][1:]).all()
    assert np.isnan(values["area_bootstrap"][1:]).all()


@pytest.mark.parametrize(("method", "lost"), [("pearson", 2), ("cosine", 1), ("euclidean", 0)])
def test_stimuli_without_pattern_in_an_area_are_counted(method: str, lost: int) -> None:
    random = np.random.default_rng(2)
    response = random.normal(size=(N_STIMULI, 2, 10))
    response[4], response[9] = 0.0, 0.1
    found = score([single(random.normal(size=(N_STIMULI, 20)))], response, dissimilarity=method)
    assert found["n_without_pattern"][0] == lost
    assert np.isfinite(found["area_score"][0]) == (lost == 0)
    assert np.isfinite(found["selection_score"]).all() == (lost == 0)


def test_layers_without_pattern_get_no_weight_among_all() -> None:
    random = np.random.default_rng(3)
    units = random.normal(size=(N_STIMULI, 30))
    silent = units.copy()
    silent[3] = 0.0
    response = units[:, None, :20] + random.normal(size=(N_STIMULI, 2, 20))
    other = random.normal(size=(N_STIMULI, 30))
    layers = [single(units, "a"), single(silent, "b"), single(other, "c")]
    found = score(layers, response, "rsa_reweighted")
    without = score([layers[0], layers[2]], response, "rsa_reweighted")
    assert found["layer_weight"][1] == 0.0
    assert found["area_score"][0] == pytest.approx(without["area_score"][0], abs=1e-9)
    assert (found["n_without_pattern"][0], without["n_without_pattern"][0]) == (1, 0)


def test_where_no_layer_has_all_patterns_all_together_have_no_score(
    capsys: pytest.CaptureFixture[str],
) -> None:
    random = np.random.default_rng(3)
    units = random.normal(size=(2, N_STIMULI, 30))
    units[0, 3] = units[1, 5] = 0.0
    response = units[0, :, None, :20] + random.normal(size=(N_STIMULI, 2, 20))
    found = score([single(units[0], "a"), single(units[1], "b")], response, "rsa_reweighted")
    for name in ("area_score", "area_p_value", "area_bootstrap", "selection_score"):
        assert np.isnan(found[name]).all()
    assert found["n_without_pattern"][0] == 2
    assert "nan, as 2 stimuli have no pattern" in capsys.readouterr().err


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("precision", [np.float64, np.float32])
def test_stimuli_that_differ_alike_have_no_correlation(method: str, precision: type) -> None:
    """One unit each: all dissimilarities are the same, but for rounding."""
    patterns = (0.1 + 0.7 * np.eye(12)).astype(precision)
    other = dissimilarity.pattern_rdm(np.random.default_rng(4).normal(size=(12, 9)), method)
    for compared in ("spearman", "pearson", "kendall"):
        for cells in (
            dissimilarity.pattern_rdm(patterns, method),
            dissimilarity.layer_rdm(layer(patterns), method),
        ):
            assert np.isnan(comparison.compare(cells, other, compared))
    assert np.isnan(cka.cka(cka.gram(patterns), cka.gram(patterns)))


def test_patterns_that_differ_by_rounding_do_not_differ() -> None:
    random = np.random.default_rng(5)
    patterns = 7.0 + 1e-15 * random.normal(size=(10, 4))
    for method in ("euclidean", "squared_euclidean"):
        assert not dissimilarity.pattern_rdm(patterns, method).any()
    assert np.isnan(dissimilarity.pattern_rdm(patterns, "pearson")).all()
    small = 7.0 + 1e-9 * random.normal(size=(10, 4))
    assert np.ptp(dissimilarity.pattern_rdm(small, "euclidean")) > 1e-10


def test_an_error_needs_cells_without_any_one_stimulus() -> None:
    """All that varies are the pairs of one stimulus: without it there is nothing to compare."""
    random = np.random.default_rng(6)
    cells = np.zeros((20, 20))
    cells[0, 1:] = random.random(19)
    alone = cells[np.triu_indices(20, 1)]
    assert np.isfinite(comparison_error(random.random(190), alone, "pearson"))
    assert np.isnan(comparison_error(alone, alone, "cosine"))


@pytest.mark.parametrize("method", ["spearman", "kendall"])
def test_held_out_sets_in_which_the_brain_does_not_vary_do_not_count(method: str) -> None:
    random = np.random.default_rng(7)
    held_out = held_out_cells.pairs_of_folds(np.arange(12) % 4)
    brain, predicted = random.random((2, 66))
    brain[held_out.cells[0]] = 0.1 + 0.2
    parts = [predicted[cells] for cells in held_out.cells]
    expected = [
        comparison.compare(part, brain[cells], method)
        for part, cells in zip(parts[1:], held_out.cells[1:], strict=True)
        if np.ptp(brain[cells])
    ]
    found = held_out_cells.score(parts, brain[None], held_out, method)[0]
    assert found == pytest.approx(np.mean(expected), abs=1e-12)
    brains = held_out_cells.null_brains(brain[None], held_out, method)
    null = held_out_cells.null_score(parts, brains, method)[0]
    assert null == pytest.approx(np.mean(expected), abs=0.03 if method == "kendall" else 1e-12)
    assert np.isnan(held_out_cells.score(parts, np.zeros((1, 66)), held_out, method)[0])


@pytest.mark.parametrize("kind", ["constant", "rounding", "one stimulus", "identity"])
@pytest.mark.parametrize(
    "mapping", ["ridge", "ols", "pcr", "lasso", "pls", "rsa", "cka", "unit_weighted"]
)
def test_features_that_tell_nothing_score_nothing(mapping: str, kind: str) -> None:
    """Empty, or exactly 0: of one unit that answers one stimulus, all others are alike."""
    random = np.random.default_rng(8)
    features = {
        "constant": np.full((N_STIMULI, 4), 0.1),
        "rounding": 0.1 + 1e-17 * random.normal(size=(N_STIMULI, 4)),
        "one stimulus": np.eye(N_STIMULI)[:, :1],
        "identity": 0.7 * np.eye(N_STIMULI),
    }[kind]
    response = random.normal(size=(N_STIMULI, 2, 6))
    with np.errstate(all="raise", under="ignore"):
        found = score([layer(features)], response, mapping, dissimilarity="euclidean")
    learnt = kind in ("one stimulus", "identity") and mapping in ("rsa", "unit_weighted")
    if not (learnt and (mapping, kind) != ("rsa", "identity")):
        assert np.nan_to_num(found["area_score"][0]) == 0.0
