"""A given split into training and test stimuli: for every mapping that learns, and for readouts."""

import importlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import nnls
from scipy.stats import kstest, pearsonr
from sklearn.linear_model import RidgeCV
from sklearn.metrics import balanced_accuracy_score

from cortiscope.mappings.fitting import fit
from cortiscope.mappings.kinds import MAPPINGS
from cortiscope.mappings.regressions import Targets
from cortiscope.planning.settings import decoding_settings
from cortiscope.regression import decoding, given_split, held_out_scores
from cortiscope.regression.cross_validation import TRAINING, CrossValidation
from cortiscope.report.readouts import Protocol, as_property, read_out
from cortiscope.similarity import dissimilarity, held_out_cells
from cortiscope.statistics.halves import halves
from cortiscope.statistics.resampling import bootstrap_weights, permutations
from tests.ridge_scene import scaled
from tests.running import study_config
from tests.synthetic_areas import area, layer

CONFIG = study_config()
CONFIG["selection"]["method"] = "halves"
CELLS = [name for name, kind in MAPPINGS.items() if kind.paired_folds]
REGRESSIONS = [name for name, kind in MAPPINGS.items() if kind.of_neuroids]
N = 60
TEST = np.random.default_rng(5).permutation(N) < 24
PART = np.where(TEST, "test", "train")
LABEL = np.random.default_rng(6).permutation(N) % 3
CATEGORY = np.array(list("abc"))[LABEL]
GIVEN = CONFIG["cross_validation"] | {"split": "part"}
ALPHAS = np.logspace(-3, 4, 8)


def scored(
    mapping: str, layers: list, of: Any, permutations: int = 0, bootstraps: int = 0, **sections: Any
) -> dict[str, NDArray]:
    statistics = {"permutations": permutations, "bootstraps": bootstraps, "seed": 0}
    settings = CONFIG | {"cross_validation": GIVEN, "statistics": statistics} | sections
    found = fit(mapping, layers, of, settings, {"part": PART, "category": CATEGORY})
    return {name: variable.values for name, variable in found.items()}


def scene(repetitions: int = 4) -> tuple[list, Any]:
    """A layer that holds the code of an area, three categories and more, and one that does not."""
    random = np.random.default_rng(0)
    code = random.normal(size=(N, 12)) + 3 * random.normal(size=(3, 12))[LABEL]
    layers = [layer(code, "code"), layer(random.normal(size=(N, 12)), "other")]
    answers = (code @ random.normal(size=(12, 20)))[:, None]
    return layers, area(answers + random.normal(size=(N, repetitions, 20)))


def perturbed(of: Any) -> Any:
    """The same area with other responses to the test stimuli."""
    response = of.response.copy()
    response[TEST] = 3 * np.random.default_rng(1).normal(size=response[TEST].shape)
    return replace(of, response=response)


@pytest.mark.parametrize("repetitions", [1, 4])
@pytest.mark.parametrize("mapping", [*REGRESSIONS, *CELLS])
def test_layers_are_told_apart(mapping: str, repetitions: int) -> None:
    layers, brain = scene(repetitions)
    found, other = (scored(mapping, [one], brain, 19, 20) for one in layers)
    assert found["area_score"][0] > 0.4
    assert abs(other["area_score"][0]) < 0.25
    assert found["area_p_value"][0] == 1 / 20 < other["area_p_value"][0]
    assert abs(found["area_null_mean"][0]) < 0.1
    assert found["selection_score"].shape == (1, 2, 2)
    assert (found["selection_score"] > other["selection_score"]).all()
    low, high = np.percentile(found["area_bootstrap"][0], [1, 99])
    assert low < found["area_score"][0] < high


def test_reweighting_is_least_squares_on_the_pairs_of_training_stimuli() -> None:
    layers, brain = scene(1)
    plain = {
        "rsa": {"dissimilarity": "pearson", "comparison": "pearson"},
        "rsa_reweighted": {"standard_errors": 0},
    }
    found = scored("rsa_reweighted", layers, brain, **plain)

    def cells(patterns: NDArray, of: NDArray) -> NDArray:
        return dissimilarity.pattern_rdm(patterns[of], "pearson")

    trained = np.stack([cells(one.features, ~TEST) for one in layers], axis=1)
    known = cells(brain.response[:, 0], ~TEST)
    weights, _ = nnls(trained - trained.mean(axis=0), known - known.mean())
    tested = np.stack([cells(one.features, TEST) for one in layers], axis=1) @ weights
    expected = pearsonr(tested, cells(brain.response[:, 0], TEST)).statistic
    assert found["area_score"][0] == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("mapping", CELLS)
def test_pairs_are_predicted_from_training_stimuli(
    mapping: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the test stimuli answer, the same is predicted of them."""
    layers, brain = scene()
    seen: list[NDArray] = []
    score = held_out_cells.score

    def spy(predicted: Any, *rest: Any) -> NDArray:
        seen.append(np.atleast_2d(predicted[0])[0])
        return score(predicted, *rest)

    monkeypatch.setattr(held_out_cells, "score", spy)
    scored(mapping, layers[:1], brain)
    own = seen[0]
    seen.clear()
    scored(mapping, layers[:1], perturbed(brain))
    assert len(own) == TEST.sum() * (TEST.sum() - 1) / 2
    np.testing.assert_allclose(seen[0], own, rtol=1e-9)


@pytest.mark.parametrize("mapping", ["ridge", "unit_weighted"])
def test_noise_scores_zero_and_its_p_values_are_uniform(mapping: str) -> None:
    layers, _ = scene()
    random = np.random.default_rng(2)
    found = [
        scored(mapping, layers[1:], area(random.normal(size=(N, 1, 6))), permutations=19)
        for _ in range(60)
    ]
    scores = [one["area_score"][0] for one in found]
    assert abs(np.mean(scores)) < 3 * np.std(scores) / np.sqrt(len(scores))
    p = [one["area_p_value"][0] for one in found]
    assert kstest(p, "uniform").pvalue > 0.01


# Neuroids


def test_ridge_is_that_of_scikit_learn_fitted_once() -> None:
    layers, brain = scene()
    asked = {"alphas": ALPHAS.tolist(), "protocol": "nested"}
    found = scored("ridge", layers[:1], brain, 3, 4, ridge=asked)
    inputs, response = scaled(layers[0].features), brain.mean_response
    model = RidgeCV(ALPHAS, alpha_per_target=True).fit(inputs[~TEST], response[~TEST])
    predicted = model.predict(inputs[TEST])

    def correlated(these: NDArray, known: NDArray) -> NDArray:
        pairs = zip(predicted[these].T, known[these].T, strict=True)
        return np.array([np.corrcoef(x, y)[0, 1] for x, y in pairs])

    every = np.arange(TEST.sum())
    expected = correlated(every, response[TEST])
    np.testing.assert_allclose(found["area_score"][0], expected.mean(), atol=1e-10)
    np.testing.assert_allclose(found["score"][0], expected, atol=1e-6)  # kept in single precision
    np.testing.assert_allclose(found["alpha"][0], model.alpha_, rtol=1e-6)
    null = [correlated(every, response[TEST][order]) for order in permutations(TEST.sum(), 3, 0)]
    np.testing.assert_allclose(found["area_null"][0], np.mean(null, axis=1), atol=1e-10)
    x, y = predicted - predicted.mean(axis=0), response[TEST] - response[TEST].mean(axis=0)
    drawn = bootstrap_weights(TEST.sum(), 4, 0)
    draws = np.mean(drawn @ (x * y) / np.sqrt((drawn @ x**2) * (drawn @ y**2)), axis=1)
    widened = np.arctanh(draws).std() * np.sqrt(TEST.sum() / (TEST.sum() - 1))  # for one mean
    assert np.arctanh(found["area_bootstrap"][0]).std() == pytest.approx(widened, rel=1e-9)
    seed = CONFIG["selection"]
    parts = halves(4, seed["splits"], seed["seed"])
    by_half = [[correlated(every, brain.response[TEST][:, half].mean(axis=1)).mean()
                for half in split] for split in parts]  # fmt: skip
    np.testing.assert_allclose(found["selection_score"][0], by_half, atol=1e-10)

    once = replace(brain, response=brain.response[:, :1])
    found = scored("ridge", layers[:1], once, ridge=asked)
    response = once.mean_response
    predicted = RidgeCV(ALPHAS, alpha_per_target=True).fit(inputs[~TEST], response[~TEST])
    predicted = predicted.predict(inputs[TEST])
    by_half = [[correlated(half, response[TEST]).mean() for half in split]
               for split in halves(TEST.sum(), seed["splits"], seed["seed"])]  # fmt: skip
    np.testing.assert_allclose(found["selection_score"][0], by_half, atol=1e-10)


@pytest.mark.parametrize("mapping", REGRESSIONS)
def test_the_model_is_that_of_two_folds_and_never_sees_a_test_stimulus(
    mapping: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    layers, brain = scene()
    seen: list[NDArray] = []
    score = given_split.score

    def spy(predicted: Any, responses: NDArray) -> NDArray:
        seen.append(predicted.values)
        return score(predicted, responses)

    monkeypatch.setattr(given_split, "score", spy)
    scored(mapping, layers, brain)
    own, seen = seen, []
    scored(mapping, layers, perturbed(brain))
    for before, after in zip(own, seen, strict=True):
        np.testing.assert_allclose(after, before, rtol=1e-7, atol=1e-9)

    module = importlib.import_module(f"cortiscope.mappings.{mapping}")
    scorer = module.Scorer(brain, CONFIG, {})
    given = layers[0].features
    if mapping == "stacked":  # which looks up the features of stimuli in all layers
        scorer.features, given = [one.features for one in layers], np.arange(N)
    in_folds = scorer.prepare(given, TEST.astype(int))
    found = in_folds(Targets(brain.mean_response, np.float64, np.zeros(20, int)))
    np.testing.assert_allclose(found.values[TEST], own[0], rtol=1e-7, atol=1e-9)


def test_neuroids_that_miss_stimuli_and_training_stimuli_shown_once() -> None:
    layers, brain = scene()
    response = brain.response.copy()
    trained, tested = np.flatnonzero(~TEST), np.flatnonzero(TEST)
    response[trained, 1:] = np.nan  # half of the repetitions have no training stimulus at all
    whole = scored("ridge", layers[:1], replace(brain, response=response), 5, 5)
    assert np.isfinite(whole["selection_score"]).all()
    response[trained[:5], :, 0] = np.nan
    response[tested[:5], :, 1] = np.nan
    response[tested, :, 2] = np.nan
    response[trained, :, 3] = np.nan
    response[:, :, 4] = 1.0
    found = scored("ridge", layers[:1], replace(brain, response=response), 5, 5)
    missing = np.isin(np.arange(20), [2, 3, 4])
    for name in ("score", "p_value", "null_mean"):
        np.testing.assert_array_equal(np.isnan(found[name][0]), missing)
        np.testing.assert_allclose(found[name][0, 5:], whole[name][0, 5:], atol=1e-6)
    for name in ("area_score", "area_bootstrap", "selection_score", "area_null"):
        assert np.isfinite(found[name]).all()


# Readouts


def readout(patterns: NDArray) -> decoding.Readout:
    folds = CrossValidation(10, 0, None, TEST).numbers(np.arange(N))
    return decoding.Readout(decoding.readout_kernel(patterns), folds, ALPHAS)


def test_readouts_are_those_of_scikit_learn_fitted_once() -> None:
    random = np.random.default_rng(3)
    place = random.normal(size=N)
    patterns = np.column_stack([place, LABEL == 0, LABEL == 1]) @ random.normal(size=(3, 30))
    patterns += 2 * random.normal(size=patterns.shape)
    inputs = scaled(patterns)
    model = RidgeCV(ALPHAS).fit(inputs[~TEST], place[~TEST])
    expected = np.corrcoef(model.predict(inputs[TEST]), place[TEST])[0, 1]
    ours = decoding.continuous(readout(patterns), place, 19, 0)
    assert ours.score == pytest.approx(expected, abs=1e-10)
    assert 0.2 < expected < 0.99
    assert ours.p_value == 1 / 20
    assert ours.null.shape == (19,)

    member = (LABEL[:, None] == np.arange(3)).astype(float)
    several = RidgeCV(ALPHAS, alpha_per_target=True).fit(inputs[~TEST], member[~TEST])
    spread = several.predict(inputs).std(axis=0)
    evidence = (several.predict(inputs[TEST]) - member[~TEST].mean(axis=0)) / spread
    expected = balanced_accuracy_score(LABEL[TEST], evidence.argmax(axis=1))
    ours = decoding.discrete(readout(patterns), CATEGORY, 19, 0)
    assert ours.accuracy == pytest.approx(expected, abs=1e-12)
    assert 0.4 < expected < 1
    assert abs(ours.null.mean()) < 0.15


def test_readouts_never_see_a_test_stimulus_and_leave_out_classes_of_one_part() -> None:
    protocol = Protocol(
        decoding_settings(CONFIG | {"decoding": {"properties": []}}),
        CrossValidation(10, 0, None, TEST),
    )
    random = np.random.default_rng(4)
    patterns = 3 * (LABEL[:, None] == np.arange(3)) @ random.normal(size=(3, 20))
    patterns = patterns + random.normal(size=(N, 20))
    names = CATEGORY.astype(object)
    names[np.flatnonzero(TEST)[:3]] = "only tested"
    names[np.flatnonzero(~TEST)[:3]] = "only trained on"
    apart = np.where(TEST, "d", "e")
    known = np.where(TEST & (np.cumsum(TEST) > 3), np.nan, random.normal(size=N))
    asked = [as_property("names", names, "discrete"), as_property("apart", apart, "discrete")]
    asked.append(as_property("known", known, "continuous"))
    found, never, few = read_out(patterns, asked, protocol)
    assert found["n_stimuli"] == TEST.sum() - 3
    assert found["chance"] == pytest.approx(1 / 3)
    assert found["accuracy"] > 0.9
    for row in (never, few):
        assert np.isnan([row["score"], row["p_value"]]).all()
    assert few["n_stimuli"] == 3


@pytest.mark.parametrize("count", [0, 1, 3])
def test_too_few_test_stimuli_have_no_score_and_no_null(count: int) -> None:
    random = np.random.default_rng(7)
    values = random.normal(size=(count, 2))
    predicted = held_out_scores.Predictions(values, np.ones((1, 2)), np.ones((1, 2)))
    orders = np.tile(np.arange(count), (5, 1))
    null = given_split.null_scores(predicted, random.normal(size=(count, 2)), orders)
    assert null.shape == (5, 2)
    assert np.isnan(null).all()
    place = np.random.default_rng(8).normal(size=N)
    known = ~TEST | (np.cumsum(TEST) <= count)
    folds = np.where(TEST, 0, TRAINING)[known]
    kernel = decoding.readout_kernel(place[known, None] + np.zeros(3))
    found = decoding.continuous(decoding.Readout(kernel, folds, ALPHAS), place[known], 5, 0)
    assert np.isnan([found.score, found.p_value, *found.null]).all()
